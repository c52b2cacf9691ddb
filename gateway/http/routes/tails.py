"""Streams that are open, and what wakes them: one follower of the log an agency, however many listen.

Each stream reads by itself from its own place; a wake is a hint, and looking comes after taking the hint.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import structlog

from events.log.port import EventLog
from gateway.access.who import Who
from gateway.http.problems import Problem
from workers.lanes import pauses

STREAMS_EACH: Final = 4
STREAMS_IN_ALL: Final = 400
_log = structlog.get_logger(__name__)


@dataclass
class Tail:
    """The end of an agency's log; *wake* is set, and replaced, when the log has grown."""

    wake: asyncio.Event = field(default_factory=asyncio.Event)
    listeners: int = 0
    task: "asyncio.Task[None] | None" = None

    def stir(self) -> None:
        """Wake everybody who listens."""
        self.wake.set()
        self.wake = asyncio.Event()


class OpenStreams:
    """All event streams of a process; close it before the server waits for its answers to end."""

    def __init__(self, log: EventLog, *, each: int = STREAMS_EACH, in_all: int = STREAMS_IN_ALL) -> None:
        self._log, self._each, self._in_all = log, each, in_all
        self._tails: dict[str, Tail] = {}
        self._open: Counter[tuple[str, str]] = Counter()
        self.closing = False

    def close(self) -> None:
        """Let every stream come to its end; no new one begins."""
        self.closing = True
        for tail in self._tails.values():
            tail.stir()

    @property
    def count(self) -> int:
        """How many streams are open."""
        return self._open.total()

    @contextmanager
    def place(self, who: Who) -> Iterator[None]:
        """Hold one of a credential's streams.

        :raises Problem: it has as many as it may, or the process is at its end.
        """
        key = (who.agency, who.credential)
        if self.closing or self.count >= self._in_all:
            detail = "no more streams can be opened here now; try again in a while"
            raise Problem(503, "streams-full", detail, headers={"Retry-After": "5"})
        if self._open[key] >= self._each:
            detail = f"this credential has {self._each} streams open, which is as many as it may; close one"
            raise Problem(429, "too-many-streams", detail, headers={"Retry-After": "30"})
        self._open[key] += 1
        try:
            yield
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]

    @asynccontextmanager
    async def tail(self, agency: str) -> AsyncIterator[Tail]:
        """Follow the agency's log for as long as somebody listens."""
        tail = self._tails.setdefault(agency, Tail())
        tail.listeners += 1
        if tail.task is None:
            tail.task = asyncio.create_task(self._follow(agency, tail))
        try:
            yield tail
        finally:
            tail.listeners -= 1
            if not tail.listeners:
                del self._tails[agency]
                tail.task.cancel()
                with suppress(asyncio.CancelledError):
                    await tail.task

    async def _follow(self, agency: str, tail: Tail) -> None:
        again = pauses()
        while True:
            try:
                head = await self._log.log_head(agency)
                tail.stir()
                async with aclosing(self._log.subscribe(agency, after=head.position)) as batches:
                    async for _ in batches:
                        tail.stir()
                        again = pauses()
            except Exception as error:
                # Whoever listens looks by itself meanwhile, though less often.
                _log.warning("a log is not followed", agency=agency, error=type(error).__name__)
                await asyncio.sleep(next(again))
