"""The plain words by which an engagement may be found: ids, owner, stage, job orders, rules of open promises.

Nobody's name is among them: what is personal is searched where it can be opened, and is never kept in clear.
"""

from collections.abc import Iterable
from typing import Any

from events.projections.projection import Projection, Stream
from events.state import Engagement

COLUMNS = ("entry", "kind", "term")
Row = tuple[Any, ...]


def terms(key: str, state: Engagement) -> set[tuple[str, str]]:
    """This will give every kind and word."""
    job_orders = [
        *state.proposals,
        *state.rights,
        *(each.job_order_id for each in state.submissions.values()),
        *(each.job_order_id for each in state.applications.values() if each.job_order_id is not None),
    ]
    found: dict[str, Iterable[str]] = {
        "engagement": [key],
        "candidate": [state.candidate_id],
        "stage": [state.stage],
        "owner": [] if state.candidate_owner is None else [state.candidate_owner],
        "job-order": job_orders,
        "application": state.applications,
        "submission": state.submissions,
        "interview": state.interviews,
        "offer": state.offers,
        "rule": [each.rule for each in state.obligations.values()],
    }
    return {(kind, term) for kind, named in found.items() for term in named if term}


def _items(_account: object, stream: Stream) -> dict[str, Row]:
    key = stream.stream.partition(":")[2]
    return {f"{kind}:{term}": (kind, term) for kind, term in terms(key, stream.state.whole)}


def _row(_key: str, item: Row) -> Row:
    return (f"{item[0]}:{item[1]}", *item)


PROJECTION = Projection("search", 1, "engagement", COLUMNS, _items, _row)
