"""One row an engagement: where it stands, who answers for it, what is owed and since when.

Nothing here knows the time: a pause is stored with its end, and whoever reads judges it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from events.projections.life import Life
from events.projections.projection import Projection, Stream
from events.state import Engagement

COLUMNS = (
    "engagement",
    "candidate_id",
    "stage",
    "moves",
    "paused_until",
    "owner",
    "team",
    "level",
    "version",
    "position",
    "opened_at",
    "decided_at",
    "last_contact_at",
    "next_step_at",
    "next_due_at",
    "waiting_since",
    "open_obligations",
    "overdue_obligations",
    "attempts_since_contact",
    "live_submissions",
    "policy_digest",
)


def _items(_account: object, stream: Stream) -> Mapping[None, tuple[Any, ...]]:
    life: Life = stream.state
    state, promises = life.whole, life.promises
    row = (
        state.candidate_id,
        state.stage,
        moves(state),
        state.paused_until,
        state.candidate_owner,
        state.team,
        state.level,
        stream.version,
        stream.position,
        state.opened_at,
        stream.decided_at,
        state.last_contact_at,
        min((rung.at for each in promises for rung in each.rungs), default=None),
        min((each.due_at for each in promises if each.breach is None), default=None),
        min((each.since for each in promises if each.awaits == "recruiter"), default=None),
        len(promises),
        sum(each.breach is not None for each in promises),
        state.attempts_since_contact,
        len(state.live_submissions),
        state.policy_digest,
    )
    return {None: row}


def moves(state: Engagement) -> str:
    """This will say who moves next as soon as no pause stands in the way."""
    return state.posture(state.paused_until) if state.paused_until is not None else state.posture(_ANY)


def posture(moves: str, paused_until: datetime | None, now: datetime) -> str:
    """This will say who moves next at a time, from what a row holds."""
    paused = paused_until is not None and now < paused_until
    return "paused" if paused and moves not in ("closed", "dormant") else moves


def _row(key: str, item: tuple[Any, ...]) -> tuple[Any, ...]:
    return (key, *item)


# The end of a pause is outside it, so that at this moment, or at any where there is none, nobody is paused.
_ANY = datetime.max.replace(tzinfo=UTC)

PROJECTION = Projection("board", 1, "engagement", COLUMNS, _items, _row, key_type=None)
