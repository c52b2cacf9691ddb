"""The client of engagements after the server that it spoke to has gone."""

import asyncio
import gc
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.service import RetryConfig, RPCError, RPCStatusCode

from events.log.keys import MemoryKeys
from workers.client import Engagements, NotAnswered
from workers.data_converter import data_converter
from workers.embedded.stack import EmbeddedStack
from workflows.types import CommandReply

pytestmark = pytest.mark.temporal


class Handle:
    """A handle of a workflow, whose line breaks under the first call; None: nothing runs."""

    def __init__(self, asked: list[str], reply: CommandReply | None, error: RPCError) -> None:
        self._asked, self._reply, self._error = asked, reply, error

    async def execute_update(self, *_: object, id: str, **__: Any) -> CommandReply:
        """Answer, the second time."""
        if self._reply is None:
            raise RPCError("not found", RPCStatusCode.NOT_FOUND, b"")
        self._asked.append(id)
        if len(self._asked) == 1:
            raise self._error
        return self._reply


class BreakingOnce:
    """A client of Temporal's whose line breaks under the first call."""

    namespace = "default"
    data_converter = SimpleNamespace(payload_codec=None)

    def __init__(self, reply: CommandReply, error: RPCError, *, running: bool) -> None:
        self.asked: list[str] = []
        self._reply, self._error, self._running = reply, error, running

    def get_workflow_handle(self, _: str) -> Handle:
        """Give the handle of a workflow that runs, or of none."""
        return Handle(self.asked, self._reply if self._running else None, self._error)

    async def execute_update_with_start_workflow(self, *_: object, id: str, **named: Any) -> CommandReply:
        """Answer, the second time."""
        self.asked.append(id)
        if len(self.asked) == 1:
            named["start_workflow_operation"]._workflow_handle.set_exception(self._error)
            raise self._error
        return self._reply


class TestCommand:
    async def test_tells_that_nobody_answers_and_leaves_no_error_unheard(self) -> None:
        """A crash of Temporal is a sentence for the caller, and no trace on anybody's terminal."""
        unheard: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, told: unheard.append(told))
        async with EmbeddedStack(ephemeral=True, postgres=False, smtp_sink=False) as stack:
            client = await Client.connect(
                stack.temporal_address,
                data_converter=data_converter(MemoryKeys(), "acme"),
                retry_config=RetryConfig(max_retries=1),
            )
            engagements = Engagements(client, "acme", patience=timedelta(seconds=1))
            await stack.kill("temporal")
            with pytest.raises(NotAnswered, match="under the id 'k-1'"):
                await engagements.command("e-1", "resume", command_id="k-1")
        gc.collect()
        assert unheard == []

    async def test_leaves_nothing_unheard_where_the_patience_ends_amid_a_call(self) -> None:
        """The SDK leaves its cancellation in the start: asyncio would complain of it, much later."""
        unheard: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, told: unheard.append(told))
        async with EmbeddedStack(ephemeral=True, postgres=False, smtp_sink=False) as stack:
            client = await Client.connect(
                stack.temporal_address, data_converter=data_converter(MemoryKeys(), "acme")
            )
            engagements = Engagements(client, "acme", patience=timedelta(seconds=1))
            await stack.kill("temporal")
            with pytest.raises(NotAnswered, match="under the id 'k-1'"):
                await engagements.command("e-1", "open-engagement", command_id="k-1")
        gc.collect()
        assert unheard == []

    @pytest.mark.parametrize("running", [True, False])
    @pytest.mark.parametrize("status", [RPCStatusCode.UNKNOWN, RPCStatusCode.INTERNAL])
    async def test_sends_again_when_the_line_breaks(self, status: RPCStatusCode, running: bool) -> None:
        """The same command under the same id: whether the first went through is unknown, and no matter."""
        reply = CommandReply(command_id="k-1", outcome="accepted", version=1)
        server = BreakingOnce(reply, RPCError("transport error", status, b""), running=running)
        client: Any = server
        assert await Engagements(client, "acme").command("e-1", "resume", command_id="k-1") == reply
        assert server.asked == ["k-1", "k-1"]
