"""One agency's messages in lines: in order about one engagement, side by side about several.

A message stands behind every other about the same that is in hand or is to be tried again; one that fails
holds up those behind it and nobody else.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from events.log.connect import LOST
from workers.inbox.applying import Applying, Ready
from workers.inbox.connections import Connection
from workers.inbox.understanding import Understanding, Understood
from workers.inbox.work import Due, End, Work

POLL: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(seconds=60)
# Between two looks for what is due, however many messages end meanwhile.
BREATH: Final = timedelta(seconds=0.1)
# Messages in hand, and read at a time.
IN_HAND: Final = 2000
BATCH: Final = 100
# Applied at a time; those that failed, and those that ask a provider, have turns of their own, so that no
# other waits for their patience.
TURNS: Final = 16
TURNS_AGAIN: Final = 4
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Hand:
    """What it takes to work on messages."""

    work: Work
    understanding: Understanding
    applying: Applying
    longest_pause: timedelta = LONGEST_PAUSE


class Found:
    """Connections of messages that are read together: each is looked up once."""

    def __init__(self, find: Callable[[Due], Awaitable[Connection]]) -> None:
        self._find = find
        self._known: dict[str, Connection] = {}

    async def of(self, due: Due) -> Connection:
        """Give a message's connection; any error may pass."""
        if due.connection_id not in self._known:
            self._known[due.connection_id] = await self._find(due)
        return self._known[due.connection_id]


class Lines:
    """An agency's messages, until none is due."""

    def __init__(self, hand: Hand, agency: str) -> None:
        self._hand = hand
        self._agency = agency
        self._in_hand: dict[UUID, asyncio.Task[None]] = {}
        self._last: dict[str, asyncio.Task[None]] = {}
        self._turns, self._turns_again = asyncio.Semaphore(TURNS), asyncio.Semaphore(TURNS_AGAIN)
        self._asking = asyncio.Semaphore(TURNS_AGAIN)
        self._tried: set[str] = set()
        """What a message is about that is to be tried again: only behind those may another have to stand."""

    async def run(self) -> None:
        """Take what is due until nothing is; each message ends, or is left for a later time."""
        work = self._hand.work
        # Who has the turn is the only one to postpone, so this is asked once and kept up to date here.
        self._tried |= await work.tried_again(self._agency)
        try:
            while True:
                room = min(BATCH, IN_HAND - len(self._in_hand))
                found = await work.due(self._agency, self._in_hand, room) if room else ()
                connections = Found(self._hand.understanding.connection)
                for due in found:
                    await self._take_up(due, connections)
                if found:
                    continue
                soonest = await work.soonest(self._agency, self._in_hand)
                if not self._in_hand and (soonest is None or soonest > POLL):
                    return
                await self._something_new(min(POLL, soonest if soonest is not None and room else POLL))
        finally:
            tasks = list(self._in_hand.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _something_new(self, pause: timedelta) -> None:
        """Wait until a message is done, or another is due."""
        seconds = max(pause.total_seconds(), 0.01)
        breath, tasks = min(seconds, BREATH.total_seconds()), list(self._in_hand.values())
        await asyncio.sleep(breath)
        if tasks:
            await asyncio.wait(tasks, timeout=seconds - breath, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(seconds - breath)

    async def _take_up(self, due: Due, connections: "Found") -> None:
        """Read a message and let it stand in line; if the provider must be asked first, beside the others."""
        async with self._tried_again(due, frozenset(due.engagements)):
            connection = await connections.of(due)
            understood = await self._hand.understanding.read(due, connection)
            if understood.asks:
                return self._begin(due, self._ask(due, understood))
            if (ready := await self._ready(due, understood)) is not None:
                before = self._before(ready)
                self._begin(due, self._stand(ready, before), ready.plan.about)
        return None

    def _begin(self, due: Due, work: Any, about: frozenset[str] = frozenset()) -> None:
        task = asyncio.create_task(work)
        self._in_hand[due.message_id] = task
        self._last.update(dict.fromkeys(about, task))
        task.add_done_callback(lambda done: self._let_go(due.message_id, done))

    def _before(self, ready: Ready) -> list["asyncio.Task[None]"]:
        return [self._last[each] for each in ready.plan.about if each in self._last]

    def _let_go(self, message_id: UUID, done: "asyncio.Task[None]") -> None:
        self._in_hand.pop(message_id, None)
        for each in [about for about, last in self._last.items() if last is done]:
            del self._last[each]
        if not done.cancelled() and (error := done.exception()) is not None:
            _log.error("a message is left for later", agency=self._agency, error=type(error).__name__)

    async def _ask(self, due: Due, hint: Understood) -> None:
        async with self._tried_again(due, frozenset(due.engagements)):
            async with self._asking:
                understood = await self._hand.understanding.ask(due, hint)
            if (ready := await self._ready(due, understood)) is None:
                return
            before, me = self._before(ready), asyncio.current_task()
            assert me is not None
            self._last.update(dict.fromkeys(ready.plan.about, me))
            await self._stand(ready, before)

    async def _ready(self, due: Due, understood: Understood) -> Ready | None:
        """Say what is to be given; None: the message has come to its end without."""
        # The body has been read: what stands in line need not hold it.
        ready = await self._hand.applying.ready(replace(due, sealed=None), understood)
        if isinstance(ready, Ready):
            return ready
        await self._settle(due, frozenset(due.engagements), ready)
        return None

    async def _stand(self, ready: Ready, before: list["asyncio.Task[None]"]) -> None:
        if before:
            await asyncio.wait(before)
        due, about = ready.due, ready.plan.about
        async with self._tried_again(due, about):
            if about & self._tried and (until := await self._hand.work.blocked_until(due, about)) is not None:
                longest = self._hand.longest_pause
                self._tried |= about
                return await self._hand.work.postpone(due, about, None, longest=longest, behind=until)
            async with self._turns_again if due.attempts else self._turns:
                end = await self._hand.applying.apply(ready)
            await self._settle(due, about, end)
        return None

    async def _settle(self, due: Due, about: frozenset[str], end: End) -> None:
        state = await self._hand.work.settle(due, about, end)
        _log.debug("a message is settled", agency=due.agency, message=str(due.message_id), state=state)

    @asynccontextmanager
    async def _tried_again(self, due: Due, about: frozenset[str]) -> AsyncIterator[None]:
        """Postpone a message whose work fails; whatever may pass is tried again, for ever."""
        try:
            yield
        except Exception as error:
            tell = _log.warning if due.attempts == 0 else _log.info
            names = {"agency": due.agency, "message": str(due.message_id), "attempt": due.attempts + 1}
            tell("a message is tried again later", **names, error=type(error).__name__)
            says = f"tried in vain so far ({type(error).__name__}); it is tried again"
            self._tried |= about
            # Where the database is away as well, the row stays as it is, and due.
            with contextlib.suppress(*LOST):
                await self._hand.work.postpone(due, about, says, longest=self._hand.longest_pause)
