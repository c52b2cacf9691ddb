"""Decisions about interviews: each keeps its id through every move, and its history with it.

All but ``schedule-interview`` are reports: the client's diary does not wait for our permission.
"""

from datetime import datetime, timedelta

from events import catalogue as e
from events import commands as c
from events.context import Context
from events.decisions.submission import known_submission
from events.errors import InvalidCommand, NotAllowed, UnknownReference, WrongState
from events.making import made
from events.state import Engagement, Interview

USUAL_LENGTH = timedelta(hours=1)


def request_interview(command: c.RequestInterview, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that the client wants to meet the candidate.

    :raises UnknownReference: no such submission.
    :raises WrongState: the id is that of another submission's interview.
    """
    known_submission(state, command.submission_id)
    interview_id = ctx.new_id("interview", command.interview_id)
    if interview_id in state.interviews:
        _of_submission(state.interviews[interview_id], interview_id, command.submission_id)
        return []
    return [
        made(e.InterviewRequested, at=ctx.at, interview_id=interview_id, submission_id=command.submission_id)
    ]


def schedule_interview(
    command: c.ScheduleInterview | c.RecordInterviewScheduled, state: Engagement, ctx: Context
) -> list[e.AnyEvent]:
    """Give an interview its time, or another one if it has one.

    :raises UnknownReference: no such submission.
    :raises WrongState: an intent for a submission that is over, or an interview that has been held.
    :raises InvalidCommand: it would end before it starts.
    """
    submission = known_submission(state, command.submission_id)
    interview_id = ctx.new_id("interview", command.interview_id)
    starts_at, ends_at = _times(command.starts_at, command.ends_at)
    found = state.interviews.get(interview_id)
    if isinstance(command, c.ScheduleInterview) and submission.status != "live":
        raise WrongState(
            f"submission '{command.submission_id}' is over ({submission.status}); nothing to schedule"
        )
    if found is not None:
        _of_submission(found, interview_id, command.submission_id)
    if found is not None and found.status == "held":
        raise WrongState(f"interview '{interview_id}' has been held; schedule a new one under another id")
    if found is None or found.status != "scheduled":
        return [
            e.InterviewScheduled(
                at=ctx.at,
                interview_id=interview_id,
                submission_id=command.submission_id,
                starts_at=starts_at,
                ends_at=ends_at,
                place=command.place,
            )
        ]
    if (found.starts_at, found.ends_at) == (starts_at, ends_at):
        return []
    return [_moved(ctx, interview_id, found, starts_at, ends_at, "unknown", None)]


def move_interview(command: c.MoveInterview, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record an interview's new time, also of one that was cancelled or missed.

    :raises UnknownReference: no such interview.
    :raises WrongState: it has been held already.
    """
    found = known_interview(state, command.interview_id)
    starts_at, ends_at = _times(command.starts_at, command.ends_at)
    if found.status == "held":
        raise WrongState(f"interview '{command.interview_id}' has been held; it cannot be moved any more")
    if found.status == "scheduled" and (found.starts_at, found.ends_at) == (starts_at, ends_at):
        return []
    return [_moved(ctx, command.interview_id, found, starts_at, ends_at, command.moved_by, command.reason)]


def cancel_interview(command: c.CancelInterview, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that an interview will not take place, once.

    :raises UnknownReference: no such interview.
    :raises WrongState: it has been held already.
    """
    found = known_interview(state, command.interview_id)
    if found.status == "held":
        raise WrongState(f"interview '{command.interview_id}' has been held; it cannot be cancelled any more")
    if found.status == "cancelled":
        return []
    return [
        e.InterviewCancelled(
            at=ctx.at,
            interview_id=command.interview_id,
            submission_id=found.submission_id,
            cancelled_by=command.cancelled_by,
            reason=command.reason,
        )
    ]


def record_held(command: c.RecordInterviewHeld, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that they met, once.

    :raises UnknownReference: no such interview.
    """
    found = known_interview(state, command.interview_id)
    if found.status == "held":
        return []
    return [
        made(e.InterviewHeld, at=ctx.at, interview_id=command.interview_id, submission_id=found.submission_id)
    ]


def record_missed(command: c.RecordInterviewMissed, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that somebody did not come, once.

    :raises UnknownReference: no such interview.
    :raises WrongState: it has been held already.
    """
    found = known_interview(state, command.interview_id)
    if found.status == "held":
        raise WrongState(
            f"interview '{command.interview_id}' is on record as held; annul that first if it was wrong"
        )
    if found.status == "missed":
        return []
    return [
        e.InterviewMissed(
            at=ctx.at,
            interview_id=command.interview_id,
            submission_id=found.submission_id,
            missed_by=command.missed_by,
        )
    ]


def explain_no_show(command: c.ExplainNoShow, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record why somebody did not come, once for each time.

    :raises UnknownReference: no such interview.
    :raises WrongState: nobody missed it.
    """
    found = known_interview(state, command.interview_id)
    if not found.missed:
        raise WrongState(
            f"nobody is on record as missing interview '{command.interview_id}'; "
            "tell that first with record-interview-missed"
        )
    if found.explained:
        return []
    return [
        e.NoShowExplained(
            at=ctx.at,
            interview_id=command.interview_id,
            submission_id=found.submission_id,
            reason_code=command.reason_code,
            reason=command.reason,
        )
    ]


def record_result(command: c.RecordInterviewResult, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record what the client made of it; a changed result is a second event.

    :raises UnknownReference: no such interview.
    """
    found = known_interview(state, command.interview_id)
    if found.result == command.result:
        return []
    return [
        made(
            e.InterviewResultRecorded,
            at=ctx.at,
            interview_id=command.interview_id,
            submission_id=found.submission_id,
            result=command.result,
            feedback=command.feedback,
        )
    ]


def pass_on_feedback(command: c.PassOnFeedback, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that a person told the candidate the decision.

    :raises NotAllowed: the engine claims to have told them.
    :raises UnknownReference: no such submission or interview.
    """
    if ctx.actor.kind == "engine":
        raise NotAllowed("an automated message passes nothing on; only a person who tells the candidate does")
    known_submission(state, command.submission_id)
    if command.interview_id is not None:
        _of_submission(
            known_interview(state, command.interview_id), command.interview_id, command.submission_id
        )
    return [
        e.FeedbackPassedOn(
            at=ctx.at,
            submission_id=command.submission_id,
            interview_id=command.interview_id,
            by=ctx.person(command.by),
            channel=command.channel,
            words=command.words,
        )
    ]


def known_interview(state: Engagement, key: str) -> Interview:
    """Find an interview.

    :raises UnknownReference: there is none of this id.
    """
    found = state.interviews.get(key)
    if found is None:
        raise UnknownReference("interview", key, "rapport show lists the ones there are")
    return found


def _of_submission(interview: Interview, key: str, submission_id: str) -> None:
    if interview.submission_id != submission_id:
        raise WrongState(
            f"interview '{key}' belongs to submission '{interview.submission_id}', not '{submission_id}'"
        )


def _times(starts_at: datetime, ends_at: datetime | None) -> tuple[datetime, datetime]:
    end = ends_at or starts_at + USUAL_LENGTH
    if end <= starts_at:
        raise InvalidCommand("ends_at is not after starts_at; give the end of the interview, or leave it out")
    return starts_at, end


def _moved(
    ctx: Context,
    key: str,
    found: Interview,
    starts_at: datetime,
    ends_at: datetime,
    moved_by: str,
    reason: object,
) -> e.InterviewMoved:
    return e.InterviewMoved.model_validate(
        {
            "at": ctx.at,
            "interview_id": key,
            "submission_id": found.submission_id,
            "starts_at": starts_at,
            "ends_at": ends_at,
            "moved_by": moved_by,
            "reason": reason,
        }
    )
