"""``GET /v1/events``: what happens in an agency, as it happens, by server-sent CloudEvents.

An event's id is its position: whoever comes back with the last one misses nothing and gets nothing twice.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from events.cloudevents import PREFIX, cloud_event, short_type
from events.envelope import Stored
from events.log.port import EventLog
from gateway.access.refusals import may_not, refusal
from gateway.access.roles import who_may
from gateway.access.who import Who
from gateway.http.describing import problems
from gateway.http.problems import Problem
from gateway.http.routes.tails import OpenStreams

Known = Callable[[Request], Awaitable[Who]]
Sees = Callable[[Request, Who, str], Awaitable[bool]]
# Who hears all of the agency; a recruiter and a team lead hear the one engagement that they name and may see.
HEARS_ALL: Final = who_may("see-events", "all")
HEARS_ONE: Final = who_may("see-engagements", "own-team")
PERSONAL: Final = who_may("see-personal", "all", "own-team")
PAGE: Final = 200
KEEP_ALIVE: Final = 15.0
LONGEST: Final = 3600.0
# Seconds for which it is taken that the listener may still listen: a credential can be revoked, a person
# leave, an engagement go to another team.
TRUSTED_FOR: Final = 5.0
RETRY_MS: Final = 2000
_log = structlog.get_logger(__name__)
# Beyond it a last id is no position of anybody's log.
_DIGITS: Final = 18
_EXAMPLE: Final = (
    "id: 17\nevent: rapport.contact-made\n"
    'data: {"specversion":"1.0","id":"0a1b2c3d-0000-5000-8000-000000000000","source":"/agencies/acme",'
    '"type":"rapport.contact-made","subject":"e-1","time":"2030-01-07T09:00:00.000000Z","position":17}\n\n'
)
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Events for as long as the stream is open; lines that begin with a colon say nothing.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    },
    **problems(401, 403, 404, 422, 429, 503),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a stream tells."""

    who: Who
    after: int
    types: Collection[str]
    stream: str | None
    personal: bool
    still: Callable[[], Awaitable[None]]
    """Makes sure that they may listen on; raises a problem if not."""

    def holds(self, stored: Stored) -> bool:
        """Tell whether an event is among what was asked for."""
        return (not self.types or stored.type in self.types) and self.stream in (None, stored.stream)


class EventStream(StreamingResponse):
    """An answer that gives its place back, however it ends."""

    media_type = "text/event-stream"

    def __init__(self, lines: AsyncGenerator[str, None], place: ExitStack) -> None:
        # A proxy that gathers or packs would keep what has happened to itself.
        quick = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
        super().__init__(lines, headers=quick)
        self._lines, self._place = lines, place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the stream or its listener ends."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._place.close()
            await self._lines.aclose()


class Streamer:
    """Tells one stream what it asked for."""

    def __init__(
        self,
        log: EventLog,
        streams: OpenStreams,
        *,
        keep_alive: float = KEEP_ALIVE,
        longest: float = LONGEST,
        trusted_for: float = TRUSTED_FOR,
    ) -> None:
        self._log, self.streams = log, streams
        self._keep_alive, self._longest, self._trusted_for = keep_alive, longest, trusted_for
        self._reading: set[asyncio.Task[None]] = set()

    async def place(self, who: Who, after: int | None) -> int:
        """Give the position to begin after: the log's end, where none is named.

        :raises Problem: the log does not reach that far, so what is missing could never be told.
        """
        head = (await self._log.log_head(who.agency)).position
        if after is not None and after > head:
            raise Problem(422, "unknown-position", "the log does not reach to this position; name one it has")
        return head if after is None else after

    async def lines(self, asked: Asked) -> AsyncGenerator[str, None]:
        """Yield the stream's text; an id without data moves the listener's place and shows nothing."""
        yield f"retry: {RETRY_MS}\nid: {asked.after}\n\n"
        texts: asyncio.Queue[str | None] = asyncio.Queue(maxsize=2)
        # A task of its own: where a listener goes, every await in here ends at once, and a read of the
        # database that ends like that gives its connection back in the middle of a transaction.
        reading = asyncio.create_task(self._read(asked, texts))
        self._reading.add(reading)
        reading.add_done_callback(self._reading.discard)
        try:
            while (text := await texts.get()) is not None:
                yield text
        finally:
            reading.cancel()

    async def _read(self, asked: Asked, texts: "asyncio.Queue[str | None]") -> None:
        asked_at = time.monotonic()
        ends, after = asked_at + self._longest, asked.after
        try:
            async with self.streams.tail(asked.who.agency) as tail:
                while not self.streams.closing and time.monotonic() < ends:
                    # Taken before looking: what is committed meanwhile has woken us already.
                    wake = tail.wake
                    page = await self._log.read_all(asked.who.agency, after=after, limit=PAGE)
                    if time.monotonic() - asked_at >= self._trusted_for:
                        await asked.still()
                        asked_at = time.monotonic()
                    if page:
                        after = page[-1].position
                        await texts.put(await self._told(asked, page))
                    elif not await _within(wake, self._keep_alive):
                        await texts.put(": nothing new\n\n")
        except Exception as error:
            # The listener comes back with the last id it had.
            _log.warning("a stream is interrupted", agency=asked.who.agency, error=type(error).__name__)
        await texts.put(None)

    async def _told(self, asked: Asked, page: Sequence[Stored]) -> str:
        told = [await self._one(asked, each) for each in page if asked.holds(each)]
        if not told or not asked.holds(page[-1]):
            told.append(f"id: {page[-1].position}\n\n")
        return "".join(told)

    async def _one(self, asked: Asked, stored: Stored) -> str:
        if asked.personal:
            opened = await self._log.read_stream(
                stored.agency, stored.stream, after=stored.version - 1, limit=1, open_personal=True
            )
            stored = opened[0] if opened else stored
        data = json.dumps(
            cloud_event(stored, personal=asked.personal), ensure_ascii=False, separators=(",", ":")
        )
        return f"id: {stored.position}\nevent: {PREFIX}{stored.type}\ndata: {data}\n\n"


async def _within(wake: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await wake.wait()
    return False


async def sees_none(request: Request, who: Who, engagement: str) -> bool:
    """Let nobody see a single engagement, where nothing says who may."""
    return False


def routes(streamer: Streamer, known: Known, sees: Sees = sees_none) -> APIRouter:
    """This will make the router; *sees* says whether somebody may see an engagement."""
    router = APIRouter(tags=["events"])

    @router.get(
        "/v1/events",
        status_code=200,
        summary="Hear what happens, as it happens",
        response_class=EventStream,
        responses=RESPONSES,
        operation_id="stream-events",
    )
    async def stream_events(
        request: Request,
        who: Annotated[Who, Depends(known)],
        type: Annotated[
            list[str] | None, Query(description="Only these types.", examples=["rapport.contact-made"])
        ] = None,
        engagement: Annotated[
            str | None, Query(description="Only of this engagement.", max_length=80, examples=["e-1"])
        ] = None,
        after: Annotated[
            int | None, Query(ge=0, lt=2**62, description="Begin after this position; 0: from the beginning.")
        ] = None,
        personal: Annotated[bool, Query(description="Tell personal fields as well.")] = False,
        last_event_id: Annotated[
            str | None, Header(description="What a browser sends when it comes back; it wins over after.")
        ] = None,
    ) -> StreamingResponse:
        """Tell what happens from now on, or from a position on, until either side ends it."""

        async def still() -> None:
            await _allow(request, await known(request), engagement, personal, sees)

        await _allow(request, who, engagement, personal, sees)
        begin = await streamer.place(who, _last(last_event_id, after))
        stream = None if engagement is None else f"engagement:{engagement}"
        asked = Asked(who, begin, _types(type or ()), stream, personal, still)
        return EventStream(streamer.lines(asked), _held(streamer.streams.place(who)))

    return router


async def _allow(request: Request, who: Who, engagement: str | None, personal: bool, sees: Sees) -> None:
    if who.role in HEARS_ONE:
        if engagement is None:
            raise _may_not(who, "follow the stream of all events; name one engagement with engagement=ID")
    elif who.role not in HEARS_ALL:
        raise Problem(403, "not-allowed", refusal(who.role, "see-events"))
    # Also who hears all is told that there is none of that id: a stream of nothing looks like silence.
    if engagement is not None and not await sees(request, who, engagement):
        raise Problem(403, "not-allowed", refusal(who.role, "see-events"))
    if personal and who.role not in PERSONAL:
        raise _may_not(who, "have personal fields; ask without personal=true")


def _may_not(who: Who, what: str) -> Problem:
    return Problem(403, "not-allowed", may_not(who.role, what))


def _types(given: Sequence[str]) -> frozenset[str]:
    try:
        return frozenset(short_type(each) for each in given)
    except ValueError:
        detail = "there is no such event type; the catalogue of events lists them all"
        raise Problem(422, "unknown-type", detail) from None


def _last(header: str | None, after: int | None) -> int | None:
    if header is None or not header.strip():
        return after
    text = header.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise Problem(
            422, "unknown-position", "the header Last-Event-ID must be the id of an event of this stream"
        )
    return int(text)


def _held(place: AbstractContextManager[None]) -> ExitStack:
    with ExitStack() as stack:
        stack.enter_context(place)
        return stack.pop_all()
