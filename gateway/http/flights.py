"""How many commands are under way to one engagement: a few at a time, some more in turn, the rest sent away.

Temporal falls off a cliff beyond ten updates in flight to one workflow, so nobody may go around this.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from gateway.http.problems import Problem

AT_ONCE: Final = 8
WAITING: Final = 64
PATIENCE: Final = 15.0


@dataclass(slots=True)
class _Lane:
    turns: asyncio.Semaphore
    users: int = 0


@dataclass(slots=True)
class Flights:
    """Commands under way in this process, by agency and engagement."""

    at_once: int = AT_ONCE
    waiting: int = WAITING
    patience: float = PATIENCE
    _lanes: dict[tuple[str, str], _Lane] = field(default_factory=dict)

    @asynccontextmanager
    async def turn(self, agency: str, engagement: str) -> AsyncIterator[None]:
        """Wait for a turn, and hold it.

        :raises Problem: 429, too many wait already; 503, no turn came in time.
        """
        key = (agency, engagement)
        lane = self._lanes.setdefault(key, _Lane(asyncio.Semaphore(self.at_once)))
        if lane.users >= self.at_once + self.waiting:
            raise Problem(
                429,
                "too-many-commands",
                f"{lane.users} commands to this engagement are under way or wait; send it again in a moment",
                headers={"Retry-After": "1"},
            )
        lane.users += 1
        try:
            try:
                async with asyncio.timeout(self.patience):
                    await lane.turns.acquire()
            except TimeoutError:
                raise Problem(
                    503,
                    "engagement-busy",
                    "other commands to this engagement took too long; nothing was done, so send it again",
                    headers={"Retry-After": "2"},
                ) from None
            try:
                yield
            finally:
                lane.turns.release()
        finally:
            lane.users -= 1
            if lane.users == 0:
                self._lanes.pop(key, None)
