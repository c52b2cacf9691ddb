"""``GET /v1/waiting``: every open promise that the asker may see, with who has to move, the worst first.

What may be seen is narrowed in the query: the process reads the rows of one page and no others.
"""

import json
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from starlette.responses import Response

from events.canonical import instant
from events.kinds import Id, Moment, RuleId
from gateway.cli.promises import Narrowed, Place, promises
from gateway.cli.reading import lying_with, worst_first
from gateway.http.asking import Asking, Cursor, Limit, Named
from gateway.http.describing import reads
from gateway.http.problems import Problem
from gateway.http.replies import cursor_after, place_of, reply
from gateway.http.tables import fresh, reach_of

router = APIRouter(prefix="/v1", tags=["waiting"])


class WaitingPage(BaseModel):
    """Some open promises, and where to go on."""

    items: list[dict[str, Any]]
    next: str | None


# A database's integer.
_Ranked = Annotated[int, Field(ge=-(2**31), lt=2**31)]
_PLACE: Final = TypeAdapter(tuple[_Ranked, Moment, Id, RuleId, UUID])
_ROW = {
    "engagement": "e-1",
    "rule": "keep-in-touch",
    "subject": "engagement",
    "since": "2030-01-07T09:00:00.000000Z",
    "due_at": "2030-01-14T09:00:00.000000Z",
    "overdue": False,
    "level": 0,
    "awaits": "recruiter",
    "owner": "r-1",
    "lies_with": "r-1",
}


@router.get(
    "/waiting",
    summary="List who waits, since when and on whom",
    response_model=WaitingPage,
    responses=reads(example={"items": [_ROW], "next": None}),
)
async def waiting(
    asking: Asking,
    owner: Annotated[Named | None, Query(description="Only what this recruiter owes.")] = None,
    overdue: Annotated[bool, Query(description="Only what is past its due time.")] = False,
    wait: Annotated[
        bool, Query(description="Wait, up to 5 s, for all that is in the log when this is asked.")
    ] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """What changes between two pages may be missed or come twice: the worst is always on the first."""
    reach = await reach_of(asking)
    await fresh(asking, ("board", "obligations"), wait=wait)
    agency, having = asking.who.agency, asking.doors.having
    narrowed, behind = Narrowed(owner, overdue, reach.people), _behind(place_of(cursor))
    # One more than is shown says whether there are more.
    facts = await promises(having, agency, narrowed, behind=behind, limit=limit + 1)
    page = await lying_with(facts[:limit], agency, having.directory)
    if not reach.names:
        page = [{**row, "owner_name": None, "lies_with_name": None} for row in page]
    more = cursor_after(_place(page[-1])) if len(facts) > limit else None
    return reply({"items": page, "next": more})


def _place(row: dict[str, Any]) -> str:
    level, due_at, *names = worst_first(row)
    return json.dumps([level, instant(due_at), *names])


def _behind(place: str | None) -> Place | None:
    """Find where to go on: behind the one that was shown last, also where it is gone by now."""
    if place is None:
        return None
    try:
        return Place(*_PLACE.validate_json(place))
    except ValidationError:
        says = "'cursor' is of another list; take the one that 'next' gave"
        raise Problem(422, "invalid-cursor", says) from None
