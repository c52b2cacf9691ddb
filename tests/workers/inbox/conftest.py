"""Inboxes to test: one migrated database for the run, an agency of its own for every test."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from events.integrations.message import Received
from events.log.connect import Connections as Pool
from events.log.keys import Keyring, KeyStore, development_kek
from events.log.keys_postgres import PostgresKeys
from events.log.migrate import migrate
from workers.inbox.connections import Connection, Connections
from workers.inbox.links import Links
from workers.inbox.store import Inbox

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


def _elsewhere(work: Callable[[], Any]) -> None:
    # A thread of its own, so that no event loop of a test is touched.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(work())).result()


@pytest.fixture(scope="session")
def database(postgres_server: str) -> str:
    """This will give the URL of a migrated database, shared by the run."""
    name = f"test_{uuid4().hex}"
    url = postgres_server.rpartition("/")[0] + "/" + name

    async def create() -> None:
        connection = await asyncpg.connect(postgres_server)
        try:
            await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()
        await migrate(url)

    _elsewhere(create)
    return url


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
