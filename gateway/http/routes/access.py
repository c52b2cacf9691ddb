"""Candidates' links and codes, what is held about one person, and the operator's glass.

A token is in one answer only, the one to whoever made it; nobody can read it again.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import uuid4

import structlog
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from activities.types import StreamCommand
from events.codec import decode
from events.glass import glass_key
from gateway.access.codes import CodeNotSent
from gateway.access.keys import AccessError
from gateway.access.links import USUAL_LIFE, Link
from gateway.http.asking import Known
from gateway.http.commanding import with_code
from gateway.http.describing import problems, reads
from gateway.http.identify import access_of, allowed
from gateway.http.problems import Problem, unknown
from gateway.words import say

router = APIRouter(prefix="/v1", tags=["access"])
_WRITES = problems(400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 503)
_AT = "2030-01-07T09:00:00.000000Z"
_LINK: dict[str, Any] = {
    "link_id": "Kx3fT0aPq9LmZr27",
    "engagement": "e-1",
    "made_by": "r-1",
    "made_at": _AT,
    "expires_at": "2030-01-21T09:00:00.000000Z",
    "revoked_at": None,
    "last_used_at": None,
}
_EVENT = {"version": 1, "type": "engagement-opened", "says": "Engagement opened", "fields": {}}
_log = structlog.get_logger(__name__)


def _body(example: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"example": example}}}}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewLink(_Body):
    """How long a link is to hold."""

    days: Annotated[int, Field(ge=1, le=90)] = USUAL_LIFE.days


class LinkRow(BaseModel):
    """What may be shown of a link."""

    link_id: str
    engagement: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="written down at most once a minute")


class LinkPage(BaseModel):
    """Every link to one engagement."""

    items: list[LinkRow]
    next: None = None


class MadeLink(LinkRow):
    """A link when it is made."""

    token: str = Field(description="shown once; a bearer's token of the API")
    url: str = Field(
        description="shown once; the candidate's page, from RAPPORT_PUBLIC_URL on, else from the path on"
    )


class Glass(BaseModel):
    """Until when an engagement is open."""

    engagement: str
    until: datetime


class Broken(_Body):
    """Why the glass is broken; it is kept, sealed, in the agency's record."""

    reason: Annotated[str, Field(min_length=3, max_length=2000)]


class Held(BaseModel):
    """All that an engagement's record holds about one person, oldest first."""

    engagement: str
    events: list[dict[str, Any]]


@router.post(
    "/engagements/{engagement_id}/links",
    status_code=201,
    summary="Make a candidate's link",
    responses=_WRITES,
    openapi_extra=_body({"days": 14}),
)
async def make_link(request: Request, engagement_id: str, body: NewLink, who: Known) -> MadeLink:
    """The token, and the page's address that holds it, are shown in this answer and never again."""
    await allowed(request, who, "make-links", engagement=engagement_id)
    made_by = who.person_id or who.credential
    link, token = await access_of(request).links.create(
        who.agency, engagement_id, made_by=made_by, life=timedelta(days=body.days)
    )
    url = request.app.state.doors.address(f"/me/{token}")
    return MadeLink(**_row(link), token=token, url=url)


@router.get(
    "/engagements/{engagement_id}/links",
    summary="List a candidate's links",
    responses=reads(404, example={"items": [_LINK], "next": None}),
)
async def links(request: Request, engagement_id: str, who: Known) -> LinkPage:
    """Also those that open nothing any more."""
    await allowed(request, who, "make-links", engagement=engagement_id)
    found = await access_of(request).links.list(who.agency, engagement_id)
    return LinkPage(items=[LinkRow(**_row(link)) for link in found])


@router.delete(
    "/engagements/{engagement_id}/links/{link_id}",
    summary="Revoke a candidate's link",
    responses=reads(404, example={**_LINK, "revoked_at": _AT}),
)
async def revoke_link(request: Request, engagement_id: str, link_id: str, who: Known) -> LinkRow:
    """It opens nothing from now on."""
    await allowed(request, who, "make-links", engagement=engagement_id)
    try:
        return LinkRow(**_row(await access_of(request).links.revoke(who.agency, engagement_id, link_id)))
    except AccessError:
        raise unknown("link") from None


@router.post(
    "/codes",
    status_code=202,
    summary="Have a one-time code mailed to the candidate",
    responses={**_WRITES, 202: reads(example={"sent": "to the address on record"})[200]},
)
async def send_code(request: Request, who: Known) -> dict[str, str]:
    """To the address on record, and to no other."""
    await allowed(request, who, "agree", engagement=who.engagement)
    try:
        await access_of(request).codes.send(who)
    except CodeNotSent as error:
        status = 429 if error.code == "too-many-codes" else 503 if error.again else 409
        headers = {"Retry-After": "600" if status == 429 else "30"} if status != 409 else {}
        raise Problem(status, error.code, str(error), headers=headers) from None
    return {"sent": "to the address on record"}


@router.get(
    "/engagements/{engagement_id}/held",
    summary="Read all that is held about one person",
    responses=reads(404, example={"engagement": "e-1", "events": [_EVENT]}),
)
async def held(request: Request, engagement_id: str, who: Known) -> Held:
    """A candidate sends a code along; within its ten minutes it serves this again."""
    await allowed(request, who, "see-held", engagement=engagement_id)
    if who.role == "candidate":
        await with_code(request, who, "held")
    stream = f"engagement:{engagement_id}"
    stored = await access_of(request).log.read_stream(who.agency, stream, open_personal=True)
    events = [
        {
            "version": each.version,
            "type": each.type,
            "recorded_at": each.recorded_at,
            "says": say(event := decode(each)),
            "fields": event.model_dump(mode="json", exclude={"type"}),
        }
        for each in stored
    ]
    return Held(engagement=engagement_id, events=events)


@router.post(
    "/engagements/{engagement_id}/break-glass",
    summary="Open one engagement's personal fields",
    responses=_WRITES,
    openapi_extra=_body({"reason": "Support case 4711"}),
)
async def break_glass(request: Request, engagement_id: str, body: Broken, who: Known) -> Glass:
    """For 15 minutes, to this credential alone; the agency's record says so for ever."""
    await allowed(request, who, "break-glass", engagement=engagement_id)
    access = access_of(request)
    await access.service.give(
        StreamCommand(
            agency=who.agency,
            stream=f"agency:{who.agency}",
            command_id=f"glass-{uuid4()}",
            name="break-glass",
            data={
                "engagement": engagement_id,
                "credential": who.credential,
                "by": who.person_id,
                "reason": body.reason,
            },
            actor=who.actor,
            source="http",
        )
    )
    _log.warning(
        "the glass was broken", agency=who.agency, engagement=engagement_id, credential=who.credential
    )
    glasses = (await access.directory.agency(who.agency)).glasses
    return Glass(engagement=engagement_id, until=glasses[glass_key(engagement_id, who.credential)])


def _row(link: Link) -> dict[str, Any]:
    return {name: getattr(link, name) for name in LinkRow.model_fields}
