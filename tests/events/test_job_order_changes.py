"""A job order on hold, with more or fewer openings, reopened, and its terms: given, when, then."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from events import job_order as jo
from events.catalogue import RefundStep
from events.errors import InvalidCommand, WrongState
from events.job_order_decisions import decide
from events.job_order_state import JobOrder, Terms, evolve, initial

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
OPENED = jo.JobOrderOpened(at=NOON, job_order_id="j-1", client_id="k-1", openings=2)
ONE_OPENED = jo.JobOrderOpened(at=NOON, job_order_id="j-1", client_id="k-1")
RECEIVED = jo.SubmissionReceived(at=NOON, engagement_id="e-1", submission_id="s-1")
RECEIVED_TOO = jo.SubmissionReceived(at=NOON, engagement_id="e-2", submission_id="s-2")
HELD = jo.JobOrderHeld(at=NOON, until=MARCH, reason="budget")
RESUMED = jo.JobOrderResumed(at=NOON)
STOPPED = jo.IntakeStopped(at=NOON)
FILLED = jo.JobOrderFilled(at=NOON, engagement_id="e-1", submission_id="s-1", openings_left=1)
LAST_FILLED = jo.JobOrderFilled(at=NOON, engagement_id="e-1", submission_id="s-1", openings_left=0)
FILLED_UNNAMED = jo.JobOrderFilled(at=NOON, engagement_id="e-1", openings_left=1)
FILLED_BY_CLIENT = jo.JobOrderFilled(at=NOON, openings_left=0)
REOPENED = jo.JobOrderReopened(
    at=NOON, engagement_id="e-1", submission_id="s-1", openings_left=2, reason="fall-off"
)
CLOSED = jo.JobOrderClosed(at=NOON, reason="unfilled")
STEPS = (RefundStep(until_day=30, percent=100), RefundStep(until_day=90, percent=50))


def fold(*events: jo.AnyJobOrderEvent) -> JobOrder:
    state = initial("j-1")
    for event in events:
        state = evolve(state, event)
    return state


def when(command: jo.AnyJobOrderCommand, *given: jo.AnyJobOrderEvent) -> Sequence[jo.AnyJobOrderEvent]:
    return decide(command, fold(*given), NOON)


class TestHold:
    COMMAND = jo.HoldJobOrder(until=MARCH, reason="budget")

    def test_lets_everybody_wait(self) -> None:
        assert when(self.COMMAND, OPENED) == [HELD]
        state = fold(OPENED, RECEIVED, HELD)
        assert (state.held, state.held_until, state.alive) == (True, MARCH, {"s-1": "e-1"})

    def test_says_nothing_new_the_second_time(self) -> None:
        assert when(self.COMMAND, OPENED, HELD) == []

    @pytest.mark.parametrize(
        "news",
        [jo.HoldJobOrder(until=MARCH + timedelta(days=9), reason="budget"), jo.HoldJobOrder(until=MARCH)],
    )
    def test_tells_another_date_or_reason(self, news: jo.HoldJobOrder) -> None:
        [event] = when(news, OPENED, HELD)
        assert event == jo.JobOrderHeld(at=NOON, until=news.until, reason=news.reason)

    def test_leaves_a_stopped_intake_stopped(self) -> None:
        """Two things the client says; neither unsays the other."""
        state = fold(OPENED, STOPPED, HELD)
        assert (state.phase, state.held) == ("intake-stopped", True)
        assert fold(OPENED, HELD, STOPPED, RESUMED).phase == "intake-stopped"

    def test_refuses_no_submission(self) -> None:
        """A report of what happened is recorded whatever the job order has become."""
        received = jo.RecordSubmissionReceived(engagement_id="e-1", submission_id="s-1")
        assert when(received, OPENED, HELD) == [RECEIVED]

    def test_ends_with_the_last_opening_and_not_before(self) -> None:
        fill = jo.FillJobOrder(engagement_id="e-1", submission_id="s-1")
        assert when(fill, OPENED, RECEIVED, HELD) == [FILLED]
        assert fold(OPENED, HELD, FILLED).held
        assert not fold(ONE_OPENED, HELD, LAST_FILLED).held

    def test_ends_with_the_order(self) -> None:
        state = fold(OPENED, HELD, CLOSED)
        assert (state.held, state.held_until, state.held_for) == (False, None, None)

    def test_is_refused_without_an_opening(self) -> None:
        with pytest.raises(WrongState, match="no opening left; there is nothing to hold"):
            when(self.COMMAND, OPENED, FILLED_BY_CLIENT)

    def test_is_refused_once_closed(self) -> None:
        with pytest.raises(WrongState, match="is closed; it cannot be put on hold"):
            when(self.COMMAND, OPENED, CLOSED)

    def test_lasts_until_a_time_after_it_began(self) -> None:
        with pytest.raises(InvalidCommand, match="'until' lies before the hold"):
            when(jo.HoldJobOrder(until=NOON), OPENED)


class TestResume:
    def test_goes_on(self) -> None:
        assert when(jo.ResumeJobOrder(), OPENED, HELD) == [RESUMED]
        assert fold(OPENED, HELD, RESUMED) == fold(OPENED)

    @pytest.mark.parametrize("given", [(OPENED,), (OPENED, HELD, RESUMED), (ONE_OPENED, HELD, LAST_FILLED)])
    def test_says_nothing_new_where_nothing_is_held(self, given: tuple[jo.AnyJobOrderEvent, ...]) -> None:
        assert when(jo.ResumeJobOrder(), *given) == []

    def test_is_refused_once_closed(self) -> None:
        with pytest.raises(WrongState, match="is closed; open a new job order"):
            when(jo.ResumeJobOrder(), OPENED, HELD, CLOSED)


class TestChangeOpenings:
    def test_counts_what_is_left(self) -> None:
        changed = jo.OpeningsChanged(at=NOON, openings=4, openings_left=3)
        assert when(jo.ChangeOpenings(openings=4), OPENED, FILLED) == [changed]
        state = fold(OPENED, FILLED, changed)
        assert (state.openings, state.openings_left, state.phase) == (4, 3, "open")

    def test_says_nothing_new_about_the_same_number(self) -> None:
        assert when(jo.ChangeOpenings(openings=2), OPENED, FILLED) == []

    def test_fills_the_order_where_none_is_left(self) -> None:
        [event] = when(jo.ChangeOpenings(openings=1), OPENED, FILLED, HELD)
        assert event == jo.OpeningsChanged(at=NOON, openings=1, openings_left=0)
        state = fold(OPENED, FILLED, HELD, event)
        assert (state.phase, state.held) == ("filled", False)

    def test_opens_a_filled_order_for_candidates_again(self) -> None:
        [event] = when(jo.ChangeOpenings(openings=3), OPENED, STOPPED, FILLED_BY_CLIENT)
        assert fold(OPENED, STOPPED, FILLED_BY_CLIENT, event).phase == "open"

    def test_leaves_a_stopped_intake_stopped(self) -> None:
        [event] = when(jo.ChangeOpenings(openings=3), OPENED, STOPPED)
        assert fold(OPENED, STOPPED, event).phase == "intake-stopped"

    def test_refuses_fewer_than_are_filled(self) -> None:
        with pytest.raises(WrongState, match="has 2 openings filled, so 1 are too few; give back first"):
            when(jo.ChangeOpenings(openings=1), OPENED, FILLED_BY_CLIENT)

    def test_is_refused_once_closed(self) -> None:
        with pytest.raises(WrongState, match="is closed; open a new job order"):
            when(jo.ChangeOpenings(openings=3), OPENED, CLOSED)

    def test_leaves_the_opening_command_known(self) -> None:
        """Whoever opens the order again with its first number says nothing new."""
        changed = jo.OpeningsChanged(at=NOON, openings=4, openings_left=4)
        again = jo.OpenJobOrder(job_order_id="j-1", client_id="k-1", openings=2)
        assert when(again, OPENED, changed) == []


class TestReopen:
    COMMAND = jo.ReopenJobOrder(engagement_id="e-1", submission_id="s-1", reason="fall-off")

    def test_gives_the_opening_back(self) -> None:
        assert when(self.COMMAND, OPENED, RECEIVED, FILLED) == [REOPENED]
        state = fold(OPENED, RECEIVED, FILLED, REOPENED)
        assert (state.openings_left, state.filled_by, state.given_back) == (2, (), (("e-1", "s-1"),))

    def test_opens_a_filled_order_for_candidates_again(self) -> None:
        [event] = when(self.COMMAND, ONE_OPENED, STOPPED, LAST_FILLED)
        assert fold(ONE_OPENED, STOPPED, LAST_FILLED, event).phase == "open"

    def test_leaves_what_runs_as_it_is(self) -> None:
        state = fold(OPENED, STOPPED, HELD, FILLED, REOPENED)
        assert (state.phase, state.held) == ("intake-stopped", True)

    def test_happens_once_for_each_hire(self) -> None:
        assert when(self.COMMAND, OPENED, FILLED, REOPENED) == []
        assert when(self.COMMAND, OPENED, FILLED, REOPENED, FILLED_BY_CLIENT) == []

    def test_happens_again_when_the_same_hire_did(self) -> None:
        fill = jo.FillJobOrder(engagement_id="e-1", submission_id="s-1")
        assert when(fill, OPENED, FILLED, REOPENED) == [FILLED]
        assert when(self.COMMAND, OPENED, FILLED, REOPENED, FILLED) == [REOPENED]

    def test_finds_the_hire_that_named_its_engagement_only(self) -> None:
        assert when(self.COMMAND, OPENED, FILLED_UNNAMED) == [REOPENED]
        assert fold(OPENED, FILLED_UNNAMED, REOPENED).filled_by == ()
        assert when(self.COMMAND, OPENED, FILLED_UNNAMED, REOPENED) == []

    def test_finds_the_one_hire_of_an_engagement(self) -> None:
        by_name = jo.ReopenJobOrder(engagement_id="e-1")
        [event] = when(by_name, OPENED, FILLED)
        assert fold(OPENED, FILLED, event).openings_left == 2
        assert when(by_name, OPENED, FILLED, event) == []

    def test_asks_which_of_two_hires_of_an_engagement(self) -> None:
        again = jo.JobOrderFilled(at=NOON, engagement_id="e-1", submission_id="s-9", openings_left=0)
        with pytest.raises(InvalidCommand, match="name the submission_id as well"):
            when(jo.ReopenJobOrder(engagement_id="e-1"), OPENED, FILLED, again)

    def test_gives_back_what_the_client_itself_had_taken(self) -> None:
        [event] = when(jo.ReopenJobOrder(), OPENED, FILLED, FILLED_BY_CLIENT)
        assert event == jo.JobOrderReopened(at=NOON, openings_left=1)
        state = fold(OPENED, FILLED, FILLED_BY_CLIENT, event)
        assert (state.phase, state.filled_by) == ("open", (("e-1", "s-1"),))
        assert when(jo.ReopenJobOrder(), OPENED, FILLED, FILLED_BY_CLIENT, event) == []

    def test_keeps_whoever_is_alive_again(self) -> None:
        """An acceptance declared wrong leaves the submission with the client: it must hear what comes."""
        state = fold(OPENED, RECEIVED, RECEIVED_TOO, FILLED, REOPENED)
        assert state.alive == {"s-1": "e-1", "s-2": "e-2"}

    @pytest.mark.parametrize("hire", [COMMAND, jo.ReopenJobOrder(), jo.ReopenJobOrder(engagement_id="e-1")])
    def test_is_refused_where_no_opening_was_taken_so(self, hire: jo.ReopenJobOrder) -> None:
        with pytest.raises(WrongState, match=r"no opening taken by .*; name the hire that came to nothing"):
            when(hire, OPENED, RECEIVED)

    def test_is_refused_once_closed(self) -> None:
        """The log takes only late reports then, and a client that looks again asks anew."""
        with pytest.raises(WrongState, match="is closed; open a new job order if the client looks again"):
            when(self.COMMAND, OPENED, FILLED, CLOSED)

    def test_needs_the_engagement_of_a_submission(self) -> None:
        with pytest.raises(InvalidCommand, match="needs its engagement_id"):
            when(jo.ReopenJobOrder(submission_id="s-1"), OPENED, FILLED)


class TestFill:
    def test_takes_one_opening_for_one_hire(self) -> None:
        """The recruiter names the engagement, the follower the submission too: one hire, one opening."""
        named = jo.FillJobOrder(engagement_id="e-1", submission_id="s-1")
        assert when(named, OPENED, FILLED_UNNAMED) == []
        assert when(jo.FillJobOrder(engagement_id="e-1"), OPENED, FILLED) == []

    def test_takes_another_for_another_submission(self) -> None:
        """A contract may be completed and the same person hired again."""
        [event] = when(jo.FillJobOrder(engagement_id="e-1", submission_id="s-9"), OPENED, FILLED)
        assert event.type == "job-order-filled"
        assert event.openings_left == 0

    def test_leaves_another_submission_of_the_same_engagement_alive(self) -> None:
        later = jo.SubmissionReceived(at=NOON, engagement_id="e-1", submission_id="s-9")
        assert fold(OPENED, RECEIVED, FILLED, later).alive == {"s-9": "e-1"}


class TestRecordTerms:
    COMMAND = jo.RecordJobOrderTerms(
        placement_kind="permanent", guarantee_days=90, remedy="pro-rata", refund_steps=STEPS
    )
    RECORDED = jo.JobOrderTermsRecorded(
        at=NOON, kind="permanent", guarantee_days=90, remedy="pro-rata", refund_steps=STEPS
    )

    def test_keeps_what_the_client_agreed_to(self) -> None:
        assert when(self.COMMAND, OPENED) == [self.RECORDED]
        assert fold(OPENED, self.RECORDED).terms == Terms("permanent", 90, "pro-rata", STEPS)

    def test_says_nothing_new_the_second_time(self) -> None:
        assert when(self.COMMAND, OPENED, self.RECORDED) == []

    def test_replaces_earlier_terms(self) -> None:
        [event] = when(jo.RecordJobOrderTerms(placement_kind="contract"), OPENED, self.RECORDED)
        assert fold(OPENED, self.RECORDED, event).terms == Terms("contract", None, "none", ())

    def test_is_never_too_late(self) -> None:
        """Terms may be agreed when the order is closed and somebody has begun under it."""
        assert when(self.COMMAND, OPENED, LAST_FILLED, CLOSED) == [self.RECORDED]
        assert jo.JobOrderTermsRecorded.after_close

    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"refund_steps": STEPS[::-1]}, "must rise by 'until_day', each day once"),
            ({"refund_steps": (STEPS[0], STEPS[0])}, "must rise by 'until_day', each day once"),
            ({"guarantee_days": 60}, "reach beyond 'guarantee_days'"),
        ],
    )
    def test_refuses_steps_that_contradict_each_other(self, wrong: dict[str, object], sentence: str) -> None:
        with pytest.raises(InvalidCommand, match=sentence):
            when(self.COMMAND.model_copy(update=wrong), OPENED)


class TestPlaced:
    def test_names_the_submission_of_a_hire_that_did_not(self) -> None:
        assert fold(OPENED, RECEIVED, FILLED_UNNAMED).placed == {"s-1": "e-1"}

    def test_leaves_out_what_nobody_can_tell(self) -> None:
        """Two submissions of one engagement, the client's own hire, a hire that came to nothing."""
        two = jo.SubmissionReceived(at=NOON, engagement_id="e-1", submission_id="s-9")
        assert fold(OPENED, RECEIVED, two, FILLED_UNNAMED).placed == {}
        assert fold(OPENED, RECEIVED, FILLED_BY_CLIENT).placed == {}
        assert fold(OPENED, RECEIVED, FILLED, REOPENED).placed == {}
