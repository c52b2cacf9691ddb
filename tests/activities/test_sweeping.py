"""The sweep: engagements whose log is ahead are told, once for each version."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from activities.sweeping import Standing, Sweeping
from activities.types import SweepReply
from events.commands import OpenEngagement, Order
from events.decider import prepare
from events.envelope import ENGINE, AppendRequest
from events.log.memory import MemoryLog
from events.log.port import StreamHead
from events.state import Engagement

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
OPEN = Standing("run-1", "open", brought=False)
NAMES = ("e-1", "e-2", "e-3")


@dataclass
class Workflows:
    """Stands where the engagements' workflows are, and keeps who is poked."""

    stands: dict[str, Standing] = field(default_factory=dict)
    deaf: set[str] = field(default_factory=set)
    poked: list[str] = field(default_factory=list)

    async def standing(self, agency: str, engagement_id: str, event_id: UUID) -> Standing | None:
        """Tell what a test says."""
        return self.stands.get(engagement_id)

    async def poke(self, agency: str, engagement_id: str) -> str:
        """Take the poke into the run that is open, or into a new one."""
        if engagement_id in self.deaf:
            raise ConnectionError("Temporal is away")
        self.poked.append(engagement_id)
        self.stands.setdefault(engagement_id, OPEN)
        return self.stands[engagement_id].run_id


def came_to(**counts: int) -> SweepReply:
    """Count what a sweep is expected to come to."""
    return SweepReply(**{"acknowledged": 0, "poked": 0, "waiting": 0, "failed": 0, **counts})


async def grown(log: MemoryLog, name: str, command_id: str = "open") -> None:
    """Let an engagement's stream grow, with nobody there who folds it."""
    stream = f"engagement:{name}"
    order = Order(command_id=command_id, command=OpenEngagement(candidate_id=f"c-{name}"), actor=ENGINE)
    prepared = prepare(order, Engagement(), None, NOON, agency="acme", engagement_id=name)
    head = await log.head("acme", stream)
    expected = head.version if head is not None else 0
    group = prepared.group
    if expected:
        drafts = tuple(
            each.model_copy(update={"event_id": UUID(int=expected + number)})
            for number, each in enumerate(group.drafts)
        )
        group = group.model_copy(update={"drafts": drafts})
    await log.append_many([AppendRequest(agency="acme", stream=stream, expected=expected, groups=(group,))])


async def head_of(log: MemoryLog, name: str) -> StreamHead:
    """Give where an engagement's stream stands."""
    head = await log.head("acme", f"engagement:{name}")
    assert head is not None
    return head


@pytest.fixture
async def log() -> MemoryLog:
    """This will be a log with three engagements that nobody has acknowledged."""
    made = MemoryLog()
    for name in NAMES:
        await grown(made, name)
    return made


class TestSweep:
    async def test_pokes_each_engagement_once_for_each_version(self, log: MemoryLog) -> None:
        """What cannot catch up must not be poked for ever, by whichever worker."""
        workflows = Workflows()
        assert await Sweeping(log, workflows, quiet=timedelta(), page=2).sweep() == came_to(poked=3)
        assert await Sweeping(log, workflows, quiet=timedelta()).sweep() == came_to(waiting=3)
        assert sorted(workflows.poked) == [*NAMES]
        head = await head_of(log, "e-1")
        assert (head.poked_version, head.poked_run, head.poked_at is not None) == (
            head.version,
            "run-1",
            True,
        )

    async def test_pokes_anew_who_has_moved_on(self, log: MemoryLog) -> None:
        workflows = Workflows()
        sweeping = Sweeping(log, workflows, quiet=timedelta())
        await sweeping.sweep()
        await grown(log, "e-2", "again")
        assert await sweeping.sweep() == came_to(poked=1, waiting=2)
        assert workflows.poked.count("e-2") == 2

    async def test_acknowledges_without_a_poke_what_temporal_holds(self, log: MemoryLog) -> None:
        """Each poke is a workflow task, and after every last append there would be one."""
        workflows = Workflows(
            {
                "e-1": Standing("run-1", "open", brought=True),
                "e-2": Standing("run-1", "completed", brought=True),
            }
        )
        assert await Sweeping(log, workflows, quiet=timedelta()).sweep() == came_to(acknowledged=2, poked=1)
        assert workflows.poked == ["e-3"]
        assert [head.stream for head in await log.ahead("acme")] == ["engagement:e-3"]

    async def test_pokes_whose_run_was_broken_off(self, log: MemoryLog) -> None:
        """Nothing is left that would replay what its history holds."""
        workflows = Workflows({"e-1": Standing("run-1", "broken-off", brought=True)})
        await Sweeping(log, workflows, quiet=timedelta()).sweep()
        assert "e-1" in workflows.poked

    @pytest.mark.parametrize(
        "stands",
        [None, Standing("run-2", "open", brought=False), Standing("run-1", "broken-off", brought=False)],
        ids=["no-run", "another-run", "broken-off"],
    )
    async def test_pokes_again_if_the_poke_was_lost_with_its_run(
        self, log: MemoryLog, stands: Standing | None
    ) -> None:
        workflows = Workflows()
        sweeping = Sweeping(log, workflows, quiet=timedelta())
        await sweeping.sweep()
        workflows.stands = {name: OPEN for name in NAMES[1:]}
        if stands is not None:
            workflows.stands["e-1"] = stands
        assert await sweeping.sweep() == came_to(poked=1, waiting=2)
        assert workflows.poked.count("e-1") == 2

    async def test_leaves_to_another_sweep_what_it_has_in_hand(self, log: MemoryLog) -> None:
        assert await log.claim_poke(await head_of(log, "e-1"), lease=timedelta(minutes=1))
        assert await Sweeping(log, Workflows(), quiet=timedelta()).sweep() == came_to(poked=2, waiting=1)

    async def test_goes_on_where_one_is_not_reached_and_says_so(
        self, log: MemoryLog, caplog: pytest.LogCaptureFixture
    ) -> None:
        """One engagement's failure never stops another's, and no failure is silent."""
        workflows = Workflows(deaf={"e-1"})
        sweeping = Sweeping(log, workflows, quiet=timedelta())
        assert await sweeping.sweep() == came_to(poked=2, failed=1)
        assert "engagement:e-1 of acme was not reached: ConnectionError" in caplog.text
        assert (await head_of(log, "e-1")).poked_run is None

    async def test_comes_again_to_whom_it_did_not_reach(self) -> None:
        now = [NOON]
        log = MemoryLog(clock=lambda: now[0])
        await grown(log, "e-1")
        workflows = Workflows(deaf={"e-1"})
        sweeping = Sweeping(log, workflows, quiet=timedelta())
        await sweeping.sweep()
        workflows.deaf.clear()
        now[0] += timedelta(minutes=1)
        assert await sweeping.sweep() == came_to(poked=1)

    async def test_leaves_out_who_has_just_grown(self, log: MemoryLog) -> None:
        """A workflow task may be under way that brings it all by itself."""
        assert await Sweeping(log, Workflows()).sweep() == came_to()
