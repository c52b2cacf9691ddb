"""The engagement's workflow on a real Temporal server: what each command comes to, whatever goes wrong."""

import asyncio
import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from events.commands import Order, RecordContact
from events.decider import prepare
from events.envelope import Actor, AppendRequest
from events.fold import fold
from events.log.port import Appended
from workers.client import CommandFailed

if TYPE_CHECKING:
    from tests.workflows.conftest import Ground

pytestmark = pytest.mark.temporal

TALK = {"by": "r-1", "channel": "phone"}


class TestCommand:
    async def test_is_answered_when_its_events_are_in_the_log(self, ground: "Ground") -> None:
        """Law 1: every acknowledged command's events are in the log."""
        reply = await ground.opened()
        assert reply.outcome == "accepted"
        assert reply.events[0] == "engagement-opened"
        assert list(reply.events) == await ground.types()

    async def test_comes_back_refused_with_what_would_help(self, ground: "Ground") -> None:
        await ground.opened()
        reply = await ground.give("e-1", "propose-job", {"job_order_id": "j-1", "by": "r-1"})
        assert (reply.outcome, reply.refused_by) == ("refused", "know-each-other-first")
        assert reply.says
        assert reply.remedy

    async def test_adds_nothing_when_given_again(self, ground: "Ground") -> None:
        await ground.opened()
        first = await ground.give("e-1", "record-contact", TALK, command_id="talk-1")
        again = await ground.give("e-1", "record-contact", TALK, command_id="talk-1")
        assert again == first
        assert (await ground.types()).count("contact-made") == 1

    async def test_gets_its_stored_reply_in_another_run(self, ground: "Ground") -> None:
        """Temporal forgets update ids with the run; the log never forgets a command."""
        await ground.opened()
        first = await ground.give("e-1", "record-contact", TALK, command_id="talk-1")
        await ground.handle().terminate("a new run must load from the log")
        again = await ground.give("e-1", "record-contact", TALK, command_id="talk-1")
        assert again == first
        assert (await ground.types()).count("contact-made") == 1

    async def test_gets_its_stored_reply_long_after_the_state_forbids_it(self, ground: "Ground") -> None:
        await ground.opened()
        first = await ground.give("e-1", "close-engagement", {"reason": "done"}, command_id="close-1")
        by = ground.engagements()
        await asyncio.gather(*(by.command("e-1", "record-contact", TALK) for _ in range(130)))
        again = await by.command("e-1", "close-engagement", {"reason": "done"}, command_id="close-1")
        assert again == first

    async def test_fails_when_its_id_was_used_for_another(self, ground: "Ground") -> None:
        await ground.opened()
        await ground.give("e-1", "record-contact", TALK, command_id="talk-1")
        with pytest.raises(CommandFailed, match="used before with another content") as caught:
            await ground.give("e-1", "record-contact", {**TALK, "channel": "video"}, command_id="talk-1")
        assert caught.value.code == "CommandIdReused"
        with pytest.raises(CommandFailed, match="used before"):
            await ground.give("e-1", "record-attempt", TALK, command_id="talk-1")

    async def test_leaves_the_others_of_its_go_alone_when_its_id_is_reused(self, ground: "Ground") -> None:
        await ground.opened()
        await ground.give("e-1", "record-contact", TALK, command_id="talk-1")
        await ground.handle().terminate("Temporal must not know the id")
        results = await asyncio.gather(
            ground.give("e-1", "record-contact", {**TALK, "channel": "video"}, command_id="talk-1"),
            ground.give("e-1", "record-contact", TALK, command_id="talk-2"),
            ground.give("e-1", "record-contact", TALK, command_id="talk-1"),
            return_exceptions=True,
        )
        assert isinstance(results[0], CommandFailed)
        assert [getattr(each, "outcome", None) for each in results[1:]] == ["accepted", "accepted"]
        assert (await ground.types()).count("contact-made") == 2

    @pytest.mark.parametrize(
        ("name", "data", "code"),
        [
            ("complete-everything", {}, "invalid-command"),
            ("record-contact", {"by": "r-1"}, "invalid-command"),
            ("pause", {"until": "2026-01-05T09:00:00"}, "invalid-command"),
            ("refuse-message", {"message": "x", "reason": "x", "says": "x"}, "invalid-command"),
            ("record-interview-held", {"interview_id": "i-9"}, "unknown-reference"),
        ],
    )
    async def test_fails_with_one_sentence_on_a_mistake(
        self, ground: "Ground", name: str, data: dict[str, str], code: str
    ) -> None:
        await ground.opened()
        before = await ground.types()
        with pytest.raises(CommandFailed) as caught:
            await ground.give("e-1", name, data)
        assert caught.value.code == code
        assert await ground.types() == before

    async def test_leaves_no_trace_in_the_log_of_an_engagement_never_opened(self, ground: "Ground") -> None:
        with pytest.raises(CommandFailed, match="open it first"):
            await ground.give("e-none", "complete-intake")
        assert await ground.log.head(ground.agency, "engagement:e-none") is None
        await ground.until(lambda: _ended(ground, "e-none"))

    async def test_must_be_encrypted_where_it_is_personal(self, ground: "Ground") -> None:
        await ground.opened()
        stranger = ground.handle(stranger=True)
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await stranger.execute_update("record-contact", {**TALK, "note": "likes dogs"})
        assert isinstance(caught.value.cause, ApplicationError)
        assert caught.value.cause.type == "unencrypted-personal-content"
        assert "dogs" not in str(caught.value.cause)
        await stranger.execute_update("record-contact", {**TALK, "note": None})
        assert (await ground.types()).count("contact-made") == 1

    async def test_keeps_the_fold_equal_to_the_state(self, ground: "Ground") -> None:
        """Law 2."""
        await ground.opened()
        await ground.give("e-1", "record-contact", TALK)
        await ground.give("e-1", "complete-intake")
        assert await ground.engagements().state("e-1") == fold(await ground.events())

    async def test_is_undone_by_annulling_its_event(self, ground: "Ground") -> None:
        await ground.opened()
        await ground.give("e-1", "complete-intake")
        wrong = next(event for event in await ground.events() if event.type == "intake-completed")
        reply = await ground.give("e-1", "annul-event", {"event_id": str(wrong.event_id)})
        state = await ground.engagements().state("e-1")
        assert reply.events[0] == "event-annulled"
        assert state.stage == "intake"
        assert state == fold(await ground.events())


class TestSignal:
    async def test_in_plain_json_is_applied_without_personal_content(self, ground: "Ground") -> None:
        await ground.opened()
        await ground.handle(stranger=True).signal("record-contact", TALK)
        await ground.engagements().poke("e-1")
        assert (await ground.types()).count("contact-made") == 1

    async def test_in_plain_json_is_recorded_as_refused_with_personal_content(self, ground: "Ground") -> None:
        await ground.opened()
        await ground.handle(stranger=True).signal("record-contact", {**TALK, "note": "likes dogs"})
        await ground.engagements().poke("e-1")
        last = (await ground.events())[-1]
        assert last.type == "message-refused"
        assert "unencrypted" in last.body
        assert "dogs" not in last.body

    async def test_is_applied_with_personal_content_when_it_came_encrypted(self, ground: "Ground") -> None:
        await ground.opened()
        await ground.handle().signal("record-contact", {**TALK, "note": "likes dogs"})
        await ground.engagements().poke("e-1")
        assert (await ground.types()).count("contact-made") == 1

    @pytest.mark.parametrize("content", ["words", 7, ["a"], {"by": {"deep": [1]}}, {"channel": "smoke"}])
    async def test_that_cannot_be_read_is_recorded_as_refused(
        self, ground: "Ground", content: object
    ) -> None:
        await ground.opened()
        await ground.handle(stranger=True).signal("record-contact", content)
        await ground.engagements().poke("e-1")
        assert (await ground.types())[-1] == "message-refused"
        assert (await ground.give("e-1", "complete-intake")).outcome == "accepted"

    async def test_of_an_unknown_name_is_recorded_without_it(self, ground: "Ground") -> None:
        await ground.opened()
        await ground.handle(stranger=True).signal("call Ann Example", {})
        await ground.engagements().poke("e-1")
        last = (await ground.events())[-1]
        assert last.type == "message-refused"
        assert "Ann" not in last.body

    async def test_that_is_a_mistake_is_recorded_as_refused(self, ground: "Ground") -> None:
        await ground.opened()
        await ground.handle(stranger=True).signal("record-interview-held", {"interview_id": "i-9"})
        await ground.until(lambda: _holds(ground, "message-refused"))

    async def test_is_applied_once_under_its_own_id(self, ground: "Ground") -> None:
        """Law 5: never applied twice, however often it is delivered."""
        await ground.opened()
        for _ in range(3):
            await ground.handle(stranger=True).signal("record-contact", {**TALK, "command_id": "talk-1"})
        await ground.engagements().poke("e-1")
        assert (await ground.types()).count("contact-made") == 1

    async def test_without_an_id_counts_each_time(self, ground: "Ground") -> None:
        await ground.opened()
        for _ in range(3):
            await ground.handle(stranger=True).signal("record-contact", TALK)
        await ground.engagements().poke("e-1")
        assert (await ground.types()).count("contact-made") == 3

    async def test_with_an_id_reused_is_recorded_as_refused(self, ground: "Ground") -> None:
        await ground.opened()
        await ground.give("e-1", "record-contact", TALK, command_id="talk-1")
        other = {**TALK, "channel": "video", "command_id": "talk-1"}
        await ground.handle(stranger=True).signal("record-contact", other)
        await ground.until(lambda: _holds(ground, "message-refused"))
        assert "command-id-reused" in (await ground.events())[-1].body


class TestTheLog:
    async def test_wins_over_a_run_that_it_has_left_behind(self, ground: "Ground") -> None:
        await ground.opened()
        await _write_behind(ground, epoch=await _epoch(ground))
        reply = await ground.give("e-1", "complete-intake")
        assert reply.version == len(await ground.events())
        assert await ground.engagements().state("e-1") == fold(await ground.events())

    async def test_answers_a_command_that_lies_beyond_what_the_run_has_seen(self, ground: "Ground") -> None:
        """The stored events of a known command must not be folded over a gap."""
        await ground.opened()
        await _write_behind(ground, epoch=await _epoch(ground), command_id="behind-1")
        order = await _write_behind(ground, epoch=await _epoch(ground), command_id="behind-2")
        reply = await ground.engagements().command("e-1", order)
        assert (reply.outcome, reply.events) == ("accepted", ("contact-made",))
        assert await ground.engagements().state("e-1") == fold(await ground.events())

    async def test_fences_a_run_that_another_has_replaced(self, ground: "Ground") -> None:
        """Two epochs at once: the older one writes nothing, takes the pen anew, and goes on."""
        await ground.opened()
        await _write_behind(ground, epoch=await ground.log.open_writer(ground.agency, "engagement:e-1"))
        reply = await ground.give("e-1", "complete-intake")
        assert reply.outcome == "accepted"
        assert await ground.engagements().state("e-1") == fold(await ground.events())
        assert await _epoch(ground) == 3

    async def test_may_fail_after_it_has_written(self, ground: "Ground") -> None:
        await ground.opened()
        ground.log.fails_after = 2
        reply = await ground.give("e-1", "record-contact", TALK)
        assert reply.outcome == "accepted"
        assert (await ground.types()).count("contact-made") == 1

    async def test_may_be_away_longer_than_a_local_activity_waits(self, ground: "Ground") -> None:
        by = ground.engagements(local_append_seconds=0.3)
        await ground.opened(by=by)
        ground.log.fails_before = 4
        reply = await by.command("e-1", "record-contact", TALK)
        assert reply.outcome == "accepted"
        assert (await ground.types()).count("contact-made") == 1

    async def test_is_caught_up_with_by_a_poke(self, ground: "Ground") -> None:
        await ground.opened()
        await _write_behind(ground, epoch=await _epoch(ground))
        reply = await ground.engagements().poke("e-1")
        head = await ground.log.head(ground.agency, "engagement:e-1")
        assert head is not None
        assert (reply.outcome, reply.version) == ("caught-up", head.version)
        assert head.acked_version == head.version

    async def test_starts_a_lost_engagement_again(self, ground: "Ground") -> None:
        await ground.opened()
        await ground.handle().terminate("as if Temporal were lost")
        await ground.engagements().poke("e-1")
        assert await ground.engagements().state("e-1") == fold(await ground.events())
        assert await ground.running()

    async def test_wins_over_a_run_that_is_ahead_of_it(self, ground: "Ground") -> None:
        """A database restored to an earlier day: what it has lost never happened."""
        await ground.opened()
        lost = await ground.give("e-1", "record-contact", TALK)
        backup = copy.deepcopy(ground.log._logs)
        await ground.give("e-1", "complete-intake")
        ground.log._logs = backup
        reply = await ground.give("e-1", "record-attempt", TALK)
        assert reply.version == lost.version + 1
        assert await ground.engagements().state("e-1") == fold(await ground.events())

    async def test_wins_over_a_run_that_was_reset(self, ground: "Ground") -> None:
        """Reset behind the log: signals come again, and nothing is doubled."""
        await ground.opened()
        await ground.handle().signal("record-contact", TALK)
        await ground.give("e-1", "complete-intake", command_id="intake-1")
        before = await ground.types()
        await _reset(ground)
        await ground.engagements().poke("e-1")
        again = await ground.give("e-1", "complete-intake", command_id="intake-1")
        assert again.outcome == "accepted"
        assert await ground.types() == before
        assert await ground.engagements().state("e-1") == fold(await ground.events())


class TestClosing:
    async def test_ends_the_run(self, ground: "Ground") -> None:
        await ground.opened()
        await ground.give("e-1", "close-engagement", {"reason": "done"})
        await ground.until(lambda: _ended(ground, "e-1"))

    async def test_still_lets_a_late_report_in(self, ground: "Ground") -> None:
        await ground.opened()
        await ground.give("e-1", "close-engagement", {"reason": "done"})
        reply = await ground.give("e-1", "record-contact", TALK)
        assert "contact-made" in reply.events
        await ground.until(lambda: _ended(ground, "e-1"))

    async def test_answers_an_intent_with_one_sentence(self, ground: "Ground") -> None:
        await ground.opened()
        await ground.give("e-1", "close-engagement", {"reason": "done"})
        with pytest.raises(CommandFailed, match="is closed"):
            await ground.give("e-1", "complete-intake")

    async def test_still_answers_a_poke_and_a_query(self, ground: "Ground") -> None:
        await ground.opened()
        await ground.give("e-1", "close-engagement", {"reason": "done"})
        await ground.until(lambda: _ended(ground, "e-1"))
        assert (await ground.engagements().poke("e-1")).version == len(await ground.events())
        assert await ground.engagements().state("e-1") == fold(await ground.events())
        await ground.until(lambda: _ended(ground, "e-1"))


async def _ended(ground: "Ground", engagement_id: str) -> bool:
    description = await ground.handle(engagement_id).describe()
    return description.status == WorkflowExecutionStatus.COMPLETED


async def _holds(ground: "Ground", kind: str) -> bool:
    return kind in await ground.types()


async def _epoch(ground: "Ground") -> int:
    head = await ground.log.head(ground.agency, "engagement:e-1")
    assert head is not None
    return head.run_epoch


async def _reset(ground: "Ground") -> None:
    handle = ground.handle()
    history = await handle.fetch_history()
    done = next(
        event for event in history.events if event.HasField("workflow_task_completed_event_attributes")
    )
    await ground.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=ground.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id),
            workflow_task_finish_event_id=done.event_id,
            request_id=str(uuid4()),
            reason="a test",
        )
    )


async def _write_behind(ground: "Ground", *, epoch: int, command_id: str = "behind") -> Order:
    """Append what another run of the engagement would have appended."""
    state = fold(await ground.events())
    order = Order(
        command_id=command_id,
        command=RecordContact(by="r-1", channel="video"),
        actor=Actor(kind="person", id="r-1"),
    )
    prepared = prepare(order, state, None, datetime.now(UTC), agency=ground.agency, engagement_id="e-1")
    request = AppendRequest(
        agency=ground.agency,
        stream="engagement:e-1",
        expected=state.version,
        run_epoch=epoch,
        groups=(prepared.group,),
    )
    [result] = await ground.log.append_many([request])
    assert isinstance(result, Appended)
    return order
