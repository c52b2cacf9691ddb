"""Who answers for what at this moment: open engagements, clients' jobs, and the places where both meet.

It folds every open engagement, one stream after another, so that its memory does not grow with the log.  What
is still being imported moves later.
"""

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from events import job_order
from events.codec import decode
from events.envelope import Stored
from events.fold import fold
from events.job_order_state import JobOrder, evolve, initial
from events.log.port import EventLog
from events.obligations import owner_of
from events.state import Engagement

PAGE: Final = 1000
# A place where somebody may still owe something to a client or about one.
ALIVE: Final = frozenset({"live", "placed"})


@dataclass(slots=True)
class Caseload:
    """What one person answers for; ids in order."""

    engagements: list[str] = field(default_factory=list)
    """Open engagements of which they are the candidate's owner."""
    job_orders: list[str] = field(default_factory=list)
    """Job orders not closed that are theirs."""
    positions: dict[str, list[str]] = field(default_factory=dict)
    """By job order, the open engagements that name them as its owner, whatever the job order itself says."""

    @property
    def jobs(self) -> list[str]:
        """Name every client's job that is theirs somewhere."""
        return sorted({*self.job_orders, *self.positions})


async def caseloads(log: EventLog, agency: str) -> dict[str, Caseload]:
    """Give what everybody answers for, by person; who answers for nothing is left out."""
    found: defaultdict[str, Caseload] = defaultdict(Caseload)
    async for events in _open_streams(log, agency, "engagement"):
        state = fold(events)
        if state.opened_at is None or state.closed:
            continue
        if state.candidate_owner is not None:
            found[state.candidate_owner].engagements.append(state.engagement_id)
        for person, job in sorted(positions(state)):
            found[person].positions.setdefault(job, []).append(state.engagement_id)
    async for events in _open_streams(log, agency, "job-order"):
        order = job_order_of(events)
        if order.owner is not None and order.phase != "closed":
            found[order.owner].job_orders.append(order.job_order_id)
    return dict(found)


def positions(state: Engagement) -> set[tuple[str, str]]:
    """Name who answers for which client's job here, as far as anything may still be owed about it."""
    found = {
        (each.job_order_owner, each.job_order_id)
        for each in state.submissions.values()
        if each.status in ALIVE
    }
    submitted = {each.job_order_id for each in state.submissions.values()}
    found |= {
        (each.job_order_owner, job)
        for job, each in state.proposals.items()
        if job not in submitted and each.answer != "no"
    }
    owing = [each for each in state.obligations.values() if each.owner_role == "job-order-owner"]
    named = {(each.job_order_owner, each.job_order_id) for each in state.submissions.values()}
    owners = {owner_of(state, each) for each in owing}
    found |= {(owner, job) for owner, job in named if owner in owners}
    return {(owner, job) for owner, job in found if owner is not None and job is not None}


def job_order_of(events: list[Stored]) -> JobOrder:
    """Fold a job order's events."""
    state = initial(events[0].stream.partition(":")[2])
    for stored in events:
        state = evolve(state, decode(stored, job_order.EVENTS))
    return state


async def _open_streams(log: EventLog, agency: str, category: str) -> AsyncIterator[list[Stored]]:
    after: str | None = None
    while page := await log.streams(agency, category=category, after=after, limit=PAGE):
        for head in page:
            if head.phase == "live" and head.version:
                yield await log.read_stream(agency, head.stream)
        after = page[-1].stream
