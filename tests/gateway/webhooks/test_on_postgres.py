"""The door before the real inbox: each message once, in its own agency, however often it is delivered."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from events.log.connect import Connections as Pool
from events.log.keys import Keyring, development_kek
from events.log.keys_postgres import PostgresKeys
from gateway.webhooks.door import Door
from tests.gateway.webhooks.signers import NOW, SAMPLES, secret_of, signed
from workers.inbox.connections import Connection, Connections, Secret
from workers.inbox.refusals import Refusals
from workers.inbox.store import Inbox, Kept

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def database(new_database: Callable[[], str]) -> str:
    """This will give the URL of a migrated database."""
    return new_database()


@dataclass
class Process:
    """One gateway's adapters."""

    pool: Pool
    keys: PostgresKeys
    connections: Connections
    inbox: Inbox
    door: Door

    async def add(self, agency: str, provider: str) -> Connection:
        """Add a connection with its secret."""
        secret = Secret("signing", secret_of(provider))
        return await self.connections.add(agency, provider=provider, name="theirs", secrets_=[secret])

    async def kept(self, agency: str) -> list[Kept]:
        """List an agency's messages."""
        return list(await self.inbox.list(agency, limit=1000))


def process(database: str) -> Process:
    """Start from nothing but the database."""
    keys = PostgresKeys(database, Keyring([development_kek("door")]))
    pool = Pool(database, role="rapport_app")
    connections, inbox = Connections(pool, keys), Inbox(pool, keys)
    return Process(pool, keys, connections, inbox, Door(connections, inbox, Refusals(pool), lambda: NOW))


@pytest.fixture
async def first(database: str) -> AsyncIterator[Process]:
    """This will be a gateway."""
    made = process(database)
    yield made
    await made.pool.close()
    await made.keys.close()


@pytest.fixture
async def second(database: str) -> AsyncIterator[Process]:
    """This will be another gateway on the same database, as after a restart."""
    made = process(database)
    yield made
    await made.pool.close()
    await made.keys.close()


def a_new_agency() -> str:
    """Name one."""
    return f"agency-{uuid4().hex[:12]}"


class TestTake:
    async def test_keeps_each_message_once_across_processes(self, first: Process, second: Process) -> None:
        """Each is delivered three times, in any order, to either."""
        agency = a_new_agency()
        connection = await first.add(agency, "greenhouse")
        bodies = [json.dumps({"action": "hire_candidate", "payload": {"n": n}}).encode() for n in range(40)]
        several = bodies * 3
        random.Random(17).shuffle(several)

        at_once = asyncio.Semaphore(8)

        async def deliver(at: int, body: bytes) -> str:
            door = (first, second)[at % 2].door
            async with at_once:
                answer = await door.take(connection.id, signed("greenhouse", body))
            assert answer.status == 200
            return answer.outcome

        outcomes = await asyncio.gather(*(deliver(at, body) for at, body in enumerate(several)))
        assert (outcomes.count("kept"), outcomes.count("known")) == (40, 80)
        kept = await second.kept(agency)
        assert len(kept) == 40
        assert {each.deliveries for each in kept} == {3}

    @pytest.mark.parametrize("provider", sorted(SAMPLES.keys() - {"mail"}))
    async def test_gives_the_message_back_as_it_was_signed(self, first: Process, provider: str) -> None:
        agency = a_new_agency()
        connection = await first.add(agency, provider)
        await first.door.take(connection.id, signed(provider, SAMPLES[provider]))
        [row] = await first.kept(agency)
        _, message = await first.inbox.show(agency, row.message_id)
        assert message is not None
        sent = json.loads(signed(provider, SAMPLES[provider]).body)
        assert message.body == sent

    async def test_shows_an_agency_nothing_of_another(self, first: Process) -> None:
        """Two agencies may be told the same by the same system."""
        ours, theirs = a_new_agency(), a_new_agency()
        for agency in (ours, theirs):
            connection = await first.add(agency, "greenhouse")
            answer = await first.door.take(connection.id, signed("greenhouse", SAMPLES["greenhouse"]))
            assert answer.outcome == "kept"
        ids: set[UUID] = {each.message_id for agency in (ours, theirs) for each in await first.kept(agency)}
        assert len(ids) == 2
        assert len(await first.kept(ours)) == 1

    async def test_keeps_a_body_that_is_too_deep_to_read(self, first: Process) -> None:
        agency = a_new_agency()
        connection = await first.add(agency, "greenhouse")
        answer = await first.door.take(connection.id, signed("greenhouse", b"[" * 100_000))
        assert (answer.status, answer.outcome) == (200, "kept")
        [row] = await first.kept(agency)
        _, message = await first.inbox.show(agency, row.message_id)
        assert message is not None
        assert message.body is None

    async def test_takes_nothing_more_once_the_connections_key_is_destroyed(self, first: Process) -> None:
        """What it brings is to be erased; its secret, under the same key, is gone too."""
        agency = a_new_agency()
        connection = await first.add(agency, "greenhouse")
        await first.keys.destroy(agency, f"connection:{connection.id}")
        answer = await first.door.take(connection.id, signed("greenhouse", SAMPLES["greenhouse"]))
        assert answer.status in (401, 404)
        assert await first.kept(agency) == []
