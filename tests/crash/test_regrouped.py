"""A group commit whose commands come again in other groups: each is applied once, and answered as stored."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from workers.client import NotAnswered

if TYPE_CHECKING:
    from tests.crash.conftest import Ground
    from workflows.types import CommandReply

pytestmark = [pytest.mark.postgres, pytest.mark.temporal, pytest.mark.slow]

# What each comes to, in whatever order they arrive.
BATCH: dict[str, tuple[str, dict[str, Any], str]] = {
    "b-1": ("record-contact", {"by": "r-1", "channel": "phone"}, "accepted"),
    "b-2": ("submit", {"job_order_id": "j-1", "by": "r-1"}, "refused"),
    "b-3": ("complete-intake", {}, "accepted"),
    "b-4": ("resume", {}, "nothing-to-do"),
}
MORE: dict[str, tuple[str, dict[str, Any], str]] = {
    f"c-{number}": ("record-check", {"check": "references", "outcome": "good"}, "accepted")
    for number in range(3)
}
ALL = BATCH | MORE


def ask(ground: "Ground", *ids: str) -> "list[asyncio.Task[CommandReply]]":
    """Send commands, by their ids, all at once."""
    return [
        asyncio.create_task(ground.give("e-1", ALL[each][0], ALL[each][1], command_id=each)) for each in ids
    ]


async def answered(ground: "Ground", *tasks: "asyncio.Task[CommandReply]") -> None:
    """Assert that each command came to what the log has of it, once."""
    for reply in await asyncio.gather(*tasks):
        assert reply.outcome == ALL[reply.command_id][2]
        assert list(reply.events) == await ground.of(reply.command_id)
        receipt = await ground.log.receipt("acme", "engagement:e-1", reply.command_id)
        assert receipt.outcome == reply.outcome
        assert receipt.last - receipt.first + 1 == len(reply.events)


async def committed_together(ground: "Ground") -> "list[asyncio.Task[CommandReply]]":
    """Let one worker commit the batch as a group and die of it; returns who still waits."""
    opener = await ground.worker()
    await ground.opened()
    await opener.stop()
    # Nobody works yet, so that whoever comes finds them all.
    waiting = ask(ground, *BATCH)
    await ground.admitted(*BATCH)
    await (await ground.worker(dies="after-append", at="b-1", ready=False, pokes=False)).died()
    for each in BATCH:
        assert await ground.log.receipt("acme", "engagement:e-1", each) is not None
    return waiting


class TestRegroupedRetry:
    async def test_with_more_commands_applies_each_once(self, ground: "Ground") -> None:
        """Temporal has them still, and hands them over again together with new ones."""
        waiting = await committed_together(ground)
        before = await ground.events()
        waiting += ask(ground, *MORE)
        await ground.admitted(*MORE)
        await ground.worker(pokes=False)
        await answered(ground, *waiting)
        events = await ground.events()
        assert events[: len(before)] == before
        assert len(events) == len(before) + len(MORE)
        await ground.sound()

    async def test_in_other_groups_applies_each_once(self, ground: "Ground") -> None:
        """Temporal has forgotten them, and the callers send them again, each when it likes.

        Alone, a command of the middle brings back events that the run has a gap before.
        """
        waiting = await committed_together(ground)
        before = await ground.events()
        await ground.stack.kill("temporal")
        for task in waiting:
            task.cancel()
            with suppress(asyncio.CancelledError, NotAnswered):
                await task
        await ground.stack.restart("temporal")
        await ground.reconnect()
        alone = ask(ground, "b-3")
        await ground.admitted("b-3")
        await ground.worker(pokes=False)
        await answered(ground, *alone)
        await answered(ground, *ask(ground, "c-0", "b-4", "b-1", "c-1"))
        await answered(ground, *ask(ground, "b-3", "b-2", "c-2", "b-1"))
        events = await ground.events()
        assert events[: len(before)] == before
        assert len(events) == len(before) + len(MORE)
        await ground.sound()
