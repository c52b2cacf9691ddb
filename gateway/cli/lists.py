"""What ``list``, ``timers`` and ``outbox`` read from the tables: pages, each behind the last row before it.

Whatever narrows or orders rows stands in the query, and an index holds the order: a page must not cost more
where there are more rows.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

if TYPE_CHECKING:
    from gateway.cli.promises import Having

PAGE: Final = 1000
Row = dict[str, Any]

_BOARD: Final = """
    SELECT b.engagement, b.candidate_id, b.stage, b.moves, b.paused_until, b.owner, b.level, b.version,
           b.opened_at, b.last_contact_at, b.decided_at
    FROM rapport_read.board b WHERE b.agency = $1
"""
_STEPS: Final = """
    SELECT o.owner, o.next_at AS at, b.engagement, b.candidate_id, o.obligation_id, o.rule, o.subject,
           o.next_rung AS rung, o.next_do AS "do", o.next_level AS level, o.next_to AS "to", NULL AS person,
           NULL AS person_name, o.next_template AS template, o.mode, o.steps_ahead, o.due_at,
           o.outcome = 'overdue' AS overdue
    FROM rapport_read.obligations o JOIN rapport_read.board b USING (agency, stream)
    WHERE o.agency = $1 AND o.outcome IN ('open', 'overdue') AND o.next_at IS NOT NULL
"""
_MESSAGES: Final = """
    SELECT m.effect_id::text AS effect, split_part(m.stream, ':', 2) AS engagement, m.recipient AS "to",
           m.person, m.template, m.rule, m.level, m.requested_at, m.settled_at, m.state, m.attempt, m.reason
    FROM rapport_read.outreach m WHERE m.agency = $1
"""


@dataclass(frozen=True, slots=True)
class Listing:
    """A query of an agency's rows, and what they are ordered by: no two are alike in it."""

    query: str
    given: tuple[Any, ...]
    order: str
    place: Callable[[Row], tuple[Any, ...]]
    """Gives a row's values of the order."""

    def page(self, behind: tuple[Any, ...] | None, limit: int) -> tuple[str, list[Any]]:
        """Give what to ask the database for some rows behind a place, and with which values."""
        query, given = self.query, list(self.given)
        if behind is not None:
            marks = ", ".join(f"${len(given) + number}" for number, _ in enumerate(behind, 1))
            query += f" AND ({self.order}) > ({marks})"
            given += behind
        return f"{query} ORDER BY {self.order} LIMIT ${len(given) + 1}", [*given, limit]


async def pages(
    having: "Having", agency: str, listing: Listing, *, size: int | None = None
) -> AsyncIterator[list[Row]]:
    """Read a listing to its end; what changes between two pages may be missed, or come twice."""
    behind, size = None, size or PAGE
    while True:
        query, given = listing.page(behind, size)
        rows = await having.read_models.fetch(agency, query, *given)
        if rows:
            behind = listing.place(rows[-1])
            yield rows
        if len(rows) < size:
            return


def engagements(
    agency: str, *, stage: str | None = None, owner: str | None = None, level: int = 0
) -> Listing:
    """Make the listing of an agency's engagements, by their ids."""
    query, given = _BOARD, [agency, *(each for each in (stage, owner) if each is not None)]
    # Of what is asked for alone: a condition that holds where a value is missing would keep an index out.
    query += " AND b.stage = $2" if stage is not None else ""
    query += f" AND b.owner = ${len(given)}" if owner is not None else ""
    query += f" AND b.level >= {level:d}" if level > 0 else ""
    return Listing(query, tuple(given), "b.stream", lambda row: (_stream(row),))


def steps(agency: str) -> Listing:
    """Make the listing of the next step of each open promise, the soonest first."""
    order = 'o.next_at, o.stream, o.rule COLLATE "C", o.subject COLLATE "C", o.obligation_id'
    return Listing(
        _STEPS,
        (agency,),
        order,
        lambda row: (row["at"], _stream(row), row["rule"], row["subject"], row["obligation_id"]),
    )


def messages(agency: str, *, state: str | None = None) -> Listing:
    """Make the listing of the messages that were ever owed, the oldest first."""
    query, given = _MESSAGES, (agency,) if state is None else (agency, state)
    query += " AND m.state = $2" if state is not None else ""
    # An id sorts as its text does.
    order = "m.requested_at, m.effect_id"
    return Listing(query, given, order, lambda row: (row["requested_at"], UUID(row["effect"])))


def _stream(row: Row) -> str:
    return f"engagement:{row['engagement']}"
