"""A log in PostgreSQL, subscriptions to it, a clock that a test turns, and receivers on loopback."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from standardwebhooks import Webhook

from events.canonical import canonical
from events.envelope import Actor, AppendRequest, CommandGroup, Draft, event_id
from events.log.keys import Keyring, development_kek
from events.log.keys_postgres import PostgresKeys
from events.log.port import Appended
from events.log.postgres import PostgresLog
from workers.delivering.addresses import Rules
from workers.delivering.deliverer import Deliverer
from workers.delivering.deliveries import Deliveries
from workers.delivering.desk import Desk
from workers.delivering.sending import Sender
from workers.delivering.subscription import Standing, Subscription
from workers.delivering.subscriptions import Subscriptions

LOOPBACK = Rules(allow_http=True, allow_private=True)
SECRET_WORDS = "she wants to move to Leeds"


@dataclass(frozen=True)
class Got:
    """One request that a receiver had."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """This will be the CloudEvent in it."""
        read: dict[str, Any] = json.loads(self.body)
        return read

    @property
    def subject(self) -> str:
        """This will name the engagement."""
        return str(self.event["subject"])

    @property
    def number(self) -> int:
        """This will be the event's place in its stream."""
        return int(self.event["streamversion"])


Say = Callable[[Got], Awaitable[bytes]]


def reply(status: int, *headers: str, body: bytes = b"") -> bytes:
    """Write an answer down."""
    lines = [f"HTTP/1.1 {status} So", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@dataclass
class Receiver:
    """Somebody's system; *say* decides what it answers."""

    got: list[Got] = field(default_factory=list)
    url: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    say: Say | None = None
    status: int = 204

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request and answer it."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {
                name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)
            }
            body = await reader.readexactly(int(headers["content-length"]))
            got = Got(headers, body)
            self.got.append(got)
            writer.write(reply(self.status) if self.say is None else await self.say(got))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def verified(self, secret: str) -> list[Any]:
        """This will check every message with the library's own eyes."""
        webhook = Webhook(secret)
        return [webhook.verify(each.body, each.headers) for each in self.got]


Receive = Callable[..., Awaitable[Receiver]]


@pytest.fixture
async def receive() -> AsyncIterator[Receive]:
    """This will start receivers, which are closed at the end."""
    servers: list[asyncio.Server] = []

    async def start(*, tls: ssl.SSLContext | None = None) -> Receiver:
        receiver = Receiver()
        server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=tls)
        servers.append(server)
        receiver.port = server.sockets[0].getsockname()[1]
        receiver.url = f"http{'s' if tls else ''}://127.0.0.1:{receiver.port}/hooks"
        return receiver

    yield start
    for server in servers:
        server.close()


@pytest.fixture
async def receiver(receive: Receive) -> Receiver:
    """This will be a receiver that takes everything."""
    return await receive()


@dataclass
class Clock:
    """Time as the test has it; it begins now, because the library that verifies looks at its own clock."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def forward(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by


@dataclass
class Post:
    """An agency with a log, and what is told of it."""

    url: str
    agency: str
    log: PostgresLog
    keys: PostgresKeys
    subscriptions: Subscriptions
    deliveries: Deliveries
    sender: Sender
    clock: Clock
    _versions: dict[str, int] = field(default_factory=dict)

    @property
    def desk(self) -> Desk:
        """This will be where subscriptions are made."""
        return Desk(self.subscriptions, self.log, self.sender, clock=self.clock)

    def deliverer(self) -> Deliverer:
        """This will be a worker's loop, at the test's own time."""
        return Deliverer(self.log, self.subscriptions, self.deliveries, self.sender, clock=self.clock)

    async def subscribe(self, receiver: Receiver, **more: Any) -> tuple[Subscription, str]:
        """Subscribe a receiver; returns the secret as well."""
        return await self.desk.add(self.agency, receiver.url, **more)

    async def happens(self, engagement: str, count: int = 1, *, type: str = "contact-made") -> None:
        """Append events to an engagement, each with a note that is personal."""
        stream = f"engagement:{engagement}"
        version = self._versions.get(stream, 0)
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
        self._versions[stream] = result.version

    def _draft(self, stream: str, command_id: str, type: str) -> Draft:
        return Draft(
            event_id=event_id(self.agency, stream, command_id, 0),
            type=type,
            schema_version=1,
            occurred_at=self.clock.now,
            decided_at=self.clock.now,
            origin="business",
            actor=Actor(kind="person", id="r-1"),
            source="test",
            body=canonical({"by": "r-1", "channel": "phone", "note": SECRET_WORDS}),
            personal=("note",),
        )

    async def delivered(self) -> None:
        """Do all that is due at this moment."""
        await self.deliverer().once()

    async def standing(self, of: Subscription) -> Standing:
        """Tell how far a subscription has come."""
        return (await self.subscriptions.standing(self.agency, of.subscription_id))[0]


@pytest.fixture(scope="session")
def database(new_database: Callable[[], str]) -> str:
    """This will give the URL of a migrated database, shared by the run."""
    return new_database()


@pytest.fixture
async def post(database: str) -> AsyncIterator[Post]:
    """This will be an agency that no other test uses, whose webhooks may go to loopback."""
    # The loop looks across all agencies, so what earlier tests left is gone.
    connection = await asyncpg.connect(database)
    await connection.execute("DELETE FROM rapport.subscriptions")
    await connection.close()
    keys = PostgresKeys(database, Keyring([development_kek("test")]))
    subscriptions, deliveries = Subscriptions(database, keys), Deliveries(database)
    async with PostgresLog(database, keys) as log, Sender(LOOPBACK) as sender:
        agency = f"agency-{uuid4().hex[:12]}"
        yield Post(database, agency, log, keys, subscriptions, deliveries, sender, Clock())
    await deliveries.close()
    await subscriptions.close()
    await keys.close()
