"""A worker process empties the inbox on real servers, beside all else that it does."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.agency_load import load_agency
from events.agency import Entry
from events.envelope import Actor
from events.integrations.message import Received
from workers.client import Engagements
from workers.inbox.connections import Connection, ConnectionSettings
from workers.serving import Serving, serving
from workers.settings import KeyEncryptionKey, Settings
from workers.shipped import deploy_policy

pytestmark = [pytest.mark.temporal, pytest.mark.postgres]
PATIENCE = 60.0


@dataclass
class Agency:
    """An agency on real servers, with one engagement and a connection that speaks our own words."""

    name: str
    running: Serving
    connection: Connection

    async def says(self, dedupe: str, name: str, **data: Any) -> None:
        """Let the other system report something of the engagement."""
        event = f"rapport.command.{name}"
        body = json.dumps({"type": event, "subject": "e-1", "data": data}).encode()
        received = Received(dedupe=dedupe, event=event, occurred_at=datetime.now(UTC), body=body)
        await self.running.having.inbox.receive(self.connection, received)

    async def ends(self) -> list[tuple[str, str | None]]:
        """Wait until nothing is left to do, and say how each message has ended."""

        async def settled() -> bool:
            return not await self.running.having.inbox.list(self.name, states=["received"])

        await until(settled)
        kept = await self.running.having.inbox.list(self.name)
        return [(each.state, each.says) for each in reversed(kept)]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110 (servers, asked again and again)
            await asyncio.sleep(0.05)


@pytest.fixture
async def agency(database: str, temporal_for_workers: str, post: Any) -> AsyncIterator[Agency]:
    """This will be such an agency, with a worker process's work done in this one."""
    settings = Settings(key_encryption_keys=(KeyEncryptionKey(id="test", secret=b"k" * 32),))
    async with serving(settings, database, settings.temporal_connect(temporal_for_workers)) as running:
        having, actor = running.having, Actor(kind="operator", id="test")
        people = (
            Entry(person_id="d-1", role="director", name="Director", email="d@example.test"),
            Entry(person_id="t-1", role="team-lead", director="d-1", name="Lead", email="t@example.test"),
            Entry(person_id="r-1", role="recruiter", team_lead="t-1", name="One", email="r@example.test"),
        )
        policy = deploy_policy("starter")
        await load_agency(having.service, post.agency, people=people, policy=policy, actor=actor)
        given = {"candidate_id": "c-1", "owner": "r-1", "candidate_name": "Candidate One"}
        await Engagements(running.client, post.agency).command("e-1", "open-engagement", given)
        connection = await having.connections.add(
            post.agency,
            provider="standard-webhooks",
            name="Theirs",
            settings=ConnectionSettings(settle_seconds=0),
        )
        yield Agency(post.agency, running, connection)


class TestServing:
    async def test_applies_what_another_system_reports(self, agency: Agency) -> None:
        await agency.says("m-1", "record-message", message_id="w-1", words="I am ill.")
        await agency.says("m-2", "record-contact", by="nobody", channel="phone")
        await agency.says("m-3", "submit", job_order_id="j-1")
        (applied, _), (misnamed, says), (asking, why) = await agency.ends()
        assert (applied, misnamed, asking) == ("applied", "waiting", "waiting")
        assert "names nobody who works here" in (says or "")
        assert "record-submission" in (why or "")
        state = await Engagements(agency.running.client, agency.name).state("e-1")
        assert state.messages == ("w-1",)
        events = await agency.running.having.log.read_stream(agency.name, "engagement:e-1")
        [wrote] = [each for each in events if each.type == "candidate-wrote"]
        assert wrote.actor == Actor(kind="integration", id=agency.connection.id)
        assert "I am ill." not in wrote.body

    async def test_ignores_what_is_said_of_the_erased(self, agency: Agency) -> None:
        await agency.running.having.keys.destroy(agency.name, "engagement:e-1")
        await agency.says("m-1", "record-message", message_id="w-1", words="I am ill.")
        assert await agency.ends() == [("ignored", "the person whom it is about is erased")]
