"""The sweep against real workflows: what it knows of them, and what a poke does."""

from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ActivityError

from activities.types import SweepReply
from events.commands import AnswerProposal, ProposeJob, RecordCheck
from events.envelope import Actor
from events.fold import fold
from workers.poking import Poking
from workflows.types import SWEEP, SWEEP_ID

if TYPE_CHECKING:
    from tests.workflows.conftest import Ground

pytestmark = pytest.mark.temporal

RECRUITER = Actor(kind="person", id="r-1")
TALK = {"by": "r-1", "channel": "phone"}
STREAM = "engagement:e-1"


def came_to(**counts: int) -> SweepReply:
    """Count what a sweep is expected to come to."""
    return SweepReply(**{"acknowledged": 0, "poked": 0, "waiting": 0, "failed": 0, **counts})


CHECK = RecordCheck(check="references", outcome="good")


async def signals(ground: "Ground") -> list[str]:
    """List the signals in the newest run's history."""
    history = await ground.handle().fetch_history()
    return [
        each.workflow_execution_signaled_event_attributes.signal_name
        for each in history.events
        if each.HasField("workflow_execution_signaled_event_attributes")
    ]


async def caught_up(ground: "Ground") -> bool:
    """Tell whether the engagement has acknowledged all of its record."""
    return await ground.log.ahead(ground.agency) == []


class TestASweep:
    async def test_acknowledges_from_the_history_without_a_workflow_task(self, ground: "Ground") -> None:
        """The healthy case, after every last append: it must cost the workflow nothing."""
        await ground.opened()
        await ground.give("e-1", "record-contact", TALK)
        before = len((await ground.handle().fetch_history()).events)
        assert not await caught_up(ground)

        assert await ground.sweeping().sweep() == came_to(acknowledged=1)

        assert await caught_up(ground)
        assert len((await ground.handle().fetch_history()).events) == before

    async def test_knows_what_a_normal_activity_brought(self, ground: "Ground") -> None:
        by = ground.engagements(local_append_seconds=0.3)
        await ground.opened(by=by)
        ground.log.fails_before = 4
        await by.command("e-1", "record-contact", TALK)

        assert await ground.sweeping().sweep() == came_to(acknowledged=1)

    async def test_closes_the_hole_of_a_crash(self, ground: "Ground") -> None:
        """The event is in the log and nothing of it in Temporal: nobody else would ever tell the workflow."""
        await ground.opened()
        await ground.commit_unheard(lost=CHECK)
        version = (await ground.events())[-1].version
        assert (await ground.engagements().state("e-1")).version < version

        assert await ground.sweeping().sweep() == came_to(poked=1)

        await ground.until(lambda: caught_up(ground))
        assert (await ground.engagements().state("e-1")).version == version
        assert await ground.sweeping().sweep() == came_to()

    async def test_takes_for_known_only_what_is_folded(self, ground: "Ground") -> None:
        """A command sent again looks like a mistake to a run that is behind; the log knows better.

        Its answer is in the history then: so the run must catch up with what it has been shown.
        """
        await ground.opened()
        proposed = ProposeJob(job_order_id="j-1", by="r-1", reason="invented words")
        answered = AnswerProposal(job_order_id="j-1", answer="yes")
        await ground.commit_unheard(lost_1=proposed, lost_2=answered)

        again = {"job_order_id": "j-1", "answer": "yes"}
        reply = await ground.give("e-1", "answer-proposal", again, command_id="lost_2")

        assert reply.outcome == "accepted"
        await ground.until(lambda: caught_up(ground))
        assert await ground.engagements().state("e-1") == fold(await ground.events())

    async def test_starts_the_run_that_is_missing(self, ground: "Ground") -> None:
        await ground.opened()
        await ground.handle().terminate("lost")

        assert await ground.sweeping().sweep() == came_to(poked=1)

        await ground.until(lambda: caught_up(ground))
        assert await ground.running()

    async def test_leaves_nothing_behind_a_closed_engagement(self, ground: "Ground") -> None:
        await ground.opened()
        await ground.give("e-1", "close-engagement", {"reason": "done"})

        async def ended() -> bool:
            return not await ground.running()

        await ground.until(ended)
        assert await ground.sweeping().sweep() == came_to(acknowledged=1)
        assert not await ground.running()

    async def test_pokes_where_the_history_cannot_be_read(
        self, ground: "Ground", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Looking there saves a workflow task; it must never be what keeps the hole open."""

        async def too_large(*_: Any) -> bool:
            raise ValueError("received message larger than max")

        await ground.opened()
        monkeypatch.setattr(Poking, "_brought", too_large)

        assert await ground.sweeping().sweep() == came_to(poked=1)
        await ground.until(lambda: caught_up(ground))

    async def test_pokes_a_silent_workflow_once_for_each_version(self, idle_ground: "Ground") -> None:
        """Nobody answers: no sweep waits for that, and no history grows with every sweep."""
        ground = idle_ground
        async with ground.worker():
            await ground.opened()
        await ground.commit_unheard(lost_1=CHECK)
        counts = [await ground.sweeping().sweep() for _ in range(3)]
        assert counts == [came_to(poked=1), came_to(waiting=1), came_to(waiting=1)]
        assert await signals(ground) == ["poke"]

        await ground.commit_unheard(lost_2=CHECK)
        assert await ground.sweeping().sweep() == came_to(poked=1)
        assert await signals(ground) == ["poke", "poke"]

        async with ground.worker():
            await ground.until(lambda: caught_up(ground))
            assert await ground.engagements().state("e-1") == fold(await ground.events())

    async def test_pokes_again_when_a_poke_was_lost_with_its_run(self, idle_ground: "Ground") -> None:
        ground = idle_ground
        async with ground.worker():
            await ground.opened()
        await ground.commit_unheard(lost=CHECK)
        await ground.sweeping().sweep()
        await ground.handle().terminate("lost, and the poke with it")

        assert await ground.sweeping().sweep() == came_to(poked=1)
        async with ground.worker():
            await ground.until(lambda: caught_up(ground))


class TestTheWorkflow:
    async def test_sweeps_and_tells_its_count(self, ground: "Ground") -> None:
        await ground.opened()
        count = await ground.client.execute_workflow(
            SWEEP, id=f"{SWEEP_ID}-{ground.agency}", task_queue=ground.queue, result_type=SweepReply
        )
        assert count == came_to(acknowledged=1)

    async def test_ends_as_failed_when_the_log_stays_away(
        self, ground: "Ground", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is neither silent nor in the way of the next: what it says of the failure can be read."""

        async def away() -> list[str]:
            raise ValueError("not for anybody's eyes")

        monkeypatch.setattr(ground.log, "agencies", away)
        with pytest.raises(WorkflowFailureError) as caught:
            await ground.client.execute_workflow(
                SWEEP, id=f"{SWEEP_ID}-{ground.agency}", task_queue=ground.queue
            )
        assert isinstance(caught.value.cause, ActivityError)
        assert "could not sweep the log: ValueError" in str(caught.value.cause.cause)
