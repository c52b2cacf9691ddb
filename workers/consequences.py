"""What one stream's event means for another stream: commands to give, worked out from the log alone.

An event leads to the same commands whenever it is read, or reading it again would double something.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from events import job_order
from events.codec import decode
from events.envelope import Stored, derived_id
from events.fold import fold

LEADING: Final = frozenset(
    {
        "submitted",
        "offer-accepted",
        "job-order-opened",
        "submission-received",
        "job-order-filled",
        "job-order-closed",
    }
)
"""The types of the events that may lead to something."""


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
        return str(derived_id("follow", str(cause), f"{self.stream}/{self.data.get('submission_id', '')}"))


def consequences(
    stored: Stored, history: Sequence[Stored], presented: Mapping[str, Sequence[Stored]]
) -> list[Consequence]:
    """Work out what an event leads to.

    *history* is its own stream up to it; *presented* the streams of the engagements with a live submission
    for a job order that is opened only now.
    """
    match stored.type:
        case "submitted":
            event = decode(stored)
            return [_received(event.job_order_id, _key(stored.stream), event.submission_id)]
        case "offer-accepted":
            return _filled(stored, history)
        case "job-order-opened":
            return _presented_before(stored, presented)
        case "submission-received":
            return _too_late(stored, history)
        case "job-order-filled" | "job-order-closed":
            return _tell_the_others(stored, history)
        case _:
            return []


def _received(job_order_id: str, engagement_id: str, submission_id: str) -> Consequence:
    given = {"engagement_id": engagement_id, "submission_id": submission_id}
    return Consequence(f"job-order:{job_order_id}", "record-submission-received", given)


def _gone(engagement_id: str, job_order_id: str, how: str) -> Consequence:
    given = {"job_order_id": job_order_id, "how": how}
    return Consequence(f"engagement:{engagement_id}", "record-position-filled", given)


def _filled(stored: Stored, history: Sequence[Stored]) -> list[Consequence]:
    submission_id = decode(stored).submission_id
    submission = fold(history).submissions.get(submission_id)
    if submission is None:
        return []
    given = {"engagement_id": _key(stored.stream), "submission_id": submission_id}
    return [Consequence(f"job-order:{submission.job_order_id}", "fill-job-order", given)]


def _presented_before(stored: Stored, presented: Mapping[str, Sequence[Stored]]) -> list[Consequence]:
    # Those presented after it are passed on by their own events.
    before = {
        stream: fold(each for each in events if each.position < stored.position)
        for stream, events in sorted(presented.items())
    }
    return [
        _received(each.job_order_id, _key(stream), submission_id)
        for stream, state in before.items()
        for submission_id, each in state.live_submissions.items()
        if each.job_order_id == _key(stored.stream)
    ]


def _too_late(stored: Stored, history: Sequence[Stored]) -> list[Consequence]:
    state, event = _job_order(history), decode(stored, job_order.EVENTS)
    if state.phase not in ("filled", "closed") or event.submission_id not in state.alive:
        return []
    return [_gone(event.engagement_id, _key(stored.stream), state.phase)]


def _tell_the_others(stored: Stored, history: Sequence[Stored]) -> list[Consequence]:
    event = decode(stored, job_order.EVENTS)
    filled = isinstance(event, job_order.JobOrderFilled)
    if filled and event.openings_left > 0:
        return []
    waiting = sorted(set(_job_order(history).alive.values()))
    return [_gone(each, _key(stored.stream), "filled" if filled else "closed") for each in waiting]


def _job_order(history: Sequence[Stored]) -> job_order.JobOrder:
    state = job_order.initial(_key(history[0].stream))
    for stored in history:
        state = job_order.evolve(state, decode(stored, job_order.EVENTS))
    return state


def _key(stream: str) -> str:
    return stream.partition(":")[2]
