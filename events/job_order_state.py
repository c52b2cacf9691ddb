"""What a job order is after its events, and what each event means to it.

It holds nothing personal, and never raises: the past is not open to objection.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal, assert_never

from pydantic import TypeAdapter

from events import job_order as j
from events.catalogue import RefundStep
from events.kinds import PlacementKind, Remedy

Phase = Literal["unopened", "open", "intake-stopped", "filled", "closed"]
Fill = tuple[str | None, str | None]
"""The engagement and the submission that took an opening; nobody: the client took what was left."""

NOBODY: Final[Fill] = (None, None)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the client agreed to for every placement of the order."""

    kind: PlacementKind
    guarantee_days: int | None
    remedy: Remedy
    refund_steps: tuple[RefundStep, ...]


@dataclass(frozen=True, slots=True)
class JobOrder:
    """What a job order is after its events; it holds nothing personal."""

    job_order_id: str = ""
    phase: Phase = "unopened"
    client_id: str | None = None
    contact: str | None = None
    owner: str | None = None
    former_owners: tuple[str, ...] = ()
    """Who answered for the job before, in order; nobody of them does now."""
    opened_with: int = 0
    """The openings that it was opened with."""
    openings: int = 0
    openings_left: int = 0
    held: bool = False
    held_until: datetime | None = None
    """When the client means to go on.  A date ends no hold: the client does."""
    held_for: str | None = None
    terms: Terms | None = None
    received: dict[str, str] = field(default_factory=dict)
    """Every submission's engagement."""
    filled_by: tuple[Fill, ...] = ()
    """Each fill that stands, in order."""
    given_back: tuple[Fill, ...] = ()
    """Each fill that came to nothing and was not repeated, in order."""

    @property
    def alive(self) -> dict[str, str]:
        """Give the submissions that nobody was hired from, with their engagements: who is still waiting.

        A withdrawal or a client's no is known to the engagement, not here.
        """
        submissions = {submission for _, submission in self.filled_by}
        unnamed = {engagement for engagement, submission in self.filled_by if submission is None}
        return {
            submission: engagement
            for submission, engagement in self.received.items()
            if submission not in submissions and engagement not in unnamed
        }

    @property
    def placed(self) -> dict[str, str]:
        """Give the submissions that took an opening, with their engagements.

        Where a fill names its engagement only, the submission is the one received from it, if it is one.
        """
        found: dict[str, str] = {}
        for engagement, submission in self.filled_by:
            if engagement is None:
                continue
            own = [submission] if submission else [s for s, by in self.received.items() if by == engagement]
            if len(own) == 1:
                found[own[0]] = engagement
        return found

    @property
    def taken(self) -> int:
        """Count the openings that are taken, by whomever."""
        return self.openings - self.openings_left


STATE: TypeAdapter[JobOrder] = TypeAdapter(JobOrder)


def initial(job_order_id: str) -> JobOrder:
    """Give the state before the first event."""
    return JobOrder(job_order_id=job_order_id)


def evolve(state: JobOrder, event: j.AnyJobOrderEvent) -> JobOrder:
    """Fold one event in.  Never raises: the past is not open to objection."""
    match event:
        case j.JobOrderOpened():
            return _opened(state, event)
        case j.IntakeStopped():
            return replace(state, phase="intake-stopped")
        case j.SubmissionReceived():
            return replace(state, received={**state.received, event.submission_id: event.engagement_id})
        case j.JobOrderHeld():
            return replace(state, held=True, held_until=event.until, held_for=event.reason)
        case j.JobOrderResumed():
            return _unheld(state)
        case j.OpeningsChanged():
            return _left(replace(state, openings=event.openings), event.openings_left)
        case j.JobOrderFilled():
            return _filled(state, event)
        case j.JobOrderReopened():
            return _reopened(state, event)
        case j.JobOrderTermsRecorded():
            terms = Terms(event.kind, event.guarantee_days, event.remedy, event.refund_steps)
            return replace(state, terms=terms)
        case j.JobOrderClosed():
            return _unheld(replace(state, phase="closed"))
        case j.ClientContactChanged():
            return replace(state, contact=event.contact)
        case j.JobOrderOwnerChanged():
            before = dict.fromkeys((*state.former_owners, event.previous))
            former = tuple(each for each in before if each not in (None, event.owner))
            return replace(state, owner=event.owner, former_owners=former)
        case _:
            assert_never(event)


def standing(fills: Sequence[Fill], engagement_id: str | None, submission_id: str | None) -> Fill | None:
    """Find the fill of a hire: by its submission, or by its engagement where either names no submission."""
    if (engagement_id, submission_id) in fills:
        return engagement_id, submission_id
    alike = [
        fill for fill in fills if fill[0] == engagement_id and (fill[1] is None or submission_id is None)
    ]
    return alike[-1] if alike else None


def _opened(state: JobOrder, event: j.JobOrderOpened) -> JobOrder:
    return replace(
        state,
        job_order_id=event.job_order_id,
        phase="open",
        client_id=event.client_id,
        contact=event.contact,
        owner=event.owner,
        opened_with=event.openings,
        openings=event.openings,
        openings_left=event.openings,
    )


def _left(state: JobOrder, openings_left: int) -> JobOrder:
    """Count what is left; the last opening ends a hold, and a new one opens what was filled."""
    if openings_left == 0:
        return _unheld(replace(state, phase="filled", openings_left=0))
    phase: Phase = "open" if state.phase == "filled" else state.phase
    return replace(state, phase=phase, openings_left=openings_left)


def _unheld(state: JobOrder) -> JobOrder:
    return replace(state, held=False, held_until=None, held_for=None)


def _filled(state: JobOrder, event: j.JobOrderFilled) -> JobOrder:
    named = (event.engagement_id, event.submission_id)
    back = tuple(fill for fill in state.given_back if fill != named)
    return _left(replace(state, filled_by=(*state.filled_by, named), given_back=back), event.openings_left)


def _reopened(state: JobOrder, event: j.JobOrderReopened) -> JobOrder:
    named = (event.engagement_id, event.submission_id)
    over = standing(state.filled_by, *named)
    stand = tuple(fill for fill in state.filled_by if fill != over)
    back = (*(fill for fill in state.given_back if fill != named), named)
    return _left(replace(state, filled_by=stand, given_back=back), event.openings_left)
