"""Tells those who follow the log that it has grown: at most once in a while, in a call that appends anyway.

What is untold for a moment is told soon after; who misses it looks by itself: a notification is a hint only.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import asyncpg

from events.log.connect import LOST, Connections, ConnectionsClosed

CHANNEL: Final = "rapport_log"
# Seconds; readers gather for longer than that before they read.
PAUSE: Final = 0.01


class Teller:
    """Decides for each append whether it tells; *tell* tells without appending anything, and does not raise.

    Of appends within *pause* seconds of each other one tells, and the last is told of within twice that.
    """

    def __init__(self, tell: Callable[[], Awaitable[object]], *, pause: float = PAUSE) -> None:
        self._tell, self._pause = tell, pause
        self._not_before = 0.0
        # How many appends nobody was told of by themselves, and up to which of them somebody was told since.
        self._owed = self._paid = 0
        self._timer: asyncio.TimerHandle | None = None
        self._telling: asyncio.Task[None] | None = None

    def begin(self) -> int | None:
        """Give the append that begins now the turn to tell, or none if another had it a moment ago."""
        now = asyncio.get_running_loop().time()
        if now < self._not_before:
            return None
        self._not_before = now + self._pause
        return self._owed

    def end(self, turn: int | None, *, told: bool) -> None:
        """Take note of an append that is over; one with the turn has told of what was owed when it began."""
        if turn is not None and told:
            self._paid = max(self._paid, turn)
            return
        if turn is not None:
            self._not_before = 0.0
        self._owed += 1
        if self._timer is None:
            self._set()

    async def close(self) -> None:
        """Tell what is still owed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._telling is not None:
            await self._telling
        if self._paid < self._owed:
            await self._pay()

    def _set(self) -> None:
        # Later than the next append may tell: where many append, none needs a call of its own.
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(max(self._not_before, loop.time()) + self._pause, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._paid == self._owed:
            return
        busy = self._telling is not None and not self._telling.done()
        if busy or asyncio.get_running_loop().time() < self._not_before + self._pause:
            self._set()
            return
        self._telling = asyncio.create_task(self._pay())

    async def _pay(self) -> None:
        owed = self._owed
        self._not_before = asyncio.get_running_loop().time() + self._pause
        await self._tell()
        self._paid = max(self._paid, owed)


async def notify(connections: Connections) -> None:
    """Notify whoever follows the log, or nobody where the database refuses: they look by themselves."""
    with suppress(*LOST, asyncpg.PostgresError, ConnectionsClosed):
        async with connections.borrow() as connection:
            await connection.execute(f"NOTIFY {CHANNEL}")
