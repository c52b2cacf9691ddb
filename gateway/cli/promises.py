"""Open promises from the tables, the worst first: all of them, or a page behind where the last one ended.

Whatever narrows or orders them stands in the query: a page must not cost more where there are more promises.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol
from uuid import UUID

from gateway.cli.reading import present_after

if TYPE_CHECKING:
    from events.projections.reading import ReadModels

Row = dict[str, Any]

_OPEN: Final = """
    SELECT b.engagement, b.candidate_id, o.obligation_id, o.raised AS escalations, o.rule, o.subject,
           o.since, o.due_at, o.outcome = 'overdue' AS overdue, o.level, o.awaits, o.owner, b.decided_at
    FROM rapport_read.obligations o JOIN rapport_read.board b USING (agency, stream)
    WHERE o.agency = $1 AND o.outcome IN ('open', 'overdue')
"""
# What reading.worst_first gives, as an index holds it; a stream is its category and its engagement.
_PLACE: Final = 'o.worst_first, o.due_at, o.stream, o.rule COLLATE "C", o.obligation_id'


class Having(Protocol):
    """What reading the tables needs of a process's adapters."""

    @property
    def read_models(self) -> "ReadModels":
        """Give the tables computed from the log."""


class Place(NamedTuple):
    """Where a promise stands among all: what ``reading.worst_first`` gives of its row."""

    worst_first: int
    due_at: datetime
    engagement: str
    rule: str
    obligation_id: UUID


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which open promises are asked for."""

    owner: str | None = None
    overdue: bool = False
    people: Collection[str] | None = None
    """Whose; those that nobody owes are among them.  None: everybody's."""


EVERY: Final = Narrowed()


async def promises(
    having: Having,
    agency: str,
    narrowed: Narrowed = EVERY,
    *,
    behind: Place | None = None,
    limit: int | None = None,
) -> list[Row]:
    """Give open promises, as ``reading.lying_with`` takes them."""
    query, given = query_of(agency, narrowed, behind, limit)
    rows = await having.read_models.fetch(agency, query, *given)
    return [{"now": present_after(row.pop("decided_at")), **row} for row in rows]


def query_of(
    agency: str, narrowed: Narrowed, behind: Place | None, limit: int | None
) -> tuple[str, list[Any]]:
    """Give what to ask the database, and with which values.

    Of what is asked for alone: a condition that holds where a value is missing would keep an index out.
    """
    given: list[Any] = [agency]
    query = _OPEN

    def put(value: Any) -> str:
        given.append(value)
        return f"${len(given)}"

    if narrowed.owner is not None:
        query += f" AND o.owner = {put(narrowed.owner)}"
    if narrowed.overdue:
        query += " AND o.outcome = 'overdue'"
    if narrowed.people is not None:
        query += f" AND (o.owner IS NULL OR o.owner = ANY({put(sorted(narrowed.people))}::text[]))"
    if behind is not None:
        place = (*behind[:2], f"engagement:{behind.engagement}", *behind[3:])
        query += f" AND ({_PLACE}) > ({', '.join(map(put, place))})"
    query += f" ORDER BY {_PLACE}"
    if limit is not None:
        query += f" LIMIT {put(limit)}"
    return query, given
