"""One attempt after another for one subscription, several at a time, until nothing is due.

Two pools of turns: whoever does not answer takes turns only from others that do not answer either.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from events.canonical import canonical
from events.cloudevents import cloud_event
from events.log.connect import LOST
from events.log.port import EventLog
from workers.delivering.deliveries import ROOM, Deliveries, Delivery
from workers.delivering.schedule import Answer
from workers.delivering.sending import Sender
from workers.delivering.subscription import Subscription
from workers.delivering.subscriptions import Subscriptions

# Seconds between two looks at the log and at the subscription itself.
POLL: Final = 0.5
PAGE: Final = 500
# Messages under way at a time: to one receiver, to all, to all that did not take the last one.
AT_ONCE: Final = 4
TURNS: Final = 96
TURNS_AGAIN: Final = 32
# At the end, what is under way may finish for so many seconds; what does not is sent again.
GRACE: Final = 3.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Means:
    """What an attempt needs, shared by all subscriptions of a process."""

    log: EventLog
    subscriptions: Subscriptions
    deliveries: Deliveries
    sender: Sender
    clock: Callable[[], datetime]
    turns: asyncio.Semaphore
    turns_again: asyncio.Semaphore


class Attempts:
    """Serves one subscription."""

    def __init__(self, means: Means, agency: str, subscription_id: str) -> None:
        self._means = means
        self._key = (agency, subscription_id)
        self._under_way: set[asyncio.Task[bool]] = set()
        self._troubled = False

    async def run(self) -> None:
        """Take in what the log has, and attempt what is due, until there is neither."""
        try:
            while of := await self._means.deliveries.subscription(*self._key):
                read = await self._take_in(of)
                self._troubled = of.failures > 0
                begun = await self._attempt_for(of, POLL)
                if not (read or begun or self._under_way):
                    return
            # Paused, removed or gone: what has left already is still noted.
            if self._under_way:
                await asyncio.wait(self._under_way)
        finally:
            await self._finish()

    async def _attempt_for(self, of: Subscription, seconds: float) -> bool:
        """Attempt what is due for a while, or until nothing is; tells whether anything was."""
        ends, begun = time.monotonic() + seconds, False
        while (left := ends - time.monotonic()) > 0:
            while len(self._under_way) < (1 if self._troubled else AT_ONCE):
                attempt = await self._begin(of)
                if attempt is None:
                    break
                self._under_way.add(attempt)
                begun = True
            if not self._under_way:
                break
            # Not until all are done: whoever does not answer would hold up the other engagements.
            done, self._under_way = await asyncio.wait(
                self._under_way, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
            if done:
                self._troubled = not all(each.result() for each in done)
        return begun

    async def _take_in(self, of: Subscription) -> bool:
        deliveries = self._means.deliveries
        if await deliveries.waiting(of) >= ROOM:
            return False
        page = await self._means.log.read_all(of.agency, after=of.position, limit=PAGE)
        return await deliveries.take_in(of, page, self._means.clock())

    async def _begin(self, of: Subscription) -> asyncio.Task[bool] | None:
        """Begin one attempt, if one is due; it gives its turn back when it ends."""
        turns = self._means.turns_again if self._troubled else self._means.turns
        # Claimed with a turn in hand: a lease must not lapse in a queue.
        await turns.acquire()
        delivery = None
        try:
            delivery = await self._means.deliveries.claim(of, self._means.clock())
        finally:
            if delivery is None:
                turns.release()
        if delivery is None:
            return None
        task = asyncio.create_task(self._attempt(of, delivery))
        task.add_done_callback(lambda _: turns.release())
        return task

    async def _attempt(self, of: Subscription, delivery: Delivery) -> bool:
        """Send one message and settle it; tells whether it was taken."""
        means = self._means
        try:
            answer = await self._answer(of, delivery)
            if answer is None:
                says = "the log does not hold this event as it was taken in"
                await means.deliveries.park(of, delivery, says, means.clock())
                return True
            await means.deliveries.settle(of, delivery, answer, means.clock())
        except Exception as error:
            # Unsettled, it is claimed anew when its lease has lapsed.
            _tell("an attempt is not settled", of, delivery, type(error).__name__)
            return False
        if answer.verdict != "delivered":
            _tell("a message was not taken", of, delivery, answer.says)
        return answer.verdict == "delivered"

    async def _answer(self, of: Subscription, delivery: Delivery) -> Answer | None:
        """Make the message and send it; None: there is no such event."""
        means = self._means
        try:
            body = await self._body(of, delivery)
            if body is None:
                return None
            now = means.clock()
            secrets = await means.subscriptions.secrets(of.agency, of.subscription_id, now)
            return await means.sender.send(of.url, str(delivery.event_id), body, secrets, now)
        except LOST:
            raise
        except Exception as error:
            # A key or a row that does not open stays so: it counts as an attempt, and in the end it is shown.
            return Answer(None, f"it cannot be made ready ({type(error).__name__})")

    async def _body(self, of: Subscription, delivery: Delivery) -> str | None:
        found = await self._means.log.read_stream(
            of.agency, delivery.stream, after=delivery.version - 1, limit=1, open_personal=of.personal
        )
        if not found or found[0].event_id != delivery.event_id:
            return None
        return canonical(cloud_event(found[0], personal=of.personal))

    async def _finish(self) -> None:
        if not self._under_way:
            return
        with suppress(asyncio.CancelledError):
            await asyncio.wait(self._under_way, timeout=GRACE)
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)


def _tell(what: str, of: Subscription, delivery: Delivery, says: str) -> None:
    _log.info(
        what,
        agency=of.agency,
        subscription=of.subscription_id,
        event_id=str(delivery.event_id),
        attempt=delivery.attempt,
        says=says,
    )
