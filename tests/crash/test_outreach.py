"""Messages owed while workers die and mail servers are dead: none lost, and none sent a third time."""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.activity.v1 import ActivityOptions
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import UpdateActivityOptionsRequest

from workflows.types import workflow_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.crash.conftest import Ground

    Poll = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]

pytestmark = [pytest.mark.postgres, pytest.mark.temporal, pytest.mark.slow]

CHECK = {"check": "references", "outcome": "good"}


def almost_silent_for_a_week() -> dict[str, str]:
    """Open an engagement so that the promise to keep in touch is broken in a few seconds, or at once."""
    return {"at": (datetime.now(UTC) - timedelta(days=7, seconds=-4)).isoformat()}


async def outcomes(ground: "Ground") -> list[dict[str, Any]]:
    """List what the record says has become of messages."""
    return [json.loads(each.body) for each in await ground.events() if each.type == "outreach-sent"]


async def give_up_soon_on_the_silent_worker(ground: "Ground") -> None:
    """Let Temporal take five seconds for what it would wait two minutes for: a sender that died."""
    await ground.client.workflow_service.update_activity_options(
        UpdateActivityOptionsRequest(
            namespace=ground.client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id("acme", "e-1")),
            type="send-outreach",
            activity_options=ActivityOptions(start_to_close_timeout=Duration(seconds=5)),
            update_mask=FieldMask(paths=["start_to_close_timeout"]),
        )
    )


class TestWorkerKilledAfterTheLetterLeft:
    async def test_sends_once_more_under_the_same_message_id(self, ground: "Ground", poll: "Poll") -> None:
        """Nobody can know whether it left; the second is told to be one, and there is no third."""
        first = await ground.worker(dies="after-send")
        await ground.opened(**almost_silent_for_a_week())
        await first.died()
        assert await ground.stack.smtp_sink.count() == 1
        assert await outcomes(ground) == []
        second = await ground.worker(ready=False)
        await give_up_soon_on_the_silent_worker(ground)
        await second.says()

        async def told() -> list[dict[str, Any]]:
            return await outcomes(ground)

        [sent] = await poll(told)
        assert sent["attempt"] == 2
        letters = await ground.stack.smtp_sink.messages()
        assert [str(each.message["Message-ID"]) for each in letters] == [sent["message_id"]] * 2
        rows = await ground.having.ledger.list("acme")
        assert [(each.attempt, each.state, each.message_id) for each in rows] == [
            (1, "unknown", sent["message_id"]),
            (2, "sent", sent["message_id"]),
        ]
        assert not (await ground.sound()).owed


class TestDeadMailServer:
    async def test_loses_nothing_and_blocks_nobody(self, ground: "Ground", poll: "Poll") -> None:
        await ground.stack.smtp_sink.stop()
        await ground.worker()
        await ground.opened(**almost_silent_for_a_week())

        async def released() -> bool:
            return any(each.state == "released" for each in await ground.having.ledger.list("acme"))

        await poll(released)
        for number in range(5):
            reply = await ground.give("e-1", "record-check", CHECK, command_id=f"check-{number}")
            assert reply.outcome == "accepted"
        await ground.opened("e-2")
        assert await ground.stack.smtp_sink.count() == 0
        assert len((await ground.sound()).owed) == 1
        await ground.stack.smtp_sink.start()

        async def told() -> list[dict[str, Any]]:
            return await outcomes(ground)

        [sent] = await poll(told)
        assert sent["attempt"] == 1
        assert sent["person"] == "r-1"
        [letter] = await ground.stack.smtp_sink.messages()
        assert str(letter.message["Message-ID"]) == sent["message_id"]
        assert not (await ground.sound()).owed
