"""What Temporal's own history says of an engagement, run by run, in plain data.

Names, ids, times and our own summaries only: what a payload carries may be a person's words, and stays shut.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecution
from temporalio.converter import PayloadCodec
from temporalio.service import RPCError, RPCStatusCode

_TASK_CAUSE: Final = "WORKFLOW_TASK_FAILED_CAUSE_"


@dataclass(frozen=True, slots=True)
class Step:
    """One event of Temporal's history; *command_id* is the id of the update that it is about."""

    event_id: int
    type: str
    at: datetime
    says: str
    command_id: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a workflow, with its history; no steps where Temporal keeps them no longer."""

    run_id: str
    status: str
    started_at: datetime
    closed_at: datetime | None
    steps: tuple[Step, ...]


async def runs_of(client: Client, workflow_id: str) -> list[Run]:
    """This will fetch every run of a workflow that Temporal still knows, the oldest first."""
    query = f"WorkflowId = '{workflow_id}'"
    found: dict[str, WorkflowExecution] = {each.run_id: each async for each in client.list_workflows(query)}
    try:
        # The list may be a moment behind.
        newest = await client.get_workflow_handle(workflow_id).describe()
        found.setdefault(newest.run_id, newest)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
    runs = [await _run(client, each) for each in found.values()]
    return sorted(runs, key=lambda run: run.started_at)


async def _run(client: Client, execution: WorkflowExecution) -> Run:
    handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
    try:
        events = list((await handle.fetch_history()).events)
    except RPCError as error:
        # Its retention has passed since it was listed.
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        events = []
    codec = client.data_converter.payload_codec
    updates: dict[int, str] = {}
    steps = []
    for event in events:
        steps.append(await step_of(event, codec, updates))
    status = execution.status.name.lower().replace("_", " ") if execution.status else "unknown"
    return Run(execution.run_id, status, execution.start_time, execution.close_time, tuple(steps))


async def step_of(event: HistoryEvent, codec: PayloadCodec | None, updates: dict[int, str]) -> Step:
    """This will tell one event; *updates* remembers which update an accepted event was for."""
    name = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
    kind = "".join(word.capitalize() for word in name.split("_"))
    attributes: Any = getattr(event, event.WhichOneof("attributes") or "", None)
    tell = _TELLING.get(kind)
    told = tell(attributes) if tell is not None else ""
    command_id = None
    if kind == "WorkflowExecutionUpdateAccepted":
        command_id = attributes.accepted_request.meta.update_id
        updates[event.event_id] = command_id
    elif kind == "WorkflowExecutionUpdateCompleted":
        command_id = attributes.meta.update_id or updates.get(attributes.accepted_event_id)
    summary = await _summary(event, codec)
    says = ": ".join(each for each in (told, summary) if each)
    return Step(event.event_id, kind, event.event_time.ToDatetime(tzinfo=UTC), says, command_id)


async def _summary(event: HistoryEvent, codec: PayloadCodec | None) -> str:
    """Open our own summary of a timer, an activity or a workflow: it holds codes and ids only."""
    if not event.user_metadata.HasField("summary"):
        return ""
    payloads = [Payload.FromString(event.user_metadata.summary.SerializeToString())]
    if codec is not None:
        payloads = await codec.decode(payloads)
    if payloads[0].metadata.get("encoding") != b"json/plain":
        return ""
    summary = json.loads(payloads[0].data)
    return summary if isinstance(summary, str) else ""


def _cause(attributes: Any) -> str:
    cause = WorkflowTaskFailedCause.Name(attributes.cause)
    return cause.removeprefix(_TASK_CAUSE).replace("_", " ").lower()


def _failure(attributes: Any) -> str:
    # The class of what went wrong; what it said is sealed, and may be about a person.
    return str(attributes.failure.application_failure_info.type)


def _marker(attributes: Any) -> str:
    told = str(attributes.marker_name).removeprefix("core_").replace("_", " ")
    # Of a local activity the SDK's own note, never encrypted, says which it was.
    for payload in attributes.details["data"].payloads if "data" in attributes.details else ():
        note = json.loads(payload.data) if payload.metadata.get("encoding") == b"json/plain" else None
        if isinstance(note, dict) and isinstance(kind := note.get("activity_type"), str):
            return f"{told}: {kind}"
    return told


_TELLING: Final[Mapping[str, Callable[[Any], str]]] = {
    "WorkflowExecutionStarted": lambda each: "after another run" if each.continued_execution_run_id else "",
    "WorkflowExecutionSignaled": lambda each: each.signal_name,
    "WorkflowExecutionUpdateAccepted": lambda each: each.accepted_request.input.name,
    "WorkflowExecutionContinuedAsNew": lambda each: f"as {each.new_execution_run_id}",
    "WorkflowExecutionTerminated": lambda each: each.identity,
    "WorkflowTaskFailed": _cause,
    "ActivityTaskScheduled": lambda each: each.activity_type.name,
    "ActivityTaskStarted": lambda each: f"attempt {each.attempt}",
    "ActivityTaskFailed": _failure,
    "TimerStarted": lambda each: f"timer {each.timer_id}",
    "TimerFired": lambda each: f"timer {each.timer_id}",
    "TimerCanceled": lambda each: f"timer {each.timer_id}",
    "MarkerRecorded": _marker,
    "UpsertWorkflowSearchAttributes": lambda each: ", ".join(sorted(each.search_attributes.indexed_fields)),
}
