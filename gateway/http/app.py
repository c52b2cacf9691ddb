"""The HTTP door: its routers, and how every request ends, also one that nobody foresaw.

To add a route, write a router in ``routes/`` and one line in ``ROUTERS``.
"""

from typing import TYPE_CHECKING, Final, cast

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from gateway.access.who import Who
from gateway.http.asking import known
from gateway.http.documented import describe
from gateway.http.doors import Doors
from gateway.http.guards import Guards
from gateway.http.mistakes import problem_of
from gateway.http.prefixed import Prefixed
from gateway.http.problems import Problem, answer
from gateway.http.queries import ONLY_KNOWN
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
    stream,
    subscriptions,
    waiting,
)
from gateway.http.unforeseen import Unforeseen
from gateway.http.wording import wrong_request
from gateway.pages import routes as candidate
from gateway.pages.door import Pages

if TYPE_CHECKING:
    from events.log.port import EventLog
    from gateway.http.routes.tails import OpenStreams
    from workers.delivering.desk import Desk

ROUTERS: Final[tuple[APIRouter, ...]] = (
    engagements.router,
    record.router,
    commands.router,
    waiting.router,
    compliance.router,
    job_orders.router,
    agency.router,
    access.router,
)
# Providers, browsers and whoever keeps us running add parameters of their own.
OPEN: Final[tuple[APIRouter, ...]] = (health.router, hooks.router, candidate.router)
VERSION: Final = "1"
METHODS: Final = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


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
    if doors is not None:
        app.state.access, app.state.hooks = doors.access, doors.hooks
    closed = (*ROUTERS, *_made(doors))
    for router in closed:
        app.include_router(router, dependencies=[ONLY_KNOWN])
    for router in OPEN:
        app.include_router(router)
    # All others end in Unforeseen.
    app.add_exception_handler(HTTPException, _told)
    app.add_exception_handler(RequestValidationError, _wrong_request)
    app.add_middleware(Unforeseen)
    # Outside of all that works, so that what it refuses costs nothing.
    app.add_middleware(Guards, rates=doors.rates if doors is not None else None)
    # Around even those, whose refusals a candidate reads as a page.
    prefix = doors.prefix if doors is not None else ""
    app.add_middleware(Pages, prefix=prefix)
    app.add_middleware(Prefixed, prefix=prefix, own=_paths(*closed, *OPEN))
    describe(app, prefix)
    return app


def _paths(*routers: APIRouter) -> list[str]:
    return [each.path for router in routers for each in router.routes if isinstance(each, APIRoute)]


def _made(doors: Doors | None) -> tuple[APIRouter, ...]:
    """Make the routers that hold what they work with; a description needs none of it."""
    streams, log, desk = (doors.streams, doors.having.log, doors.desk) if doors else (None, None, None)
    streamer = stream.Streamer(cast("EventLog", log), cast("OpenStreams", streams))
    return (
        stream.routes(streamer, known, _sees),
        subscriptions.routes(cast("Desk", desk), known),
    )


async def _sees(request: Request, who: Who, engagement: str) -> bool:
    doors: Doors = request.app.state.doors
    await doors.permits.see_engagement(request, who, engagement)
    return True


async def _told(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    assert problem is not None
    if problem.status == 405:
        # The framework names the methods of one route, and an address may have several.
        problem.headers["Allow"] = ", ".join(sorted(_methods_at(request)))
    return answer(problem)


def _methods_at(request: Request) -> set[str]:
    def takes(method: str) -> bool:
        asked = {**request.scope, "method": method}
        return any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)

    return {each for each in METHODS if takes(each)}


async def _wrong_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return answer(Problem(422, "invalid-request", wrong_request(error.errors()[0])))
