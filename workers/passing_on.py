"""The commands by which job orders and engagements hear of each other.

A command's id is made from what causes it and what it is about, and never changes once one was given.
"""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from events.canonical import instant
from events.envelope import derived_id
from events.job_order_state import JobOrder, Terms

# One event may lead to several commands to one stream; these kinds keep the ids they have always had.
_NAMELESS: Final = frozenset({"record-submission-received", "record-position-filled", "fill-job-order"})


@dataclass(frozen=True, slots=True)
class Consequence:
    """A command to another stream that an event leads to."""

    stream: str
    name: str
    data: dict[str, Any]
    second: bool = False
    """Whether the event leads to another command about the same, which has the nameless id."""

    def command_id(self, cause: UUID) -> str:
        """Derive the command's id from the event that leads to it.

        By what it is about, not by its place among the others: who is live may differ at the next reading.
        """
        about = f"{self.stream}/{self.data.get('submission_id', self.data.get('placement_id', ''))}"
        named = about if self.name in _NAMELESS and not self.second else f"{about}/{self.name}"
        return str(derived_id("follow", str(cause), named))


def received(job_order: str, engagement_id: str, submission_id: str) -> Consequence:
    """Tell a job order's stream that somebody is presented for it."""
    given = {"engagement_id": engagement_id, "submission_id": submission_id}
    return Consequence(job_order, "record-submission-received", given)


def fill(job_order: str, engagement_id: str, submission_id: str, *, second: bool = False) -> Consequence:
    """Tell a job order's stream that somebody was hired."""
    given = {"engagement_id": engagement_id, "submission_id": submission_id}
    return Consequence(job_order, "fill-job-order", given, second)


def reopen(job_order: str, engagement_id: str, submission_id: str, reason: str) -> Consequence:
    """Tell a job order's stream that a hire came to nothing."""
    given = {"engagement_id": engagement_id, "submission_id": submission_id, "reason": reason}
    return Consequence(job_order, "reopen-job-order", given)


def gone(engagement_id: str, job_order_id: str, how: str) -> Consequence:
    """Tell an engagement that a job is filled or closed."""
    given = {"job_order_id": job_order_id, "how": how}
    return Consequence(f"engagement:{engagement_id}", "record-position-filled", given)


def held(engagement_id: str, state: JobOrder) -> Consequence:
    """Tell an engagement that a job is on hold, and until when as far as the client says."""
    until = None if state.held_until is None else instant(state.held_until)
    given = {"job_order_id": state.job_order_id, "until": until}
    return Consequence(f"engagement:{engagement_id}", "record-position-held", given)


def resumed(engagement_id: str, job_order_id: str) -> Consequence:
    """Tell an engagement that a job goes on."""
    return Consequence(
        f"engagement:{engagement_id}", "record-position-resumed", {"job_order_id": job_order_id}
    )


def position_owner(engagement_id: str, state: JobOrder) -> Consequence:
    """Tell an engagement who answers for a job now, and whom they follow."""
    given = {
        "job_order_id": state.job_order_id,
        "owner": state.owner,
        "previous": list(state.former_owners),
    }
    return Consequence(f"engagement:{engagement_id}", "record-position-owner", given)


def agreed(engagement_id: str, submission_id: str, terms: Terms) -> Consequence:
    """Tell an engagement the client's terms for a placement, which has its submission's id."""
    given = {
        "placement_id": submission_id,
        "placement_kind": terms.kind,
        "guarantee_days": terms.guarantee_days,
        "remedy": terms.remedy,
        "refund_steps": [step.model_dump() for step in terms.refund_steps],
    }
    return Consequence(f"engagement:{engagement_id}", "record-placement-terms", given)
