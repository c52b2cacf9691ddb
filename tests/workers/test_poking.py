"""Poking: engagements whose log is ahead are told, once for each version."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

from events.commands import OpenEngagement, Order
from events.decider import prepare
from events.envelope import ENGINE, AppendRequest
from events.log.memory import MemoryLog
from events.state import Engagement
from workers.client import Engagements, NotAnswered
from workers.poking import poke_stale
from workflows.types import CommandReply

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@dataclass
class Listener:
    """Stands where an agency's engagements are, and counts who is poked."""

    deaf: bool = False
    poked: list[str] = field(default_factory=list)

    async def poke(self, engagement_id: str) -> CommandReply:
        """Note the poke, or do not answer."""
        self.poked.append(engagement_id)
        if self.deaf:
            raise NotAnswered("poke-1", timedelta(seconds=1))
        return CommandReply(command_id="poke-1", outcome="caught-up", version=1)


async def _stale_log() -> MemoryLog:
    log = MemoryLog()
    for name in ("e-1", "e-2"):
        order = Order(command_id="open", command=OpenEngagement(candidate_id=f"c-{name}"), actor=ENGINE)
        prepared = prepare(order, Engagement(), None, NOON, agency="acme", engagement_id=name)
        request = AppendRequest(
            agency="acme", stream=f"engagement:{name}", expected=0, groups=(prepared.group,)
        )
        await log.append_many([request])
    return log


class TestPokeStale:
    async def test_pokes_each_engagement_once_for_each_version(self) -> None:
        log, listener = await _stale_log(), Listener()
        assert await poke_stale(log, lambda agency: cast("Engagements", listener)) == 2
        assert await poke_stale(log, lambda agency: cast("Engagements", listener)) == 0
        assert sorted(listener.poked) == ["e-1", "e-2"]

    async def test_tries_again_who_did_not_answer(self) -> None:
        log, listener = await _stale_log(), Listener(deaf=True)
        assert await poke_stale(log, lambda agency: cast("Engagements", listener)) == 0
        listener.deaf = False
        assert await poke_stale(log, lambda agency: cast("Engagements", listener)) == 2
