"""Replays histories of running engagements against the code that is here: the gate before a deploy.

Runner and converter must be the worker's own, or what fails here would run there, and the other way round.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from workers.worker import workflow_runner
from workflows.engagement import Engagement

_PLACE: Final = re.compile(r"HistoryEvent\(id: (\d+)")
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
    place = _PLACE.search(text)
    at = int(place.group(1)) if place else await _first_failing(history, converter)
    words = _WORDS.search(text)
    kind = "nondeterminism" if isinstance(failure, NondeterminismError) else "failure"
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


async def _first_failing(history: WorkflowHistory, converter: DataConverter) -> int | None:
    """Find the first workflow task at which a replay fails, where the failure does not name its event."""
    started = [
        place
        for place, event in enumerate(history.events)
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED and _completed(history, place)
    ]
    low, high = 0, len(started) - 1
    while low < high:
        middle = (low + high) // 2
        if await _fails(history, started[middle], converter):
            high = middle
        else:
            low = middle + 1
    return history.events[started[low]].event_id if started else None


def _completed(history: WorkflowHistory, place: int) -> bool:
    after = history.events[place + 1 : place + 2]
    return not after or after[0].event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED


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
