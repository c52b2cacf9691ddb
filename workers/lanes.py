"""Errands in lanes: in order within a lane, and no lane waits for another.

The place lies before the earliest event with an errand left: after a restart that one is run again.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import structlog

from events.envelope import Stored

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 60.0
# Seconds between two notes of the place, each a write that waits for the disk; a crash repeats their errands.
REST: Final = 0.5
# Errands at a time; those that failed have turns of their own, so that no other waits for their patience.
TURNS: Final = 16
TURNS_AGAIN: Final = 4
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Errand:
    """Something that an event leads to; *run* must be safe to repeat."""

    event: Stored
    command: str
    run: Callable[[], Awaitable[None]]


class Lanes:
    """An agency's errands, each tried until it goes through; leave it to drop those that are left."""

    def __init__(self, agency: str, note: Callable[[int], Awaitable[None]]) -> None:
        self.reached: int | None = None
        """The last position whose errands are all in their lanes; None before the first."""
        self._agency = agency
        self._note = note
        self._lanes: dict[str, deque[Errand]] = {}
        self._parked: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns, self._turns_again = asyncio.Semaphore(TURNS), asyncio.Semaphore(TURNS_AGAIN)
        self._calm, self._moved = asyncio.Event(), asyncio.Event()

    async def __aenter__(self) -> Self:
        """Begin to note the place."""
        self._start(self._keep_place())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop every lane where it is."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def __contains__(self, lane: str) -> bool:
        """Tell whether a lane has errands left."""
        return lane in self._lanes

    @property
    def place(self) -> int:
        """Give the last position before which, and at which, nothing is left to do."""
        left = [errand.event.position - 1 for lane in self._lanes.values() for errand in lane]
        return min(left, default=self.reached or 0)

    def add(self, lane: str, errand: Errand) -> None:
        """Put an errand at the end of a lane."""
        if lane in self._lanes:
            self._lanes[lane].append(errand)
        else:
            self._lanes[lane] = deque([errand])
            self._start(self._work(lane))

    def reach(self, position: int) -> None:
        """Tell that every errand of the events up to a position has been added."""
        self.reached = position
        self._stir()

    async def calm(self) -> None:
        """Wait until each errand is done or parked, so that no more are held than there must be."""
        self._stir()
        await self._calm.wait()

    async def _work(self, lane: str) -> None:
        errands = self._lanes[lane]
        while errands:
            await self._run(lane, errands[0])
            errands.popleft()
            self._stir()
        del self._lanes[lane]
        self._stir()

    async def _run(self, lane: str, errand: Errand) -> None:
        turns = self._turns
        for pause in pauses():
            try:
                async with turns:
                    await errand.run()
                break
            except Exception as error:
                if lane not in self._parked:
                    self._parked.add(lane)
                    self._stir()
                    self._tell("an errand is parked", errand, why=type(error).__name__)
            turns = self._turns_again
            await asyncio.sleep(pause)
        if lane in self._parked:
            self._parked.remove(lane)
            self._tell("a parked errand went through", errand)

    async def _keep_place(self) -> None:
        noted = 0
        again = pauses()
        while True:
            await self._moved.wait()
            self._moved.clear()
            place = self.place
            if place == noted:
                continue
            try:
                await self._note(place)
                noted, again = place, pauses()
                await asyncio.sleep(REST)
            except Exception as error:
                _log.warning("a place is not noted", agency=self._agency, error=type(error).__name__)
                self._moved.set()
                await asyncio.sleep(next(again))

    def _stir(self) -> None:
        self._moved.set()
        if self._lanes.keys() <= self._parked:
            self._calm.set()
        else:
            self._calm.clear()

    def _tell(self, what: str, errand: Errand, **more: str) -> None:
        event_id = str(errand.event.event_id)
        _log.warning(what, agency=self._agency, event_id=event_id, command=errand.command, **more)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def pauses() -> Iterator[float]:
    """This will yield ever longer pauses in seconds, up to a longest one, for ever."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * 2, LONGEST_PAUSE)
