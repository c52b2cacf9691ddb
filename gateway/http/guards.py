"""What stands before every route: request id, log line, safe headers, rates, size of a body, time it takes.

Plain ASGI, so that a stream passes unbuffered.  Nothing here logs or repeats what somebody sent.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.problems import Problem, answer
from gateway.http.rates import Rates

KIB: Final = 1024
REQUEST_ID: Final = "x-request-id"
# Of a length; one with more is no length of anything that fits.
_DIGITS: Final = 18
_SAFE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HEADERS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_HSTS: Final = "max-age=31536000; includeSubDomains"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is let in, and for how long."""

    body: int = 128 * KIB
    bodies: Mapping[str, int] = field(
        default_factory=lambda: {"/hooks/": 1024 * KIB, "/v1/agency/": 1024 * KIB}
    )
    """Where more is needed, by the beginning of a path."""
    seconds: float = 30.0
    endless: tuple[str, ...] = ("/v1/events",)
    """Paths that stream for as long as somebody listens."""
    uncounted: tuple[str, ...] = ("/livez", "/readyz")
    """Paths that are asked by whoever keeps us running."""


class Guards:
    """All of them around an app, in the order in which they must stand."""

    def __init__(self, app: ASGIApp, *, rates: Rates | None = None, bounds: Bounds | None = None) -> None:
        bounds = bounds or Bounds()
        inner = Sized(Timed(app, bounds), bounds)
        self._app: ASGIApp = Told(Headed(Rated(inner, rates or Rates(), bounds)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request through."""
        await self._app(scope, receive, send)


class Told:
    """Names each request, and leaves one line about it: where, who, what came of it, and how long it took."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        name = given if _SAFE_ID.fullmatch(given) else uuid4().hex
        begun, status = time.perf_counter(), 500

        async def naming(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = name
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=name):
            try:
                await self._app(scope, receive, naming)
            finally:
                _tell(scope, status, time.perf_counter() - begun)


class Headed:
    """Adds the headers that keep browsers and caches from doing harm, where the route has not set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request through."""

        async def heading(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if scope.get("scheme") == "https":
                    headers.setdefault("Strict-Transport-Security", _HSTS)
            await send(message)

        await self._app(scope, receive, heading if scope["type"] == "http" else send)


class Rated:
    """Refuses who asks too often, by credential and by address."""

    def __init__(self, app: ASGIApp, rates: Rates, bounds: Bounds) -> None:
        self._app = app
        self._rates = rates
        self._bounds = bounds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request through, or refuse it."""
        if scope["type"] != "http" or scope["path"] in self._bounds.uncounted:
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        address = client[0] if client else "unknown"
        verdict = self._rates.hit(address, Headers(scope=scope).get("authorization"))

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in verdict.headers.items():
                    headers[name] = value
            await send(message)

        if verdict.wait:
            wait = str(verdict.wait)
            says = f"too many requests: wait {wait} s, then go on"
            problem = Problem(429, "too-many-requests", says, headers={"Retry-After": wait})
            await answer(problem)(scope, receive, counting)
            return
        await self._app(scope, receive, counting)


class Sized:
    """Refuses a body that is too large, whether its length was told or not."""

    def __init__(self, app: ASGIApp, bounds: Bounds) -> None:
        self._app = app
        self._bounds = bounds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request through, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        largest = self._largest(scope["path"])
        told = Headers(scope=scope).get("content-length", "0")
        refusal = answer(_too_large(largest))
        if not (told.isascii() and told.isdigit()) or len(told) > _DIGITS or int(told) > largest:
            await refusal(scope, receive, send)
            return
        came, started, over = 0, False, False

        async def measuring() -> Message:
            nonlocal came, over
            message = await receive()
            came += len(message.get("body", b""))
            if came > largest:
                over = True
                raise _too_large(largest)
            return message

        async def passing(message: Message) -> None:
            nonlocal started
            # Whatever the app makes of a body that it could not read, this is what was wrong.
            if over and not started:
                return
            started = True
            await send(message)

        try:
            await self._app(scope, measuring, passing)
        except Problem:
            if not over:
                raise
        if over and not started:
            await refusal(scope, receive, send)

    def _largest(self, path: str) -> int:
        found = (size for start, size in self._bounds.bodies.items() if path.startswith(start))
        return next(found, self._bounds.body)


class Timed:
    """Ends what takes too long; the same command under the same id may be sent again."""

    def __init__(self, app: ASGIApp, bounds: Bounds) -> None:
        self._app = app
        self._bounds = bounds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request through, or end it."""
        if scope["type"] != "http" or scope["path"] in self._bounds.endless:
            await self._app(scope, receive, send)
            return
        started = False

        async def passing(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        limit = asyncio.timeout(self._bounds.seconds)
        try:
            async with limit:
                await self._app(scope, receive, passing)
        except TimeoutError:
            if not limit.expired():
                raise
            if not started:
                await answer(_too_slow(self._bounds.seconds))(scope, receive, send)
            else:
                with contextlib.suppress(Exception):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _tell(scope: Scope, status: int, seconds: float) -> None:
    route, who = scope.get("route"), scope.get("state", {}).get("who")
    _log.info(
        "request",
        method=scope["method"],
        # The address as it was asked for may hold anything; the route's own pattern holds nothing.
        route=getattr(route, "path", "none"),
        status=status,
        milliseconds=round(seconds * 1000, 1),
        agency=getattr(who, "agency", None),
        role=getattr(who, "role", None),
        credential=getattr(who, "credential", None),
    )


def _too_large(largest: int) -> Problem:
    return Problem(413, "too-large", f"the body is larger than {largest // KIB} KiB; send less")


def _too_slow(seconds: float) -> Problem:
    says = f"this took longer than {seconds:g} s; send the same again under the same id"
    return Problem(503, "timed-out", says, headers={"Retry-After": "2"})
