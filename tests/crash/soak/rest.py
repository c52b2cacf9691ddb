"""Waits until everything has come to rest after the last kill: nothing owed, nothing unread, nobody behind.

Only conditions end it; a patience that runs out is a finding, and names what did not come.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.activity.v1 import ActivityOptions
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import UpdateActivityOptionsRequest
from temporalio.service import RPCError

from events.fold import fold
from tests.crash.soak.clients import PatientLog, through
from tests.crash.soak.ground import Ground
from workers.following import FOLLOWER
from workflows.outreach import ACTIVITY
from workflows.types import workflow_id

PATIENCE: Final = 420.0
# What Temporal waits for a sender that was killed: it takes two minutes, of which a short soak has none.
ONE_TRY: Final = timedelta(seconds=20)
_LOOK_AGAIN: Final = 1.0
_PAGE: Final = 1000


@dataclass
class _Waiting:
    """Engagements of one agency that are not at rest yet, at the versions to be acknowledged."""

    agency: str
    owing: set[str]
    behind: dict[str, int]


async def at_rest(ground: Ground, agencies: list[str]) -> list[str]:
    """Wait for rest; returns a sentence for each thing that did not come."""
    waiting = [await _all_of(ground, agency) for agency in agencies]
    try:
        async with asyncio.timeout(PATIENCE):
            for each in waiting:
                await _until(partial(_settled, ground, each))
        return []
    except TimeoutError:
        told = []
        for each in waiting:
            told += [f"{each.agency}: {name} still owes a message" for name in sorted(each.owing)]
            told += [f"{each.agency}: {name} is not acknowledged" for name in sorted(each.behind)]
        return told or ["a follower does not reach the end of its log"]


async def _settled(ground: Ground, waiting: _Waiting) -> bool:
    agency = waiting.agency
    log = PatientLog(ground.having.log)
    for name in sorted(waiting.owing):
        if fold(await log.read_stream(agency, f"engagement:{name}")).owed:
            await _give_up_on_the_dead(ground, agency, name)
        else:
            waiting.owing.discard(name)
    for name, version in sorted(waiting.behind.items()):
        head = await log.head(agency, f"engagement:{name}")
        if head is not None and head.acked_version >= version:
            del waiting.behind[name]
        else:
            await through(partial(ground.engagements(agency).poke, name))
    follower = await through(lambda: ground.places.place(agency, FOLLOWER))
    # An open promise may speak at any time, so the log may be longer than it was a moment ago.
    at_end = follower >= (await log.log_head(agency)).position
    return not waiting.owing and not waiting.behind and at_end


async def _all_of(ground: Ground, agency: str) -> _Waiting:
    log = PatientLog(ground.having.log)
    names: dict[str, int] = {}
    after: str | None = None
    while page := await log.streams(agency, category="engagement", after=after, limit=_PAGE):
        names |= {head.stream.partition(":")[2]: head.version for head in page}
        after = page[-1].stream
    return _Waiting(agency, set(names), names)


async def _give_up_on_the_dead(ground: Ground, agency: str, engagement_id: str) -> None:
    """Let Temporal take seconds for a sender that was killed; whoever still sends is done sooner."""
    request = UpdateActivityOptionsRequest(
        namespace=ground.client.namespace,
        execution=WorkflowExecution(workflow_id=workflow_id(agency, engagement_id)),
        type=ACTIVITY,
        activity_options=ActivityOptions(
            start_to_close_timeout=Duration(seconds=int(ONE_TRY.total_seconds()))
        ),
        update_mask=FieldMask(paths=["start_to_close_timeout"]),
    )
    # Nothing may be pending by now.
    with suppress(RPCError):
        await ground.client.workflow_service.update_activity_options(request)


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    while not await condition():  # noqa: ASYNC110 (what other processes do)
        await asyncio.sleep(_LOOK_AGAIN)
