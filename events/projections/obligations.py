"""One row an obligation: its whole life with the events that tell it, as :mod:`events.ledger` folds it.

Every figure of a report unfolds to the positions and event ids that stand here.
"""

from typing import Any
from uuid import UUID

from events.catalogue import Rung
from events.ledger import Entry
from events.projections.life import Life
from events.projections.projection import Projection, Stream

# What a promise's row names the position and the event of.
TOLD_BY = ("opening", "breach", "meeting", "excusing", "dropping")
COLUMNS = (
    "obligation_id",
    "rule",
    "subject",
    "kind",
    "mode",
    "owner_role",
    "awaits",
    "outcome",
    "stage",
    "opened_owner",
    "owner",
    "breach_owner",
    "since",
    "opened_at",
    "due_at",
    "calendar",
    "moves",
    "level",
    "raised",
    "met_at",
    "known_at",
    "timely",
    "late_seconds",
    "excused",
    "dropped",
    "superseded_by",
    "opening_position",
    "opening_event",
    "breach_position",
    "breach_event",
    "meeting_position",
    "meeting_event",
    "excusing_position",
    "excusing_event",
    "dropping_position",
    "dropping_event",
    "next_at",
    "next_rung",
    "next_do",
    "next_level",
    "next_to",
    "next_template",
    "steps_ahead",
    "ended_at",
)
_NOWHERE = (None, None)
_NO_STEP = (None, None, None, None, None, None)


def _items(_account: object, stream: Stream) -> dict[UUID, Entry]:
    life: Life = stream.state
    return life.ledger.entries


def _row(_key: str, entry: Entry) -> tuple[Any, ...]:
    late = entry.late_by
    return (
        entry.obligation_id,
        entry.rule,
        entry.subject,
        entry.kind,
        entry.mode,
        entry.owner_role,
        entry.awaits,
        entry.outcome,
        entry.stage,
        entry.opened_owner,
        entry.owner,
        entry.breach_owner,
        entry.since,
        entry.opened_at,
        entry.due_at,
        entry.calendar,
        entry.moves,
        entry.level,
        entry.raised,
        entry.met_at,
        entry.known_at,
        entry.timely,
        None if late is None else late.total_seconds(),
        entry.excused,
        entry.dropped,
        entry.superseded_by,
        *entry.opening,
        *(entry.breach or _NOWHERE),
        *(entry.meeting or _NOWHERE),
        *(entry.excusing or _NOWHERE),
        *(entry.dropping or _NOWHERE),
        *_next(entry.rungs),
        len(entry.rungs),
        entry.ended_at,
    )


def _next(rungs: tuple[Rung, ...]) -> tuple[Any, ...]:
    if not rungs:
        return _NO_STEP
    rung = min(rungs, key=lambda each: (each.at, each.number))
    return (rung.at, rung.number, rung.do, rung.level, rung.to, rung.template)


PROJECTION = Projection("obligations", 2, "engagement", COLUMNS, _items, _row, key_type="uuid")
