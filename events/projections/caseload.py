"""What one engagement adds to the load of each person who owes something in it.

A person's load is the sum over their rows: no row of one stream may depend on another's.
"""

from typing import Any

from events.ledger import Entry
from events.projections.life import Life
from events.projections.projection import Projection, Stream, as_it_is

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


def _items(_account: object, stream: Stream) -> dict[str, Row]:
    life: Life = stream.state
    state = life.engagement
    owed: dict[str, list[Entry]] = {}
    if state.candidate_owner is not None and not state.closed:
        owed[state.candidate_owner] = []
    for promise in life.promises:
        if promise.owner is not None:
            owed.setdefault(promise.owner, []).append(promise)
    return {
        person: (
            person,
            person == state.candidate_owner and not state.closed,
            state.stage,
            len(promises),
            sum(each.breach is not None for each in promises),
            max((each.level for each in promises), default=0),
            min((each.since for each in promises if each.awaits == "recruiter"), default=None),
            min((each.due_at for each in promises if each.breach is None), default=None),
        )
        for person, promises in owed.items()
    }


PROJECTION = Projection("caseload", 1, "engagement", COLUMNS, _items, as_it_is)
