"""Speaks to engagements through Temporal: one command in, one reply or one sentence out.

A command keeps its id through every retry: the id is what makes sending it again harmless.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
)
from temporalio.common import RawValue, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.converter import WorkflowSerializationContext
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from events.canonical import canonical
from events.clock import ClockSpec
from events.commands import Order
from events.state import Engagement
from workers.codec import EngagementCodec
from workflows.letters import flat, reply_digest
from workflows.types import (
    DRAINING,
    ENGAGEMENTS_QUEUE,
    POKE,
    STATE_QUERY,
    WORKFLOW,
    CommandReply,
    EngagementInput,
    RunSettings,
    workflow_id,
)

# What passes by itself: the same command under the same id is sent again.
_PASSING: Final = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.ABORTED,
        RPCStatusCode.CANCELLED,
        # A line that breaks when the server is killed: the SDK has no better name for it, and of a call
        # that is older than ten seconds it tells at once.
        RPCStatusCode.UNKNOWN,
        RPCStatusCode.INTERNAL,
        # A workflow task failed, as it does when a run that rolls over finds a new signal waiting.
        RPCStatusCode.FAILED_PRECONDITION,
        # The run ended between our call's two halves; the next call starts another.
        RPCStatusCode.NOT_FOUND,
    }
)
_AGAIN: Final = frozenset({DRAINING, "AcceptedUpdateCompletedWorkflow"})
# Nothing runs yet that could take it.
_OPENS: Final = "open-engagement"
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0


class CommandFailed(Exception):
    """A caller's mistake: nothing was written.  The message is one sentence, *code* its kind."""

    def __init__(self, sentence: str, code: str, *, digest: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.digest = digest


class NotRunning(Exception):
    """The engagement has no run now; the command must start one."""


class NotAnswered(Exception):
    """Nobody answered in time; the command may still be carried out: send it again under the same id."""

    def __init__(self, command_id: str, patience: timedelta) -> None:
        super().__init__(
            f"no answer within {patience.total_seconds():.0f} s; is a worker running? "
            f"The command may still be carried out: send it again under the id '{command_id}'"
        )


class Engagements:
    """An agency's engagements.  *clock* and *settings* go to the runs that this client starts."""

    def __init__(
        self,
        client: Client,
        agency: str,
        *,
        clock: ClockSpec | None = None,
        settings: RunSettings | None = None,
        task_queue: str = ENGAGEMENTS_QUEUE,
        patience: timedelta = timedelta(seconds=60),
    ) -> None:
        self._client = client
        self._agency = agency
        self._clock = clock or ClockSpec()
        self._settings = settings or RunSettings()
        self._task_queue = task_queue
        self._patience = patience

    async def command(
        self,
        engagement_id: str,
        command: Order | str,
        data: Mapping[str, Any] | None = None,
        *,
        command_id: str | None = None,
    ) -> CommandReply:
        """Give a command, as an order or by its name and flat fields, and return what it came to.

        A refusal by a gate is a reply; only a mistake raises.

        :raises CommandFailed: a caller's mistake, told in one sentence.
        :raises NotAnswered: the outcome is unknown.
        """
        if isinstance(command, Order):
            named: str = command.command.name
            name, content, update_id = named, flat(command), command.command_id
        else:
            fields = {key: value for key, value in (data or {}).items() if key != "command_id"}
            name, content = command, canonical(fields)
            update_id = command_id or (data or {}).get("command_id") or str(uuid4())
        digest = reply_digest(name, await self._digest(engagement_id, content))
        try:
            reply = await self._update(engagement_id, name, update_id, content)
            if reply.digest in ("", digest):
                return reply
        except CommandFailed as error:
            if error.digest in ("", digest):
                raise
        # Temporal gave us what an earlier command of this id and another content came to, without
        # comparing them.  The log does compare: ask it, through an update of another id.
        named = canonical({**_fields(content), "command_id": update_id})
        return await self._update(engagement_id, name, f"{update_id}~{uuid4()}", named)

    async def signal(self, engagement_id: str, name: str, data: Mapping[str, Any]) -> None:
        """Send a command to a running engagement without waiting, as an integration does.

        A ``command_id`` among the fields makes sending it again harmless.

        :raises RPCError: nothing runs under this id, or the server is not there.
        """
        handle = self._client.get_workflow_handle(workflow_id(self._agency, engagement_id))
        await handle.signal(name, _raw(canonical(data)))

    async def poke(self, engagement_id: str) -> CommandReply:
        """Let an engagement catch up with its log; starts a run if there is none."""
        return await self._update(engagement_id, POKE, f"poke-{uuid4()}", "{}")

    async def leave_poke(self, engagement_id: str) -> str:
        """Poke without waiting for an answer: Temporal keeps it; returns the run that will take it."""
        handle = await self._client.start_workflow(
            WORKFLOW,
            self._input(engagement_id),
            start_signal=POKE,
            rpc_timeout=self._patience,
            **self._options(engagement_id),
        )
        return handle.result_run_id or ""

    async def start(self, engagement_id: str) -> bool:
        """Start an engagement's workflow, which loads from the log; False: one runs, and is left alone."""
        options = {**self._options(engagement_id), "id_conflict_policy": WorkflowIDConflictPolicy.FAIL}
        try:
            await self._client.start_workflow(
                WORKFLOW, self._input(engagement_id), rpc_timeout=self._patience, **options
            )
        except WorkflowAlreadyStartedError:
            return False
        return True

    async def state(self, engagement_id: str) -> Engagement:
        """Return the state as the engagement's newest run has folded it; version 0 if it was never opened.

        :raises NotAnswered: no worker is there to answer.
        """
        try:
            return await self._query(engagement_id)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
        await self.poke(engagement_id)
        return await self._query(engagement_id)

    async def _query(self, engagement_id: str) -> Engagement:
        handle = self._client.get_workflow_handle(workflow_id(self._agency, engagement_id))
        try:
            state: Engagement = await handle.query(
                STATE_QUERY, result_type=Engagement, rpc_timeout=self._patience
            )
            return state
        except RPCError as error:
            if error.status in _PASSING and error.status != RPCStatusCode.NOT_FOUND:
                raise NotAnswered(STATE_QUERY, self._patience) from None
            raise

    async def _update(self, engagement_id: str, name: str, update_id: str, content: str) -> CommandReply:
        pause = _FIRST_PAUSE
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                while True:
                    reply = await self._try(engagement_id, name, update_id, content)
                    if reply is not None:
                        return reply
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, _LONGEST_PAUSE)
        except TimeoutError:
            raise NotAnswered(update_id, self._patience) from None

    async def _try(self, engagement_id: str, name: str, update_id: str, content: str) -> CommandReply | None:
        """Send once; None asks for another try."""
        try:
            # Most commands meet a running workflow: a start beside them costs Temporal a fifth more.
            if name != _OPENS:
                with contextlib.suppress(NotRunning):
                    return await self._to_running(engagement_id, name, update_id, content)
            return await self._with_start(engagement_id, name, update_id, content)
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            if not isinstance(cause, ApplicationError):
                raise
            if cause.type in _AGAIN:
                return None
            digest = cause.details[0] if cause.details else ""
            raise CommandFailed(cause.message, cause.type or "failed", digest=digest) from None
        except RPCTimeoutOrCancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                # The SDK turns a cancellation of ours into this error as well.
                raise asyncio.CancelledError from None
        except RPCError as error:
            if error.status not in _PASSING:
                raise
        return None

    async def _with_start(self, engagement_id: str, name: str, update_id: str, content: str) -> CommandReply:
        start = self._start(engagement_id)
        try:
            reply: CommandReply = await self._client.execute_update_with_start_workflow(
                name,
                _raw(content),
                start_workflow_operation=start,
                id=update_id,
                result_type=CommandReply,
            )
            return reply
        except BaseException:
            # The SDK leaves its error in the start as well, also where we were cancelled, and asyncio
            # complains of what nobody looked at.
            with contextlib.suppress(Exception, asyncio.CancelledError):
                async with asyncio.timeout(0):
                    await start.workflow_handle()
            raise

    async def _to_running(self, engagement_id: str, name: str, update_id: str, content: str) -> CommandReply:
        handle = self._client.get_workflow_handle(workflow_id(self._agency, engagement_id))
        try:
            reply: CommandReply = await handle.execute_update(
                name, _raw(content), id=update_id, result_type=CommandReply
            )
            return reply
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                raise NotRunning from None
            raise

    def _start(self, engagement_id: str) -> WithStartWorkflowOperation[Any, Any]:
        return WithStartWorkflowOperation(
            WORKFLOW, self._input(engagement_id), **self._options(engagement_id)
        )

    def _input(self, engagement_id: str) -> EngagementInput:
        return EngagementInput(
            agency=self._agency, engagement_id=engagement_id, clock=self._clock, settings=self._settings
        )

    def _options(self, engagement_id: str) -> dict[str, Any]:
        return {
            "id": workflow_id(self._agency, engagement_id),
            "task_queue": self._task_queue,
            # Closedness is the log's to guard: a late report to a closed engagement starts a run.
            "id_reuse_policy": WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            "id_conflict_policy": WorkflowIDConflictPolicy.USE_EXISTING,
            "static_summary": f"Engagement {engagement_id} of {self._agency}",
        }

    async def _digest(self, engagement_id: str, content: str) -> str:
        codec = self._client.data_converter.payload_codec
        if not isinstance(codec, EngagementCodec):
            return ""
        context = WorkflowSerializationContext(
            namespace=self._client.namespace, workflow_id=workflow_id(self._agency, engagement_id)
        )
        return await codec.with_context(context).digest(content.encode()) or ""


def _raw(content: str) -> RawValue:
    # Canonical bytes, so that the same content has the same digest whoever sends it.
    return RawValue(Payload(metadata={"encoding": b"json/plain"}, data=content.encode()))


def _fields(content: str) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(content)
    return fields
