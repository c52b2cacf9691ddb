"""Findings about the sweep: the streams it is there for, and whether it comes at all.

A stream ahead is no fault while a sweep is still to come; a sweep that does not come is one at once.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from events.log.port import EventLog, StreamHead
from workers.finding import Finding
from workers.sweep_schedule import sweep_standing

AT_ONCE: Final = 16
PAGE: Final = 1000


async def streams_ahead(log: EventLog, agency: str, patience: timedelta) -> list[Finding]:
    """This will list the engagements whose record holds events that their workflow has not acknowledged.

    A healthy one trails by its last append until the next sweep; an age beyond *patience* is too long.
    """
    gate = asyncio.Semaphore(AT_ONCE)

    async def look(head: StreamHead) -> Finding | None:
        async with gate:
            return await _ahead(log, head, patience)

    heads = [head async for head in _trailing(log, agency)]
    found = await asyncio.gather(*(look(head) for head in heads))
    return [each for each in found if each is not None]


async def _trailing(log: EventLog, agency: str) -> AsyncIterator[StreamHead]:
    after: str | None = None
    while page := await log.ahead(agency, after=after, limit=PAGE):
        for head in page:
            yield head
        after = page[-1].stream


async def _ahead(log: EventLog, head: StreamHead, patience: timedelta) -> Finding | None:
    waiting = await log.read_stream(head.agency, head.stream, after=head.acked_version, limit=1)
    if not waiting:
        return None
    since = waiting[0].recorded_at
    count = head.version - head.acked_version
    ahead = f"its record is {count} {'event' if count == 1 else 'events'} ahead of its workflow"
    versions = f"version {head.version}, acknowledged {head.acked_version}"
    return Finding(
        "stream-ahead",
        head.stream,
        datetime.now(UTC) - since >= patience,
        since,
        f"{ahead} ({versions}), {_poke(head)}",
        run_id=head.poked_run,
        poked=_poked(head),
        version=head.version,
        folded=head.acked_version,
        poked_version=head.poked_version or None,
        poked_at=head.poked_at,
    )


def _poked(head: StreamHead) -> bool:
    return head.poked_version >= head.version and head.poked_run is not None


def _poke(head: StreamHead) -> str:
    if head.poked_at is None:
        return "which the sweep has not poked yet"
    at = f"{head.poked_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if _poked(head):
        return f"which was poked for them at {at}"
    if head.poked_version >= head.version:
        return f"which could not be poked at {at}"
    return f"which was poked last at version {head.poked_version}, at {at}"


async def the_sweep(client: Client, schedule_id: str, patience: timedelta) -> list[Finding]:
    """This will say if nobody sweeps: no schedule, one that is paused, or none done within *patience*."""
    try:
        found = await sweep_standing(client, schedule_id)
    except RPCError as error:
        if error.status == RPCStatusCode.UNIMPLEMENTED:
            return []  # a server without schedules: each worker sweeps by itself
        if error.status == RPCStatusCode.PERMISSION_DENIED:
            says = "we may not look at schedules here; each worker sweeps by itself"
            return [Finding("sweep", schedule_id, False, None, says, reason="not-allowed")]
        raise
    if found is None:
        return [
            _not_swept(
                schedule_id, None, "no sweep is scheduled; a worker that starts schedules it", "missing"
            )
        ]
    if found.paused:
        resume = f"temporal schedule toggle --unpause --schedule-id {schedule_id}"
        says = f"the sweep is paused; to resume it: {resume}"
        return [_not_swept(schedule_id, found.changed_at, says, "paused")]
    since = max(found.changed_at, found.last_done_at or found.changed_at)
    if datetime.now(UTC) - since < patience:
        return []
    if found.last_done_at is None:
        says = "no sweep has come to its end lately"
    else:
        says = "the last sweep that came to its end is too long ago"
    return [_not_swept(schedule_id, since, f"{says}; is a worker running?", "late")]


def _not_swept(schedule_id: str, since: datetime | None, says: str, reason: str) -> Finding:
    return Finding("sweep", schedule_id, True, since, says, reason=reason)
