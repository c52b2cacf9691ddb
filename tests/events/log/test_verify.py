"""Verification names the first version that is not as it was written."""

from typing import Any

from events.envelope import Stored
from events.log.hashing import head_hash
from events.log.memory import MemoryLog
from events.log.verify import Broken, broken_at, head_is_sound, missing_positions

STREAM = "engagement:e-1"


async def stored(make: Any) -> tuple[list[Stored], dict[int, dict[str, str]]]:
    log = MemoryLog()
    await log.append_many([make.one(STREAM, 0, "c-1", 4, personal=("words",), words="hello")])
    return await log.read_stream(make.agency, STREAM), await log.ciphertexts(make.agency, STREAM)


def changed(events: list[Stored], version: int, **update: Any) -> list[Stored]:
    return [event.model_copy(update=update) if event.version == version else event for event in events]


class TestBrokenAt:
    async def test_finds_nothing_in_a_sound_stream(self, make: Any) -> None:
        assert broken_at(*await stored(make)) is None
        assert broken_at([]) is None

    async def test_finds_a_changed_body(self, make: Any) -> None:
        events, _ = await stored(make)
        broken = broken_at(changed(events, 3, body="{}"))
        assert broken == Broken(STREAM, 3, "the content of version 3 is not what was written")

    async def test_finds_a_missing_version(self, make: Any) -> None:
        events, _ = await stored(make)
        broken = broken_at([event for event in events if event.version != 2])
        assert broken == Broken(STREAM, 2, "version 2 is missing: version 3 comes next")

    async def test_finds_a_rewritten_event_by_the_next_link(self, make: Any) -> None:
        """A forger who recomputes one event's hash still breaks the chain after it."""
        other, _ = await stored(make)
        events, _ = await stored(make)
        forged = [*events[:1], other[1], *events[2:]]
        assert broken_at(forged) == Broken(STREAM, 2, "version 2 does not follow from the version before it")

    async def test_finds_an_exchanged_ciphertext(self, make: Any) -> None:
        events, sealed = await stored(make)
        broken = broken_at(events, sealed | {4: sealed[1]})
        assert broken is not None
        assert (broken.version, "words" in broken.reason) == (4, True)

    async def test_finds_a_lost_ciphertext(self, make: Any) -> None:
        events, sealed = await stored(make)
        broken = broken_at(events, {version: sealed[version] for version in (1, 2, 4)})
        assert broken is not None
        assert broken.version == 3


class TestMissingPositions:
    def test_names_each(self) -> None:
        assert missing_positions([1, 3, 4], upto=6) == [2, 5, 6]
        assert missing_positions([], upto=0) == []


class TestHeadIsSound:
    async def test_when_all_events_are_there(self, make: Any) -> None:
        events, _ = await stored(make)
        published = head_hash(event.chain_hash for event in events)
        assert head_is_sound(events, published)
        assert not head_is_sound(events[:-1], published)
