"""Personal values leave the body, open only where they belong, and are counted by their digest alone."""

import base64
import hashlib
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.exceptions import InvalidTag

from events.log.keys import AGENCY_SUBJECT, DataKey, MemoryKeys
from events.log.sealing import input_digest, open_sealed, seal_request, seal_values

KEY = DataKey(UUID(int=5), bytes(range(32)))
STREAM = "engagement:e-1"


class TestSealBody:
    def test_leaves_the_hash_of_the_ciphertext(self, make: Any) -> None:
        draft = make.draft(STREAM, "c-1", personal=("words",), words="hello", plain=1)
        body, sealed = seal_values(json.loads(draft.body), draft, "agency", KEY)
        ciphertext = base64.b64decode(sealed["words"])
        assert json.loads(body) == {
            "number": 0,
            "plain": 1,
            "words": {"sealed": hashlib.sha256(ciphertext).hexdigest()},
        }
        assert ciphertext[0] == 1
        assert UUID(bytes=ciphertext[1:17]) == KEY.id

    def test_leaves_what_is_absent_or_null(self, make: Any) -> None:
        draft = make.draft(STREAM, "c-1", personal=("absent", "empty"), empty=None)
        assert seal_values(json.loads(draft.body), draft, "agency", KEY) == ('{"empty":null,"number":0}', {})

    def test_never_makes_the_same_ciphertext_twice(self, make: Any) -> None:
        draft = make.draft(STREAM, "c-1", personal=("words",), words="hello")
        assert (
            seal_values(json.loads(draft.body), draft, "agency", KEY)[1]
            != seal_values(json.loads(draft.body), draft, "agency", KEY)[1]
        )


class TestOpenSealed:
    async def sealed(self, make: Any, keys: MemoryKeys) -> tuple[UUID, dict[str, str]]:
        draft = make.draft(STREAM, "c-1", personal=("words",), words="hello")
        key = await keys.get_or_create("agency", STREAM)
        return draft.event_id, seal_values(json.loads(draft.body), draft, "agency", key)[1]

    async def test_gives_back_the_value(self, make: Any) -> None:
        keys = MemoryKeys()
        event, sealed = await self.sealed(make, keys)
        assert await open_sealed("agency", event, sealed, keys) == {"words": '"hello"'}

    async def test_reads_the_format_of_every_log_that_exists(self) -> None:
        keys = MemoryKeys()
        keys._keys["agency", STREAM] = KEY
        opened = await open_sealed(
            "agency",
            UUID(int=9),
            {"words": "AQAAAAAAAAAAAAAAAAAAAAUAAQIDBAUGBwgJCgtlarN3qYrg/o3Lc2iwRkaB/SDVnOvx5Q=="},
            keys,
        )
        assert opened == {"words": '"hello"'}

    async def test_leaves_out_what_lost_its_key(self, make: Any) -> None:
        keys = MemoryKeys()
        event, sealed = await self.sealed(make, keys)
        await keys.destroy("agency", STREAM)
        assert await open_sealed("agency", event, sealed, keys) == {}

    async def test_fails_when_moved_to_another_event_or_field(self, make: Any) -> None:
        keys = MemoryKeys()
        event, sealed = await self.sealed(make, keys)
        with pytest.raises(InvalidTag):
            await open_sealed("agency", uuid4(), sealed, keys)
        with pytest.raises(InvalidTag):
            await open_sealed("agency", event, {"other": sealed["words"]}, keys)


class TestSealRequest:
    async def test_makes_no_personal_key_without_need(self, make: Any, agency: str) -> None:
        keys = MemoryKeys()
        await seal_request(make.one(STREAM, 0, "c-1"), keys)
        assert await keys.find(agency, STREAM) is None

    async def test_makes_no_personal_key_for_nulls(self, make: Any, agency: str) -> None:
        keys = MemoryKeys()
        await seal_request(make.one(STREAM, 0, "c-1", personal=("words",), words=None), keys)
        assert await keys.find(agency, STREAM) is None

    async def test_seals_each_event_under_the_key_it_names(self, make: Any, agency: str) -> None:
        keys = MemoryKeys()
        stream = f"agency:{agency}"
        subjects = ("person:r-1", "person:r-2", None)
        groups = [
            make.group(stream, f"c-{number}", personal=("name",), key_subject=subject, name="Somebody")
            for number, subject in enumerate(subjects)
        ]
        sealed = await seal_request(make.request(stream, 0, *groups), keys)
        used = [UUID(bytes=base64.b64decode(event.sealed["name"])[1:17]) for event in sealed.events]
        made = [await keys.find(agency, subject or AGENCY_SUBJECT) for subject in subjects]
        assert used == [key.id for key in made if key is not None]

    async def test_numbers_events_across_groups(self, make: Any) -> None:
        groups = make.group(STREAM, "c-1", 2), make.group(STREAM, "c-2", 0), make.group(STREAM, "c-3")
        sealed = await seal_request(make.request(STREAM, 4, *groups), MemoryKeys())
        assert [event.version for event in sealed.events] == [5, 6, 7]
        assert [(group.first, group.last) for group in sealed.groups] == [(5, 6), (7, 6), (7, 7)]


class TestInputDigest:
    def test_says_nothing_without_the_key(self) -> None:
        """Else the name in a short command could be guessed from its receipt."""
        other = DataKey(KEY.id, bytes(32))
        assert input_digest(KEY, "{}") == input_digest(KEY, "{}")
        assert input_digest(KEY, "{}") != input_digest(other, "{}")
        assert input_digest(KEY, "{}") != hashlib.sha256(b"{}").digest()
