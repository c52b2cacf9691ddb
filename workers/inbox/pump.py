"""Sees to it that every agency's messages are taken out of the inbox, by one process at a time.

One process works on an agency at a time, by a lease, so that there is one order; what it held when it died
is taken up by another, and comes to the same commands under the same ids.
"""

import asyncio
import contextlib
from collections.abc import Awaitable
from datetime import timedelta
from typing import Final
from uuid import uuid4

import structlog

from events.log.connect import LOST, Connection, hang_up
from workers.inbox.lines import POLL, Hand, Lines

CHANNEL: Final = "rapport_inbox"
# Whoever holds an agency's turn for longer says so again in time; one that died is missed for no longer.
LEASE: Final = timedelta(seconds=10)
_log = structlog.get_logger(__name__)


class Pump:
    """Runs until it is cancelled, in every worker process; an agency's messages are in one hand at a time."""

    def __init__(self, hand: Hand, *, lease: timedelta = LEASE) -> None:
        self._hand = hand
        self._lease = lease
        self._holder = uuid4()
        self._woken = asyncio.Event()
        self._agencies: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Apply what comes, for ever; a lost database is waited for."""
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                pause = POLL
                try:
                    pause = await self._look()
                except LOST as error:
                    _log.warning("the inbox is not reached", error=type(error).__name__)
                except Exception as error:
                    # Nothing is lost: what is there is looked at again.  An error's words may be personal.
                    _log.error("the inbox is not looked at", error=type(error).__name__)
                await _wait(self._woken, pause)
        finally:
            listening.cancel()
            for task in self._agencies.values():
                task.cancel()
            await asyncio.gather(listening, *self._agencies.values(), return_exceptions=True)

    async def _look(self) -> timedelta:
        """Begin with every agency that has something due; returns how long to wait before the next look."""
        self._woken.clear()
        due = await self._hand.work.due_agencies(POLL)
        for agency, due_in in due.items():
            at_work = self._agencies.get(agency)
            if due_in <= timedelta() and (at_work is None or at_work.done()):
                self._agencies[agency] = asyncio.create_task(self._take(agency))
        return min((each for each in due.values() if each > timedelta()), default=POLL)

    async def _take(self, agency: str) -> None:
        work = self._hand.work
        try:
            if not await work.take_turn(agency, self._holder, self._lease):
                return
            try:
                await self._with_lease(agency, Lines(self._hand, agency).run())
            finally:
                with contextlib.suppress(*LOST):
                    await work.leave_turn(agency, self._holder)
        except LOST as error:
            _log.warning("an agency's inbox is interrupted", agency=agency, error=type(error).__name__)
        except Exception as error:
            # Its messages are still there, and are taken up again; but somebody should know.
            _log.error("an agency's inbox is interrupted", agency=agency, error=type(error).__name__)

    async def _with_lease(self, agency: str, working: Awaitable[None]) -> None:
        """Work for as long as the turn is ours."""
        task = asyncio.ensure_future(working)
        keeping = asyncio.create_task(self._keep(agency))
        try:
            await asyncio.wait({task, keeping}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
        finally:
            for each in (task, keeping):
                each.cancel()
            await asyncio.gather(task, keeping, return_exceptions=True)

    async def _keep(self, agency: str) -> None:
        """Keep the turn; ends when somebody else has it, or when it is over and nobody could be asked."""
        lease, every = self._lease.total_seconds(), self._lease.total_seconds() / 4
        loop = asyncio.get_running_loop()
        ours_until = loop.time() + lease
        while loop.time() + every < ours_until:
            await asyncio.sleep(every)
            with contextlib.suppress(*LOST):
                asked_at = loop.time()
                async with asyncio.timeout(every):
                    if not await self._hand.work.take_turn(agency, self._holder, self._lease):
                        break
                ours_until = asked_at + lease
        _log.warning("an agency's turn is lost", agency=agency)

    async def _listen(self) -> None:
        listener: Connection | None = None
        try:
            while True:
                with contextlib.suppress(*LOST):
                    if listener is None or listener.is_closed():
                        listener = await self._hand.work.listen()
                        await listener.add_listener(CHANNEL, lambda *_: self._woken.set())
                        self._woken.set()
                await asyncio.sleep(POLL.total_seconds())
        finally:
            if listener is not None:
                await hang_up(listener)


async def _wait(event: asyncio.Event, pause: timedelta) -> None:
    # Not wait_for: before Python 3.12 it can swallow the cancellation of its caller.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(max(pause.total_seconds(), 0.01)):
            await event.wait()
