"""Two agencies on PostgreSQL, their people and engagements, and an app whose route asks what doors ask."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
import pytest_asyncio
from fastapi import Depends, FastAPI, Request
from pydantic import SecretBytes

from activities.channels.port import Letter
from activities.types import StreamCommand
from events.catalogue import Assigned, EngagementOpened, Event
from events.codec import draft
from events.commands import Order
from events.envelope import Actor, AppendRequest, CommandGroup, event_id
from events.log.port import Appended
from gateway.access.opening import Access, opened_access
from gateway.access.roles import Action
from gateway.access.who import Role, Who
from gateway.http.app import make_app
from gateway.http.by_roles import ByRoles
from gateway.http.doors import Doors
from gateway.http.identify import allowed, known, opens_personal
from gateway.http.rates import Rates
from gateway.http.routes.tails import OpenStreams
from gateway.webhooks.door import Door
from workers.inbox.links import Link
from workers.inbox.links import Target as LinkTarget
from workers.settings import KeyEncryptionKey, Settings
from workers.wiring import Adapters, adapters
from workflows.types import CommandReply

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
PEOPLE = (
    {"person_id": "r-1", "role": "recruiter", "team_lead": "l-1", "director": "d-1"},
    {"person_id": "r-2", "role": "recruiter", "team_lead": "l-1", "director": "d-1"},
    {"person_id": "r-3", "role": "recruiter", "team_lead": "l-2", "director": "d-1"},
    {"person_id": "l-1", "role": "team-lead", "director": "d-1"},
    {"person_id": "l-2", "role": "team-lead", "director": "d-1"},
    {"person_id": "d-1", "role": "director"},
    {"person_id": "c-1", "role": "compliance"},
)
# Whose key a role's is in these tests.
PERSON: dict[str, str] = {"recruiter": "r-1", "team-lead": "l-1", "director": "d-1", "compliance": "c-1"}


class Mailbox:
    """A channel that keeps what it is given, or fails as it is told."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.fails: Exception | None = None

    def message_id(self, effect_id: str) -> str:
        """This will be a Message-ID."""
        return f"<{effect_id}@test>"

    def reply_to(self, agency: str, engagement_id: str) -> str:
        """This will be a Reply-To."""
        return "reply@test"

    async def send(self, letter: Letter, message_id: str) -> None:
        """This will keep the letter."""
        if self.fails is not None:
            raise self.fails
        self.letters.append(letter)


@dataclass
class Ground:
    """What tests stand on."""

    url: str
    having: Adapters
    access: Access
    mailbox: Mailbox
    agency: str
    other: str
    kept: "Kept" = field(default_factory=lambda: Kept())
    people: tuple[dict[str, str], ...] = PEOPLE

    async def agency_command(self, agency: str, name: str, **data: Any) -> None:
        """This will give a command to an agency's stream."""
        order = StreamCommand(
            agency=agency,
            stream=f"agency:{agency}",
            command_id=str(uuid4()),
            name=name,
            data=data,
            actor=Actor(kind="operator", id="test"),
        )
        await self.having.service.give(order)

    async def engagement(
        self,
        engagement: str,
        owner: str | None = "r-1",
        *,
        agency: str | None = None,
        email: str | None = None,
    ) -> str:
        """This will open an engagement by its events alone."""
        agency = agency or self.agency
        events: list[Event] = [
            EngagementOpened(
                at=NOW, engagement_id=engagement, candidate_id="cand-1", name="Žofie", email=email
            )
        ]
        if owner is not None:
            events.append(Assigned(at=NOW, owner=owner))
        await self.append(agency, f"engagement:{engagement}", 0, *events)
        return engagement

    async def append(self, agency: str, stream: str, version: int, *events: Event) -> None:
        """This will append events as one command."""
        command_id = str(uuid4())
        drafts = tuple(
            draft(
                event,
                event_id=event_id(agency, stream, command_id, ordinal),
                decided_at=NOW,
                actor=Actor(kind="person", id="r-1"),
                source="test",
            )
            for ordinal, event in enumerate(events)
        )
        group = CommandGroup(command_id=command_id, input="{}", outcome="accepted", drafts=drafts)
        request = AppendRequest(
            agency=agency, stream=stream, expected=version, acked=version, groups=(group,)
        )
        [result] = await self.having.log.append_many([request])
        assert isinstance(result, Appended)

    async def key(self, role: Role, *, agency: str | None = None, **more: Any) -> str:
        """This will make a key of a role, and return its text."""
        agency = agency or self.agency
        more.setdefault("person_id", PERSON.get(role))
        if role == "integration":
            more.setdefault("connection", "c-greenhouse")
        people = await self.having.directory.agency(agency)
        _, text = await self.access.keys.create(agency, role, people=people, **more)
        return text

    async def connected(self, provider: str, *linked: str) -> str:
        """This will add a connection, linked to engagements, and return its id."""
        connection = await self.having.connections.add(self.agency, provider=provider, name=provider)
        links = [Link("candidate", each, LinkTarget(each)) for each in linked]
        await self.having.links.learn(self.agency, connection.id, links, by="person:r-1", how="confirmed")
        return connection.id

    async def link(self, engagement: str, *, agency: str | None = None) -> str:
        """This will make a link to an engagement, and return its token."""
        _, text = await self.access.links.create(agency or self.agency, engagement, made_by="r-1")
        return text

    async def sql(self, query: str, *arguments: object) -> Any:
        """This will ask the database as its owner."""
        connection = await asyncpg.connect(self.url)
        try:
            return await connection.fetch(query, *arguments)
        finally:
            await connection.close()


@pytest.fixture(scope="session")
def access_database(new_database: Callable[[], str]) -> str:
    """This will give the URL of a migrated database, shared by the run."""
    return new_database()


@pytest.fixture
async def ground(access_database: str, tmp_path: Path) -> AsyncIterator[Ground]:
    """This will yield two agencies with the same people, and nothing else of the one in the other."""
    async with ground_on(access_database, tmp_path) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def common_ground(
    access_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Ground]:
    """This will yield the same, once for all of a module's tests."""
    async with ground_on(access_database, tmp_path_factory.mktemp("ground")) as made:
        yield made


@asynccontextmanager
async def ground_on(access_database: str, tmp_path: Path, **more: Any) -> AsyncIterator[Ground]:
    """Make two agencies."""
    kek = KeyEncryptionKey(id="test", secret=SecretBytes(b"k" * 32))
    settings = Settings(data_dir=tmp_path, key_encryption_keys=(kek,), outreach_digest_minutes=0, **more)
    mailbox = Mailbox()
    async with (
        adapters(settings, access_database) as having,
        opened_access(having, access_database, channel=mailbox) as access,
    ):
        agency, other = (f"{name}-{uuid4().hex[:10]}" for name in ("acme", "bolt"))
        ground = Ground(access_database, having, access, mailbox, agency, other)
        for each in (agency, other):
            await ground.agency_command(each, "load-people", people=PEOPLE)
        yield ground


@dataclass
class Kept:
    """Engagements that keep what they are given."""

    orders: list[tuple[str, Any]] = field(default_factory=list)

    async def command(self, engagement_id: str, order: Order, /) -> CommandReply:
        """This will keep an order."""
        self.orders.append((engagement_id, order))
        return CommandReply(command_id=order.command_id, outcome="accepted", version=1)


def app_of(ground: Ground) -> FastAPI:
    """Make the product's app, with its own dependency, and beside it routes that ask about any action."""
    doors = Doors(
        having=ground.having,
        engagements=lambda _agency: ground.kept,
        folds=ground.access.folds,
        permits=ByRoles(),
        access=ground.access,
        hooks=Door(ground.having.connections, ground.having.inbox, ground.having.refusals),
        streams=OpenStreams(ground.having.log),
        desk=ground.having.desk,
        rates=Rates(per_credential=100_000, per_address=100_000),
    )
    app = make_app(doors)
    targets = ground.access.targets

    @app.get("/who")
    async def who_calls(who: Who = Depends(known)) -> dict[str, Any]:  # noqa: B008, FastAPI's own way
        actor = who.actor.model_dump()
        return {"agency": who.agency, "role": who.role, "person": who.person_id, "actor": actor}

    @app.get("/may/{action}")
    async def may_they(
        action: Action,
        request: Request,
        engagement: str | None = None,
        person: str | None = None,
        who: Who = Depends(known),  # noqa: B008, FastAPI's own way
    ) -> dict[str, Any]:
        owned = await targets.owned(who, person) if person is not None else None
        target = await allowed(request, who, action, engagement=engagement, target=owned)
        return {"personal": await opens_personal(request, who, target)}

    return app


@pytest.fixture
async def http(ground: Ground) -> AsyncIterator[httpx.AsyncClient]:
    """This will yield a client of such an app."""
    async with client_of(ground) as client:
        yield client


def client_of(ground: Ground) -> httpx.AsyncClient:
    """Make a client with an address of its own."""
    transport = httpx.ASGITransport(app=app_of(ground), client=(f"test-{uuid4().hex}", 1))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def common_http(common_ground: Ground) -> AsyncIterator[httpx.AsyncClient]:
    """This will yield a client of an app on the common ground."""
    async with client_of(common_ground) as client:
        yield client
