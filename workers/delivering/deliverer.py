"""Delivers what the log holds to every subscription, until it is cancelled.

A task a subscription: whatever goes wrong with one is no other's trouble.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from events.log.port import EventLog
from workers.delivering.attempts import POLL, TURNS, TURNS_AGAIN, Attempts, Means
from workers.delivering.deliveries import Deliveries
from workers.delivering.sending import Sender
from workers.delivering.subscriptions import Subscriptions
from workers.lanes import pauses

REMEMBERS: Final = timedelta(days=7)
FORGETS_EVERY: Final = timedelta(hours=1)
Key = tuple[str, str]
_log = structlog.get_logger(__name__)


def utc_now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


class Deliverer:
    """Safe to run in several processes at once: each message is claimed before it is sent."""

    def __init__(
        self,
        log: EventLog,
        subscriptions: Subscriptions,
        deliveries: Deliveries,
        sender: Sender,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        turns, turns_again = asyncio.Semaphore(TURNS), asyncio.Semaphore(TURNS_AGAIN)
        self._means = Means(log, subscriptions, deliveries, sender, clock, turns, turns_again)
        self._deliveries, self._clock = deliveries, clock
        self._serving: dict[Key, asyncio.Task[None]] = {}
        self._pauses: dict[Key, Iterator[float]] = {}
        self._forgot_at: datetime | None = None

    async def run(self) -> None:
        """Serve every subscription that has something to do."""
        again = pauses()
        try:
            while True:
                try:
                    await self._look()
                    again = pauses()
                except Exception as error:
                    # Nothing is skipped: what is due now is due at the next look as well.
                    _log.warning("deliveries are interrupted", error=type(error).__name__)
                    await asyncio.sleep(next(again))
                await asyncio.sleep(POLL)
        finally:
            for task in self._serving.values():
                task.cancel()
            await asyncio.gather(*self._serving.values(), return_exceptions=True)

    async def once(self) -> None:
        """Do what is due at this moment, and what becomes due by it, to its end."""
        await self._look()
        while serving := list(self._serving.values()):
            await asyncio.wait(serving)
            await self._look()

    async def _look(self) -> None:
        self._serving = {key: task for key, task in self._serving.items() if not task.done()}
        for key in await self._deliveries.due(self._clock()):
            if key not in self._serving:
                self._serving[key] = asyncio.create_task(self._serve(key))
        now = self._clock()
        if self._forgot_at is None or now - self._forgot_at >= FORGETS_EVERY:
            await self._deliveries.forget(now - REMEMBERS)
            self._forgot_at = now

    async def _serve(self, key: Key) -> None:
        try:
            await Attempts(self._means, *key).run()
            self._pauses.pop(key, None)
        except Exception as error:
            # The others go on; whatever was claimed is claimed anew when its lease has lapsed.
            _log.warning("a subscription is interrupted", subscription=key[1], error=type(error).__name__)
            await asyncio.sleep(next(self._pauses.setdefault(key, pauses())))
