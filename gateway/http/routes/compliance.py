"""``GET /v1/compliance``: the report of ``rapport compliance --json``; ids, codes and times only."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from events.compliance import Period, report
from gateway.cli.compliance_showing import Shown, whole
from gateway.http.asking import Asking
from gateway.http.describing import reads
from gateway.http.problems import Problem
from gateway.http.replies import reply
from workers import compliance as facts_of

router = APIRouter(prefix="/v1", tags=["compliance"])


class Report(BaseModel):
    """How promises were kept in a period; every figure's meaning stands in ``definitions``."""

    model_config = ConfigDict(populate_by_name=True)

    agency: str
    since: str | None = Field(alias="from")
    to: str | None
    zone: str
    by: str | None
    made_at: str
    source: dict[str, Any]
    definitions: dict[str, str]
    total: dict[str, Any]
    rows: list[dict[str, Any]]


_REPORT: dict[str, Any] = {
    "agency": "acme",
    "from": None,
    "to": None,
    "zone": "UTC",
    "by": "owner",
    "made_at": "2030-01-07T09:00:00.000000Z",
    "source": {"name": "tables", "position": 40, "behind": 0, "lag_seconds": 0.0, "parked": 0},
    "definitions": {"opened": "promises that were made"},
    "total": {"opened": 4},
    "rows": [{"key": "r-1", "opened": 4}],
}
Day = Annotated[str | None, Query(max_length=40, description="A day, or a moment with its zone.")]


@router.get(
    "/compliance",
    summary="Report how promises were kept",
    response_model=Report,
    responses=reads(example=_REPORT),
)
async def compliance(
    asking: Asking,
    since: Annotated[
        str | None, Query(alias="from", max_length=40, description="First day, or a moment with its zone.")
    ] = None,
    until: Annotated[
        str | None,
        Query(alias="to", max_length=40, description="Last day, or the moment that ends the period."),
    ] = None,
    by: Annotated[
        Literal["rule", "owner", "team", "stage", "week"] | None, Query(description="One row for each.")
    ] = None,
    zone: Annotated[str, Query(max_length=60, description="Whose days and weeks.")] = "UTC",
) -> Response:
    """Whether placements are liked and excel stands beside it."""
    await asking.sees("compliance")
    where = _zone(zone)
    period = _period(since, until, where)
    agency, having = asking.who.agency, asking.doors.having
    facts, source = await facts_of.from_tables(having.read_models, having.log, agency, period)
    teams = await facts_of.teams_of(having.log, agency)
    made = report(facts, period, by, zone=where, team_of=teams.of)
    return reply(whole(Shown(agency, period, str(where), made, source, datetime.now(UTC))))


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise Problem(
            422, "invalid-request", "'zone' names no time zone; give one like Europe/London"
        ) from None


def _period(since: str | None, until: str | None, zone: tzinfo) -> Period:
    begins = None if since is None else _moment("from", since, zone, after=False)
    ends = None if until is None else _moment("to", until, zone, after=True)
    if begins is not None and ends is not None and begins >= ends:
        raise Problem(422, "invalid-request", "the period ends before it begins; swap 'from' and 'to'")
    return Period(begins, ends)


def _moment(name: str, text: str, zone: tzinfo, *, after: bool) -> datetime:
    """Read a day, of which the first or, *after*, the following midnight counts, or a moment."""
    try:
        if len(text) == len("2030-01-07"):
            day = date.fromisoformat(text)
            found = datetime.combine(day + timedelta(days=after), time(), zone)
        else:
            found = datetime.fromisoformat(text)
        if found.tzinfo is None or not 1900 <= found.astimezone(UTC).year < 3000:
            raise ValueError
    except (ValueError, OverflowError):
        says = f"'{name}' is no day like 2030-01-07, and no moment with its zone; give one of these"
        raise Problem(422, "invalid-request", says) from None
    return found
