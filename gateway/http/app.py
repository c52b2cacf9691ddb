"""The HTTP door: its routers, and how every request ends, also one that nobody foresaw.

To add a route, write a router in ``routes/`` and one line in ``ROUTERS``.
"""

from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.http.describing import describe
from gateway.http.doors import Doors
from gateway.http.guards import Guards
from gateway.http.mistakes import problem_of
from gateway.http.problems import Problem, answer
from gateway.http.routes import (
    access,
    agency,
    commands,
    compliance,
    engagements,
    health,
    hooks,
    job_orders,
    record,
    waiting,
)
from gateway.http.unforeseen import Unforeseen

ROUTERS: Final[tuple[APIRouter, ...]] = (
    health.router,
    engagements.router,
    record.router,
    commands.router,
    waiting.router,
    compliance.router,
    job_orders.router,
    agency.router,
    hooks.router,
    access.router,
)
VERSION: Final = "1"


def make_app(doors: Doors | None) -> FastAPI:
    """Make the application; without *doors* it can only be described."""
    app = FastAPI(
        title="Rapport",
        version=VERSION,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.doors = doors
    app.state.access = doors.access if doors is not None else None
    for router in ROUTERS:
        app.include_router(router)
    # All others end in Unforeseen.
    app.add_exception_handler(HTTPException, _told)
    app.add_exception_handler(RequestValidationError, _wrong_request)
    app.add_middleware(Unforeseen)
    # Last, so that it stands outermost.
    app.add_middleware(Guards, rates=doors.rates if doors is not None else None)
    describe(app)
    return app


async def _told(_: Request, error: Exception) -> Response:
    problem = problem_of(error)
    assert problem is not None
    return answer(problem)


async def _wrong_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return answer(Problem(422, "invalid-request", _sentence(error.errors()[0])))


def _sentence(first: dict[str, Any]) -> str:
    """Say which part of a request is wrong, without what was sent."""
    where, *path = (str(part) for part in first["loc"])
    name = ".".join(path) or where
    if first["type"] == "missing":
        return f"the {where} needs '{name}'; add it"
    says = str(first["msg"]).removeprefix("Value error, ")
    return f"'{name}' in the {where} is wrong: {says[:1].lower()}{says[1:]}"
