"""Twenty messages come while nobody works: each is applied once, or recorded as refused, in their order."""

import json
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.common import RawValue

from workflows.types import workflow_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.crash.conftest import Ground

pytestmark = [pytest.mark.postgres, pytest.mark.temporal, pytest.mark.slow]

WORDS = "the boss shouted again"
CHECK = {"check": "references", "outcome": "good"}


def raw(data: object) -> RawValue:
    """Write a message's content as a sender of ours does: as it is, or from plain data."""
    content = data if isinstance(data, bytes) else json.dumps(data).encode()
    return RawValue(Payload(metadata={"encoding": b"json/plain"}, data=content))


# Name, content, and what must come of it: an event, "again" for one told before, or a reason to refuse it.
MESSAGES: tuple[tuple[str, object, str], ...] = (
    ("record-check", {**CHECK, "command_id": "s-0"}, "check-recorded"),
    ("record-contact", {"by": "r-1", "channel": "phone", "note": WORDS, "command_id": "s-1"}, "contact-made"),
    ("record-check", {**CHECK, "command_id": "s-0"}, "again"),
    ("record-interview-reslt", {"interview_id": "i-1"}, "invalid-command"),
    ("record-application", {"application_id": "a-1", "command_id": "s-4"}, "application-recorded"),
    ("record-application", b'{"application_id": "a-', "invalid-command"),
    ("record-check", {**CHECK, "command_id": "s-6"}, "check-recorded"),
    ("record-contact", {"by": "r-1", "channel": "phone", "command_id": "s-1", "note": WORDS}, "again"),
    ("record-application", {"command_id": "s-8"}, "invalid-command"),
    (
        "record-attempt",
        {"by": "r-1", "channel": "phone", "about": ["a-1"], "command_id": "s-9"},
        "attempt-made",
    ),
    ("record-check", {**CHECK, "command_id": "s-10", "at": "2026-01-05T09:00:00"}, "invalid-command"),
    ("complete-intake", {"command_id": "s-11"}, "intake-completed"),
    ("record-interview-result", {"interview_id": "i-9", "result": "advance"}, "unknown-reference"),
    ("record-check", ["not", "an", "object"], "invalid-command"),
    ("complete-intake", {"command_id": "s-11"}, "again"),
    ("record-outreach", {"effect_id": "0" * 32, "outcome": "sent"}, "invalid-command"),
    ("link-application-to-job-order", {"application_id": "a-1", "job_order_id": "j-1"}, "application-linked"),
    ("record-check", {**CHECK, "outcome": "bad", "command_id": "s-0"}, "command-id-reused"),
    ("request-call", {"message_id": "m-1", "command_id": "s-18"}, "call-requested"),
)
IN_CLEAR = ("record-message", {"message_id": "m-2", "words": WORDS, "command_id": "s-19"})


class TestSignalsWhileNobodyWorks:
    async def test_are_applied_once_or_refused_with_their_reason(
        self, ground: "Ground", poll: "Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]"
    ) -> None:
        """Law 5: applied, or recorded as refused with its reason; never lost, never twice, in order."""
        opener = await ground.worker()
        await ground.opened()
        await opener.stop()
        before = len(await ground.events())
        for name, content, _ in MESSAGES:
            await ground.handle().signal(name, raw(content))
        stranger = await Client.connect(ground.stack.temporal_address)
        name, spoken = IN_CLEAR
        await stranger.get_workflow_handle(workflow_id("acme", "e-1")).signal(name, raw(spoken))
        await ground.worker()

        async def all_done() -> bool:
            return (
                sum(1 for each in await told() if each.endswith("content")) == 1 and len(await told()) >= due
            )

        async def told() -> list[str]:
            """List what came of the messages, in the log's order."""
            wanted = {each for _, _, each in MESSAGES}
            found = []
            for event in (await ground.events())[before:]:
                if event.type == "message-refused":
                    found.append(json.loads(event.body)["reason"])
                elif event.type in wanted:
                    found.append(event.type)
            return found

        expected = [each for _, _, each in MESSAGES if each != "again"] + ["unencrypted-personal-content"]
        due = len(expected)
        await poll(all_done)
        found = await told()
        # What is found out only when it is decided is recorded after what stood in the same handful.
        late = {"unknown-reference", "command-id-reused"}
        assert sorted(found) == sorted(expected)
        assert [each for each in found if each not in late] == [each for each in expected if each not in late]
        state = await ground.sound()
        assert state.stage == "matching"
        assert state.messages == ("m-1",)
        record = "".join(event.body for event in await ground.events())
        assert WORDS not in record
