"""``POST /hooks/{connection}``: where other systems tell what happened.

The body's very bytes are verified before anything is parsed, so nothing here may read it as JSON.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from gateway.http.asking import TheDoors
from gateway.http.describing import problems
from gateway.http.problems import Problem, answer
from gateway.webhooks.door import Answer, Door
from gateway.webhooks.provider import Delivery

LARGEST: Final = 1024 * 1024
"""Bytes of a body; more is refused unread."""
router = APIRouter(tags=["webhooks"])


class Taken(BaseModel):
    """What became of a delivery at the door."""

    outcome: str
    says: str


async def _door(doors: TheDoors) -> Door:
    if doors.hooks is None:
        raise Problem(503, "not-ready", "no door for webhooks is open here", headers={"Retry-After": "30"})
    return doors.hooks


_EXAMPLE: Final[dict[str, Any]] = {"outcome": "kept", "says": "it is in the inbox"}


@router.post(
    "/hooks/{connection}",
    summary="Deliver a webhook",
    response_model=Taken,
    responses={
        200: {"description": "It is kept.", "content": {"application/json": {"example": _EXAMPLE}}},
        202: {"model": Taken, "description": "The same, for a provider that asks for 202."},
        **problems(400, 401, 404, 413, 415, 422, 429, 503),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The delivery, as the connection's provider signs it.",
            "content": {"application/json": {"schema": {"type": "object"}, "example": {"type": "…"}}},
        }
    },
)
async def take(
    request: Request,
    connection: Annotated[str, Path(description="The connection's id.", examples=["c-Zm9vYmFyYmF6cXV4"])],
    door: Annotated[Door, Depends(_door)],
) -> Response:
    """Verify, keep, commit, acknowledge; what it means is found out afterwards.

    401: the signature does not hold, or its time is too far off.  404: no such connection, or a disabled one.
    413: more than 1 MiB.  415: a batch of CloudEvents.  429: too many requests came from this address,
    verified or not; send it again after ``Retry-After``.  503: the inbox cannot be reached; send it again.
    """
    try:
        body = await _body(request)
    except ClientDisconnect:
        return answer(Problem(400, "broken-off", "the request broke off; send it again"))
    if body is None:
        says = f"the body is larger than {LARGEST // 1024} KiB"
        return answer(Problem(413, "too-large", says, headers={"Connection": "close"}))
    return _written(door, await door.take(connection, Delivery(_headers(request), body)))


async def _body(request: Request) -> bytes | None:
    """Read the body's bytes; None as soon as they are too many."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > LARGEST:
        return None
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > LARGEST:
            return None
    return bytes(chunks)


def _headers(request: Request) -> dict[str, str]:
    """Give the headers, their names in lower case; one that comes twice is a list (RFC 9110, 5.3)."""
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _written(door: Door, told: Answer) -> Response:
    later = None if told.failed is None else BackgroundTask(door.count, told.failed)
    if told.status >= 400:
        response: Response = answer(Problem(told.status, told.outcome, told.says, headers=told.headers))
    else:
        content = {"outcome": told.outcome, "says": told.says}
        response = JSONResponse(content, told.status, headers=dict(told.headers))
    response.background = later
    return response
