"""What does not get on by itself: failing or missing workflows, activities, streams ahead, parked messages.

It only looks.  A finding names ids, codes and classes, never what a failure said: that may be about a person.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
)
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from activities.digest import GATHERS
from activities.directory import Directory
from activities.holding import HELD
from events.log.effects import Effect, EffectsLedger
from events.log.port import EventLog, StreamHead
from events.projections.reading import ReadModels
from workers.asking.findings import failing_polls
from workers.asking.polled import Polled
from workers.behind import PAGE, streams_ahead, the_sweep
from workers.delivering.finding import undelivered
from workers.delivering.subscriptions import Subscriptions
from workers.finding import ORDER, PATIENCE, Finding
from workers.inbox.findings import held_up
from workers.inbox.store import Inbox
from workers.unattended import AT_ONCE, engagement_of, in_need, open_run, open_workflows
from workflows.types import SWEEP_ID, workflow_id

T = TypeVar("T")

ATTEMPTS: Final = 3
# How long an attempt without an outcome may still be under way; see ``activities.outreach``.
SETTLES_AFTER: Final = timedelta(minutes=5)
_REPORTED: Final = SearchAttributeKey.for_keyword_list("TemporalReportedProblems")
_LOOK_BACK: Final = 20
# An activity that only waits asks again and again, and fails at nothing.
_WAITS: Final = {HELD: "its message is held", GATHERS: "its message waits for its reader's digest"}


async def find_stuck(
    log: EventLog,
    ledger: EffectsLedger,
    client: Client,
    agency: str,
    *,
    attempts: int = ATTEMPTS,
    patience: timedelta = PATIENCE,
    settles_after: timedelta = SETTLES_AFTER,
    schedule_id: str = SWEEP_ID,
    read_models: ReadModels | None = None,
    inbox: Inbox | None = None,
    polled: Polled | None = None,
    subscriptions: Subscriptions | None = None,
) -> list[Finding]:
    """This will look at everything that an agency has under way, the oldest of each kind first."""
    executions = [each async for each in client.list_workflows(open_workflows(agency))]
    found = [
        *await held(log, agency),
        *await the_sweep(client, schedule_id, max(patience, PATIENCE)),
        *await _workflows(client, executions, attempts, patience),
        *await unattended(log, client, agency, {each.id for each in executions}),
        *await streams_ahead(log, agency, patience),
        *await parked(ledger, agency, settles_after),
        *(await held_up(inbox, agency, patience) if inbox is not None else ()),
        *(await failing_polls(polled, agency) if polled is not None else ()),
        *(await projections(read_models, agency, patience) if read_models is not None else ()),
        *(await undelivered(subscriptions, agency) if subscriptions is not None else ()),
    ]
    ages = {each: each.since or datetime.now(UTC) for each in found}
    return sorted(found, key=lambda each: (ORDER.index(each.kind), ages[each], each.name))


async def held(log: EventLog, agency: str) -> list[Finding]:
    """This will say so if all outreach is held: only a person's release lets it go on."""
    hold = await Directory(log).outreach_held(agency)
    if hold is None:
        return []
    by = f" by {hold.by}" if hold.by else ""
    says = f"all outreach is held{by}; it goes on with 'rapport outreach release'"
    return [Finding("hold", f"agency:{agency}", True, hold.since, says, reason=hold.reason)]


async def unattended(log: EventLog, client: Client, agency: str, running: Collection[str]) -> list[Finding]:
    """This will list the engagements that need a workflow, and have none that could keep their promises.

    One that is ahead is left out: the sweep starts it.
    """
    gate = asyncio.Semaphore(AT_ONCE)

    async def look(head: StreamHead) -> Finding | None:
        key = engagement_of(head)
        # Visibility trails: what was started a moment ago is not listed yet.
        async with gate:
            if await open_run(client, workflow_id(agency, key)) is not None:
                return None
        lacks = "it is open" if head.phase == "live" else "it is closed and owes a message"
        says = f"{lacks}, and no workflow of it runs, so no timer rings; 'rapport rehydrate {key}' starts one"
        return Finding("no-workflow", head.stream, True, None, says)

    needing = [head for head in await in_need(log, agency) if head.version == head.acked_version]
    absent = [head for head in needing if workflow_id(agency, engagement_of(head)) not in running]
    return [each for each in await _together(look(head) for head in absent) if each is not None]


async def _workflows(
    client: Client, executions: Iterable[WorkflowExecution], attempts: int, patience: timedelta
) -> list[Finding]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def look(execution: WorkflowExecution) -> list[Finding]:
        async with gate:
            return await _workflow(client, execution, attempts, patience)

    return [each for found in await _together(look(each) for each in executions) for each in found]


async def _workflow(
    client: Client, execution: WorkflowExecution, attempts: int, patience: timedelta
) -> list[Finding]:
    handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
    try:
        described = await handle.describe()
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return []  # it has ended meanwhile
        raise
    task = await _task(client, described, patience)
    activities = [
        _activity(described, each)
        for each in described.raw_description.pending_activities
        if each.attempt > attempts
    ]
    return [*([task] if task else []), *activities]


async def _task(
    client: Client, described: WorkflowExecutionDescription, patience: timedelta
) -> Finding | None:
    raw = described.raw_description
    reported = described.typed_search_attributes.get(_REPORTED)
    if not raw.HasField("pending_workflow_task"):
        return None
    pending = raw.pending_workflow_task
    since = _moment(pending.original_scheduled_time) or _moment(pending.scheduled_time)
    if pending.attempt > 1 or reported:
        reason = await _failed_because(client, described.id, described.run_id)
        reason = reason or next((each for each in reported or () if each.startswith("cause=")), None)
        says = f"its workflow task is at attempt {pending.attempt}"
        return Finding(
            "workflow-task", described.id, True, since, says, pending.attempt, described.run_id, reason
        )
    if since is None or datetime.now(UTC) - since < patience:
        return None
    says = "no worker takes its workflow task"
    return Finding("workflow-task", described.id, True, since, says, pending.attempt, described.run_id)


async def _failed_because(client: Client, name: str, run_id: str) -> str | None:
    """Name the cause of the last workflow task that failed; only a first failure is in the history."""
    request = GetWorkflowExecutionHistoryReverseRequest(
        namespace=client.namespace, maximum_page_size=_LOOK_BACK
    )
    request.execution.workflow_id, request.execution.run_id = name, run_id
    page = await client.workflow_service.get_workflow_execution_history_reverse(request)
    for event in page.history.events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            cause = WorkflowTaskFailedCause.Name(event.workflow_task_failed_event_attributes.cause)
            return cause.removeprefix("WORKFLOW_TASK_FAILED_CAUSE_").replace("_", " ").lower()
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            return None
    return None


def _activity(described: WorkflowExecutionDescription, pending: PendingActivityInfo) -> Finding:
    failure = pending.last_failure
    reason = failure.application_failure_info.type if pending.HasField("last_failure") else ""
    if not reason and pending.HasField("last_failure"):
        reason = (failure.WhichOneof("failure_info") or "").removesuffix("_failure_info").replace("_", " ")
    since = _moment(pending.scheduled_time)
    waits = _WAITS.get(reason)
    says = waits or f"its activity {pending.activity_type.name} is at attempt {pending.attempt}"
    return Finding(
        "activity",
        described.id,
        waits is None,
        since,
        says,
        pending.attempt,
        described.run_id,
        reason or None,
    )


async def parked(ledger: EffectsLedger, agency: str, settles_after: timedelta) -> list[Finding]:
    """This will list the messages whose last attempt has no known outcome, and should have one by now."""
    doubtful = [each async for each in _doubtful(ledger, agency)]
    last: dict[str, Effect] = {}
    for stream in sorted({each.stream for each in doubtful}):
        # A later attempt may have settled what an earlier one left open.
        after: tuple[str, int] | None = None
        while page := await ledger.list(agency, stream=stream, after=after, limit=PAGE):
            last.update({each.effect_id: each for each in page})
            after = (page[-1].effect_id, page[-1].attempt)
    return [_effect(each, settles_after) for each in last.values() if each.state in ("unknown", "claimed")]


async def projections(read_models: ReadModels, agency: str, patience: timedelta) -> list[Finding]:
    """This will list the streams that the read models do not follow, and say so if they trail for long."""
    found = [
        Finding(
            "projection",
            each.stream,
            True,
            each.parked_at,
            f"the projection {each.projection} stands before version {each.version}; "
            "'rapport projections retry' tries it again",
            version=each.version,
        )
        for each in await read_models.parked(agency)
    ]
    standing = await read_models.standing(agency)
    if standing.behind and (not standing.at_work or standing.lag_seconds > patience.total_seconds()):
        who = "a projector is at work" if standing.at_work else "no projector is at work"
        since = datetime.now(UTC) - timedelta(seconds=standing.lag_seconds)
        stuck = standing.lag_seconds > patience.total_seconds()
        says = f"the read models are {standing.behind} events behind the log, and {who}"
        found.append(Finding("projection", f"agency:{agency}", stuck, since, says))
    return found


async def _doubtful(ledger: EffectsLedger, agency: str) -> AsyncIterator[Effect]:
    after: tuple[str, int] | None = None
    while page := await ledger.list(agency, states=("unknown", "claimed"), after=after, limit=PAGE):
        for each in page:
            yield each
        after = (page[-1].effect_id, page[-1].attempt)


def _effect(effect: Effect, settles_after: timedelta) -> Finding:
    stale = effect.state == "unknown" or datetime.now(UTC) - effect.claimed_at >= settles_after
    says = f"{effect.channel} {effect.effect_id}: attempt {effect.attempt} is {effect.state}"
    return Finding(
        "effect", effect.stream, stale, effect.claimed_at, says, effect.attempt, reason=effect.detail
    )


async def _together(work: Iterable[Awaitable[T]]) -> list[T]:
    return list(await asyncio.gather(*work))


def _moment(stamp: Timestamp) -> datetime | None:
    return stamp.ToDatetime(tzinfo=UTC) if stamp.seconds else None
