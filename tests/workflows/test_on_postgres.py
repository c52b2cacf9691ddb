"""A life on both real servers: Temporal and PostgreSQL, wired as a worker process wires them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from pydantic import SecretStr
from temporalio.client import Client

from activities.agency_load import load_agency
from activities.sweeping import Sweeping
from activities.types import SweepReply
from events.envelope import Actor
from events.fold import fold
from workers.client import CommandFailed, Engagements
from workers.poking import Poking
from workers.settings import KeyEncryptionKey, Settings
from workers.shipped import deploy_policy
from workers.wiring import Adapters, adapters, connect, workers
from workers.worker import run_until
from workflows.types import workflow_id

pytestmark = [pytest.mark.temporal, pytest.mark.postgres]

TALK = {"by": "r-1", "channel": "phone", "note": "keeps bees in Lisbon"}


@dataclass
class Place:
    """An agency, wired to real servers, and its engagements."""

    agency: str
    having: Adapters
    engagements: Engagements
    client: Client


@pytest.fixture
async def place(new_database: Callable[[], str], temporal_server: str) -> AsyncIterator[Place]:
    """This will yield an agency with a database of its own and a worker process's workers."""
    url = new_database()
    key = KeyEncryptionKey(id="test", secret=b"k" * 32)
    settings = Settings(database_url=SecretStr(url), key_encryption_keys=(key,))
    agency, stopping = f"a-{uuid4().hex[:12]}", asyncio.Event()
    async with adapters(settings, url) as having:
        client = await connect(settings.temporal_connect(temporal_server), having.keys)
        running = asyncio.create_task(run_until(stopping, workers(client, having)))
        operator = Actor(kind="operator", id="test")
        await load_agency(having.service, agency, policy=deploy_policy("starter"), actor=operator)
        engagements = Engagements(client, agency)
        yield Place(agency, having, engagements, client)
        await client.get_workflow_handle(workflow_id(agency, "e-1")).terminate("the test is over")
        stopping.set()
        await running


class TestALife:
    async def test_is_the_same_in_log_and_workflow(self, place: Place) -> None:
        """Laws 1 and 2, on the adapters that agencies run."""
        by = place.engagements
        opening = {"candidate_id": "c-1", "candidate_name": "Ann Example", "owner": "r-1"}
        await by.command("e-1", "open-engagement", opening, command_id="open-1")
        refused = await by.command("e-1", "propose-job", {"job_order_id": "j-1", "by": "r-1"})
        talks = await asyncio.gather(*(by.command("e-1", "record-contact", TALK) for _ in range(8)))
        await by.command("e-1", "complete-intake")
        events = await place.having.log.read_stream(place.agency, "engagement:e-1")
        assert refused.outcome == "refused"
        assert {talk.outcome for talk in talks} == {"accepted"}
        assert [event.version for event in events] == list(range(1, len(events) + 1))
        assert await by.state("e-1") == fold(events)
        assert "bees" not in "".join(event.body for event in events)

    async def test_refuses_a_second_engagement_of_one_person(self, place: Place) -> None:
        by = place.engagements
        await by.command("e-1", "open-engagement", {"candidate_id": "c-1", "owner": "r-1"})
        with pytest.raises(CommandFailed):
            await by.command("e-2", "open-engagement", {"candidate_id": "c-1", "owner": "r-1"})

    async def test_is_acknowledged_by_the_sweep(self, place: Place) -> None:
        by = place.engagements
        await by.command("e-1", "open-engagement", {"candidate_id": "c-1", "owner": "r-1"})
        assert await Sweeping(place.having.log, Poking(place.client), quiet=timedelta()).sweep() == (
            SweepReply(acknowledged=1, poked=0, waiting=0, failed=0)
        )
        head = await place.having.log.head(place.agency, "engagement:e-1")
        assert head is not None
        assert head.acked_version == head.version
