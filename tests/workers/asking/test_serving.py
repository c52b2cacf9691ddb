"""A worker process on real servers: its schedule polls, and what a poll brings is applied."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from events.integrations.mapping import parse
from tests.workers.asking.stand_in import KEY, StandIn
from tests.workers.inbox.test_serving import Agency, agency
from workers.inbox.connections import ConnectionSettings, Secret
from workers.inbox.links import Link, Target
from workers.polls_schedule import ensure_polls
from workers.shipped import MAPPINGS
from workers.sweep_schedule import sweep_is_scheduled
from workflows.types import POLLS_ID

__all__ = ["agency"]
pytestmark = [pytest.mark.temporal, pytest.mark.postgres]
PATIENCE = 60.0
BETWEEN = 5.0


async def until(condition: Callable[[], Awaitable[Any]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110 (servers, asked again and again)
            await asyncio.sleep(0.05)


class TestServing:
    async def test_polls_by_the_schedule_that_it_makes(self, agency: Agency, stand_in: StandIn) -> None:
        having, client = agency.running.having, agency.running.client

        async def is_there() -> bool:
            return await sweep_is_scheduled(client, POLLS_ID)

        await until(is_there)
        # Until now nobody is allowed to ask this machine: a setting of the process.
        having.apis._allow_private = True
        mapping = parse((MAPPINGS / "workable.toml").read_text(encoding="utf-8"), where="workable")
        made = await having.connections.add(
            agency.name,
            provider="workable",
            name="Theirs",
            mapping=mapping.body(),
            api_base=stand_in.base("workable"),
            settings=ConnectionSettings(settle_seconds=0),
            secrets_=[Secret("api", KEY)],
        )
        await having.links.learn(
            agency.name,
            made.id,
            [Link("application", "c1", Target("e-1", "s-1", "j-1"))],
            by="r-1",
            how="confirmed",
        )
        stand_in.candidates = {
            "c1": {"id": "c1", "stage": "Sourced", "disqualified": True, "updated_at": "2026-01-05T12:00:00Z"}
        }

        asked_at = float("-inf")

        async def polled() -> bool:
            nonlocal asked_at
            # Any worker's start looks at once, and the real schedule is too slow for a test.  But each asking
            # is work for the schedule: asked at every look, it never comes to its tick on a busy machine.
            if time.monotonic() - asked_at > BETWEEN:
                asked_at = time.monotonic()
                await ensure_polls(client)
            found = await having.connections.get(agency.name, made.id)
            return found.last_polled_at is not None

        await until(polled)
        [(state, says)] = await agency.ends()
        # Nobody has submitted them here yet: it waits for that, and is not lost.
        assert state == "waiting", says
        [kept] = await having.inbox.list(agency.name)
        _, message = await having.inbox.show(agency.name, kept.message_id)
        assert message is not None
        assert (kept.event, json.loads(json.dumps(message.body))["data"]["id"]) == ("candidate_moved", "c1")
