"""Six providers' APIs on loopback, in the shapes that they document: paging, limits, outages, a wrong key.

It stands in for what nobody here may reach; where a shape is only remembered, the client's file says so.
"""

import asyncio
import base64
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tests.listening import listening_socket

KEY = "the-key-of-the-api"
PAGE = 2
Object = dict[str, Any]


@dataclass
class StandIn:
    """What the providers hold, and what goes wrong next."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    faults: list[Callable[[], Any]] = field(default_factory=list)
    """Each is used up by one request: what it returns is the answer."""
    away: bool = False
    applications: dict[str, Object] = field(default_factory=dict)
    meetings: list[Object] = field(default_factory=list)
    scorecards: list[Object] = field(default_factory=list)
    offers: dict[str, Object] = field(default_factory=dict)
    opportunities: dict[str, Object] = field(default_factory=dict)
    interviews: dict[str, list[Object]] = field(default_factory=dict)
    feedback: dict[str, list[Object]] = field(default_factory=dict)
    reasons: list[Object] = field(default_factory=list)
    schedules: list[Object] = field(default_factory=list)
    candidates: dict[str, Object] = field(default_factory=dict)
    events: dict[str, Object] = field(default_factory=dict)
    invitees: dict[str, list[Object]] = field(default_factory=dict)

    def base(self, provider: str) -> str:
        """Give the address of one provider's API."""
        return f"{self.url}/{provider}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        query = f"?{request.url.query}" if request.url.query else ""
        self.asked.append(f"{request.method} {request.url.path}{query}")
        answer = await self._answer(request)
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if self.away:
            return Response(status_code=503)
        if self.faults:
            made = self.faults.pop(0)()
            if asyncio.iscoroutine(made):
                made = await made
            if made is not None:
                return made if isinstance(made, Response) else JSONResponse(made)
        _, provider, *path = request.url.path.split("/")
        if not _may(provider, request):
            return JSONResponse({"error": "who are you?"}, 401)
        found: Any = getattr(self, f"_{provider}")(path, request)
        answered: Response = await found if asyncio.iscoroutine(found) else found
        return answered

    # -- Greenhouse ---------------------------------------------------------------------------

    def _greenhouse(self, path: list[str], request: Request) -> Response:
        match path:
            case ["applications"]:
                return self._linked(request, _after(self.applications.values(), request, "last_activity"))
            case ["applications", id, "offers", "current_offer"]:
                return _one(self.offers.get(id))
            case ["applications", id]:
                return _one(self.applications.get(id))
            case ["applications", id, what] if id in self.applications:
                held = self.meetings if what == "scheduled_interviews" else self.scorecards
                return self._linked(request, [each for each in held if str(each["application_id"]) == id])
            case ["scheduled_interviews"]:
                return self._linked(request, _after(self.meetings, request, "updated"))
            case ["scorecards"]:
                return self._linked(request, _after(self.scorecards, request, "updated"))
        return JSONResponse({"message": "Resource not found"}, 404)

    def _linked(self, request: Request, found: list[Object]) -> Response:
        page = int(request.query_params.get("page", 1))
        shown = found[(page - 1) * PAGE : page * PAGE]
        headers = {}
        if page * PAGE < len(found):
            following = self.url + request.url.include_query_params(page=page + 1).path
            query = request.url.include_query_params(page=page + 1).query
            headers["link"] = f'<{following}?{query}>; rel="next", <{following}?page=9>; rel="last"'
        return JSONResponse(shown, headers=headers)

    # -- Lever --------------------------------------------------------------------------------

    def _lever(self, path: list[str], request: Request) -> Response:
        match path:
            case ["opportunities"]:
                start = int(request.query_params.get("updated_at_start", 0))
                return _offset(
                    request, [each for each in self.opportunities.values() if each["updatedAt"] >= start]
                )
            case ["archive_reasons"]:
                return _offset(request, self.reasons)
            case ["opportunities", id] if id in self.opportunities:
                return JSONResponse({"data": self.opportunities[id]})
            case ["opportunities", id, "interviews"] if id in self.opportunities:
                return _offset(request, self.interviews.get(id, []))
            case ["opportunities", id, "interviews", interview]:
                found = [each for each in self.interviews.get(id, []) if each["id"] == interview]
                return _one({"data": found[0]} if found else None)
            case ["opportunities", id, "feedback"] if id in self.opportunities:
                return _offset(request, self.feedback.get(id, []))
        return JSONResponse({"code": "ResourceNotFound"}, 404)

    # -- Ashby --------------------------------------------------------------------------------

    async def _ashby(self, path: list[str], request: Request) -> Response:
        asked = await request.json()
        named, [method] = asked.get("applicationId"), path
        if request.method != "POST":
            return Response(status_code=405)
        if method == "application.list":
            return JSONResponse({"success": True, "results": list(self.applications.values())[:1]})
        if named not in self.applications:
            return JSONResponse({"success": False, "errors": ["application_not_found"]})
        if method == "application.info":
            return JSONResponse({"success": True, "results": self.applications[named]})
        held = self.schedules if method == "interviewSchedule.list" else self.feedback.get(named, [])
        found = [each for each in held if each["applicationId"] == named]
        start = int(asked.get("cursor", 0))
        more = start + PAGE < len(found)
        answer: Object = {"success": True, "results": found[start : start + PAGE], "moreDataAvailable": more}
        return JSONResponse({**answer, **({"nextCursor": str(start + PAGE)} if more else {})})

    # -- the others ---------------------------------------------------------------------------

    def _smartrecruiters(self, path: list[str], request: Request) -> Response:
        match path:
            case ["candidates"]:
                return JSONResponse({"content": []})
            case ["applications", id]:
                return _one(self.applications.get(id))
        return Response(status_code=404)

    def _workable(self, path: list[str], request: Request) -> Response:
        match path:
            case ["jobs"]:
                return JSONResponse({"jobs": []})
            case ["candidates", id]:
                found = self.candidates.get(id)
                return _one(None if found is None else {"candidate": found})
            case ["candidates"]:
                found_all = _after(self.candidates.values(), request, "updated")
                start = int(request.query_params.get("start", 0))
                paging = {}
                if start + PAGE < len(found_all):
                    following = request.url.include_query_params(start=start + PAGE)
                    paging = {"next": f"{self.url}{following.path}?{following.query}"}
                return JSONResponse({"candidates": found_all[start : start + PAGE], "paging": paging})
        return Response(status_code=404)

    def _calendly(self, path: list[str], request: Request) -> Response:
        match path:
            case ["users", "me"]:
                return JSONResponse({"resource": {"uri": "https://api.calendly.com/users/U1"}})
            case ["scheduled_events"]:
                first = _time(request.query_params["min_start_time"])
                return self._collection(
                    request, [each for each in self.events.values() if _time(each["start_time"]) >= first]
                )
            case ["scheduled_events", id]:
                found = self.events.get(id)
                return _one(None if found is None else {"resource": found})
            case ["scheduled_events", id, "invitees"]:
                return self._collection(request, self.invitees.get(id, []))
            case ["scheduled_events", id, "invitees", invitee]:
                ours = [each for each in self.invitees.get(id, []) if each["uri"].endswith(f"/{invitee}")]
                return _one({"resource": ours[0]} if ours else None)
        return Response(status_code=404)

    def _collection(self, request: Request, found: list[Object]) -> Response:
        start = int(request.query_params.get("page_token", 0))
        following = None
        if start + PAGE < len(found):
            url = request.url.include_query_params(page_token=start + PAGE)
            following = f"{self.url}{url.path}?{url.query}"
        pagination = {"count": PAGE, "next_page": following}
        return JSONResponse({"collection": found[start : start + PAGE], "pagination": pagination})


@asynccontextmanager
async def serving() -> AsyncIterator[StandIn]:
    """Serve on a free port of this machine."""
    listening = listening_socket()
    held = StandIn(f"http://127.0.0.1:{listening.getsockname()[1]}")
    server = uvicorn.Server(uvicorn.Config(held, log_config=None, lifespan="off", ws="none"))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield held
    finally:
        server.should_exit = True
        server.force_exit = True
        await task


@contextmanager
def serving_beside() -> Iterator[StandIn]:
    """Serve from a thread, for whoever has no event loop."""
    ready, leave = threading.Event(), threading.Event()
    held: list[StandIn] = []

    async def serve() -> None:
        async with serving() as made:
            held.append(made)
            ready.set()
            await asyncio.to_thread(leave.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(30)
    try:
        yield held[0]
    finally:
        leave.set()
        thread.join(30)


def _may(provider: str, request: Request) -> bool:
    if provider == "smartrecruiters":
        return request.headers.get("x-smarttoken") == KEY
    given = request.headers.get("authorization")
    if provider in ("workable", "calendly"):
        return given == f"Bearer {KEY}"
    return given == f"Basic {base64.b64encode(f'{KEY}:'.encode()).decode()}"


def _after(found: Any, request: Request, what: str) -> list[Object]:
    bound = request.query_params.get(f"{what}_after")
    held: list[Object] = list(found)
    key = f"{what}_at"
    return held if bound is None else [each for each in held if _time(each[key]) >= _time(bound)]


def _offset(request: Request, found: list[Object]) -> Response:
    start = int(request.query_params.get("offset", 0))
    more = start + PAGE < len(found)
    answer: Object = {"data": found[start : start + PAGE], "hasNext": more}
    return JSONResponse({**answer, **({"next": str(start + PAGE)} if more else {})})


def _one(found: Object | None) -> Response:
    return JSONResponse({"message": "Resource not found"}, 404) if found is None else JSONResponse(found)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
