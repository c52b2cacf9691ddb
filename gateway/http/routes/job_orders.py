"""Clients' job orders: who answers for them, where they stand, and commands to them.

They are short streams without tables: a list folds each one from the log, a page at a time.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from events.job_order import COMMANDS
from gateway.cli.telling import state_at
from gateway.http.asking import (
    Asking,
    Cursor,
    JobOrderId,
    Limit,
    MinVersion,
    has_reached,
    must_be_id,
    stream_of,
)
from gateway.http.bodies import fields_of, own_fields
from gateway.http.describing import COMMANDED, Commanded, reads
from gateway.http.giving import done, to_stream
from gateway.http.replies import cursor_after, place_of, reply
from gateway.http.routes.commands import must_be_command

router = APIRouter(prefix="/v1/job-orders", tags=["job-orders"])
# Told by the engagements themselves, when somebody is presented.
_OURS = frozenset({"record-submission-received"})
PUBLIC = frozenset(COMMANDS) - _OURS
COMMANDED.append(
    Commanded(
        "/v1/job-orders/{job_order_id}/commands/{name}",
        "job-orders",
        {name: model for name, model in COMMANDS.items() if name in PUBLIC},
        {"job_order_id": "jo-1"},
        optional={"open-job-order": ("job_order_id",)},
    )
)
_STREAM = "job-order:"
_STANDS = "the job order's id stands in the address"
_MEANT = {"job_order": _STANDS, "job_order_id": _STANDS}


class JobOrder(BaseModel):
    """A job order with its whole state."""

    job_order: str
    version: int
    state: dict[str, Any]


class JobOrderPage(BaseModel):
    """Some job orders, and where to go on."""

    items: list[JobOrder]
    next: str | None


_ROW = {"job_order": "jo-1", "version": 1, "state": {"job_order_id": "jo-1", "owner": "r-2", "openings": 1}}


@router.get(
    "",
    summary="List job orders",
    response_model=JobOrderPage,
    responses=reads(example={"items": [_ROW], "next": None}),
)
async def job_orders(
    asking: Asking,
    owner: Annotated[str | None, Query(max_length=80, description="Only this recruiter's.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """By their ids.  With a filter a page may be short, or empty, and 'next' still lead on."""
    personal = await asking.sees("job-orders")
    log, agency = asking.doors.having.log, asking.who.agency
    after = place_of(cursor)
    heads = await log.streams(
        agency,
        category="job-order",
        after=None if after is None else f"{_STREAM}{after}",
        limit=limit + 1,
    )
    rows = []
    for head in heads[:limit]:
        key = head.stream.removeprefix(_STREAM)
        events = await log.read_stream(agency, head.stream, open_personal=personal)
        state = state_at("job-order", key, events, whole=True)
        if owner in (None, state["owner"]):
            rows.append({"job_order": key, "version": len(events), "state": state})
    more = cursor_after(heads[limit - 1].stream.removeprefix(_STREAM)) if len(heads) > limit else None
    return reply({"items": rows, "next": more})


@router.get(
    "/{job_order_id}",
    summary="Read a job order",
    response_model=JobOrder,
    responses=reads(404, 425, example=_ROW),
)
async def job_order(asking: Asking, job_order_id: JobOrderId, min_version: MinVersion = None) -> Response:
    """As the log has it now; its title is sealed for those who may not see it."""
    personal = await asking.sees("job-orders")
    must_be_id(job_order_id, "job-order")
    await has_reached(asking, f"{_STREAM}{job_order_id}", min_version)
    events = await stream_of(asking, "job-order", job_order_id, personal=personal)
    state = state_at("job-order", job_order_id, events, whole=True)
    row = {"job_order": job_order_id, "version": len(events), "state": state}
    return reply(row, version=len(events))


@router.post("/{job_order_id}/commands/{name}", include_in_schema=False)
async def give(request: Request, job_order_id: str, name: str, asking: Asking) -> Response:
    """Give a command to a job order; opening it is one."""
    must_be_id(job_order_id, "job-order")
    must_be_command(name, PUBLIC)
    fields = await fields_of(request, name, own_fields(COMMANDS[name]), where=_MEANT)
    await asking.doors.permits.job_order_command(request, asking.who, job_order_id, name, fields)
    if name == "open-job-order":
        fields = {"job_order_id": job_order_id, **fields}
    return done(await to_stream(asking, f"{_STREAM}{job_order_id}", name, fields))
