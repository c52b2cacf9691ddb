"""What a command to a job order leads to.

A report of what the client did is never refused for coming late; only what contradicts the record is.
"""

from typing import Final, assert_never

from events import job_order as j
from events.errors import InvalidCommand, UnknownReference, WrongState
from events.job_order_state import NOBODY, JobOrder, Terms, standing
from events.kinds import Moment


def decide(command: j.AnyJobOrderCommand, state: JobOrder, at: Moment) -> list[j.AnyJobOrderEvent]:
    """Give the events that a command leads to; none when it says what is known already.

    :raises UnknownReference: the job order was never opened.
    :raises WrongState: the command contradicts what has happened.
    :raises InvalidCommand: its fields contradict each other, or the stream.
    """
    if isinstance(command, j.OpenJobOrder):
        return _open(command, state, at)
    if state.phase == "unopened":
        raise UnknownReference("job order", state.job_order_id, "open it first with open-job-order")
    match command:
        case j.StopIntake():
            return _stop_intake(state, at)
        case j.RecordSubmissionReceived():
            return _receive(command, state, at)
        case j.HoldJobOrder():
            return _hold(command, state, at)
        case j.ResumeJobOrder():
            _must_run(state, "open a new job order if the client looks again")
            return [j.JobOrderResumed(at=at)] if state.held else []
        case j.ChangeOpenings():
            return _change_openings(command, state, at)
        case j.FillJobOrder():
            return _fill(command, state, at)
        case j.ReopenJobOrder():
            return _reopen(command, state, at)
        case j.RecordJobOrderTerms():
            return _record_terms(command, state, at)
        case j.CloseJobOrder():
            return [] if state.phase == "closed" else [j.JobOrderClosed(at=at, reason=command.reason)]
        case j.ChangeClientContact():
            _must_run(state, "its contact cannot change")
            return (
                []
                if command.contact == state.contact
                else [j.ClientContactChanged(at=at, contact=command.contact)]
            )
        case j.ChangeJobOrderOwner():
            return _change_owner(command, state, at)
        case _:
            assert_never(command)


def closes(event: j.AnyJobOrderEvent) -> bool:
    """Tell whether the stream takes only late reports from this event on."""
    return isinstance(event, j.JobOrderClosed)


def _open(command: j.OpenJobOrder, state: JobOrder, at: Moment) -> list[j.AnyJobOrderEvent]:
    if command.job_order_id != state.job_order_id:
        raise InvalidCommand(
            f"job_order_id '{command.job_order_id}' does not fit the stream job-order:{state.job_order_id}; "
            "give both the same id"
        )
    if state.phase == "unopened":
        return [j.JobOrderOpened(at=at, **{name: getattr(command, name) for name in _OPENING})]
    if (state.client_id, state.opened_with) == (command.client_id, command.openings):
        return []
    raise WrongState(f"job order '{state.job_order_id}' is open already, with other terms; use another id")


_OPENING: Final = ("job_order_id", "client_id", "contact", "title", "openings", "owner")


def _stop_intake(state: JobOrder, at: Moment) -> list[j.AnyJobOrderEvent]:
    _must_run(state, "it takes no candidates any more")
    if state.phase == "filled":
        raise WrongState(f"job order '{state.job_order_id}' is filled; it takes no candidates any more")
    return [] if state.phase == "intake-stopped" else [j.IntakeStopped(at=at)]


def _receive(command: j.RecordSubmissionReceived, state: JobOrder, at: Moment) -> list[j.AnyJobOrderEvent]:
    known = state.received.get(command.submission_id)
    if known is None:
        return [
            j.SubmissionReceived(
                at=at, engagement_id=command.engagement_id, submission_id=command.submission_id
            )
        ]
    if known == command.engagement_id:
        return []
    raise WrongState(
        f"submission '{command.submission_id}' belongs to engagement '{known}'; give it another id"
    )


def _hold(command: j.HoldJobOrder, state: JobOrder, at: Moment) -> list[j.AnyJobOrderEvent]:
    _must_run(state, "it cannot be put on hold")
    if state.phase == "filled":
        raise WrongState(f"job order '{state.job_order_id}' has no opening left; there is nothing to hold")
    if (state.held, state.held_until, state.held_for) == (True, command.until, command.reason):
        return []
    if command.until is not None and command.until <= at:
        raise InvalidCommand(
            "hold-job-order: 'until' lies before the hold itself; give a later time, or none"
        )
    return [j.JobOrderHeld(at=at, until=command.until, reason=command.reason)]


def _change_openings(command: j.ChangeOpenings, state: JobOrder, at: Moment) -> list[j.AnyJobOrderEvent]:
    _must_run(state, "open a new job order if the client looks again")
    if command.openings == state.openings:
        return []
    if command.openings < state.taken:
        raise WrongState(
            f"job order '{state.job_order_id}' has {state.taken} openings filled, so {command.openings} are "
            "too few; give back first what came to nothing, with reopen-job-order"
        )
    left = command.openings - state.taken
    return [j.OpeningsChanged(at=at, openings=command.openings, openings_left=left)]


def _fill(command: j.FillJobOrder, state: JobOrder, at: Moment) -> list[j.AnyJobOrderEvent]:
    _must_run(state, "it cannot be filled")
    _must_name_both(command)
    if command.engagement_id is not None and standing(
        state.filled_by, command.engagement_id, command.submission_id
    ):
        return []
    if state.openings_left == 0:
        if command.engagement_id is None:
            return []
        raise WrongState(f"job order '{state.job_order_id}' has no opening left; it is filled")
    left = state.openings_left - 1 if command.engagement_id is not None else 0
    return [
        j.JobOrderFilled(
            at=at,
            engagement_id=command.engagement_id,
            submission_id=command.submission_id,
            openings_left=left,
        )
    ]


def _reopen(command: j.ReopenJobOrder, state: JobOrder, at: Moment) -> list[j.AnyJobOrderEvent]:
    _must_run(state, "open a new job order if the client looks again")
    _must_name_both(command)
    named = (command.engagement_id, command.submission_id)
    _must_be_one(command, state)
    # What was given back once stays so, until the same hire is reported again.
    if named not in state.filled_by and standing(state.given_back, *named) is not None:
        return []
    if standing(state.filled_by, *named) is None:
        whose = "that engagement's submission" if command.engagement_id is not None else "the client itself"
        raise WrongState(
            f"job order '{state.job_order_id}' has no opening taken by {whose}; name the hire that came to "
            "nothing, or use change-openings"
        )
    return [
        j.JobOrderReopened(
            at=at,
            engagement_id=command.engagement_id,
            submission_id=command.submission_id,
            openings_left=state.openings_left + (1 if named != NOBODY else _taken_by_client(state)),
            reason=command.reason,
        )
    ]


def _record_terms(command: j.RecordJobOrderTerms, state: JobOrder, at: Moment) -> list[j.AnyJobOrderEvent]:
    days = [step.until_day for step in command.refund_steps]
    if days != sorted(set(days)):
        raise InvalidCommand("record-job-order-terms: 'refund_steps' must rise by 'until_day', each day once")
    if days and command.guarantee_days is not None and days[-1] > command.guarantee_days:
        raise InvalidCommand(
            "record-job-order-terms: 'refund_steps' reach beyond 'guarantee_days'; no guarantee lasts longer"
        )
    terms = Terms(command.placement_kind, command.guarantee_days, command.remedy, command.refund_steps)
    if state.terms == terms:
        return []
    return [
        j.JobOrderTermsRecorded(
            at=at,
            kind=terms.kind,
            guarantee_days=terms.guarantee_days,
            remedy=terms.remedy,
            refund_steps=terms.refund_steps,
        )
    ]


def _change_owner(command: j.ChangeJobOrderOwner, state: JobOrder, at: Moment) -> list[j.AnyJobOrderEvent]:
    if command.owner == state.owner:
        return []
    return [j.JobOrderOwnerChanged(at=at, owner=command.owner, previous=state.owner, reason=command.reason)]


def _taken_by_client(state: JobOrder) -> int:
    return state.taken - sum(engagement is not None for engagement, _ in state.filled_by)


def _must_run(state: JobOrder, so: str) -> None:
    if state.phase == "closed":
        raise WrongState(f"job order '{state.job_order_id}' is closed; {so}")


def _must_name_both(command: j.FillJobOrder | j.ReopenJobOrder) -> None:
    if command.submission_id is not None and command.engagement_id is None:
        raise InvalidCommand("a submission_id needs its engagement_id; give both or neither")


def _must_be_one(command: j.ReopenJobOrder, state: JobOrder) -> None:
    """Let an engagement stand for its hire only where it has had one; which of two would be a guess."""
    if command.engagement_id is None or command.submission_id is not None:
        return
    hires = {fill for fill in (*state.filled_by, *state.given_back) if fill[0] == command.engagement_id}
    if len(hires) > 1:
        raise InvalidCommand("this engagement was hired here more than once; name the submission_id as well")
