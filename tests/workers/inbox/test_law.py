"""Law 5: a message is applied, or refused with its reason, or waiting; never lost, never twice."""

import asyncio
import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.workers.inbox.desk import Office

pytestmark = pytest.mark.postgres

START = datetime(2030, 1, 7, 10, tzinfo=UTC)
# What each kind of message may end as, once everything has come.
ENDS = {
    "wrote": {"applied"},
    "scheduled": {"applied", "superseded"},
    "moved": {"applied", "superseded"},
    "seen": {"ignored"},
    "stranger": {"unmatched"},
    "unheard-of": {"waiting"},
}


def story(chance: random.Random) -> list[dict[str, Any]]:
    """This will make messages about two engagements, each with an interview that is moved about."""
    told: list[dict[str, Any]] = []
    for number in ("1", "2"):
        about = {"application": f"app-{number}", "interview": f"i-{number}"}
        told.append({"kind": "scheduled", "minute": 0, **about})
        told += [{"kind": "moved", "minute": each, **about} for each in range(1, chance.randint(2, 5))]
        told += [
            {"kind": "wrote", "minute": each, "candidate": f"cand-{number}", "id": f"w-{number}-{each}"}
            for each in range(chance.randint(1, 6))
        ]
    told.append({"kind": "seen", "minute": 1})
    told.append({"kind": "stranger", "minute": 2, "candidate": "cand-9", "id": "w-9"})
    told.append({"kind": "unheard-of", "minute": 3})
    return told


async def deliver(office: "Office", number: int, told: dict[str, Any]) -> None:
    """This will deliver a message; an interview's time is that many days later."""
    event = "wrote" if told["kind"] == "stranger" else told["kind"]
    starts = (START + timedelta(days=told["minute"])).isoformat()
    body = {key: value for key, value in told.items() if key not in ("kind", "minute")}
    await office.comes(f"m-{number}", event, told["minute"], starts=starts, **body)


class TestLawFive:
    @pytest.mark.parametrize("seed", range(8))
    async def test_holds_whatever_the_order_and_however_often_it_comes(
        self, office: "Office", seed: int
    ) -> None:
        chance = random.Random(seed)
        messages = list(enumerate(story(chance)))
        deliveries = [each for each in messages for _ in range(chance.randint(1, 3))]
        chance.shuffle(deliveries)
        half = chance.randrange(len(deliveries))
        # Some answers are lost on the way back, and a process stops in the middle.
        for number, _ in messages[:: chance.randint(2, 4)]:
            office.desk.dies_after.add(f"hook:{await self.message_id(office, f'm-{number}')}:0")
        async with office.pump():
            for each in deliveries[:half]:
                await deliver(office, *each)
        async with office.pump(), office.pump():
            await asyncio.gather(*(deliver(office, *each) for each in deliveries[half:]))
            await office.settled()
        kept = await office.messages()
        assert len(kept) == len(messages)
        assert sum(each.deliveries for each in kept) == len(deliveries)
        by_id = {each.message_id: each for each in kept}
        for number, told in messages:
            end = by_id[await self.message_id(office, f"m-{number}")]
            assert end.state in ENDS[told["kind"]], told
            assert end.says or end.state == "applied"
        for about in ("1", "2"):
            await self.is_right(office, about, [told for _, told in messages])

    @staticmethod
    async def is_right(office: "Office", number: str, messages: list[dict[str, Any]]) -> None:
        """This will assert that an engagement holds each fact once, and the newest time of its interview."""
        wrote = [json.loads(each.body) for each in await office.desk.events(f"e-{number}", "candidate-wrote")]
        wanted = [each["id"] for each in messages if each.get("candidate") == f"cand-{number}"]
        assert Counter(each["message_id"] for each in wrote) == Counter(wanted)
        times = [
            *await office.desk.events(f"e-{number}", "interview-scheduled"),
            *await office.desk.events(f"e-{number}", "interview-moved"),
        ]
        last = json.loads(max(times, key=lambda each: each.version).body)["starts_at"]
        newest = max(each["minute"] for each in messages if each.get("interview") == f"i-{number}")
        assert datetime.fromisoformat(last) == START + timedelta(days=newest)

    @staticmethod
    async def message_id(office: "Office", dedupe: str) -> Any:
        """This will give the id under which a message is kept."""
        return await office.post.inbox.message_id(office.connection, dedupe)
