"""The activity that polls: asks each connection's provider what changed, where that is due.

One that fails notes so and holds up no other; the next tick asks it again.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, Protocol

from temporalio import activity

from activities.errors import for_temporal
from activities.types import PollReply

AT_ONCE: Final = 4
# Seconds between two signs of life, well below what the workflow waits for.
BEAT: Final = 10.0
_log = logging.getLogger(__name__)


class Polls(Protocol):
    """What the activity may ask for."""

    async def due(self) -> Sequence[tuple[str, str]]:
        """Name the connections whose poll is due, by agency and id."""

    async def poll(self, agency: str, connection_id: str, /) -> Any:
        """Poll one; *ok* and *found* of what it gives say how it went.

        :raises Exception: its outcome could not be noted.
        """


class Polling:
    """Polls whatever is due."""

    def __init__(self, polls: Polls) -> None:
        self._polls = polls

    @activity.defn(name="poll")
    async def poll(self) -> PollReply:
        """Poll each connection that is due; safe to repeat."""
        with for_temporal("poll the connections"):
            gate = asyncio.Semaphore(AT_ONCE)
            async with _beating():
                due = await self._polls.due()
                ends = await asyncio.gather(*(self._one(*each, gate) for each in due))
            polled = [each for each in ends if each is not None and each.ok]
            return PollReply(
                polled=len(polled), failed=len(ends) - len(polled), found=sum(each.found for each in polled)
            )

    async def _one(self, agency: str, connection_id: str, gate: asyncio.Semaphore) -> Any:
        async with gate:
            try:
                return await self._polls.poll(agency, connection_id)
            except Exception as error:
                _log.warning("%s of %s was not polled: %s", connection_id, agency, type(error).__name__)
                return None


@contextlib.asynccontextmanager
async def _beating() -> AsyncIterator[None]:
    async def beat() -> None:
        while activity.in_activity():
            activity.heartbeat()
            await asyncio.sleep(BEAT)

    beats = asyncio.create_task(beat())
    try:
        yield
    finally:
        beats.cancel()
        await asyncio.gather(beats, return_exceptions=True)
