"""What comes up to a team lead goes as one letter, also where the sender dies over it."""

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

FIVE = tuple(f"e-{number}" for number in range(1, 6))
# Twelve seconds: five engagements need about one to get there.
WINDOW = 0.2


async def neglect(ground: "Ground") -> None:
    """Open five engagements whose promises have all come up to the team lead, before any worker runs."""
    silent = (datetime.now(UTC) - timedelta(days=9, hours=1)).isoformat()
    for each in FIVE:
        await ground.opening(each, at=silent)


async def requested(ground: "Ground") -> list[dict[str, Any]]:
    """List the messages that the five owe."""
    events = [each for engagement in FIVE for each in await ground.events(engagement)]
    return [json.loads(each.body) for each in events if each.type == "outreach-requested"]


async def told(ground: "Ground") -> list[dict[str, Any]]:
    """List what the record says has become of them, once it says so of all."""
    events = [each for engagement in FIVE for each in await ground.events(engagement)]
    found = [json.loads(each.body) for each in events if each.type == "outreach-sent"]
    return found if len(found) == len(FIVE) else []


async def give_up_soon_on_the_silent_worker(ground: "Ground") -> None:
    """Let Temporal take five seconds for what it would wait two minutes for: a sender that died."""
    for each in FIVE:
        await ground.client.workflow_service.update_activity_options(
            UpdateActivityOptionsRequest(
                namespace=ground.client.namespace,
                execution=WorkflowExecution(workflow_id=workflow_id("acme", each)),
                type="send-outreach",
                activity_options=ActivityOptions(start_to_close_timeout=Duration(seconds=5)),
                update_mask=FieldMask(paths=["start_to_close_timeout"]),
            )
        )


async def is_one_letter(ground: "Ground", sent: list[dict[str, Any]], *, attempt: int, copies: int) -> None:
    """Assert that each engagement has its own outcome, and that all of them shared one Message-ID."""
    owed = await requested(ground)
    assert [each["effect_id"] for each in sent] == [each["effect_id"] for each in owed]
    assert {(each["person"], each["attempt"]) for each in sent} == {("t-1", attempt)}
    [message_id] = {each["message_id"] for each in sent}
    letters = await ground.stack.smtp_sink.messages()
    assert [str(each.message["Message-ID"]) for each in letters] == [message_id] * copies
    assert {each.recipients for each in letters} == {("lead@example.test",)}
    body = letters[0].message.get_body(("plain",))
    assert body is not None
    assert all(f"engagement {each}\n" in body.get_content().replace("\r", "") for each in FIVE)
    assert "Quux" not in str(letters[0].message["Subject"])
    for each in FIVE:
        assert not (await ground.sound(each)).owed
    assert await ground.having.digests.waiting("acme") == []


class TestFivePromisesBrokenInTheSameHour:
    async def test_give_one_letter_and_five_outcomes(self, ground: "Ground", poll: "Poll") -> None:
        await neglect(ground)
        await ground.worker(digest_minutes=WINDOW)

        async def gathered() -> bool:
            return len(await ground.having.digests.waiting("acme")) == len(FIVE)

        await poll(gathered)
        assert await ground.stack.smtp_sink.count() == 0
        sent = await poll(lambda: told(ground))
        await is_one_letter(ground, sent, attempt=1, copies=1)


class TestWorkerKilled:
    @pytest.mark.parametrize(("dies", "copies"), [("inside-data", 2), ("before-data", 1)])
    async def test_sends_all_once_more_under_the_same_message_id(
        self, ground: "Ground", poll: "Poll", dies: str, copies: int
    ) -> None:
        """A letter comes twice only where its sender died inside DATA, and both say that they are one."""
        await neglect(ground)
        first = await ground.worker(dies=dies, digest_minutes=WINDOW)
        await first.died()

        async def arrived() -> bool:
            return await ground.stack.smtp_sink.count() == copies - 1

        await poll(arrived)
        assert await told(ground) == []
        await ground.worker(ready=False, digest_minutes=WINDOW)
        await give_up_soon_on_the_silent_worker(ground)
        sent = await poll(lambda: told(ground))
        await is_one_letter(ground, sent, attempt=2, copies=copies)
        rows = await ground.having.ledger.list("acme")
        assert {(each.attempt, each.state) for each in rows} == {(1, "unknown"), (2, "sent")}
        assert len(rows) == 2 * len(FIVE)
