"""``GET /v1/waiting``: every open promise that the asker may see, with who has to move, the worst first."""

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from events.canonical import instant
from gateway.cli import tables as read
from gateway.cli.reading import lying_with, worst_first
from gateway.http.asking import Asking, Cursor, Limit
from gateway.http.describing import reads
from gateway.http.problems import Problem
from gateway.http.replies import cursor_after, place_of, reply
from gateway.http.tables import fresh, reach_of

router = APIRouter(prefix="/v1", tags=["waiting"])


class WaitingPage(BaseModel):
    """Some open promises, and where to go on."""

    items: list[dict[str, Any]]
    next: str | None


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
    owner: Annotated[str | None, Query(max_length=80, description="Only what this recruiter owes.")] = None,
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
    facts = [
        row
        for row in await read.promises(having, agency)
        if reach.holds(row["owner"]) and owner in (None, row["owner"]) and (row["overdue"] or not overdue)
    ]
    facts.sort(key=worst_first)
    start = _start(facts, place_of(cursor))
    page = await lying_with(facts[start : start + limit], agency, having.directory)
    if not reach.names:
        page = [{**row, "owner_name": None, "lies_with_name": None} for row in page]
    more = cursor_after(_place(page[-1])) if start + limit < len(facts) else None
    return reply({"items": page, "next": more})


def _place(row: dict[str, Any]) -> str:
    level, due_at, *names = worst_first(row)
    return json.dumps([level, instant(due_at), *names])


def _start(rows: list[dict[str, Any]], place: str | None) -> int:
    """Find where to go on: behind the one that was shown last, also where it is gone by now."""
    if place is None:
        return 0
    try:
        level, due_at, *names = json.loads(place)
        last = (int(level), datetime.fromisoformat(due_at), *map(str, names))
        return sum(worst_first(row) <= last for row in rows)
    except (ValueError, TypeError):
        says = "'cursor' is of another list; take the one that 'next' gave"
        raise Problem(422, "invalid-cursor", says) from None
