"""The stream of an agency's events, over a real server and a client that comes and goes."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from cloudevents.core.formats.json import JSONFormat
from fastapi import FastAPI, Request
from starlette.responses import Response

from events.canonical import canonical
from events.envelope import Actor, AppendRequest, CommandGroup, Draft, Stored, event_id
from events.log.keys import Keyring, development_kek
from events.log.keys_postgres import PostgresKeys
from events.log.memory import MemoryLog
from events.log.port import Appended, EventLog
from events.log.postgres import PostgresLog
from gateway.access.who import Who
from gateway.http.problems import Problem, answer
from gateway.http.routes.stream import Streamer, routes
from gateway.http.routes.tails import OpenStreams

PATIENCE = 20.0
WORDS = "she wants to move"


@dataclass
class Told:
    """One thing that came down a stream."""

    id: int | None = None
    type: str | None = None
    data: dict[str, Any] | None = None
    comment: bool = False


@dataclass
class Doors:
    """A server with the one route, and who stands before it."""

    log: EventLog
    streams: OpenStreams
    streamer: Streamer
    url: str = ""
    agency: str = field(default_factory=lambda: f"agency-{uuid4().hex[:12]}")
    revoked: set[str] = field(default_factory=set)
    _versions: dict[tuple[str, str], int] = field(default_factory=dict)

    async def happens(self, engagement: str, count: int = 1, *, type: str = "contact-made") -> None:
        """Append events to an engagement, each with a note that is personal."""
        stream = f"engagement:{engagement}"
        version = self._versions.get((self.agency, stream), 0)
        groups = tuple(
            CommandGroup(
                command_id=f"c-{number}",
                input="{}",
                outcome="accepted",
                drafts=(self._draft(stream, f"c-{number}", type),),
            )
            for number in range(version + 1, version + 1 + count)
        )
        request = AppendRequest(agency=self.agency, stream=stream, expected=version, groups=groups)
        [result] = await self.log.append_many([request])
        assert isinstance(result, Appended)
        self._versions[self.agency, stream] = result.version

    def _draft(self, stream: str, command_id: str, type: str) -> Draft:
        now = datetime.now(UTC)
        return Draft(
            event_id=event_id(self.agency, stream, command_id, 0),
            type=type,
            schema_version=1,
            occurred_at=now,
            decided_at=now,
            origin="business",
            actor=Actor(kind="person", id="r-1"),
            source="test",
            body=canonical({"channel": "phone", "note": WORDS}),
            personal=("note",),
        )

    @asynccontextmanager
    async def listening(
        self, query: str = "", *, role: str = "director", credential: str = "k-1", last: int | None = None
    ) -> AsyncIterator["AsyncGenerator[Told, None]"]:
        """Open a stream; what comes before the first event is read already."""
        headers = {"x-agency": self.agency, "x-role": role, "x-credential": credential}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        async with (
            httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client,
            client.stream("GET", f"{self.url}/v1/events{query}", headers=headers) as response,
        ):
            assert response.status_code == 200, (await response.aread()).decode()
            assert response.headers["content-type"].startswith("text/event-stream")
            told = read(response)
            await anext(told)
            yield told
            await told.aclose()

    async def asked(
        self, query: str = "", *, role: str = "director", credential: str = "k-1", last: str | None = None
    ) -> httpx.Response:
        """Ask for a stream, and look at no more than how the answer begins."""
        given: list[tuple[bytes, bytes]] = [
            (b"x-agency", self.agency.encode()),
            (b"x-role", role.encode()),
            (b"x-credential", credential.encode()),
        ]
        if last is not None:
            given.append((b"last-event-id", last.encode("latin-1")))
        async with (
            httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client,
            client.stream("GET", f"{self.url}/v1/events{query}", headers=given) as response,
        ):
            if response.status_code != 200:
                await response.aread()
            return response


async def read(response: httpx.Response) -> "AsyncGenerator[Told, None]":
    """Read a stream as a browser does."""
    told = Told()
    async for line in response.aiter_lines():
        name, _, value = line.partition(": ")
        if not line:
            yield told
            told = Told()
        elif not name:
            told.comment = True
        elif name == "id":
            told.id = int(value)
        elif name == "event":
            told.type = value
        elif name == "data":
            told.data = json.loads(value)


async def events(told: "AsyncGenerator[Told, None]", count: int) -> list[Told]:
    """Wait for so many events."""
    found: list[Told] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            each = await anext(told)
            if each.data is not None:
                found.append(each)
    return found


class Server(uvicorn.Server):
    """A server in the test's own loop that lets its streams end before it waits for them."""

    streams: OpenStreams

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the test run."""
        yield

    async def shutdown(self, sockets: Any = None) -> None:
        """End the streams, then the rest."""
        self.streams.close()
        await super().shutdown(sockets)


async def known(request: Request) -> Who:
    """Know whoever says who they are."""
    role: Any = request.headers["x-role"]
    return Who(request.headers["x-agency"], role, request.headers["x-credential"], person_id="r-1")


async def sees(request: Request, who: Who, engagement: str) -> bool:
    """Let everybody see one engagement."""
    return engagement == "e-1"


@asynccontextmanager
async def serving(log: EventLog, **streamer: Any) -> AsyncIterator[Doors]:
    """Serve the route on a free port."""
    streams = OpenStreams(log)
    doors = Doors(log, streams, Streamer(log, streams, **streamer))
    app = FastAPI()

    async def knows(request: Request) -> Who:
        if request.headers["x-credential"] in doors.revoked:
            raise Problem(401, "unauthenticated", "nobody is known")
        return await known(request)

    app.include_router(routes(doors.streamer, knows, sees))

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> Response:
        return answer(error)

    server = Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    server.streams = streams
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 (a server that has no event for it)
        await asyncio.sleep(0.01)
    doors.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield doors
    finally:
        server.should_exit = True
        async with asyncio.timeout(PATIENCE):
            await running


@pytest.fixture
async def doors() -> AsyncIterator[Doors]:
    """This will be the route over a log in memory, told of nothing but by a wake."""
    async with serving(MemoryLog(), keep_alive=3600) as served:
        yield served


@pytest.fixture(scope="module")
def database(new_database: Callable[[], str]) -> str:
    """This will give the URL of a migrated database."""
    return new_database()


@pytest.fixture
async def postgres_log(database: str) -> AsyncIterator[PostgresLog]:
    """This will be a log in PostgreSQL."""
    keys = PostgresKeys(database, Keyring([development_kek("test")]))
    async with PostgresLog(database, keys) as log:
        yield log
    await keys.close()


class TestStream:
    async def test_tells_what_happens_from_now_on(self, doors: Doors) -> None:
        await doors.happens("e-1", 2)
        async with doors.listening() as told:
            await doors.happens("e-1")
            [found] = await events(told, 1)
        assert (found.id, found.type) == (3, "rapport.contact-made")
        parsed = JSONFormat().read(None, json.dumps(found.data))
        assert parsed.get_subject() == "e-1"
        assert parsed.get_extension("position") == 3

    async def test_begins_where_it_is_asked_to(self, doors: Doors) -> None:
        await doors.happens("e-1", 3)
        async with doors.listening("?after=0") as told:
            assert [each.id for each in await events(told, 3)] == [1, 2, 3]
        async with doors.listening("?after=0", last=2) as told:
            assert [each.id for each in await events(told, 1)] == [3]

    async def test_tells_only_the_types_and_the_engagement_asked_for(self, doors: Doors) -> None:
        await doors.happens("e-1")
        await doors.happens("e-1", type="paused")
        await doors.happens("e-2", type="paused")
        async with doors.listening("?after=0&type=rapport.paused&engagement=e-1") as told:
            [found] = await events(told, 1)
            assert (found.id, found.type) == (2, "rapport.paused")
            moved = await anext(told)
        assert (moved.id, moved.data) == (3, None), "who comes back need not read the rest again"

    async def test_tells_nothing_of_another_agency(self, doors: Doors) -> None:
        await doors.happens("e-1", 5)
        doors.agency = "somebody-else"
        async with doors.listening() as told:
            await doors.happens("e-9")
            [found] = await events(told, 1)
        assert found.data is not None
        assert (found.data["source"], found.data["subject"]) == ("/agencies/somebody-else", "e-9")

    async def test_leaves_personal_fields_out_unless_they_are_asked_for(self, doors: Doors) -> None:
        await doors.happens("e-1")
        async with doors.listening("?after=0") as told:
            [plain] = await events(told, 1)
        async with doors.listening("?after=0&personal=true") as told:
            [opened] = await events(told, 1)
        assert plain.data is not None
        assert opened.data is not None
        assert plain.data["data"] == {"channel": "phone"}
        assert opened.data["data"] == {"channel": "phone", "note": WORDS}

    async def test_says_now_and_then_that_it_lives(self) -> None:
        async with serving(MemoryLog(), keep_alive=0.05) as doors, doors.listening() as told:
            assert (await anext(told)).comment
            await doors.happens("e-1")
            assert len(await events(told, 1)) == 1

    async def test_tells_a_credential_that_was_revoked_nothing_more(self) -> None:
        async with (
            serving(MemoryLog(), keep_alive=3600, trusted_for=0) as doors,
            doors.listening("?personal=true") as told,
            doors.listening(credential="k-2") as other,
        ):
            await doors.happens("e-1")
            assert len(await events(told, 1)) == 1
            doors.revoked.add("k-1")
            await doors.happens("e-1")
            async with asyncio.timeout(PATIENCE):
                assert [each async for each in told if each.data is not None] == []
            assert len(await events(other, 2)) == 2

    async def test_ends_after_its_time(self) -> None:
        async with serving(MemoryLog(), keep_alive=0.05, longest=0.2) as doors, doors.listening() as told:
            async with asyncio.timeout(PATIENCE):
                assert all([each.comment async for each in told])

    async def test_ends_when_the_server_does(self) -> None:
        async with serving(MemoryLog(), keep_alive=3600) as doors, doors.listening() as told:
            doors.streams.close()
            async with asyncio.timeout(PATIENCE):
                assert [each async for each in told] == []
            refused = await doors.asked()
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")

    async def test_gives_its_place_back_when_the_listener_goes(self, doors: Doors) -> None:
        async with doors.listening():
            assert doors.streams.count == 1
        async with asyncio.timeout(PATIENCE):
            while doors.streams.count:  # noqa: ASYNC110 (the server notices by itself)
                await asyncio.sleep(0.01)

    async def test_is_open_only_so_often_for_one_credential(self, doors: Doors) -> None:
        async with doors.listening(), doors.listening(), doors.listening(), doors.listening():
            refused = await doors.asked()
            assert refused.status_code == 429
            assert refused.json()["code"] == "too-many-streams"
            async with doors.listening(credential="k-2") as told:
                await doors.happens("e-1")
                assert len(await events(told, 1)) == 1

    async def test_follows_the_log_once_for_all_who_listen(self) -> None:
        class Counting(MemoryLog):
            followed = 0

            def subscribe(self, *given: Any, **more: Any) -> "AsyncGenerator[Sequence[Stored], None]":
                self.followed += 1
                return super().subscribe(*given, **more)

        log = Counting()
        async with serving(log) as doors, doors.listening() as one, doors.listening() as other:
            await doors.happens("e-1")
            assert len(await events(one, 1)) == len(await events(other, 1)) == 1
        assert log.followed == 1


class TestResuming:
    @pytest.mark.postgres
    async def test_has_neither_gap_nor_double_while_events_are_appended(
        self, postgres_log: PostgresLog
    ) -> None:
        """The listener goes away at random, in the middle of what it is told, and comes back."""
        chance, count = Random(7), 240
        async with serving(postgres_log) as doors:

            async def append(engagement: str) -> None:
                for _ in range(count // 4):
                    await doors.happens(engagement)

            appending = asyncio.gather(*(append(f"e-{number}") for number in range(4)))
            heard: list[int] = []
            comings = 0
            async with asyncio.timeout(60):
                while len(heard) < count:
                    comings += 1
                    async with doors.listening("?after=0", last=heard[-1] if heard else None) as told:
                        wanted = min(chance.randint(1, 40), count - len(heard))
                        heard += [each.id or 0 for each in await events(told, wanted)]
            await appending
        assert heard == list(range(1, count + 1))
        assert comings > 5

    @pytest.mark.parametrize("last", ["words", "-1", "1.5", "9" * 30, "\xb2"])
    async def test_refuses_an_id_that_is_none(self, doors: Doors, last: str) -> None:
        refused = await doors.asked(last=last)
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown-position")

    async def test_refuses_a_position_that_the_log_does_not_reach(self, doors: Doors) -> None:
        """After a restore of an older backup, say: silence would look like peace."""
        await doors.happens("e-1")
        refused = await doors.asked("?after=2")
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown-position")

    async def test_refuses_a_type_that_is_none(self, doors: Doors) -> None:
        refused = await doors.asked("?type=nothing-at-all")
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown-type")


class TestWhoMayListen:
    @pytest.mark.parametrize(
        ("role", "all_events", "seen", "unseen", "personal"),
        [
            ("director", 200, 200, 403, 200),
            ("compliance", 200, 200, 403, 200),
            ("auditor", 200, 200, 403, 403),
            ("operator", 200, 200, 403, 403),
            ("integration", 403, 403, 403, 403),
            ("team-lead", 403, 200, 403, 200),
            ("recruiter", 403, 200, 403, 200),
            ("candidate", 403, 403, 403, 403),
        ],
    )
    async def test_is_a_matter_of_the_role(
        self, doors: Doors, role: str, all_events: int, seen: int, unseen: int, personal: int
    ) -> None:
        for number, (query, status) in enumerate(
            (
                ("", all_events),
                ("?engagement=e-1", seen),
                ("?engagement=e-2", unseen),
                ("?engagement=e-1&personal=true", personal),
            )
        ):
            found = await doors.asked(query, role=role, credential=f"k-{number}")
            assert found.status_code == status, query
            assert status == 200 or " may not " in found.json()["detail"]
