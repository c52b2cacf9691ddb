"""Delivers what the log holds to every subscription, until it is cancelled.

Two pools of turns: whoever does not answer takes turns only from others that do not answer either.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from events.canonical import canonical
from events.cloudevents import cloud_event
from events.log.port import EventLog
from workers.delivering.deliveries import ROOM, Deliveries, Delivery
from workers.delivering.sending import Sender
from workers.delivering.subscription import Subscription
from workers.delivering.subscriptions import Subscriptions
from workers.lanes import pauses

# Seconds between two looks at what is due.
POLL: Final = 0.5
PAGE: Final = 500
# Messages under way at a time: to one receiver, to all, to all that did not take the last one.
AT_ONCE: Final = 4
TURNS: Final = 96
TURNS_AGAIN: Final = 32
# At the end, what is under way may finish for so many seconds; what does not is sent again.
GRACE: Final = 3.0
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
        self._log, self._subscriptions = log, subscriptions
        self._deliveries, self._sender, self._clock = deliveries, sender, clock
        self._turns, self._turns_again = asyncio.Semaphore(TURNS), asyncio.Semaphore(TURNS_AGAIN)
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
        under_way: set[asyncio.Task[None]] = set()
        try:
            while True:
                of = await self._deliveries.subscription(*key)
                if of is None:
                    break
                read = await self._take_in(of)
                while len(under_way) < (1 if of.failures else AT_ONCE):
                    attempt = await self._begin(of)
                    if attempt is None:
                        break
                    under_way.add(attempt)
                if under_way:
                    # Not until all are done: whoever does not answer would hold up the other engagements.
                    _, under_way = await asyncio.wait(
                        under_way, timeout=POLL, return_when=asyncio.FIRST_COMPLETED
                    )
                elif not read:
                    break
            self._pauses.pop(key, None)
        except Exception as error:
            # The others go on; whatever was claimed is claimed anew when its lease has lapsed.
            _log.warning("a subscription is interrupted", subscription=key[1], error=type(error).__name__)
            await asyncio.sleep(next(self._pauses.setdefault(key, pauses())))
        finally:
            await _finish(under_way)

    async def _take_in(self, of: Subscription) -> bool:
        if await self._deliveries.waiting(of) >= ROOM:
            return False
        page = await self._log.read_all(of.agency, after=of.position, limit=PAGE)
        return await self._deliveries.take_in(of, page, self._clock())

    async def _begin(self, of: Subscription) -> asyncio.Task[None] | None:
        """Begin one attempt, if one is due; it gives its turn back when it ends."""
        turns = self._turns_again if of.failures else self._turns
        # Claimed with a turn in hand: a lease must not lapse in a queue.
        await turns.acquire()
        delivery = None
        try:
            delivery = await self._deliveries.claim(of, self._clock())
        finally:
            if delivery is None:
                turns.release()
        if delivery is None:
            return None
        task = asyncio.create_task(self._attempt(of, delivery))
        task.add_done_callback(lambda _: turns.release())
        return task

    async def _attempt(self, of: Subscription, delivery: Delivery) -> None:
        try:
            body = await self._body(of, delivery)
            if body is None:
                says = "the log does not hold this event as it was taken in"
                return await self._deliveries.park(of, delivery, says, self._clock())
            now = self._clock()
            secrets = await self._subscriptions.secrets(of.agency, of.subscription_id, now)
            answer = await self._sender.send(of.url, str(delivery.event_id), body, secrets, now)
            await self._deliveries.settle(of, delivery, answer, self._clock())
            if answer.verdict != "delivered":
                _log.info(
                    "a message was not taken",
                    agency=of.agency,
                    subscription=of.subscription_id,
                    event_id=str(delivery.event_id),
                    attempt=delivery.attempt,
                    says=answer.says,
                )
        except Exception as error:
            # Unsettled, it is claimed anew when its lease has lapsed.
            _log.warning(
                "an attempt is not settled", subscription=of.subscription_id, error=type(error).__name__
            )

    async def _body(self, of: Subscription, delivery: Delivery) -> str | None:
        found = await self._log.read_stream(
            of.agency, delivery.stream, after=delivery.version - 1, limit=1, open_personal=of.personal
        )
        if not found or found[0].event_id != delivery.event_id:
            return None
        return canonical(cloud_event(found[0], personal=of.personal))


async def _finish(under_way: set[asyncio.Task[None]]) -> None:
    if not under_way:
        return
    with suppress(asyncio.CancelledError):
        await asyncio.wait(under_way, timeout=GRACE)
    for task in under_way:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)
