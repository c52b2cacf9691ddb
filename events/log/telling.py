"""Tells those who follow the log that it has grown: at most once in a while, in a call that appends anyway.

What is untold for a moment is told soon after; who misses it looks by itself: a notification is a hint only.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

# Seconds; readers gather for longer than that before they read.
PAUSE: Final = 0.01


class Teller:
    """Decides for each append whether it tells; *tell* tells without appending anything.

    Of appends within *pause* seconds of each other one tells, and the last is told of within twice that.
    """

    def __init__(self, tell: Callable[[], Awaitable[object]], *, pause: float = PAUSE) -> None:
        self._tell, self._pause = tell, pause
        self._not_before = 0.0
        self._owing = False
        self._timer: asyncio.TimerHandle | None = None
        self._telling: asyncio.Task[None] | None = None

    def tells(self) -> bool:
        """Answer whether the append that begins now shall tell; owe one that does not, or that fails."""
        now = asyncio.get_running_loop().time()
        if now < self._not_before:
            return False
        self._not_before = now + self._pause
        self._owing = False
        return True

    def owe(self) -> None:
        """Take note of an append that is over and has perhaps told nobody."""
        self._owing = True
        if self._timer is None:
            self._set(asyncio.get_running_loop())

    async def close(self) -> None:
        """Tell what is still owed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._telling is not None:
            await self._telling
        if self._owing:
            self._owing = False
            await self._tell()

    def _set(self, loop: asyncio.AbstractEventLoop) -> None:
        # Later than the next append may tell: where many append, none needs a call of its own.
        self._timer = loop.call_at(self._not_before + self._pause, self._look)

    def _look(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        if not self._owing:
            return
        if loop.time() < self._not_before + self._pause:
            self._set(loop)
            return
        self._owing = False
        self._not_before = loop.time() + self._pause
        self._telling = asyncio.create_task(self._now())

    async def _now(self) -> None:
        await self._tell()
