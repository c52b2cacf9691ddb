"""Inboxes to test: one migrated database for the run, an agency of its own for every test."""

import importlib.util
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import pytest

from activities.commands import CommandService
from events.integrations.message import Received
from events.log.connect import Connections as Pool
from events.log.keys import Keyring, KeyStore, development_kek
from events.log.keys_postgres import PostgresKeys
from events.log.postgres import PostgresLog
from workers.inbox.connections import Connection, Connections, ConnectionSettings
from workers.inbox.links import Links
from workers.inbox.store import Inbox

if TYPE_CHECKING:
    from tests.workers.inbox.desk import Office

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@dataclass
class Post:
    """One agency's connections and inbox on PostgreSQL."""

    url: str
    agency: str
    pool: Pool
    keys: KeyStore
    connections: Connections
    links: Links
    inbox: Inbox

    async def connection(self, **more: Any) -> Connection:
        """Add a connection."""
        given = {"provider": "standard-webhooks", "name": "Their system", **more}
        return await self.connections.add(self.agency, **given)

    async def receive(self, connection: Connection, dedupe: str, **more: Any) -> bool:
        """Receive a message."""
        return await self.inbox.receive(connection, received(dedupe, **more))

    async def sql(self, query: str, *given: Any) -> list[Any]:
        """Ask the database as its superuser, whom no policy hinders."""
        connection = await asyncpg.connect(self.url)
        try:
            return list(await connection.fetch(query, *given))
        finally:
            await connection.close()


def received(
    dedupe: str,
    event: str = "thing.happened",
    at: datetime | None = NOON,
    body: bytes = b'{"a": 1}',
    **headers: str,
) -> Received:
    """Make a delivery as a provider's file reads it."""
    return Received(dedupe=dedupe, event=event, occurred_at=at, body=body, headers=headers)


@pytest.fixture(scope="session")
def database(new_database: Callable[[], str]) -> str:
    """This will give the URL of a migrated database, shared by the run."""
    return new_database()


@pytest.fixture
async def offices(database: str) -> AsyncIterator[Callable[[], Post]]:
    """This will make an agency with an inbox at each call."""
    keys = PostgresKeys(database, Keyring([development_kek("inbox")]))
    pool = Pool(database, role="rapport_app")

    def make() -> Post:
        agency = f"agency-{uuid4().hex[:12]}"
        return Post(
            database, agency, pool, keys, Connections(pool, keys), Links(pool, keys), Inbox(pool, keys)
        )

    yield make
    await pool.close()
    await keys.close()


@pytest.fixture
def post(offices: Callable[[], Post]) -> Post:
    """This will be an agency with an inbox."""
    return offices()


@pytest.fixture(scope="session")
def desks() -> Any:
    """This will give the module of the desk."""
    place = Path(__file__).with_name("desk.py")
    spec = importlib.util.spec_from_file_location("rapport_tests_inbox_desk", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
async def office(post: Post, desks: Any) -> AsyncIterator["Office"]:
    """This will be an office with two engagements, each with a submission that the connection knows."""
    async with PostgresLog(post.url, post.keys) as log:
        desk = desks.Desk(post.agency, log, CommandService(log))
        settings = ConnectionSettings(settle_seconds=0)
        connection = await post.connection(
            provider="greenhouse", mapping=desks.mapping(*desks.RULES), settings=settings
        )
        made: Office = desks.Office(post, desk, connection)
        for number in ("1", "2"):
            engagement = f"e-{number}"
            await desk.person(engagement, "open-engagement", candidate_id=f"c-{number}", owner="r-1")
            await desk.person(
                engagement, "record-submission", job_order_id="j-1", submission_id=f"s-{number}"
            )
            await made.link("candidate", f"cand-{number}", engagement)
            await made.link("application", f"app-{number}", engagement, f"s-{number}")
        yield made
