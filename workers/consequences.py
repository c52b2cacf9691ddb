"""What one stream's event means for another stream: commands to give, worked out from the log alone.

An event leads to the same commands whenever it is read, or reading it again would double something.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from events import job_order
from events.canonical import instant
from events.codec import decode
from events.envelope import Stored, derived_id
from events.fold import fold
from events.job_order_state import JobOrder, Terms, evolve, initial, standing

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
        "job-order-terms-recorded",
        "job-order-closed",
    }
)
"""The types of the events that may lead to something."""

ALONE: Final = frozenset({"submitted", "placement-ended"})
"""Those of them that say all that is needed, so that their stream need not be read."""

CAME_TO_NOTHING: Final = frozenset({"reneged", "no-start", "fall-off"})
"""How a placement ends that leaves its opening free again; one that is completed has filled it."""

# One event may lead to several commands to one stream; these kinds keep the ids they have always had.
_NAMELESS: Final = frozenset({"record-submission-received", "record-position-filled"})


@dataclass(frozen=True, slots=True)
class Consequence:
    """A command to another stream that an event leads to."""

    stream: str
    name: str
    data: dict[str, Any]

    def command_id(self, cause: UUID) -> str:
        """Derive the command's id from the event that leads to it.

        By what it is about, not by its place among the others: who is live may differ at the next reading.
        """
        about = f"{self.stream}/{self.data.get('submission_id', self.data.get('placement_id', ''))}"
        named = about if self.name in _NAMELESS else f"{about}/{self.name}"
        return str(derived_id("follow", str(cause), named))


def consequences(
    stored: Stored, history: Sequence[Stored], others: Mapping[str, Sequence[Stored]]
) -> list[Consequence]:
    """Work out what an event leads to.

    *history* is its own stream up to it; *others* those that it is read beside, each up to its position: for
    an accepted offer its job order (:func:`job_order_of`), for a job order that is opened the engagements
    that had presented somebody for it.
    """
    match stored.type:
        case "submitted":
            event = decode(stored)
            return [_received(event.job_order_id, _key(stored.stream), event.submission_id)]
        case "offer-accepted":
            return [*_filled(stored, history), *_known_terms(stored, history, others)]
        case "placement-ended":
            return _gives_back(stored)
        case "event-annulled":
            return _annulled(stored, history)
        case "job-order-opened":
            return list(_presented_before(stored, others))
        case _:
            return _of_a_job_order(stored, history)


def job_order_of(history: Sequence[Stored], submission_id: str) -> str | None:
    """Name the stream of a submission's job order, or None if the engagement has no such submission."""
    for stored in history:
        if stored.type == "submitted":
            event = decode(stored)
            if event.submission_id == submission_id:
                return f"job-order:{event.job_order_id}"
    return None


# -- what happened to an engagement -------------------------------------------------------------


def _received(job_order_id: str, engagement_id: str, submission_id: str) -> Consequence:
    given = {"engagement_id": engagement_id, "submission_id": submission_id}
    return Consequence(f"job-order:{job_order_id}", "record-submission-received", given)


def _fill(job_order_id: str, engagement_id: str, submission_id: str) -> Consequence:
    given = {"engagement_id": engagement_id, "submission_id": submission_id}
    return Consequence(f"job-order:{job_order_id}", "fill-job-order", given)


def _reopen(stream: str, engagement_id: str, submission_id: str, reason: str) -> Consequence:
    given = {"engagement_id": engagement_id, "submission_id": submission_id, "reason": reason}
    return Consequence(stream, "reopen-job-order", given)


def _filled(stored: Stored, history: Sequence[Stored]) -> list[Consequence]:
    submission_id = decode(stored).submission_id
    submission = fold(history).submissions.get(submission_id)
    if submission is None:
        return []
    return [_fill(submission.job_order_id, _key(stored.stream), submission_id)]


def _known_terms(
    stored: Stored, history: Sequence[Stored], others: Mapping[str, Sequence[Stored]]
) -> list[Consequence]:
    # Where the hire was told to the job order before, no fill of it is to come that would bring the terms.
    engagement_id, submission_id = _key(stored.stream), decode(stored).submission_id
    before = others.get(job_order_of(history, submission_id) or "")
    if not before:
        return []
    state = _job_order(before)
    if state.terms is None or standing(state.filled_by, engagement_id, submission_id) is None:
        return []
    return [_agreed(engagement_id, submission_id, state.terms)]


def _gives_back(stored: Stored) -> list[Consequence]:
    event = decode(stored)
    if event.how not in CAME_TO_NOTHING:
        return []
    stream = f"job-order:{event.job_order_id}"
    return [_reopen(stream, _key(stored.stream), event.submission_id, event.how)]


def _annulled(stored: Stored, history: Sequence[Stored]) -> list[Consequence]:
    """Take back what an annulled yes had taken, and take again what an annulled end had given back."""
    wrong = decode(stored)
    if wrong.annulled_type not in ("offer-accepted", "placement-ended"):
        return []
    event = decode(next(each for each in history if each.event_id == wrong.event_id))
    stream = job_order_of(history, event.submission_id)
    submission = fold(history).submissions.get(event.submission_id)
    # By what counts now: another offer of the same submission may stand.
    placed = submission is not None and submission.status == "placed"
    if stream is None or placed == (wrong.annulled_type == "offer-accepted"):
        return []
    if placed:
        return [_fill(_key(stream), _key(stored.stream), event.submission_id)]
    return [_reopen(stream, _key(stored.stream), event.submission_id, "annulled")]


def _presented_before(stored: Stored, others: Mapping[str, Sequence[Stored]]) -> Iterator[Consequence]:
    # Those presented after it are passed on by their own events.
    key = _key(stored.stream)
    for stream, events in sorted(others.items()):
        for submission_id, each in fold(events).submissions.items():
            if each.job_order_id == key and each.status in ("live", "placed"):
                yield _received(key, _key(stream), submission_id)
                if each.status == "placed":
                    yield _fill(key, _key(stream), submission_id)


# -- what happened to a job order ---------------------------------------------------------------


def _of_a_job_order(stored: Stored, history: Sequence[Stored]) -> list[Consequence]:
    state, event = _job_order(history), decode(stored, job_order.EVENTS)
    match event:
        case job_order.SubmissionReceived() if event.submission_id in state.alive:
            return _at_arrival(event.engagement_id, state)
        case job_order.JobOrderHeld():
            return [_held(each, state) for each in _waiting(state)]
        case job_order.JobOrderResumed():
            return [_resumed(each, state) for each in _waiting(state)]
        case job_order.JobOrderFilled():
            own = {submission for submission, by in state.placed.items() if by == event.engagement_id}
            named = own if event.submission_id is None else own & {event.submission_id}
            return [*_gone_if_filled(state), *_agreed_for(state, named)]
        case job_order.OpeningsChanged():
            return _gone_if_filled(state)
        case job_order.JobOrderTermsRecorded():
            return _agreed_for(state, state.placed)
        case job_order.JobOrderClosed():
            return [_gone(each, state, "closed") for each in _waiting(state)]
        case _:
            return []


def _at_arrival(engagement_id: str, state: JobOrder) -> list[Consequence]:
    if state.phase in ("filled", "closed"):
        return [_gone(engagement_id, state, state.phase)]
    return [_held(engagement_id, state)] if state.held else []


def _gone_if_filled(state: JobOrder) -> list[Consequence]:
    if state.phase != "filled":
        return []
    return [_gone(each, state, "filled") for each in _waiting(state)]


def _waiting(state: JobOrder) -> list[str]:
    return sorted(set(state.alive.values()))


def _gone(engagement_id: str, state: JobOrder, how: str) -> Consequence:
    given = {"job_order_id": state.job_order_id, "how": how}
    return Consequence(f"engagement:{engagement_id}", "record-position-filled", given)


def _held(engagement_id: str, state: JobOrder) -> Consequence:
    until = None if state.held_until is None else instant(state.held_until)
    given = {"job_order_id": state.job_order_id, "until": until}
    return Consequence(f"engagement:{engagement_id}", "record-position-held", given)


def _resumed(engagement_id: str, state: JobOrder) -> Consequence:
    given = {"job_order_id": state.job_order_id}
    return Consequence(f"engagement:{engagement_id}", "record-position-resumed", given)


def _agreed_for(state: JobOrder, submissions: Collection[str]) -> list[Consequence]:
    if state.terms is None:
        return []
    return [
        _agreed(engagement, submission, state.terms)
        for submission, engagement in state.placed.items()
        if submission in submissions
    ]


def _agreed(engagement_id: str, submission_id: str, terms: Terms) -> Consequence:
    given = {
        "placement_id": submission_id,
        "placement_kind": terms.kind,
        "guarantee_days": terms.guarantee_days,
        "remedy": terms.remedy,
        "refund_steps": [step.model_dump() for step in terms.refund_steps],
    }
    return Consequence(f"engagement:{engagement_id}", "record-placement-terms", given)


def _job_order(history: Sequence[Stored]) -> JobOrder:
    state = initial(_key(history[0].stream))
    for stored in history:
        state = evolve(state, decode(stored, job_order.EVENTS))
    return state


def _key(stream: str) -> str:
    return stream.partition(":")[2]
