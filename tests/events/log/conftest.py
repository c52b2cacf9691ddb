"""Logs to test: one migrated database for the run, an agency of its own for every test."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

import asyncpg
import pytest

from events.canonical import canonical
from events.envelope import Actor, AppendRequest, Claim, CommandGroup, Draft, event_id
from events.log.digests import Digests
from events.log.digests_memory import MemoryDigests
from events.log.digests_postgres import PostgresDigests
from events.log.effects import EffectsLedger, MemoryEffects
from events.log.effects_postgres import PostgresEffects
from events.log.keys import Keyring, KeyStore, MemoryKeys, development_kek
from events.log.keys_postgres import PostgresKeys
from events.log.memory import MemoryLog
from events.log.migrate import migrate
from events.log.port import EventLog
from events.log.postgres import PostgresLog

NOON = datetime(2026, 1, 5, 12, 0, 0, 1, tzinfo=UTC)


def create_database(server: str) -> str:
    """Make an empty database on a server; returns its URL."""
    name = f"test_{uuid4().hex}"

    async def create() -> None:
        connection = await asyncpg.connect(server)
        try:
            await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()

    _elsewhere(create)
    return server.rpartition("/")[0] + "/" + name


def _elsewhere(work: Callable[[], Any]) -> None:
    # A thread of its own, so that no event loop of a test is touched.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(work())).result()


@pytest.fixture(scope="session")
def empty_database(postgres_server: str) -> Callable[[], str]:
    """This will make an empty database at each call and return its URL."""
    return lambda: create_database(postgres_server)


@pytest.fixture(scope="session")
def database(postgres_server: str) -> str:
    """This will give the URL of a migrated database, shared by the run."""
    url = create_database(postgres_server)
    _elsewhere(lambda: migrate(url))
    return url


@pytest.fixture
def agency() -> str:
    """This will name an agency that no other test uses."""
    return f"agency-{uuid4().hex[:12]}"


@dataclass(frozen=True)
class Make:
    """Builds drafts and requests for one agency."""

    agency: str
    noon: datetime = NOON

    def draft(
        self,
        stream: str,
        command_id: str,
        ordinal: int = 0,
        *,
        origin: Literal["business", "engine", "imported"] = "business",
        after_close: bool = False,
        personal: tuple[str, ...] = (),
        key_subject: str | None = None,
        **body: Any,
    ) -> Draft:
        """Build an event of a type that no catalogue knows."""
        return Draft(
            event_id=event_id(self.agency, stream, command_id, ordinal),
            type="noted",
            schema_version=1,
            occurred_at=self.noon,
            decided_at=self.noon,
            origin=origin,
            actor=Actor(kind="person", id="p-1"),
            source="test",
            body=canonical({"number": ordinal, **body}),
            personal=personal,
            key_subject=key_subject,
            after_close=after_close,
        )

    def group(
        self,
        stream: str,
        command_id: str,
        events: int = 1,
        *,
        input: str = "{}",
        outcome: str = "accepted",
        claims: tuple[Claim, ...] = (),
        releases: tuple[Claim, ...] = (),
        closes: bool = False,
        **draft: Any,
    ) -> CommandGroup:
        """Build what a command led to: so many events alike."""
        return CommandGroup(
            command_id=command_id,
            input=input,
            outcome=outcome,
            drafts=tuple(self.draft(stream, command_id, ordinal, **draft) for ordinal in range(events)),
            claims=claims,
            releases=releases,
            closes=closes,
        )

    def request(
        self, stream: str, expected: int, *groups: CommandGroup, acked: int = 0, run_epoch: int | None = None
    ) -> AppendRequest:
        """Build an append of groups."""
        return AppendRequest(
            agency=self.agency,
            stream=stream,
            expected=expected,
            acked=acked,
            run_epoch=run_epoch,
            groups=groups,
        )

    def one(
        self, stream: str, expected: int, command_id: str, events: int = 1, **group: Any
    ) -> AppendRequest:
        """Build an append of one group."""
        return self.request(stream, expected, self.group(stream, command_id, events, **group))


@pytest.fixture
def make(agency: str) -> Make:
    """This will build drafts and requests for this test's agency."""
    return Make(agency)


@pytest.fixture
def make_for() -> type[Make]:
    """This will make a builder for any agency."""
    return Make


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def kind(request: pytest.FixtureRequest) -> str:
    """This will run a test on both adapters."""
    kind: str = request.param
    return kind


@pytest.fixture
async def postgres_keys(database: str) -> AsyncIterator[PostgresKeys]:
    """This will yield keys in PostgreSQL."""
    keys = PostgresKeys(database, Keyring([development_kek("test")]))
    yield keys
    await keys.close()


@pytest.fixture
async def postgres_log(database: str, postgres_keys: PostgresKeys) -> AsyncIterator[PostgresLog]:
    """This will yield a log in PostgreSQL."""
    async with PostgresLog(database, postgres_keys, poll_interval=0.1) as log:
        yield log


@pytest.fixture
def keys(kind: str, request: pytest.FixtureRequest) -> KeyStore:
    """This will give the keys of the log under test."""
    if kind == "memory":
        return MemoryKeys()
    found: KeyStore = request.getfixturevalue("postgres_keys")
    return found


@pytest.fixture
def log(kind: str, keys: KeyStore, request: pytest.FixtureRequest) -> EventLog:
    """This will give the log under test."""
    if kind == "memory":
        return MemoryLog(keys)
    found: EventLog = request.getfixturevalue("postgres_log")
    return found


@pytest.fixture
async def ledger(kind: str, request: pytest.FixtureRequest) -> AsyncIterator[EffectsLedger]:
    """This will yield the effects ledger under test."""
    if kind == "memory":
        yield MemoryEffects()
        return
    effects = PostgresEffects(request.getfixturevalue("database"))
    yield effects
    await effects.close()


@pytest.fixture
async def digests(kind: str, ledger: EffectsLedger, request: pytest.FixtureRequest) -> AsyncIterator[Digests]:
    """This will yield digests beside the ledger under test."""
    if isinstance(ledger, MemoryEffects):
        yield MemoryDigests(ledger)
        return
    found = PostgresDigests(request.getfixturevalue("database"))
    yield found
    await found.close()


@pytest.fixture
async def superuser(database: str) -> AsyncIterator[Any]:
    """This will yield a connection that may do anything, to play the attacker."""
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()
