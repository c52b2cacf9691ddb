"""What one engagement adds to the load of each person who owes something in it.

A person's load is the sum over their rows: no row of one stream may depend on another's.
"""

from typing import Any

from events.obligations import owner_of
from events.projections.projection import Projection, Stream, as_it_is, ignore, nothing
from events.state import Engagement, OpenObligation

COLUMNS = (
    "person",
    "owns",
    "stage",
    "open_obligations",
    "overdue_obligations",
    "level",
    "waiting_since",
    "next_due_at",
)
Row = tuple[Any, ...]


def _items(_account: None, stream: Stream) -> dict[str, Row]:
    state: Engagement = stream.state
    owed: dict[str, list[OpenObligation]] = {}
    if state.candidate_owner is not None and not state.closed:
        owed[state.candidate_owner] = []
    for promise in state.obligations.values():
        owner = owner_of(state, promise)
        if owner is not None:
            owed.setdefault(owner, []).append(promise)
    return {
        person: (
            person,
            person == state.candidate_owner and not state.closed,
            state.stage,
            len(promises),
            sum(each.breached for each in promises),
            max((each.level for each in promises), default=0),
            min((each.since for each in promises if each.awaits == "recruiter"), default=None),
            min((each.due_at for each in promises if not each.breached), default=None),
        )
        for person, promises in owed.items()
    }


PROJECTION = Projection("caseload", 1, "engagement", COLUMNS, nothing, ignore, _items, as_it_is)
