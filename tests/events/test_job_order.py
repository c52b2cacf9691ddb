"""A job order's decisions and fold, given, when, then."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given as everything
from hypothesis import strategies as st

from events import job_order as jo
from events.codec import body_of
from events.errors import CallerError, InvalidCommand, UnknownReference, WrongState
from events.job_order_decisions import closes, decide
from events.job_order_state import JobOrder, evolve, initial

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
OPENED = jo.JobOrderOpened(
    at=NOON, job_order_id="j-1", client_id="k-1", contact="m-1", openings=2, owner="r-1"
)
OPEN = jo.OpenJobOrder(job_order_id="j-1", client_id="k-1", contact="m-1", openings=2, owner="r-1")
RECEIVED = jo.SubmissionReceived(at=NOON, engagement_id="e-1", submission_id="s-1")
RECEIVED_TOO = jo.SubmissionReceived(at=NOON, engagement_id="e-2", submission_id="s-2")
FILLED = jo.JobOrderFilled(at=NOON, engagement_id="e-1", submission_id="s-1", openings_left=1)
ALL_FILLED = jo.JobOrderFilled(at=NOON, openings_left=0)
STOPPED = jo.IntakeStopped(at=NOON)
CLOSED = jo.JobOrderClosed(at=NOON, reason="unfilled")


def fold(*events: jo.AnyJobOrderEvent) -> JobOrder:
    state = initial("j-1")
    for event in events:
        state = evolve(state, event)
    return state


def when(command: jo.AnyJobOrderCommand, *given: jo.AnyJobOrderEvent) -> Sequence[jo.AnyJobOrderEvent]:
    return decide(command, fold(*given), NOON)


class TestOpen:
    def test_takes_the_job_on(self) -> None:
        assert when(OPEN) == [OPENED]

    def test_says_nothing_new_the_second_time(self) -> None:
        assert when(OPEN, OPENED) == []

    def test_refuses_other_terms_under_the_same_id(self) -> None:
        with pytest.raises(WrongState, match="'j-1' is open already"):
            when(OPEN.model_copy(update={"openings": 3}), OPENED)

    def test_refuses_another_id_than_the_streams(self) -> None:
        with pytest.raises(InvalidCommand, match="does not fit the stream"):
            when(OPEN.model_copy(update={"job_order_id": "j-2"}))

    def test_comes_before_everything_else(self) -> None:
        with pytest.raises(UnknownReference, match="no job order 'j-1' here; open it first"):
            when(jo.StopIntake())


class TestStopIntake:
    def test_ends_the_intake(self) -> None:
        assert when(jo.StopIntake(), OPENED) == [STOPPED]
        assert fold(OPENED, STOPPED).phase == "intake-stopped"

    def test_says_nothing_new_the_second_time(self) -> None:
        assert when(jo.StopIntake(), OPENED, STOPPED) == []

    @pytest.mark.parametrize("end", [ALL_FILLED, CLOSED])
    def test_is_refused_at_the_end(self, end: jo.AnyJobOrderEvent) -> None:
        with pytest.raises(WrongState, match="takes no candidates any more"):
            when(jo.StopIntake(), OPENED, end)


class TestRecordSubmissionReceived:
    COMMAND = jo.RecordSubmissionReceived(engagement_id="e-1", submission_id="s-1")

    def test_keeps_the_submission_alive(self) -> None:
        assert when(self.COMMAND, OPENED) == [RECEIVED]
        assert fold(OPENED, RECEIVED).alive == {"s-1": "e-1"}

    def test_says_nothing_new_the_second_time(self) -> None:
        assert when(self.COMMAND, OPENED, RECEIVED) == []

    def test_is_never_too_late(self) -> None:
        """A report of what happened is recorded whatever the job order has become."""
        assert when(self.COMMAND, OPENED, CLOSED) == [RECEIVED]
        assert jo.SubmissionReceived.after_close

    def test_refuses_another_engagements_submission(self) -> None:
        with pytest.raises(WrongState, match="belongs to engagement 'e-1'"):
            when(jo.RecordSubmissionReceived(engagement_id="e-2", submission_id="s-1"), OPENED, RECEIVED)


class TestFill:
    OURS = jo.FillJobOrder(engagement_id="e-1", submission_id="s-1")

    def test_takes_one_opening(self) -> None:
        assert when(self.OURS, OPENED, RECEIVED) == [FILLED]
        assert fold(OPENED, RECEIVED, FILLED).phase == "open"

    def test_fills_the_order_with_its_last_opening(self) -> None:
        other = jo.FillJobOrder(engagement_id="e-2")
        [event] = when(other, OPENED, RECEIVED, FILLED)
        assert fold(OPENED, RECEIVED, FILLED, event).phase == "filled"

    def test_takes_every_opening_when_nobody_is_named(self) -> None:
        assert when(jo.FillJobOrder(), OPENED) == [ALL_FILLED]
        assert fold(OPENED, ALL_FILLED).phase == "filled"

    def test_says_nothing_new_the_second_time(self) -> None:
        assert when(self.OURS, OPENED, FILLED) == []
        assert when(jo.FillJobOrder(), OPENED, ALL_FILLED) == []

    def test_leaves_the_others_alive(self) -> None:
        """They are the ones who must be told that the position is gone."""
        assert fold(OPENED, RECEIVED, RECEIVED_TOO, FILLED).alive == {"s-2": "e-2"}

    def test_is_refused_without_an_opening(self) -> None:
        with pytest.raises(WrongState, match="no opening left"):
            when(self.OURS, OPENED, ALL_FILLED)

    def test_is_refused_once_closed(self) -> None:
        with pytest.raises(WrongState, match="is closed; it cannot be filled"):
            when(self.OURS, OPENED, CLOSED)

    def test_needs_the_engagement_of_a_submission(self) -> None:
        with pytest.raises(InvalidCommand, match="needs its engagement_id"):
            when(jo.FillJobOrder(submission_id="s-1"), OPENED)


class TestClose:
    def test_ends_the_stream(self) -> None:
        [event] = when(jo.CloseJobOrder(reason="unfilled"), OPENED)
        assert event == CLOSED
        assert closes(event)
        assert fold(OPENED, CLOSED).phase == "closed"

    def test_says_nothing_new_the_second_time(self) -> None:
        assert when(jo.CloseJobOrder(reason="other"), OPENED, CLOSED) == []


class TestChangeClientContact:
    def test_names_the_new_person(self) -> None:
        changed = jo.ClientContactChanged(at=NOON, contact="m-2")
        assert when(jo.ChangeClientContact(contact="m-2"), OPENED) == [changed]
        assert fold(OPENED, changed).contact == "m-2"

    def test_says_nothing_new_about_the_same_person(self) -> None:
        assert when(jo.ChangeClientContact(contact="m-1"), OPENED) == []

    def test_is_refused_once_closed(self) -> None:
        with pytest.raises(WrongState, match="its contact cannot change"):
            when(jo.ChangeClientContact(contact="m-2"), OPENED, CLOSED)


class TestChangeOwner:
    TO_R_2 = jo.JobOrderOwnerChanged(at=NOON, owner="r-2", previous="r-1", reason="left")

    def test_names_who_follows_whom(self) -> None:
        assert when(jo.ChangeJobOrderOwner(owner="r-2", reason="left"), OPENED) == [self.TO_R_2]
        state = fold(OPENED, self.TO_R_2)
        assert (state.owner, state.former_owners) == ("r-2", ("r-1",))

    def test_says_nothing_new_about_the_same_person(self) -> None:
        assert when(jo.ChangeJobOrderOwner(owner="r-2"), OPENED, self.TO_R_2) == []

    def test_forgets_as_former_whoever_has_it_again(self) -> None:
        back = jo.JobOrderOwnerChanged(at=NOON, owner="r-1", previous="r-2")
        assert fold(OPENED, self.TO_R_2, back).former_owners == ("r-2",)

    def test_is_possible_once_closed(self) -> None:
        """The placements that came of it still have promises to keep."""
        assert when(jo.ChangeJobOrderOwner(owner="r-2", reason="left"), OPENED, CLOSED) == [self.TO_R_2]


IDS = st.sampled_from(["a", "b", "c"])
COMMANDS = st.one_of(
    st.just(OPEN),
    st.just(jo.StopIntake()),
    st.builds(jo.RecordSubmissionReceived, engagement_id=IDS, submission_id=IDS),
    st.builds(jo.FillJobOrder, engagement_id=st.none() | IDS),
    st.builds(jo.FillJobOrder, engagement_id=IDS, submission_id=IDS),
    st.builds(jo.ReopenJobOrder, engagement_id=st.none() | IDS),
    st.builds(jo.ReopenJobOrder, engagement_id=IDS, submission_id=IDS),
    st.builds(jo.ChangeOpenings, openings=st.integers(1, 4)),
    st.builds(jo.HoldJobOrder, reason=IDS),
    st.just(jo.ResumeJobOrder()),
    st.builds(jo.RecordJobOrderTerms, guarantee_days=st.none() | st.integers(0, 3)),
    st.just(jo.CloseJobOrder()),
    st.builds(jo.ChangeClientContact, contact=IDS),
    st.builds(jo.ChangeJobOrderOwner, owner=IDS),
)


class TestLaws:
    @everything(st.lists(COMMANDS, max_size=16))
    def test_repeating_a_decided_command_adds_nothing(self, commands: list[jo.AnyJobOrderCommand]) -> None:
        state = fold(OPENED)
        for command in commands:
            try:
                events = decide(command, state, NOON)
            except CallerError:
                continue
            for event in events:
                state = evolve(state, event)
            assert decide(command, state, NOON) == []
            assert 0 <= state.openings_left <= state.openings
            assert (state.phase == "filled") == (state.openings_left == 0) or state.phase == "closed"
            assert not (state.held and state.phase in ("filled", "closed"))


class TestEvents:
    def test_are_indexed_by_their_stored_type(self) -> None:
        assert set(jo.EVENTS) == {
            "client-contact-changed",
            "intake-stopped",
            "job-order-closed",
            "job-order-filled",
            "job-order-held",
            "job-order-opened",
            "job-order-owner-changed",
            "job-order-reopened",
            "job-order-resumed",
            "job-order-terms-recorded",
            "openings-changed",
            "submission-received",
        }

    def test_have_this_stored_body(self) -> None:
        """A stored format: this text must decode for ever."""
        assert body_of(OPENED) == (
            '{"client_id":"k-1","contact":"m-1","job_order_id":"j-1","openings":2,"owner":"r-1","title":null}'
        )
