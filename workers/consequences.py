"""What one stream's event means for another stream: commands to give, worked out from the log alone.

An event leads to the same commands whenever it is read, or reading it again would double something.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from events import job_order as j
from events.codec import decode
from events.envelope import Stored
from events.fold import fold
from events.job_order_state import JobOrder, evolve, initial, standing
from workers.passing_on import (
    Consequence,
    agreed,
    fill,
    gone,
    held,
    position_owner,
    received,
    reopen,
    resumed,
)

LEADING: Final = frozenset(
    {
        "submitted",
        "offer-accepted",
        "placement-ended",
        "event-annulled",
        "job-order-opened",
        "submission-received",
        "job-order-held",
        "job-order-resumed",
        "openings-changed",
        "job-order-filled",
        "job-order-reopened",
        "job-order-terms-recorded",
        "job-order-closed",
        "job-order-owner-changed",
    }
)
"""The types of the events that may lead to something."""

ALONE: Final = frozenset({"submitted", "placement-ended"})
"""Those of them that say all that is needed, so that their stream need not be read."""

NAMING: Final[Mapping[str, Sequence[str]]] = {
    "job-order-opened": ("submitted",),
    "job-order-owner-changed": ("job-proposed", "submitted"),
}
"""By which of their events the engagements are found that a job order's event is read beside."""

CAME_TO_NOTHING: Final = frozenset({"reneged", "no-start", "fall-off"})
"""How a placement ends that leaves its opening free again; one that is completed has filled it."""

Others = Mapping[str, Sequence[Stored]]


def consequences(stored: Stored, history: Sequence[Stored], others: Others) -> list[Consequence]:
    """Work out what an event leads to.

    *history* is its own stream up to it; *others* those that it is read beside, each up to its position: the
    :func:`job_order_beside` it, or for a job order that is opened or gets another owner the engagements that
    had proposed it or presented somebody for it.
    """
    match stored.type:
        case "submitted":
            event = decode(stored)
            return [received(f"job-order:{event.job_order_id}", _key(stored.stream), event.submission_id)]
        case "offer-accepted":
            return [*_filled(stored, history), *_known_terms(stored, history, others)]
        case "placement-ended":
            return _ended(stored)
        case "event-annulled":
            return _annulled(stored, history, others)
        case "job-order-opened":
            return list(_presented_before(stored, others))
        case "job-order-owner-changed":
            return _followed(stored, history, others)
        case _:
            return _of_a_job_order(stored, history)


def job_order_beside(stored: Stored, history: Sequence[Stored]) -> str | None:
    """Name the stream of the job order that an engagement's event has to do with, where it must be known."""
    if stored.type == "offer-accepted":
        return _job_order_of(history, decode(stored).submission_id)
    if stored.type == "event-annulled":
        wrong = _declared_wrong(stored, history)
        return None if wrong is None else _job_order_of(history, wrong.submission_id)
    return None


# -- what happened to an engagement -------------------------------------------------------------


def _filled(stored: Stored, history: Sequence[Stored]) -> list[Consequence]:
    submission_id = decode(stored).submission_id
    submission = fold(history).submissions.get(submission_id)
    if submission is None:
        return []
    return [fill(f"job-order:{submission.job_order_id}", _key(stored.stream), submission_id)]


def _known_terms(stored: Stored, history: Sequence[Stored], others: Others) -> list[Consequence]:
    # Not only with the fill: the job order may have heard of the hire before, or have no opening for it.
    order = _beside(stored, history, others)
    if order.terms is None:
        return []
    return [agreed(_key(stored.stream), decode(stored).submission_id, order.terms)]


def _ended(stored: Stored) -> list[Consequence]:
    event = decode(stored)
    if event.how not in CAME_TO_NOTHING or event.job_order_id is None:
        return []
    return [reopen(f"job-order:{event.job_order_id}", _key(stored.stream), event.submission_id, event.how)]


def _annulled(stored: Stored, history: Sequence[Stored], others: Others) -> list[Consequence]:
    """Take back what a wrong yes had taken, and take again what a wrong end had given back."""
    wrong, stream = _declared_wrong(stored, history), job_order_beside(stored, history)
    if wrong is None or stream is None:
        return []
    engagement_id, submission_id = _key(stored.stream), wrong.submission_id
    submission = fold(history).submissions.get(submission_id)
    # By what counts now: another offer of the same submission may stand.
    placed = submission is not None and submission.status == "placed"
    if placed == (wrong.type == "offer-accepted"):
        return []
    if placed:
        return [fill(stream, engagement_id, submission_id)]
    order = _beside(stored, history, others)
    over = order.phase == "closed" or standing(order.filled_by, engagement_id, submission_id) is None
    if over and order.phase in ("filled", "closed"):
        # With the client again, for a job that went to others meanwhile.
        return [gone(engagement_id, _key(stream), order.phase)]
    return [reopen(stream, engagement_id, submission_id, "annulled")]


def _declared_wrong(stored: Stored, history: Sequence[Stored]) -> Any:
    """Give the accepted offer or the placement's end that an annulment declares wrong, else None."""
    annulment = decode(stored)
    if annulment.annulled_type not in ("offer-accepted", "placement-ended"):
        return None
    return decode(next(each for each in history if each.event_id == annulment.event_id))


def _job_order_of(history: Sequence[Stored], submission_id: str) -> str | None:
    for stored in history:
        if stored.type == "submitted":
            event = decode(stored)
            if event.submission_id == submission_id:
                return f"job-order:{event.job_order_id}"
    return None


def _beside(stored: Stored, history: Sequence[Stored], others: Others) -> JobOrder:
    stream = job_order_beside(stored, history) or ""
    return _job_order(stream, others.get(stream, ()))


# -- what happened to a job order ---------------------------------------------------------------


def _presented_before(stored: Stored, others: Others) -> Iterator[Consequence]:
    # Those presented after it are passed on by their own events.
    order = stored.stream
    for stream, events in sorted(others.items()):
        for submission_id, each in fold(events).submissions.items():
            if each.job_order_id == _key(order) and each.status in ("live", "placed"):
                yield received(order, _key(stream), submission_id)
                if each.status == "placed":
                    yield fill(order, _key(stream), submission_id, second=True)


def _followed(stored: Stored, history: Sequence[Stored], others: Others) -> list[Consequence]:
    state = _job_order(stored.stream, history)
    if not state.former_owners:
        return []
    return [position_owner(_key(stream), state) for stream in sorted(others)]


def _of_a_job_order(stored: Stored, history: Sequence[Stored]) -> list[Consequence]:
    state, event = _job_order(stored.stream, history), decode(stored, j.EVENTS)
    match event:
        case j.SubmissionReceived():
            return _arrived(event, state)
        case j.JobOrderReopened() if event.engagement_id is not None:
            return _at_arrival(event.engagement_id, state)
        case j.JobOrderHeld():
            return [held(each, state) for each in _waiting(state)]
        case j.JobOrderResumed():
            return [resumed(each, state.job_order_id) for each in _waiting(state)]
        case j.JobOrderFilled():
            own = {submission for submission, by in state.placed.items() if by == event.engagement_id}
            named = own if event.submission_id is None else own & {event.submission_id}
            return [*_gone_if_filled(state), *_agreed_for(state, named)]
        case j.OpeningsChanged():
            return _gone_if_filled(state)
        case j.JobOrderTermsRecorded():
            return _agreed_for(state, state.placed)
        case j.JobOrderClosed():
            return [gone(each, state.job_order_id, "closed") for each in _waiting(state)]
        case _:
            return []


def _arrived(event: j.SubmissionReceived, state: JobOrder) -> list[Consequence]:
    # Presented while the job changed hands, somebody may name who had it before.
    followed = [position_owner(event.engagement_id, state)] if state.former_owners else []
    alive = event.submission_id in state.alive
    return [*followed, *(_at_arrival(event.engagement_id, state) if alive else [])]


def _at_arrival(engagement_id: str, state: JobOrder) -> list[Consequence]:
    if state.phase in ("filled", "closed"):
        return [gone(engagement_id, state.job_order_id, state.phase)]
    return [held(engagement_id, state)] if state.held else []


def _gone_if_filled(state: JobOrder) -> list[Consequence]:
    if state.phase != "filled":
        return []
    return [gone(each, state.job_order_id, "filled") for each in _waiting(state)]


def _agreed_for(state: JobOrder, submissions: Collection[str]) -> list[Consequence]:
    if state.terms is None:
        return []
    return [
        agreed(engagement, submission, state.terms)
        for submission, engagement in state.placed.items()
        if submission in submissions
    ]


def _waiting(state: JobOrder) -> list[str]:
    return sorted(set(state.alive.values()))


def _job_order(stream: str, history: Sequence[Stored]) -> JobOrder:
    state = initial(_key(stream))
    for stored in history:
        state = evolve(state, decode(stored, j.EVENTS))
    return state


def _key(stream: str) -> str:
    return stream.partition(":")[2]
