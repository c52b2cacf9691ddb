"""What is on record of one engagement: its events in plain words, its state after any of them, its promises.

All of it is folded from the log, so it is right also while projector and Temporal are away.
"""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel
from starlette.responses import Response

from events.codec import ENGAGEMENT_EVENTS
from events.envelope import Stored
from gateway import words
from gateway.cli import telling
from gateway.cli.reading import timeline
from gateway.http.asking import (
    Asking,
    Cursor,
    EngagementId,
    Limit,
    MinVersion,
    has_reached,
)
from gateway.http.describing import reads
from gateway.http.problems import Problem, unknown
from gateway.http.replies import cursor_after, place_of, reply, reply_written

router = APIRouter(prefix="/v1/engagements/{engagement_id}", tags=["engagements"])
NOT_SHOWN = "(not shown)"


class EventPage(BaseModel):
    """Some events of a stream, oldest first, and where to go on."""

    items: list[dict[str, Any]]
    next: str | None
    version: int


class StateAt(BaseModel):
    """An engagement as it was after its first events."""

    engagement: str
    version: int
    state: dict[str, Any]


class Promises(BaseModel):
    """Every promise that was made in an engagement, open or not."""

    items: list[dict[str, Any]]
    next: None
    version: int


_EVENT = {
    "version": 3,
    "event": "contact-made",
    "at": "2030-01-07T09:00:00.000000Z",
    "says": "r-1 talked with the candidate by phone",
    "actor": {"kind": "person", "id": "r-1"},
    "origin": "business",
    "command_id": "7d0b5c1e-3f3c-4c6f-8f57-5f6f0f3f1c11",
}
_PROMISE = {"rule": "keep-in-touch", "outcome": "open", "due_at": "2030-01-14T09:00:00.000000Z"}


@router.get(
    "/events",
    summary="Read an engagement's events",
    response_model=EventPage,
    responses=reads(404, 425, example={"items": [_EVENT], "next": None, "version": 3}),
)
async def events(
    asking: Asking,
    engagement_id: EngagementId,
    min_version: MinVersion = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Each with who, when, why and in plain words; what somebody may not see is not shown."""
    personal = await asking.sees_engagement(engagement_id)
    agency, stream = asking.who.agency, f"engagement:{engagement_id}"
    await has_reached(asking, stream, min_version)
    version, places = await asking.doors.folds.places(agency, stream)
    if not version:
        raise unknown("engagement")
    after = _version_after(place_of(cursor))
    page: list[Stored] = []
    if after < version:
        # No further than the version that is told, though there may be more by now.
        page = await asking.doors.having.log.read_stream(
            agency, stream, after=after, limit=min(limit, version - after), open_personal=personal
        )
    tell = words.say if personal else partial(words.say, erased=NOT_SHOWN)
    rows = timeline(page, tell, ENGAGEMENT_EVENTS, places)
    last = after + len(rows)
    more = cursor_after(str(last)) if last < version else None
    return reply({"items": rows, "next": more, "version": version}, version=version)


@router.get(
    "/at/{version}",
    summary="Read an engagement as it was after its first events",
    response_model=StateAt,
    responses=reads(404, example={"engagement": "e-1", "version": 3, "state": {"stage": "intake"}}),
)
async def at(
    asking: Asking,
    engagement_id: EngagementId,
    version: Annotated[int, Path(ge=1, le=2**53, description="After so many events.", examples=[3])],
) -> Response:
    """Judged at the time of the last of them."""
    await asking.sees_engagement(engagement_id)
    folds, stream = asking.doors.folds, f"engagement:{engagement_id}"
    last, folded = await folds.state_at(asking.who.agency, stream, version)
    if not last:
        raise unknown("engagement")
    if version > last:
        raise Problem(404, "unknown-version", f"there are {last} events; name a version up to that")
    state = telling.engagement(folded, whole=version == last)
    return reply({"engagement": engagement_id, "version": version, "state": state}, version=version)


@router.get(
    "/obligations",
    summary="Read an engagement's promises",
    response_model=Promises,
    responses=reads(404, 425, example={"items": [_PROMISE], "next": None, "version": 3}),
)
async def obligations(
    asking: Asking, engagement_id: EngagementId, min_version: MinVersion = None
) -> Response:
    """The whole life of each, with the events that tell it."""
    await asking.sees_engagement(engagement_id)
    stream = f"engagement:{engagement_id}"
    await has_reached(asking, stream, min_version)
    version, rows = await asking.doors.folds.promises(asking.who.agency, stream)
    if not version:
        raise unknown("engagement")
    text = f'{{"items": [{", ".join(rows)}], "next": null, "version": {version}}}'
    return reply_written(text, version=version)


def _version_after(place: str | None) -> int:
    if place is None:
        return 0
    if not (place.isascii() and place.isdigit() and len(place) < 16):
        raise Problem(422, "invalid-cursor", "'cursor' is of another list; take the one that 'next' gave")
    return int(place)
