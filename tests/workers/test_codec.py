"""The codec: whose key seals what, and what becomes of what cannot be opened."""

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import (
    ActivitySerializationContext,
    SerializationContext,
    WorkflowSerializationContext,
)
from temporalio.exceptions import ApplicationError

from events.log.keys import MemoryKeys
from workers import codec
from workers.codec import ENCODING, NOTE, EngagementCodec, NoAgency
from workers.data_converter import Payloads, data_converter
from workflows.types import DIGEST_MARK, ENCRYPTED_MARK, POLLS_ID, SWEEP_ID, workflow_id

WORDS = Payload(metadata={"encoding": b"json/plain"}, data=b'"likes dogs"')
MANY_WORDS = Payload(metadata={"encoding": b"json/plain"}, data=b'"' + 200 * b"likes dogs " + b'"')


def _workflow(agency: str = "acme", engagement_id: str = "e-1") -> SerializationContext:
    return WorkflowSerializationContext(namespace="default", workflow_id=workflow_id(agency, engagement_id))


def _activity() -> SerializationContext:
    return ActivitySerializationContext(
        namespace="default",
        activity_id="1",
        activity_type="append",
        activity_task_queue="rapport-outreach",
        workflow_id=workflow_id("acme", "e-1"),
        workflow_type="Engagement",
        is_local=True,
    )


@pytest.fixture
def keys() -> MemoryKeys:
    """This will return an empty key store."""
    return MemoryKeys()


class TestPayloads:
    def test_learn_a_type_once_for_all_workflows(self) -> None:
        """Each run makes a converter; what one knows of a type takes some KiB."""
        one, other = Payloads(), Payloads()
        assert one.converters[b"json/plain"] is other.converters[b"json/plain"]


class TestEncode:
    async def test_hides_content_and_metadata(self, keys: MemoryKeys) -> None:
        [sealed] = await EngagementCodec(keys).with_context(_workflow()).encode([WORDS])
        assert sealed.metadata["encoding"] == ENCODING
        assert b"dogs" not in sealed.SerializeToString()
        assert b"json" not in sealed.SerializeToString()

    @pytest.mark.parametrize("context", [_workflow(), _activity()], ids=["workflow", "activity"])
    async def test_uses_the_engagements_key(self, keys: MemoryKeys, context: SerializationContext) -> None:
        [sealed] = await EngagementCodec(keys, "other").with_context(context).encode([WORDS])
        key = await keys.find("acme", "engagement:e-1")
        assert key is not None
        assert sealed.metadata["rapport-key"] == str(key.id).encode()

    @pytest.mark.parametrize(("id", "subject"), [(SWEEP_ID, "sweep"), (POLLS_ID, "polls")])
    async def test_uses_a_key_of_rapports_own_for_what_is_about_every_agency(
        self, keys: MemoryKeys, id: str, subject: str
    ) -> None:
        """A worker's codec belongs to no agency."""
        context = WorkflowSerializationContext(namespace="default", workflow_id=f"{id}-2030-01-07T10:00:00Z")
        codec = EngagementCodec(keys).with_context(context)
        [sealed] = await codec.encode([WORDS])
        assert await keys.find("rapport", subject) is not None
        assert [each.data for each in await codec.decode([sealed])] == [WORDS.data]

    async def test_uses_the_agencys_key_where_there_is_no_workflow(self, keys: MemoryKeys) -> None:
        [sealed] = await EngagementCodec(keys, "acme").encode([WORDS])
        key = await keys.find("acme", "agency")
        assert key is not None
        assert sealed.metadata["rapport-key"] == str(key.id).encode()

    async def test_never_falls_back_to_plain_text(self, keys: MemoryKeys) -> None:
        with pytest.raises(NoAgency):
            await EngagementCodec(keys).encode([WORDS])

    async def test_leaves_alone_what_is_encrypted_already(self, keys: MemoryKeys) -> None:
        codec = EngagementCodec(keys, "acme")
        sealed = await codec.encode([WORDS])
        assert await codec.encode(sealed) == sealed

    async def test_still_works_for_an_erased_person(self, keys: MemoryKeys) -> None:
        await keys.destroy("acme", "engagement:e-1")
        codec = EngagementCodec(keys).with_context(_workflow())
        [opened] = await codec.decode(await codec.encode([WORDS]))
        assert opened.data == WORDS.data

    async def test_makes_long_content_short(self, keys: MemoryKeys) -> None:
        [sealed] = await EngagementCodec(keys, "acme").encode([MANY_WORDS])
        assert len(sealed.data) < len(MANY_WORDS.data) / 4


class TestDecode:
    @pytest.mark.parametrize("worth_it", [512, 2**30], ids=["compressed", "as it was before compression"])
    async def test_opens_long_content(
        self, keys: MemoryKeys, monkeypatch: pytest.MonkeyPatch, worth_it: int
    ) -> None:
        monkeypatch.setattr(codec, "_WORTH_IT", worth_it)
        sealed = await EngagementCodec(keys, "acme").encode([MANY_WORDS])
        [opened] = await EngagementCodec(keys, "acme").decode(sealed)
        assert opened.data == MANY_WORDS.data
        assert opened.metadata[ENCRYPTED_MARK] == b"1"

    @pytest.mark.parametrize("words", [WORDS, MANY_WORDS], ids=["mark added", "mark taken away"])
    async def test_leaves_what_bears_another_mark_than_it_was_sealed_with(
        self, keys: MemoryKeys, words: Payload
    ) -> None:
        [sealed] = await EngagementCodec(keys, "acme").encode([words])
        if "rapport-zip" in sealed.metadata:
            del sealed.metadata["rapport-zip"]
        else:
            sealed.metadata["rapport-zip"] = b"1"
        [opened] = await EngagementCodec(keys, "acme").decode([sealed])
        assert NOTE in opened.metadata

    async def test_opens_nothing_larger_than_a_payload_can_be(
        self, keys: MemoryKeys, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sealed = await EngagementCodec(keys, "acme").encode([MANY_WORDS])
        monkeypatch.setattr(codec, "_LARGEST", 1000)
        [opened] = await EngagementCodec(keys, "acme").decode(sealed)
        assert NOTE in opened.metadata

    async def test_opens_what_encode_sealed_and_says_so(self, keys: MemoryKeys) -> None:
        codec = EngagementCodec(keys).with_context(_workflow())
        [opened] = await codec.decode(await codec.encode([WORDS]))
        assert opened.data == WORDS.data
        assert opened.metadata["encoding"] == b"json/plain"
        assert opened.metadata[ENCRYPTED_MARK] == b"1"

    async def test_needs_no_context_to_open(self, keys: MemoryKeys) -> None:
        """The codec server is told neither workflow nor agency."""
        sealed = await EngagementCodec(keys).with_context(_workflow()).encode([WORDS])
        [opened] = await EngagementCodec(keys).decode(sealed)
        assert opened.data == WORDS.data

    async def test_takes_a_strangers_word_for_nothing(self, keys: MemoryKeys) -> None:
        forged = Payload(
            metadata={**WORDS.metadata, ENCRYPTED_MARK: b"1", DIGEST_MARK: b"x"}, data=WORDS.data
        )
        [opened] = await EngagementCodec(keys, "acme").decode([forged])
        assert opened.metadata[ENCRYPTED_MARK] == b"0"
        assert opened.metadata[DIGEST_MARK] != b"x"

    async def test_leaves_what_a_destroyed_key_sealed(self, keys: MemoryKeys) -> None:
        codec = EngagementCodec(keys).with_context(_workflow())
        [sealed] = await codec.encode([WORDS])
        await keys.destroy("acme", "engagement:e-1")
        [left] = await codec.decode([sealed])
        assert left.data == sealed.data
        assert b"destroyed" in left.metadata[NOTE]

    @pytest.mark.parametrize(
        "metadata",
        [
            {},
            {"rapport-agency": b"acme"},
            {"rapport-agency": b"acme", "rapport-key": b"not an id"},
            {"rapport-agency": b"\xff", "rapport-key": b"\xff"},
        ],
    )
    async def test_never_raises_for_rubbish(self, keys: MemoryKeys, metadata: dict[str, bytes]) -> None:
        rubbish = Payload(metadata={"encoding": ENCODING, **metadata}, data=b"rubbish")
        [left] = await EngagementCodec(keys, "acme").decode([rubbish])
        assert NOTE in left.metadata
        assert ENCRYPTED_MARK not in left.metadata

    async def test_leaves_what_was_tampered_with(self, keys: MemoryKeys) -> None:
        codec = EngagementCodec(keys, "acme")
        [sealed] = await codec.encode([WORDS])
        sealed.data = sealed.data[:-1] + bytes([sealed.data[-1] ^ 1])
        [left] = await codec.decode([sealed])
        assert NOTE in left.metadata

    async def test_opens_nothing_of_another_agency(self, keys: MemoryKeys) -> None:
        sealed = await EngagementCodec(keys, "other").encode([WORDS])
        [left] = await EngagementCodec(keys).with_context(_workflow()).decode(sealed)
        assert NOTE in left.metadata


class TestDigest:
    async def test_names_content_the_same_way_each_time(self, keys: MemoryKeys) -> None:
        codec = EngagementCodec(keys, "acme")
        assert await codec.digest(b"dogs") == await codec.digest(b"dogs")

    async def test_tells_nothing_without_the_agencys_key(self, keys: MemoryKeys) -> None:
        """Whoever guesses the content cannot test the guess."""
        other = EngagementCodec(MemoryKeys(), "acme")
        assert await EngagementCodec(keys, "acme").digest(b"dogs") != await other.digest(b"dogs")


class TestDataConverter:
    async def test_encrypts_the_texts_of_failures(self, keys: MemoryKeys) -> None:
        converter = data_converter(keys).with_context(_workflow())
        failure = Failure()
        await converter.encode_failure(
            ApplicationError("about Ann Quux", "details on Ann Quux", type="Mistake"), failure
        )
        assert b"Ann Quux" not in failure.SerializeToString()
        error = await converter.decode_failure(failure)
        assert isinstance(error, ApplicationError)
        assert (error.message, error.details) == ("about Ann Quux", ("details on Ann Quux",))
