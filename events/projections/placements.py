"""One row a placement: its terms, how it ended, and the last word on whether it is a good one.

It is good when the person likes it and the client finds that they excel; a check-in that asked neither
changes neither.
"""

from typing import Any, NamedTuple
from uuid import UUID

from events import catalogue as e
from events.projections.life import Life
from events.projections.projection import Projection, Stream, Told, as_it_is, types
from events.state import Engagement, Placement

COLUMNS = (
    "placement_id",
    "job_order_id",
    "owner",
    "kind",
    "starts_on",
    "started_on",
    "ends_on",
    "guarantee_until",
    "remedy",
    "invoked",
    "ended_on",
    "ended_how",
    "likes",
    "likes_at",
    "likes_position",
    "likes_event",
    "excels",
    "excels_at",
    "excels_position",
    "excels_event",
)
Row = tuple[Any, ...]


class Said(NamedTuple):
    """A verdict, when it was given, and the event that tells it."""

    verdict: str | None
    at: Any
    position: int | None
    event_id: UUID | None


UNASKED = Said(None, None, None, None)
Account = dict[tuple[str, str], Said]
"""By placement, and ``likes`` or ``excels``."""


def _apply(account: Account, event: Any, told: Told, life: Life) -> None:
    state = life.engagement
    if isinstance(event, e.ContactMade) and event.likes is not None:
        said = Said(event.likes, event.at, told.position, told.event_id)
        for key in spoken_of(event, state):
            _later(account, (key, "likes"), said)
    elif isinstance(event, e.TalkedWithClient) and event.excels is not None:
        said = Said(event.excels, event.at, told.position, told.event_id)
        for key in spoken_of(event, state):
            _later(account, (key, "excels"), said)


def _later(account: Account, key: tuple[str, str], said: Said) -> None:
    # The word that was said last counts, not the one that was recorded last.
    before = account.get(key)
    if before is None or said.at >= before.at:
        account[key] = said


def spoken_of(event: e.ContactMade | e.TalkedWithClient, state: Engagement) -> tuple[str, ...]:
    """This will name the placements; a check-in that names none is about the one they are in."""
    if isinstance(event, e.TalkedWithClient):
        named = tuple(each for each in (event.placement_id or event.submission_id,) if each is not None)
    else:
        spoken = (each.partition(":") for each in event.about)
        named = tuple(key for kind, _, key in spoken if kind == "placement")
    return named or (() if state.placed_on is None else (state.placed_on,))


def _items(account: Account, stream: Stream) -> dict[str, Row]:
    life: Life = stream.state
    state = life.engagement
    return {key: _of(state, key, each, account) for key, each in state.placements.items()}


def _of(state: Engagement, key: str, placement: Placement, account: Account) -> Row:
    submission = state.submissions.get(key)
    return (
        key,
        submission.job_order_id if submission is not None else None,
        state.candidate_owner,
        placement.kind,
        placement.starts_on,
        placement.started_on,
        placement.ends_on,
        placement.guarantee_until,
        placement.remedy,
        placement.invoked,
        placement.ended_on,
        placement.ended_how,
        *account.get((key, "likes"), UNASKED),
        *account.get((key, "excels"), UNASKED),
    )


PROJECTION = Projection(
    "placements",
    1,
    "engagement",
    COLUMNS,
    _items,
    as_it_is,
    types(e.ContactMade, e.TalkedWithClient),
    _apply,
)
