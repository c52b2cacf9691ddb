"""An errand that fails holds up its own lane only, and the place."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import islice
from uuid import UUID

import pytest

from events.envelope import Actor, Stored
from workers import lanes
from workers.lanes import LONGEST_PAUSE, TURNS_AGAIN, Errand, Lanes, pauses

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
PATIENCE = 30.0


def stored(position: int) -> Stored:
    """Make an event at a position."""
    return Stored(
        position=position,
        event_id=UUID(int=position),
        agency="a-1",
        stream="job-order:j-1",
        version=position,
        type="job-order-filled",
        schema_version=1,
        command_id="c",
        causation_id=None,
        correlation_id=None,
        actor=Actor(kind="person", id="r-1"),
        source="test",
        origin="business",
        policy_digest=None,
        occurred_at=NOON,
        decided_at=NOON,
        recorded_at=NOON,
        body="{}",
    )


def errand(position: int, run: Callable[[], Awaitable[None]]) -> Errand:
    """Make an errand of the event at a position."""
    return Errand(stored(position), "do", run)


async def nothing() -> None:
    """Go through at once."""


class Place:
    """Where the place is noted; it may fail first."""

    def __init__(self, failures: int = 0) -> None:
        self.noted: list[int] = []
        self._failures = failures

    async def note(self, position: int) -> None:
        """Keep a position."""
        if self._failures > 0:
            self._failures -= 1
            raise ConnectionError("the database is away")
        self.noted.append(position)

    async def comes_to(self, position: int) -> None:
        """Wait until a position is noted."""
        async with asyncio.timeout(PATIENCE):
            while self.noted[-1:] != [position]:  # noqa: ASYNC110 (a list, read again and again)
                await asyncio.sleep(0.01)


class TestPlace:
    async def test_is_where_reading_is_when_nothing_is_left(self) -> None:
        place = Place()
        async with Lanes("a-1", place.note) as errands:
            errands.add("x", errand(3, nothing))
            errands.reach(7)
            await errands.calm()
            await place.comes_to(7)

    async def test_lies_before_the_earliest_event_with_an_errand_left(self) -> None:
        held, place = asyncio.Event(), Place()

        async def fails_until_held() -> None:
            if not held.is_set():
                raise ConnectionError

        async with Lanes("a-1", place.note) as errands:
            errands.add("x", errand(3, fails_until_held))
            errands.add("y", errand(5, nothing))
            errands.reach(7)
            await errands.calm()
            assert errands.place == 2
            await place.comes_to(2)
            held.set()
            await place.comes_to(7)
        assert place.noted == [2, 7]

    async def test_is_noted_once_for_all_that_happens_meanwhile(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each note waits for the disk; what a crash makes undone is done again."""
        monkeypatch.setattr(lanes, "REST", 1.0)
        place = Place()
        async with Lanes("a-1", place.note) as errands:
            errands.reach(1)
            await place.comes_to(1)
            for position in range(2, 9):
                errands.reach(position)
                await asyncio.sleep(0)
            await place.comes_to(8)
        assert place.noted == [1, 8]

    async def test_is_noted_once_the_database_is_back(self) -> None:
        place = Place(failures=1)
        async with Lanes("a-1", place.note) as errands:
            errands.reach(4)
            await place.comes_to(4)


class TestLane:
    async def test_keeps_the_order_when_its_first_errand_fails(self) -> None:
        done: list[int] = []
        failures = [ConnectionError()]

        async def first() -> None:
            if failures:
                raise failures.pop()
            done.append(1)

        async def second() -> None:
            done.append(2)

        place = Place()
        async with Lanes("a-1", place.note) as errands:
            errands.add("x", errand(1, first))
            errands.add("x", errand(2, second))
            errands.reach(2)
            await errands.calm()
            assert done == []
            assert "x" in errands
            await place.comes_to(2)
            assert "x" not in errands
        assert done == [1, 2]

    async def test_needs_no_turn_of_those_that_failed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Many who do not answer, each for a long time, take none of the others' turns."""
        monkeypatch.setattr(lanes, "FIRST_PAUSE", 0.0)
        trying = 0
        held = asyncio.Event()

        def silent() -> Callable[[], Awaitable[None]]:
            tries = 0

            async def run() -> None:
                nonlocal tries, trying
                tries += 1
                if tries == 1:
                    raise ConnectionError
                trying += 1
                await held.wait()

            return run

        place = Place()
        async with Lanes("a-1", place.note) as errands:
            for position in range(1, 41):
                errands.add(f"silent {position}", errand(position, silent()))
            errands.reach(40)
            async with asyncio.timeout(PATIENCE):
                while trying < TURNS_AGAIN:  # noqa: ASYNC110 (a number, read again and again)
                    await asyncio.sleep(0.01)
            errands.add("another", errand(41, nothing))
            errands.reach(41)
            async with asyncio.timeout(PATIENCE):
                await errands.calm()
            assert "another" not in errands
            assert trying == TURNS_AGAIN
            held.set()
            await place.comes_to(41)

    async def test_is_dropped_when_left(self) -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def lasts() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        async with Lanes("a-1", Place().note) as errands:
            errands.add("x", errand(1, lasts))
            await begun.wait()
        assert ended.is_set()


class TestPauses:
    def test_grow_up_to_a_longest_one(self) -> None:
        found = list(islice(pauses(), 20))
        assert found == sorted(found)
        assert found[1] == 2 * found[0]
        assert found[-1] == LONGEST_PAUSE
