"""How the sweep reaches engagements: what Temporal surely knows of one, and a poke that waits for nobody.

Nothing here may need a worker: an engagement whose workflow is broken must not hold up the others.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.converter import PayloadCodec, WorkflowSerializationContext
from temporalio.service import RPCError, RPCStatusCode

from activities.sweeping import Standing
from events.clock import ClockSpec
from workers.client import Engagements
from workers.codec import EngagementCodec
from workflows.types import ENGAGEMENTS_QUEUE, RunSettings, workflow_id

# An append and all that follows from it are fewer; what lies further back costs a poke, and no harm.
LOOK_BACK: Final = 50
PATIENCE: Final = timedelta(seconds=10)
_log = logging.getLogger(__name__)
_STATES: Final[Mapping[WorkflowExecutionStatus | None, Literal["open", "completed"]]] = {
    WorkflowExecutionStatus.RUNNING: "open",
    WorkflowExecutionStatus.COMPLETED: "completed",
}


class Poking:
    """The engagements of every agency.  *clock* and *settings* go to the runs that a poke starts."""

    def __init__(
        self,
        client: Client,
        *,
        clock: ClockSpec | None = None,
        settings: RunSettings | None = None,
        task_queue: str = ENGAGEMENTS_QUEUE,
    ) -> None:
        self._client = client
        self._clock = clock
        self._settings = settings
        self._task_queue = task_queue

    async def poke(self, agency: str, engagement_id: str) -> str:
        """Leave word that the log is ahead; returns the run that has it, once Temporal keeps it."""
        engagements = Engagements(
            self._client,
            agency,
            clock=self._clock,
            settings=self._settings,
            task_queue=self._task_queue,
            patience=PATIENCE,
        )
        return await engagements.leave_poke(engagement_id)

    async def standing(self, agency: str, engagement_id: str, event_id: UUID) -> Standing | None:
        """Tell how the newest run stands, and whether its history holds an event of the log."""
        name = workflow_id(agency, engagement_id)
        try:
            described = await self._client.get_workflow_handle(name).describe(rpc_timeout=PATIENCE)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return None
            raise
        try:
            brought = await self._brought(name, described.run_id, event_id)
        except Exception as error:
            # What cannot be read proves nothing, and must not keep an engagement from being poked.
            _log.warning("the history of %s cannot be read: %s", name, type(error).__name__)
            brought = False
        return Standing(described.run_id, _STATES.get(described.status, "broken-off"), brought)

    async def _brought(self, name: str, run_id: str, event_id: UUID) -> bool:
        codec = self._codec(name)
        request = GetWorkflowExecutionHistoryReverseRequest(
            namespace=self._client.namespace, maximum_page_size=LOOK_BACK
        )
        request.execution.workflow_id, request.execution.run_id = name, run_id
        page = await self._client.workflow_service.get_workflow_execution_history_reverse(
            request, retry=True, timeout=PATIENCE
        )
        for event in page.history.events:
            for payload in _results(event):
                [opened] = await codec.decode([payload]) if codec is not None else [payload]
                if str(event_id) in brought_by(opened):
                    return True
        return False

    def _codec(self, name: str) -> PayloadCodec | None:
        codec = self._client.data_converter.payload_codec
        if isinstance(codec, EngagementCodec):
            context = WorkflowSerializationContext(namespace=self._client.namespace, workflow_id=name)
            return codec.with_context(context)
        return codec


def brought_by(payload: Payload) -> Iterator[str]:
    """This will yield the ids of the events that an activity's result gave to its workflow."""
    if payload.metadata.get("encoding") != b"json/plain":
        return
    content = json.loads(payload.data)
    if not isinstance(content, dict):
        return
    # An append wraps its answer, a load does not; a conflict calls what it brings by another name.
    reply = content.get("result", content)
    events: list[dict[str, str]] = [*reply.get("events", ()), *reply.get("missing", ())]
    yield from (event["event_id"] for event in events)


def _results(event: HistoryEvent) -> list[Payload]:
    # The log's own answers, of local activities and of normal ones; what was only asked for proves nothing.
    if event.HasField("marker_recorded_event_attributes"):
        return list(event.marker_recorded_event_attributes.details["result"].payloads)
    if event.HasField("activity_task_completed_event_attributes"):
        return list(event.activity_task_completed_event_attributes.result.payloads)
    return []
