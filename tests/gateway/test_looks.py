"""What is kept of streams between looks, with a fold that only notes which versions it was given."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from events.catalogue import ContactMade, EventAnnulled, ExcuseGranted, ObligationExcused
from events.envelope import Stored
from events.fold import annulled_ids
from events.log.memory import MemoryLog
from gateway.looks import Looks, fold_in
from tests.gateway.counting import CountingLog, append

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
STREAM = "engagement:e-1"
ABOUT: Any = {
    "obligation_id": UUID(int=1),
    "rule": "keep-in-touch",
    "subject": "engagement",
    "reason": "by-a-lead",
}


class Noted:
    """Notes versions and who said them; it can be told to fail."""

    made = 0
    fails = False

    def __init__(self, _stream: str, events: Sequence[Stored]) -> None:
        Noted.made += 1
        self.annulled = annulled_ids(events)
        self._seen: list[tuple[str, int]] = []

    def more(self, events: Sequence[Stored]) -> None:
        """Note the next versions."""
        for stored in events:
            self._seen.append((stored.agency, stored.version))
            if Noted.fails:
                raise ValueError("it cannot be folded")

    def shown(self) -> tuple[tuple[str, int], ...]:
        """Give what was noted."""
        return tuple(self._seen)


@pytest.fixture
def log() -> CountingLog:
    """This will be an empty log that counts."""
    Noted.made, Noted.fails = 0, False
    return CountingLog(MemoryLog())


@pytest.fixture
def looks(log: CountingLog) -> Looks[tuple[tuple[str, int], ...]]:
    """This will look at its streams."""
    return Looks(log, Noted)


def talk(number: int) -> ContactMade:
    """Make an event."""
    return ContactMade(at=NOON, contact_id=f"contact-{number}", by="r-1", channel="phone")


async def talks(log: CountingLog, count: int, agency: str = "a-1", stream: str = STREAM) -> None:
    """Append some events."""
    await append(log.beneath, agency, stream, *(talk(number) for number in range(count)))


def all_of(agency: str, version: int) -> tuple[int, tuple[tuple[str, int], ...]]:
    """Give what a look shows that was given every event once."""
    return version, tuple((agency, each) for each in range(1, version + 1))


class TestLook:
    async def test_reads_what_is_new_and_the_event_before_it(
        self, log: CountingLog, looks: Looks[tuple[tuple[str, int], ...]]
    ) -> None:
        await talks(log, 250)
        assert await looks.look("a-1", STREAM) == all_of("a-1", 250)
        assert await looks.look("a-1", STREAM) == all_of("a-1", 250)
        await talks(log, 2)
        assert await looks.look("a-1", STREAM) == all_of("a-1", 252)
        assert log.reads == [250, 1, 3]
        assert Noted.made == 1

    async def test_knows_no_stream_without_events(
        self, log: CountingLog, looks: Looks[tuple[tuple[str, int], ...]]
    ) -> None:
        assert await looks.look("a-1", STREAM) == (0, ())
        await talks(log, 1)
        assert await looks.look("a-1", STREAM) == all_of("a-1", 1)

    async def test_never_shows_one_agency_anothers(
        self, log: CountingLog, looks: Looks[tuple[tuple[str, int], ...]]
    ) -> None:
        await talks(log, 3, "a-1")
        await talks(log, 2, "a-2")
        for _ in range(2):
            assert await looks.look("a-1", STREAM) == all_of("a-1", 3)
            assert await looks.look("a-2", STREAM) == all_of("a-2", 2)
            assert await looks.look("a-3", STREAM) == (0, ())

    @pytest.mark.parametrize("length", [2, 3, 4, 0])
    async def test_folds_another_log_that_was_put_beneath(
        self, log: CountingLog, looks: Looks[tuple[tuple[str, int], ...]], length: int
    ) -> None:
        """Also one whose event at that version has the same id, after another history."""
        await talks(log, 3)
        await looks.look("a-1", STREAM)
        log.beneath = MemoryLog()
        for number in range(length):
            await append(log.beneath, "a-1", STREAM, talk(number + 7), command_id=f"command-{number}")
        assert await looks.look("a-1", STREAM) == all_of("a-1", length)
        assert Noted.made == 2

    async def test_begins_anew_after_an_annulment(
        self, log: CountingLog, looks: Looks[tuple[tuple[str, int], ...]]
    ) -> None:
        [wrong] = await append(log.beneath, "a-1", STREAM, talk(1))
        await looks.look("a-1", STREAM)
        annulled = EventAnnulled(at=NOON, event_id=wrong.event_id, annulled_type="contact-made")
        await append(log.beneath, "a-1", STREAM, annulled)
        assert await looks.look("a-1", STREAM) == all_of("a-1", 2)
        assert Noted.made == 2
        await talks(log, 1)
        assert await looks.look("a-1", STREAM) == all_of("a-1", 3)
        assert Noted.made == 2

    async def test_begins_anew_after_an_event_that_is_annulled_already(
        self, log: CountingLog, looks: Looks[tuple[tuple[str, int], ...]]
    ) -> None:
        """What an annulled excuse leads to is annulled with it, also where it comes later."""
        excuse = ExcuseGranted(at=NOON, by="l-1", **ABOUT)
        [wrong] = await append(log.beneath, "a-1", STREAM, excuse)
        annulled = EventAnnulled(at=NOON, event_id=wrong.event_id, annulled_type="excuse-granted")
        await append(log.beneath, "a-1", STREAM, annulled)
        await looks.look("a-1", STREAM)
        excused = ObligationExcused(at=NOON, **ABOUT)
        await append(log.beneath, "a-1", STREAM, excused, causes=wrong.event_id)
        assert await looks.look("a-1", STREAM) == all_of("a-1", 3)
        assert Noted.made == 2

    async def test_begins_anew_after_a_fold_that_failed(
        self, log: CountingLog, looks: Looks[tuple[tuple[str, int], ...]]
    ) -> None:
        await talks(log, 2)
        await looks.look("a-1", STREAM)
        await talks(log, 2)
        Noted.fails = True
        with pytest.raises(ValueError, match="cannot be folded"):
            await looks.look("a-1", STREAM)
        Noted.fails = False
        assert await looks.look("a-1", STREAM) == all_of("a-1", 4)


class TestTogether:
    async def test_shares_readings_that_began_after_the_question(
        self, log: CountingLog, looks: Looks[tuple[tuple[str, int], ...]]
    ) -> None:
        await talks(log, 3)
        found = await asyncio.gather(*(looks.look("a-1", STREAM) for _ in range(20)))
        assert set(found) == {all_of("a-1", 3)}
        assert log.reads == [3, 1]

    async def test_shows_all_that_was_there_when_it_was_asked_and_nothing_twice(
        self, log: CountingLog, looks: Looks[tuple[tuple[str, int], ...]]
    ) -> None:
        shown: list[int] = []

        async def ask() -> None:
            head = await log.head("a-1", STREAM)
            there = head.version if head is not None else 0
            version, seen = await looks.look("a-1", STREAM)
            assert version >= there
            assert (version, seen) == all_of("a-1", version)
            shown.append(version)

        for _ in range(20):
            asking = [asyncio.create_task(ask()) for _ in range(3)]
            await asyncio.sleep(0)
            await talks(log, 2)
            await asyncio.sleep(0)
            await asyncio.gather(*asking, ask())
        assert shown == sorted(shown)

    async def test_outlives_one_who_goes(
        self, log: CountingLog, looks: Looks[tuple[tuple[str, int], ...]]
    ) -> None:
        await talks(log, 500)
        for turns in range(8):
            going = asyncio.create_task(looks.look("a-1", STREAM))
            staying = asyncio.create_task(looks.look("a-1", STREAM))
            for _ in range(turns):
                await asyncio.sleep(0)
            going.cancel()
            assert await staying == all_of("a-1", 500 + turns)
            await talks(log, 1)


class TestLimits:
    async def test_keep_the_streams_that_were_looked_at_last(self, log: CountingLog) -> None:
        looks = Looks(log, Noted, streams=2)
        for name in "abc":
            await talks(log, 5, stream=name)
        for name in "abacac":
            await looks.look("a-1", name)
        assert log.reads == [5, 5, 1, 5, 1, 1]
        await looks.look("a-1", "b")
        assert log.reads[-1] == 5

    async def test_keep_no_more_than_so_many_events(self, log: CountingLog) -> None:
        looks = Looks(log, Noted, events=10)
        for name, count in (("a", 4), ("b", 6), ("c", 5), ("long", 30)):
            await talks(log, count, stream=name)
        for name in ("a", "b", "b", "a", "c", "a", "b", "long", "long", "a"):
            await looks.look("a-1", name)
        # The fifth look drops b, the seventh a and c; what is longer than all is kept until the next look.
        assert log.reads == [4, 6, 1, 1, 5, 1, 6, 30, 1, 4]


class TestFoldIn:
    async def test_gives_others_their_turn(self) -> None:
        log = MemoryLog()
        events = await append(log, "a-1", STREAM, *(talk(number) for number in range(1000)))
        fold = Noted(STREAM, events)
        seen: list[int] = []

        async def other() -> None:
            while len(seen) < 5:
                seen.append(len(fold.shown()))
                await asyncio.sleep(0)

        await asyncio.gather(other(), fold_in(fold, events))
        assert seen == sorted(set(seen))
        assert len(fold.shown()) == 1000
