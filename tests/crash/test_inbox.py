"""Integrations' messages outlive every crash: each applied once, in the source's order, none lost."""

import asyncio
import json
import random
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from events.integrations.message import Received
from events.log.connect import LOST
from workers.inbox.connections import Connection, ConnectionSettings
from workers.inbox.store import Kept

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.crash.conftest import Ground

    Poll = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]

pytestmark = [pytest.mark.postgres, pytest.mark.temporal, pytest.mark.slow]

AGENCY = "acme"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ENGAGEMENTS = 8
MESSAGES = 120


@dataclass
class Sender:
    """Another system of the agency's, in our own words; what it sends is kept as a door keeps it."""

    ground: "Ground"
    connection: Connection

    async def wrote(self, number: int, engagement_id: str) -> bool:
        """Tell that a candidate wrote, so many minutes after noon; False: it was told before."""
        data = {"message_id": f"w-{number}", "words": "Hello?"}
        body = {"type": "rapport.command.record-message", "subject": engagement_id, "data": data}
        received = Received(
            dedupe=f"d-{number}",
            event="rapport.command.record-message",
            occurred_at=NOON + timedelta(minutes=number),
            body=json.dumps(body).encode(),
        )
        return await self.ground.having.inbox.receive(self.connection, received)

    async def kept(self) -> list[Kept]:
        """List what was kept, by the source's time."""
        found = await self.ground.having.inbox.list(AGENCY, limit=5000)
        return sorted(found, key=lambda each: each.occurred_at)

    async def all_settled(self) -> bool:
        """Tell whether nothing is left to do."""
        return not await self.ground.having.inbox.list(AGENCY, states=["received"])

    async def words(self, engagement_id: str) -> list[int]:
        """List the messages in an engagement's record, in its order."""
        events = await self.ground.events(engagement_id)
        return [
            int(json.loads(each.body)["message_id"].removeprefix("w-"))
            for each in events
            if each.type == "candidate-wrote"
        ]


@pytest.fixture
async def sender(ground: "Ground") -> Sender:
    """This will be another system that the agency hears from."""
    settings = ConnectionSettings(settle_seconds=0.2)
    connection = await ground.having.connections.add(
        AGENCY, provider="standard-webhooks", name="Theirs", settings=settings
    )
    return Sender(ground, connection)


class TestAWorkerThatDies:
    @pytest.mark.parametrize("where", ["after-append", "before-settle"])
    async def test_leaves_a_message_that_another_finishes_once(
        self, ground: "Ground", sender: Sender, poll: "Poll", where: str
    ) -> None:
        opener = await ground.worker()
        await ground.opened()
        await opener.stop()
        await sender.wrote(1, "e-1")
        [kept] = await sender.kept()
        first = await ground.worker(dies=where, at=f"hook:{kept.message_id}:0")
        await first.died()
        assert [each.state for each in await sender.kept()] == ["received"]
        await ground.worker()
        await poll(sender.all_settled)
        assert [each.state for each in await sender.kept()] == ["applied"]
        assert await sender.words("e-1") == [1]
        await ground.sound()


class TestADayOfTrouble:
    async def test_loses_nothing_and_applies_nothing_twice(
        self, ground: "Ground", sender: Sender, poll: "Poll"
    ) -> None:
        """Each message three times, shuffled; a worker killed, then Temporal, then PostgreSQL; two pumps."""
        chance = random.Random(5)
        names = [f"e-{number}" for number in range(ENGAGEMENTS)]
        opener = await ground.worker()
        for name in names:
            await ground.opened(name)
        await opener.stop()
        deliveries = [number for number in range(MESSAGES) for _ in range(3)]
        chance.shuffle(deliveries)
        to = {number: chance.choice(names) for number in range(MESSAGES)}
        send = partial(deliver, sender, to)
        await send(deliveries[:120])
        target = chance.choice(await sender.kept())
        first = await ground.worker(dies="before-settle", at=_first_command(target.message_id))
        await first.died()
        await ground.stack.kill("temporal")
        await send(deliveries[120:240])
        await ground.stack.restart("temporal")
        await ground.reconnect()
        await ground.worker()
        await ground.worker()
        await send(deliveries[240:300])
        await ground.stack.kill("postgres")
        await ground.stack.restart("postgres")
        await send(deliveries[300:])
        await poll(sender.all_settled)
        kept = await sender.kept()
        assert len(kept) == MESSAGES
        assert {each.state for each in kept} == {"applied"}
        # An answer that was lost with the database makes its sender send once more.
        assert all(each.deliveries >= 3 for each in kept)
        for name in names:
            assert sorted(await sender.words(name)) == [each for each in range(MESSAGES) if to[each] == name]
            await ground.sound(name)


async def deliver(sender: Sender, to: dict[int, str], numbers: list[int]) -> None:
    """Deliver messages, eight at a time."""
    gate = asyncio.Semaphore(8)

    async def one(number: int) -> None:
        async with gate:
            answered = False
            while not answered:
                with suppress(*LOST):
                    await sender.wrote(number, to[number])
                    answered = True

    await asyncio.gather(*(one(number) for number in numbers))


def _first_command(message_id: UUID) -> str:
    return f"hook:{message_id}:0"
