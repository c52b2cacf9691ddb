"""A sender that behaves as a provider does: signs, sends, and sends again until it is acknowledged.

What it was told is all that it knows: an acknowledgement is a promise, anything else is none.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import httpx
from standardwebhooks import Webhook

from tests.crash.deliveries.lives import Told

AT_ONCE: Final = 12
_PATIENCE: Final = 15.0
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 1.0
# Not now: whoever hears this sends again.
_LATER: Final = frozenset({429, 502, 503, 504})


class Refused(Exception):
    """The door has refused a delivery for good, which it may not."""


class Sender:
    """Sends to one connection; *tell* hears how many deliveries are acknowledged by now."""

    def __init__(self, url: str, secret: str, tell: Callable[[int], None]) -> None:
        self.acknowledged: Counter[str] = Counter()
        self.deliveries = 0
        self.repeats = 0
        self._url, self._tell = url, tell
        self._webhook = Webhook(secret)
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def send(self, told: Sequence[Told]) -> None:
        """Deliver all of them in about this order; returns when each is acknowledged."""
        limits = httpx.Limits(max_connections=AT_ONCE)
        async with httpx.AsyncClient(timeout=_PATIENCE, limits=limits, trust_env=False) as client:
            await asyncio.gather(*(self._deliver(client, each) for each in told))

    async def _deliver(self, client: httpx.AsyncClient, told: Told) -> None:
        pause = _FIRST_PAUSE
        async with self._gate:
            while not await self._once(client, told):
                self.repeats += 1
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
        self.acknowledged[told.id] += 1
        self._tell(self.acknowledged.total())

    async def _once(self, client: httpx.AsyncClient, told: Told) -> bool:
        body, now = told.body(), datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": told.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(told.id, now, body),
        }
        self.deliveries += 1
        try:
            answer = await client.post(self._url, content=body, headers=headers)
        except httpx.TransportError:
            return False
        if answer.status_code in _LATER:
            return False
        if not answer.is_success:
            raise Refused(f"{told.id}: {answer.status_code} {answer.text}")
        return True
