"""A worker, or a worker and Temporal with it, dies between the append's commit and anybody's knowing of it.

Whatever was committed is in the log once; whoever asks again under the same id is told what came of it.
"""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from workers.client import NotAnswered

if TYPE_CHECKING:
    from tests.crash.conftest import Ground

pytestmark = [pytest.mark.postgres, pytest.mark.temporal, pytest.mark.slow]

TALK = {"by": "r-1", "channel": "phone", "note": "she wants to move"}


async def abandoned(task: "asyncio.Task[Any]") -> None:
    """Let a caller go away."""
    task.cancel()
    with suppress(asyncio.CancelledError, NotAnswered):
        await task


class TestWorkerKilled:
    async def test_still_answers_and_doubles_nothing(self, ground: "Ground") -> None:
        """The caller's own retry gets its answer from the next worker."""
        first = await ground.worker(dies="after-append", at="talk-1")
        await ground.opened()
        asking = asyncio.create_task(ground.give("e-1", "record-contact", TALK, command_id="talk-1"))
        await first.died()
        committed = await ground.of("talk-1")
        assert committed[0] == "contact-made"
        await ground.worker()
        reply = await asking
        assert reply.outcome == "accepted"
        assert list(reply.events) == committed
        again = await ground.give("e-1", "record-contact", TALK, command_id="talk-1")
        assert again == reply
        assert await ground.of("talk-1") == committed
        await ground.sound()

    async def test_while_opening_loses_no_engagement(self, ground: "Ground") -> None:
        """The very first append: the run that comes back finds a stream that it has begun itself."""
        first = await ground.worker(dies="after-append", at="open-e-1")
        await ground.opening()
        await first.died()
        committed = await ground.of("open-e-1")
        assert committed[0] == "engagement-opened"
        await ground.worker()
        assert (await ground.sound()).candidate_owner == "r-1"
        assert await ground.of("open-e-1") == committed


class TestWorkerAndTemporalKilled:
    async def test_lose_nothing_that_was_committed(self, ground: "Ground") -> None:
        """The log has the event, Temporal has not: the worker's start lets the run catch up."""
        first = await ground.worker(dies="after-append", at="talk-1")
        await ground.opened()
        before = (await ground.engagements().state("e-1")).version
        asking = asyncio.create_task(ground.give("e-1", "record-contact", TALK, command_id="talk-1"))
        await first.died()
        await ground.stack.kill("temporal")
        await abandoned(asking)
        committed = await ground.of("talk-1")
        assert committed[0] == "contact-made"
        await ground.stack.restart("temporal")
        await ground.reconnect()
        assert not await ground.history_has("talk-1")
        second = await ground.worker(ready=False)
        assert (await second.says())["poked"] == 1
        # Nobody has asked again, and yet it knows.
        await ground.caught_up()
        state = await ground.engagements().state("e-1")
        assert state.version == before + len(committed)
        assert state.last_contact_at is not None
        reply = await ground.give("e-1", "record-contact", TALK, command_id="talk-1")
        assert reply.outcome == "accepted"
        assert list(reply.events) == committed
        assert await ground.of("talk-1") == committed
        assert await ground.history_has("talk-1")
        await ground.sound()
        assert not await ground.log.ahead("acme")
