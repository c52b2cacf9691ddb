"""Tells engagements that their log is ahead of them: after a crash, a reset, a restored cluster.

A stream is poked once for each version: what cannot catch up must not be poked for ever.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from temporalio.exceptions import TemporalError

from events.log.port import EventLog, StreamHead
from workers.client import CommandFailed, Engagements, NotAnswered

AT_ONCE: Final = 8
_PAGE: Final = 200

_log = logging.getLogger(__name__)


async def poke_stale(log: EventLog, engagements_of: Callable[[str], Engagements]) -> int:
    """Poke every engagement whose log is ahead of what its run has folded; returns how many answered."""
    count = 0
    for agency in await log.agencies():
        engagements, after = engagements_of(agency), None
        while page := await log.ahead(agency, category="engagement", after=after, limit=_PAGE):
            after = page[-1].stream
            gate = asyncio.Semaphore(AT_ONCE)
            count += sum(await asyncio.gather(*(_poke(log, engagements, head, gate) for head in page)))
    return count


async def _poke(log: EventLog, engagements: Engagements, head: StreamHead, gate: asyncio.Semaphore) -> bool:
    engagement_id = head.stream.partition(":")[2]
    async with gate:
        try:
            await engagements.poke(engagement_id)
        except (CommandFailed, NotAnswered, TemporalError) as error:
            _log.warning("engagement %s was not reached: %s", engagement_id, type(error).__name__)
            return False
        await log.mark_poked(head.agency, head.stream, head.version)
    return True
