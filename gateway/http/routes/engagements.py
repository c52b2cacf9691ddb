"""Opening, finding and reading engagements.

The list comes from the tables, which trail the log; one engagement is read from the log itself.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from events.envelope import derived_id
from events.kinds import Awaited, Stage
from events.orders import COMMANDS
from gateway.cli import telling
from gateway.cli.reading import summary
from gateway.http.asking import (
    Asking,
    Cursor,
    EngagementId,
    Limit,
    MinVersion,
    Named,
    has_reached,
    must_be_id,
)
from gateway.http.bodies import command_id_of, fields_of, own_fields
from gateway.http.describing import HEADERS, Done, problems, reads
from gateway.http.examples import example_of
from gateway.http.giving import done, to_engagement
from gateway.http.problems import Problem, unknown
from gateway.http.replies import cursor_after, place_of, reply
from gateway.http.schemas import input_schema
from gateway.http.tables import Found, fresh, list_engagements, reach_of

router = APIRouter(prefix="/v1/engagements", tags=["engagements"])
_ROW: dict[str, Any] = {
    "engagement": "e-1",
    "candidate_id": "c-1",
    "stage": "matching",
    "posture": "active",
    "owner": "r-1",
    "level": 0,
    "version": 12,
    "opened_at": "2030-01-07T09:00:00.000000Z",
    "last_contact_at": "2030-01-08T09:00:00.000000Z",
}
Posture = Literal[
    "active",
    "waiting on candidate",
    "waiting on client",
    "waiting on agency",
    "paused",
    "dormant",
    "closed",
]


class EngagementRow(BaseModel):
    """An engagement as lists show it."""

    engagement: str
    candidate_id: str
    stage: str
    posture: str
    owner: str | None
    level: int
    version: int
    opened_at: str | None
    last_contact_at: str | None


class EngagementPage(BaseModel):
    """Some engagements, and where to go on."""

    items: list[EngagementRow]
    next: str | None


class Engagement(EngagementRow):
    """An engagement with its whole state."""

    state: dict[str, Any]


class Opened(Done):
    """What opening came to."""

    engagement: str


_OPEN = COMMANDS["open-engagement"]
_MEANT = {"name": "the candidate's is candidate_name", "engagement_id": "its id is the field engagement"}
# Any of them says whose engagement it is.
_WHO = ("candidate_id", "candidate_name", "email")


def _opening() -> dict[str, Any]:
    schema = input_schema(_OPEN, {}, optional=("candidate_id",))
    schema["properties"]["engagement"] = {"type": "string", "description": "Its id; made up if left out."}
    schema["anyOf"] = [{"required": [each]} for each in _WHO]
    content = {"schema": schema, "example": {"engagement": "e-1", **example_of(_OPEN)}}
    return {
        "parameters": HEADERS,
        "requestBody": {"required": True, "content": {"application/json": content}},
    }


@router.post(
    "",
    status_code=201,
    summary="Open an engagement with a candidate",
    response_model=Opened,
    responses={
        200: {"model": Opened, "description": "It was open already, with the same; nothing was done."},
        **problems(400, 401, 403, 409, 412, 413, 415, 422, 429, 503),
    },
    openapi_extra=_opening(),
)
async def open_engagement(request: Request, asking: Asking) -> Response:
    """Ids that are left out are made of the command's id, so that the same request names the same ones."""
    fields = await fields_of(request, "open-engagement", own_fields(_OPEN, "engagement"), where=_MEANT)
    command_id, agency = command_id_of(request), asking.who.agency
    engagement = fields.pop("engagement", None) or f"e-{derived_id(agency, 'open', command_id).hex[:20]}"
    if not isinstance(engagement, str):
        raise Problem(422, "invalid-command", "open-engagement: 'engagement' must be a text")
    _must_be_new_id(engagement)
    if not any(fields.get(each) for each in _WHO):
        # Who may not open one learns that first.
        await asking.doors.permits.engagement_command(
            request, asking.who, engagement, "open-engagement", fields, command_id=command_id
        )
        says = "open-engagement needs who it is with: give candidate_id, candidate_name or email"
        raise Problem(422, "invalid-command", says)
    if fields.get("candidate_id") is None:
        fields["candidate_id"] = f"c-{derived_id(agency, 'candidate', command_id).hex[:20]}"
    given = await to_engagement(asking, engagement, "open-engagement", fields, command_id=command_id)
    if given.outcome == "nothing-to-do":
        return done(given, 200, engagement=engagement)
    response = done(given, 201, engagement=engagement)
    response.headers["Location"] = f"{asking.doors.prefix}/v1/engagements/{engagement}"
    return response


def _must_be_new_id(engagement: str) -> None:
    try:
        must_be_id(engagement, "engagement")
    except Problem:
        says = "open-engagement: 'engagement' must be an id of letters, digits, '-', '_' and '.', at most 80"
        raise Problem(422, "invalid-command", says) from None


@router.get(
    "",
    summary="List engagements",
    response_model=EngagementPage,
    responses=reads(example={"items": [_ROW], "next": None}),
)
async def engagements(
    asking: Asking,
    stage: Annotated[Stage | None, Query(description="Only those at this stage.")] = None,
    posture: Annotated[Posture | None, Query(description="Only those in this posture.")] = None,
    owner: Annotated[Named | None, Query(description="Only this recruiter's.")] = None,
    team: Annotated[Named | None, Query(description="Only those whose owner is in this team.")] = None,
    waiting_on: Annotated[
        Awaited | None,
        Query(description="Only those with a promise that waits for this party."),
    ] = None,
    wait: Annotated[
        bool, Query(description="Wait, up to 5 s, for all that is in the log when this is asked.")
    ] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Those that the asker may see, by their ids."""
    reach = await reach_of(asking)
    await fresh(asking, ("board", "obligations"), wait=wait)
    found = Found(stage, posture, owner, team, waiting_on)
    rows = await list_engagements(asking, found, reach, after=place_of(cursor), limit=limit + 1)
    more = cursor_after(rows[limit - 1]["engagement"]) if len(rows) > limit else None
    return reply({"items": rows[:limit], "next": more})


@router.get(
    "/{engagement_id}",
    summary="Read an engagement",
    response_model=Engagement,
    responses=reads(404, 425, example={**_ROW, "state": {"stage": "matching", "version": 12}}),
)
async def engagement(asking: Asking, engagement_id: EngagementId, min_version: MinVersion = None) -> Response:
    """As the log has it now; personal values are sealed for those who may not see them."""
    await asking.sees_engagement(engagement_id)
    stream = f"engagement:{engagement_id}"
    await has_reached(asking, stream, min_version)
    state = await asking.doors.folds.state(asking.who.agency, stream)
    if not state.version:
        raise unknown("engagement")
    return reply({**summary(state), "state": telling.engagement(state, whole=True)}, version=state.version)
