"""``/livez`` and ``/readyz``, for whoever starts, stops and routes to this process.

No credential is asked, so they say nothing but which server is missing.
"""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from gateway.http.asking import TheDoors
from gateway.http.describing import problems
from gateway.http.problems import Problem
from gateway.http.replies import reply

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """That it is well."""

    status: str


_ALIVE: dict[str, Any] = {"status": "alive"}
_READY: dict[str, Any] = {"status": "ready"}


@router.get(
    "/livez",
    summary="Tell that the process is alive",
    response_model=Health,
    responses={200: {"content": {"application/json": {"example": _ALIVE}}}, **problems()},
)
async def livez() -> Response:
    """Answer as long as the event loop turns."""
    return reply(_ALIVE)


@router.get(
    "/readyz",
    summary="Tell whether requests can be served",
    response_model=Health,
    responses={200: {"content": {"application/json": {"example": _READY}}}, **problems(503)},
)
async def readyz(doors: TheDoors) -> Response:
    """Ask PostgreSQL for its level and Temporal for its health."""
    missing = await doors.missing()
    if missing:
        says = f"not ready: {'; '.join(missing.values())}"
        raise Problem(503, "not-ready", says, headers={"Retry-After": "5"}, missing=sorted(missing))
    return reply(_READY)
