"""Replays histories of running engagements against the code that is here: the gate before a deploy.

Runner and converter must be the worker's own, or what fails here would run there, and the other way round.
"""

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from workers.worker import workflow_runner
from workflows.engagement import Engagement

_PLACE: Final = re.compile(r"HistoryEvent\(id: (\d+)")
_LOCAL: Final = re.compile(r"LocalActivity\((\d+)\)")
_RECORDED: Final = re.compile(r"recorded marker \\?'([\w-]+)\\?'")
_WORDS: Final = re.compile(r"Nondeterminism error: (.*?)\"?, (?:source|stack_trace): ", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Replayed:
    """How one run's replay ended; *event_id* is the first event that the present code does not lead to."""

    workflow_id: str
    run_id: str
    events: int
    kind: str | None = None
    event_id: int | None = None
    event_type: str | None = None
    reason: str | None = None

    @property
    def sound(self) -> bool:
        """This will be true if the present code takes the way that the history took."""
        return self.kind is None


async def replay(client: Client, query: str) -> AsyncIterator[Replayed]:
    """This will replay every run that a visibility query finds, one after the other."""
    replayer = _replayer(client.data_converter, client.namespace)
    async with replayer.workflow_replay_iterator(_histories(client, query)) as results:
        async for result in results:
            yield await judge(result.history, result.replay_failure, client.data_converter)


def _replayer(converter: DataConverter, namespace: str = "ReplayNamespace") -> Replayer:
    return Replayer(
        workflows=[Engagement],
        workflow_runner=workflow_runner(),
        data_converter=converter,
        namespace=namespace,
        runtime=_quiet(),
    )


@cache
def _quiet() -> Runtime:
    # The library would log every failure to stdout, where a script reads our answer.
    return Runtime(telemetry=TelemetryConfig(logging=None))


async def judge(history: WorkflowHistory, failure: Exception | None, converter: DataConverter) -> Replayed:
    """This will say where a replay went another way than the history did."""
    count = len(history.events)
    if failure is None:
        return Replayed(history.workflow_id, history.run_id, count)
    text = str(failure)
    words = _WORDS.search(text)
    kind = "nondeterminism" if isinstance(failure, NondeterminismError) else "failure"
    at = await _place(history, text, kind, converter)
    return Replayed(
        workflow_id=history.workflow_id,
        run_id=history.run_id,
        events=count,
        kind=kind,
        event_id=at,
        event_type=_type(history, at),
        # A failure's own words may be about a person; the library's on commands and events are not.
        reason=words.group(1) if words and kind == "nondeterminism" else type(failure).__name__,
    )


async def _histories(client: Client, query: str) -> AsyncIterator[WorkflowHistory]:
    async for execution in client.list_workflows(query):
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        try:
            yield await handle.fetch_history()
        except RPCError as error:
            # Its retention has passed since it was listed.
            if error.status != RPCStatusCode.NOT_FOUND:
                raise


async def _place(history: WorkflowHistory, text: str, kind: str, converter: DataConverter) -> int | None:
    """Find the event that a failure is about: it or its local activity is named, or it is searched for."""
    if named := _PLACE.search(text):
        return int(named.group(1))
    if sequence := _LOCAL.search(text):
        for event in history.events:
            if _local_activity(event).get("seq") == int(sequence.group(1)):
                return event.event_id
    tasks = [place for place, event in enumerate(history.events) if _is_task(history, place, event)]
    failing = await _first_failing(history, [*tasks, len(history.events) - 1], converter)
    if kind == "nondeterminism":
        recorded = _RECORDED.search(text)
        commands = _commands_before(history, failing)
        wanted = [
            each
            for each in commands
            if recorded and _local_activity(each).get("activity_type") == recorded.group(1)
        ]
        if found := wanted or commands:
            return found[0].event_id
    started = [place for place in tasks if place <= failing]
    return history.events[started[-1]].event_id if started else None


async def _first_failing(history: WorkflowHistory, places: list[int], converter: DataConverter) -> int:
    """Find the first of the places up to which a replay fails; up to the last one it surely does."""
    low, high = 0, len(places) - 1
    while low < high:
        middle = (low + high) // 2
        if await _fails(history, places[middle], converter):
            high = middle
        else:
            low = middle + 1
    return places[low]


def _is_task(history: WorkflowHistory, place: int, event: HistoryEvent) -> bool:
    after = history.events[place + 1 : place + 2]
    return event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED and (
        not after or after[0].event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    )


def _commands_before(history: WorkflowHistory, place: int) -> list[HistoryEvent]:
    """List what the last workflow task that was completed before a place has asked for."""
    asked = [(each, _asked_by(each)) for each in history.events[: place + 1]]
    last = max((by for _, by in asked if by), default=None)
    return [each for each, by in asked if by is not None and by == last]


def _asked_by(event: HistoryEvent) -> int | None:
    attributes = getattr(event, event.WhichOneof("attributes") or "", None)
    return getattr(attributes, "workflow_task_completed_event_id", None)


def _local_activity(event: HistoryEvent) -> Mapping[str, Any]:
    """Read the library's own notes on a local activity: its number and its type, which nobody encrypts."""
    if not event.HasField("marker_recorded_event_attributes"):
        return {}
    details = event.marker_recorded_event_attributes.details
    payloads = details["data"].payloads if "data" in details else []
    if not payloads or payloads[0].metadata.get("encoding") != b"json/plain":
        return {}
    notes: dict[str, Any] = json.loads(payloads[0].data)
    return notes


async def _fails(history: WorkflowHistory, place: int, converter: DataConverter) -> bool:
    replayer = _replayer(converter)
    part = WorkflowHistory(history.workflow_id, list(history.events[: place + 1]))
    result = await replayer.replay_workflow(part, raise_on_replay_failure=False)
    return result.replay_failure is not None


def _type(history: WorkflowHistory, event_id: int | None) -> str | None:
    found = next((each for each in history.events if each.event_id == event_id), None)
    if found is None:
        return None
    words = EventType.Name(found.event_type).removeprefix("EVENT_TYPE_").split("_")
    return "".join(word.capitalize() for word in words)
