"""One row for each time a person of the agency spoke with, or tried to reach, the candidate or the client.

Only a row of kind ``contact`` is contact, and its evidence says whether anybody can show it.
"""

from typing import Any
from uuid import UUID

from events import catalogue as e
from events.projections.life import Life
from events.projections.placements import spoken_of
from events.projections.projection import Projection, Told, as_it_is, itself, types
from events.state import Engagement

COLUMNS = (
    "event_id",
    "position",
    "kind",
    "contact_id",
    "by_person",
    "channel",
    "direction",
    "evidence",
    "evidence_ref",
    "purposes",
    "about",
    "at",
    "known_at",
    "stage",
    "owner",
    "sentiment",
    "likes",
    "excels",
    "placements",
)
Row = tuple[Any, ...]
Account = dict[UUID, Row]


def _apply(account: Account, event: Any, told: Told, life: Life) -> None:
    state = life.engagement
    if isinstance(event, e.ContactMade):
        what: Row = (
            "contact",
            event.contact_id,
            event.by,
            event.channel,
            event.direction,
            event.evidence,
            event.evidence_ref,
            (event.purpose, *event.also),
            event.about,
        )
        said: Row = (event.sentiment, event.likes, None, _judged(event, event.likes, state))
    elif isinstance(event, e.AttemptMade):
        what = ("attempt", event.attempt_id, event.by, event.channel, None, None, None, (), event.about)
        said = (None, None, None, ())
    elif isinstance(event, e.TalkedWithClient):
        key, by, purposes = event.client_talk_id, event.by, (event.purpose,)
        what = ("client-talk", key, by, event.channel, None, None, None, purposes, _client_about(event))
        said = (None, None, event.excels, _judged(event, event.excels, state))
    else:
        return
    when = (event.at, told.decided_at, state.stage, state.candidate_owner)
    account[told.event_id] = (told.event_id, told.position, *what, *when, *said)


def _client_about(event: e.TalkedWithClient) -> tuple[str, ...]:
    named = (("submission", event.submission_id), ("placement", event.placement_id))
    return tuple(f"{kind}:{key}" for kind, key in named if key is not None)


def _judged(
    event: e.ContactMade | e.TalkedWithClient, verdict: str | None, state: Engagement
) -> tuple[str, ...]:
    return () if verdict is None else spoken_of(event, state)


PROJECTION = Projection(
    "contacts",
    2,
    "engagement",
    COLUMNS,
    itself,
    as_it_is,
    types(e.ContactMade, e.AttemptMade, e.TalkedWithClient),
    _apply,
    key_type="uuid",
)
