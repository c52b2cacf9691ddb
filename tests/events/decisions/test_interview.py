"""Interviews keep their id through every move, and their history with it."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from events.envelope import ENGINE
from events.errors import InvalidCommand, NotAllowed, UnknownReference, WrongState

if TYPE_CHECKING:
    from tests.events.specification import World

SUBMITTED = ("engagement-opened", "application-recorded", "submitted")
SCHEDULED = (*SUBMITTED, "interview-scheduled")
REPORTS = (
    "record-interview-held",
    "record-interview-missed",
    "record-interview-result",
    "move-interview",
    "cancel-interview",
)


class TestRequestInterview:
    def test_begins_the_interview_stage(self, world: "World") -> None:
        then = world.given(*SUBMITTED).when("request-interview")
        then.then(world.event("interview-requested", at=world.later))
        assert then.state.stage == "interview"

    def test_says_nothing_twice(self, world: "World") -> None:
        world.given(*SUBMITTED, "interview-requested").when("request-interview").then_nothing()

    def test_does_not_know_other_submissions(self, world: "World") -> None:
        world.given("engagement-opened").when("request-interview").fails(UnknownReference, "'s-1'")

    def test_is_a_mistake_under_the_id_of_another_submission_s_interview(self, world: "World") -> None:
        other = world.event("submitted", submission_id="s-2", job_order_id="j-2")
        world.given(*SCHEDULED, other).when("request-interview", submission_id="s-2").fails(
            WrongState, "'i-1'", "'s-1'"
        )


class TestScheduleInterview:
    def test_lasts_an_hour_unless_told_otherwise(self, world: "World") -> None:
        world.given(*SUBMITTED).when("schedule-interview").then(
            world.event("interview-scheduled", at=world.later)
        )

    def test_says_nothing_twice_and_moves_to_another_time(self, world: "World") -> None:
        world.given(*SCHEDULED).when("schedule-interview").then_nothing()
        world.given(*SCHEDULED).when(
            "schedule-interview", starts_at=world.noon + timedelta(days=9)
        ).then_types("interview-moved")

    def test_is_refused_while_the_candidate_wants_quiet_and_its_report_is_not(self, world: "World") -> None:
        quiet = world.given(*SUBMITTED, "paused").under(world.starter.model_copy(update={"obligations": ()}))
        quiet.when("schedule-interview").refused_by("not-while-paused")
        quiet.when("record-interview-scheduled").then_types("gate-bypassed", "interview-scheduled")

    def test_is_a_mistake_for_a_submission_that_is_over_and_its_report_is_not(self, world: "World") -> None:
        over = world.given(*SUBMITTED, world.event("client-answered", answer="no"))
        over.when("schedule-interview").fails(WrongState, "rejected")
        over.when("record-interview-scheduled").then_types("interview-scheduled")

    def test_ends_after_it_starts(self, world: "World") -> None:
        world.given(*SUBMITTED).when("schedule-interview", ends_at=world.noon).fails(
            InvalidCommand, "ends_at"
        )

    def test_is_a_new_one_after_it_was_held(self, world: "World") -> None:
        world.given(*SCHEDULED, "interview-held").when("schedule-interview").fails(WrongState, "another id")

    @pytest.mark.parametrize("before", ["interview-cancelled", "interview-missed"])
    def test_gives_an_interview_that_fell_through_another_time(self, world: "World", before: str) -> None:
        world.given(*SCHEDULED, before).when("schedule-interview").then_types("interview-scheduled")


class TestMoveInterview:
    def test_keeps_the_id(self, world: "World") -> None:
        then = world.given(*SCHEDULED).when("move-interview")
        then.then(world.event("interview-moved", at=world.later))
        assert then.state.interviews["i-1"].starts_at == world.noon + timedelta(days=8)

    def test_says_nothing_twice(self, world: "World") -> None:
        world.given(*SCHEDULED, "interview-moved").when("move-interview").then_nothing()

    def test_is_too_late_once_it_was_held(self, world: "World") -> None:
        world.given(*SCHEDULED, "interview-held").when("move-interview").fails(WrongState, "held")


class TestCancelInterview:
    def test_is_recorded_once(self, world: "World") -> None:
        world.given(*SCHEDULED).when("cancel-interview").then(
            world.event("interview-cancelled", at=world.later)
        )
        world.given(*SCHEDULED, "interview-cancelled").when("cancel-interview").then_nothing()

    def test_is_too_late_once_it_was_held(self, world: "World") -> None:
        world.given(*SCHEDULED, "interview-held").when("cancel-interview").fails(WrongState, "held")


class TestRecordInterviewHeld:
    @pytest.mark.parametrize("before", ["interview-moved", "interview-cancelled", "interview-missed"])
    def test_is_recorded_whatever_was_planned(self, world: "World", before: str) -> None:
        world.given(*SCHEDULED, before).when("record-interview-held").then(
            world.event("interview-held", at=world.later)
        )

    def test_says_nothing_twice(self, world: "World") -> None:
        world.given(*SCHEDULED, "interview-held").when("record-interview-held").then_nothing()


class TestRecordInterviewMissed:
    def test_is_recorded_once(self, world: "World") -> None:
        world.given(*SCHEDULED).when("record-interview-missed").then(
            world.event("interview-missed", at=world.later)
        )
        world.given(*SCHEDULED, "interview-missed").when("record-interview-missed").then_nothing()

    def test_contradicts_one_that_was_held(self, world: "World") -> None:
        world.given(*SCHEDULED, "interview-held").when("record-interview-missed").fails(WrongState, "annul")


class TestExplainNoShow:
    MISSED = (*SCHEDULED, "interview-missed")

    def test_is_recorded_once_for_each_time(self, world: "World") -> None:
        then = world.given(*self.MISSED).when("explain-no-show")
        then.then(world.event("no-show-explained", at=world.later))
        assert then.state.interviews["i-1"].explained
        explained = (*self.MISSED, "no-show-explained")
        world.given(*explained).when("explain-no-show").then_nothing()
        again = world.given(*explained, "interview-moved", "interview-missed")
        again.when("explain-no-show").then_types("no-show-explained")
        assert again.state.interviews["i-1"].missed == 2

    def test_may_come_after_the_new_time_was_found(self, world: "World") -> None:
        then = world.given(*self.MISSED, "interview-moved").when("explain-no-show")
        then.then_types("no-show-explained")
        assert then.state.interviews["i-1"].status == "scheduled"
        assert len(then.state.interviews["i-1"].earlier) == 1

    def test_needs_somebody_to_have_been_missing(self, world: "World") -> None:
        world.given(*SCHEDULED).when("explain-no-show").fails(WrongState, "record-interview-missed")

    def test_needs_an_interview(self, world: "World") -> None:
        world.given(*SUBMITTED).when("explain-no-show").fails(UnknownReference, "'i-1'")


class TestRecordInterviewResult:
    def test_says_nothing_twice_and_a_change_is_a_second_event(self, world: "World") -> None:
        world.given(*SCHEDULED).when("record-interview-result").then(
            world.event("interview-result-recorded", at=world.later)
        )
        told = world.given(*SCHEDULED, "interview-result-recorded")
        told.when("record-interview-result").then_nothing()
        changed = told.when("record-interview-result", result="reject")
        changed.then_types("interview-result-recorded")
        assert changed.state.submissions["s-1"].status == "rejected"

    @pytest.mark.parametrize(("result", "answer"), [("advance", "yes"), ("hold", None)])
    def test_makes_the_submission_live_again_when_a_rejection_was_a_mistake(
        self, world: "World", result: str, answer: str | None
    ) -> None:
        rejected = world.event("interview-result-recorded", result="reject")
        given = world.given(*SCHEDULED, rejected)
        assert not given.state.live_submissions
        then = given.when("record-interview-result", result=result)
        assert (then.state.submissions["s-1"].status, then.state.submissions["s-1"].answer) == (
            "live",
            answer,
        )
        assert then.prepared is not None
        assert [each.key for each in then.prepared.group.claims] == ["j-1:candidate-1"]

    @pytest.mark.parametrize("after", ["candidate-withdrew", "offer-accepted"], ids=["withdrawn", "placed"])
    def test_corrected_changes_nothing_that_came_from_elsewhere(self, world: "World", after: str) -> None:
        rejected = world.event("interview-result-recorded", result="reject")
        given = world.given(*SCHEDULED, rejected, "offer-extended", after)
        before = given.state.submissions["s-1"].status
        then = given.when("record-interview-result", result="advance")
        assert then.state.submissions["s-1"].status == before != "live"


class TestPassOnFeedback:
    def test_is_recorded_each_time(self, world: "World") -> None:
        told = world.event("feedback-passed-on", at=world.later)
        world.given(*SCHEDULED).when("pass-on-feedback").then(told)
        world.given(*SCHEDULED, "feedback-passed-on").when("pass-on-feedback").then(told)

    def test_is_never_the_engine_s_own(self, world: "World") -> None:
        """An automated message tells nobody a decision."""
        world.given(*SCHEDULED).when("pass-on-feedback", actor=ENGINE, by="recruiter-1").fails(
            NotAllowed, "automated message"
        )

    def test_speaks_of_an_interview_of_that_submission(self, world: "World") -> None:
        other = world.event("submitted", submission_id="s-2", job_order_id="j-2")
        world.given(*SCHEDULED, other).when("pass-on-feedback", submission_id="s-2").fails(
            WrongState, "'s-1'"
        )

    def test_does_not_know_other_submissions(self, world: "World") -> None:
        world.given("engagement-opened").when("pass-on-feedback").fails(UnknownReference, "'s-1'")


class TestEveryReport:
    @pytest.mark.parametrize("name", REPORTS)
    def test_needs_an_interview(self, world: "World", name: str) -> None:
        world.given(*SUBMITTED).when(name).fails(UnknownReference, "'i-1'")
