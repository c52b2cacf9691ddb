"""The schedule in Temporal that starts a sweep every minute: one for a deployment, whoever starts first.

What an operator decided about it stays: a worker that starts never resumes a paused schedule.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionResult,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleDescription,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
    WorkflowExecutionStatus,
)
from temporalio.service import RPCError, RPCStatusCode

from workflows.types import ENGAGEMENTS_QUEUE, SWEEP, SWEEP_ID

EVERY: Final = timedelta(minutes=1)
# What was missed while nobody was there is made up for by the next sweep, not by one for each minute.
CATCH_UP: Final = timedelta(seconds=10)
# Longer than the activity may take: after it, a sweep without a worker makes place for the next.
GIVES_UP_AFTER: Final = timedelta(minutes=15)
PATIENCE: Final = timedelta(seconds=10)
# What a server says that knows no schedules, or lets us have none; anything else passes.
NO_SCHEDULES: Final = frozenset({RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.PERMISSION_DENIED})
_log = structlog.get_logger(__name__)


def wanted(
    schedule_id: str, every: timedelta, task_queue: str, state: ScheduleState | None = None
) -> Schedule:
    """This will be the schedule as this code wants it, with the state that it has."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            SWEEP, id=schedule_id, task_queue=task_queue, execution_timeout=GIVES_UP_AFTER
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
        state=state or ScheduleState(note="Pokes engagements whose log is ahead of them"),
    )


async def ensure_sweep(
    client: Client,
    *,
    schedule_id: str = SWEEP_ID,
    every: timedelta = EVERY,
    task_queue: str = ENGAGEMENTS_QUEUE,
) -> bool:
    """This will make sure that the schedule is there and as wanted, and sweep at once unless it is paused.

    Many may do so at the same time.  False: this server lets us have no schedule, so sweep without.

    :raises RPCError: the server does not answer now; try again.
    """
    return await ensure(client, schedule_id, wanted(schedule_id, every, task_queue))


async def ensure(client: Client, schedule_id: str, schedule: Schedule) -> bool:
    """This will make sure that a schedule is there and as wanted, and start it at once unless it is paused.

    False: this server lets us have no schedule.

    :raises RPCError: the server does not answer now; try again.
    """
    try:
        try:
            await client.create_schedule(
                schedule_id, schedule, trigger_immediately=True, rpc_timeout=PATIENCE
            )
        except ScheduleAlreadyRunningError:
            await _bring_up_to_date(client, schedule_id, schedule)
    except RPCError as error:
        if error.status not in NO_SCHEDULES:
            raise
        _log.warning("nothing can be scheduled here", schedule=schedule_id, status=error.status.name)
        return False
    return True


async def sweep_is_scheduled(client: Client, schedule_id: str = SWEEP_ID) -> bool:
    """This will tell whether the schedule is there, paused or not.

    :raises RPCError: the server does not answer now, or has no schedules.
    """
    try:
        await client.get_schedule_handle(schedule_id).describe(rpc_timeout=PATIENCE)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


async def _bring_up_to_date(client: Client, schedule_id: str, schedule: Schedule) -> None:
    handle = client.get_schedule_handle(schedule_id)
    described = await handle.describe(rpc_timeout=PATIENCE)
    if _essence(described.schedule) != _essence(schedule):

        def updated(given: ScheduleUpdateInput) -> ScheduleUpdate:
            schedule.state = given.description.schedule.state
            return ScheduleUpdate(schedule)

        await handle.update(updated, rpc_timeout=PATIENCE)
    if not described.schedule.state.paused:
        # A crash may have left a log ahead; whoever starts need not wait a minute to learn of it.
        await handle.trigger(overlap=ScheduleOverlapPolicy.SKIP, rpc_timeout=PATIENCE)


def _essence(schedule: Schedule) -> object:
    """What this code decides about a schedule, without what a server adds to it."""
    action = schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    return (
        (action.workflow, action.id, action.task_queue, action.execution_timeout),
        [(each.every, each.offset or timedelta()) for each in schedule.spec.intervals],
        (schedule.policy.overlap, schedule.policy.catchup_window),
    )


@dataclass(frozen=True, slots=True)
class SweepStanding:
    """How the schedule stands; *changed_at* is when it was made, or updated last."""

    paused: bool
    changed_at: datetime
    last_started_at: datetime | None
    last_done_at: datetime | None


async def sweep_standing(client: Client, schedule_id: str = SWEEP_ID) -> SweepStanding | None:
    """This will tell how the schedule stands, or None if there is none."""
    try:
        described = await client.get_schedule_handle(schedule_id).describe()
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return None
        raise
    recent = described.info.recent_actions
    return SweepStanding(
        paused=described.schedule.state.paused,
        changed_at=_changed_at(described),
        last_started_at=recent[-1].started_at if recent else None,
        last_done_at=await _last_done(client, recent),
    )


def _changed_at(described: ScheduleDescription) -> datetime:
    return max(described.info.created_at, described.info.last_updated_at or described.info.created_at)


async def _last_done(client: Client, recent: Sequence[ScheduleActionResult]) -> datetime | None:
    """Find when the last of the recent sweeps ended well; that one was started says little."""
    for each in reversed(recent):
        if not isinstance(each.action, ScheduleActionExecutionStartWorkflow):
            continue
        handle = client.get_workflow_handle(
            each.action.workflow_id, run_id=each.action.first_execution_run_id
        )
        try:
            found = await handle.describe()
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            continue  # its retention has passed
        if found.status == WorkflowExecutionStatus.COMPLETED:
            return found.close_time
    return None
