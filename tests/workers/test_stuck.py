"""What counts as stuck, and what is only under way."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.commands import CommandService
from activities.types import StreamCommand
from events.commands import OpenEngagement, Order
from events.decider import prepare
from events.envelope import ENGINE, Actor, AppendRequest
from events.log.effects import MemoryEffects
from events.log.memory import MemoryLog
from events.state import Engagement
from workers.behind import streams_ahead
from workers.finding import Finding
from workers.stuck import find_stuck, held, parked, unattended
from workers.unattended import open_workflows
from workflows.types import WORKFLOW, workflow_id

LONG_AGO = datetime(2026, 1, 5, 12, tzinfo=UTC)
PATIENCE = timedelta(seconds=150)
SETTLES = timedelta(minutes=5)


@workflow.defn(name=WORKFLOW)
class Hopeless:
    """Asks for what never succeeds."""

    @workflow.run
    async def run(self, kind: str = "LogAway") -> None:
        await workflow.execute_activity(
            "fails",
            kind,
            start_to_close_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=20), backoff_coefficient=1.0),
        )


@activity.defn(name="fails")
async def fails(kind: str) -> None:
    """Fail, with words that belong to nobody else."""
    raise ApplicationError("Zebulon Quuxworth has moved", type=kind)


async def log_of(*names: str, clock: datetime) -> MemoryLog:
    """Make a log with an engagement of each name, opened at a time."""
    log = MemoryLog(clock=lambda: clock)
    for name in names:
        order = Order(command_id="open", command=OpenEngagement(candidate_id=f"c-{name}"), actor=ENGINE)
        prepared = prepare(order, Engagement(), None, clock, agency="acme", engagement_id=name)
        await log.append_many(
            [AppendRequest(agency="acme", stream=f"engagement:{name}", expected=0, groups=(prepared.group,))]
        )
    return log


async def under_way(client: Client, agency: str, **options: Any) -> list[Finding]:
    """Find what is stuck, but for the sweep: under this id nobody has scheduled one."""
    found = await find_stuck(
        MemoryLog(), MemoryEffects(), client, agency, schedule_id="nobody-sweeps", **options
    )
    assert [each.kind for each in found][:1] == ["sweep"]
    return found[1:]


class TestStreamsAhead:
    async def test_tells_the_late_from_those_that_wait_for_the_sweep(self) -> None:
        for clock, late in ((LONG_AGO, True), (datetime.now(UTC), False)):
            log = await log_of("e-1", clock=clock)
            [found] = await streams_ahead(log, "acme", PATIENCE)
            assert (found.name, found.stuck, found.poked) == ("engagement:e-1", late, False)
            assert (found.folded, found.since) == (0, clock)

    async def test_says_that_a_poke_did_not_help(self) -> None:
        """The sweep pokes once a version: what does not catch up then is seen here and nowhere else."""
        log = await log_of("e-1", clock=LONG_AGO)
        await log.mark_poked("acme", "engagement:e-1", 10, "run-1")

        [found] = await streams_ahead(log, "acme", PATIENCE)

        assert (found.poked, found.stuck, found.run_id) == (True, True, "run-1")
        assert (found.poked_version, found.poked_at) == (found.version, LONG_AGO)
        assert "was poked for them at 2026-01-05 12:00:00 UTC" in found.says

    async def test_leaves_out_who_has_caught_up(self) -> None:
        log = await log_of("e-1", "e-2", clock=LONG_AGO)
        await log.acknowledge("acme", "engagement:e-1", 10)

        assert [each.name for each in await streams_ahead(log, "acme", PATIENCE)] == ["engagement:e-2"]


class TestParked:
    async def test_finds_messages_whose_last_attempt_has_no_outcome(self) -> None:
        now = [LONG_AGO]
        ledger = MemoryEffects(clock=lambda: now[0])

        async def claim(effect: str) -> None:
            stream = f"engagement:{effect}"
            await ledger.claim("acme", effect, stream, "email", "<1>", stale_after=SETTLES)

        for effect in ("lost", "sent-at-last", "fresh", "sent"):
            if effect == "fresh":
                now[0] = datetime.now(UTC)
            await claim(effect)
        await ledger.finish("acme", "sent", 1, "sent")
        await ledger.finish("acme", "sent-at-last", 1, "unknown", "connection-lost")
        await claim("sent-at-last")
        await ledger.finish("acme", "sent-at-last", 2, "sent")

        found = {each.name: each for each in await parked(ledger, "acme", SETTLES)}

        assert set(found) == {"engagement:lost", "engagement:fresh"}
        assert (found["engagement:lost"].stuck, found["engagement:fresh"].stuck) == (True, False)

    async def test_names_what_is_known_of_a_doubtful_attempt(self) -> None:
        ledger = MemoryEffects()
        await ledger.claim("acme", "m-1", "engagement:e-1", "email", "<1>", stale_after=SETTLES)
        await ledger.finish("acme", "m-1", 1, "unknown", "connection-lost")

        [found] = await parked(ledger, "acme", SETTLES)

        assert (found.stuck, found.attempt, found.reason) == (True, 1, "connection-lost")


class TestHeld:
    async def test_says_since_when_and_why(self) -> None:
        """A hold that somebody forgot keeps candidates' promises from being heard."""
        log = MemoryLog()
        assert await held(log, "acme") == []
        order = StreamCommand(
            agency="acme",
            stream="agency:acme",
            command_id="hold",
            name="hold-outreach",
            data={"reason": "wrong-template", "by": "t-1", "words": "Zebulon Quuxworth got another's letter"},
            actor=Actor(kind="person", id="t-1"),
        )
        await CommandService(log, now=lambda: LONG_AGO).give(order)

        [found] = await held(log, "acme")

        assert (found.kind, found.stuck, found.since, found.reason) == (
            "hold",
            True,
            LONG_AGO,
            "wrong-template",
        )
        assert "all outreach is held by t-1" in found.says
        assert "Zebulon" not in str(found)


class TestOpenWorkflows:
    def test_asks_for_one_agency_by_the_beginning_of_its_ids(self) -> None:
        assert "STARTS_WITH 'engagement:acme:'" in open_workflows("acme")
        assert "STARTS_WITH" not in open_workflows(None)


@pytest.mark.temporal
class TestUnattended:
    async def test_names_who_is_open_and_has_no_workflow(self, temporal_server: str) -> None:
        """Terminated by hand, or lost with Temporal: nothing else says that its timers are silent."""
        client = await Client.connect(temporal_server)
        alive, gone, never = (f"e-{each}-{uuid4().hex[:8]}" for each in ("alive", "gone", "never"))
        log = await log_of(alive, gone, never, clock=LONG_AGO)
        for head in await log.streams("acme"):
            await log.acknowledge("acme", head.stream, head.version)
        handles = [
            await client.start_workflow(WORKFLOW, id=workflow_id("acme", each), task_queue=alive)
            for each in (alive, gone)
        ]
        await handles[1].terminate()

        found = await unattended(log, client, "acme", ())
        await handles[0].terminate()

        assert {(each.kind, each.name, each.stuck) for each in found} == {
            ("no-workflow", f"engagement:{each}", True) for each in (gone, never)
        }

    async def test_leaves_to_the_sweep_who_is_ahead(self, temporal_server: str) -> None:
        log = await log_of("e-1", clock=LONG_AGO)
        assert await unattended(log, await Client.connect(temporal_server), "acme", ()) == []


@pytest.mark.temporal
class TestFindStuck:
    async def test_names_activities_beyond_so_many_attempts(self, temporal_server: str) -> None:
        client, agency = await Client.connect(temporal_server), f"a-{uuid4().hex[:8]}"
        worker = Worker(
            client,
            task_queue=agency,
            workflows=[Hopeless],
            activities=[fails],
            workflow_runner=UnsandboxedWorkflowRunner(),
        )
        name = workflow_id(agency, "e-1")
        async with worker:
            handle = await client.start_workflow(WORKFLOW, id=name, task_queue=agency)
            found = await self._found(client, agency)
            many = await under_way(client, agency, attempts=100_000)
            await handle.terminate()

        assert many == []
        [finding] = found
        assert (finding.kind, finding.name, finding.reason) == ("activity", name, "LogAway")
        assert finding.stuck
        assert (finding.attempt or 0) > 3
        assert "fails is at attempt" in finding.says
        assert "Zebulon" not in str(finding)

    @pytest.mark.parametrize(
        ("kind", "says"),
        [
            ("OutreachHeld", "its message is held"),
            ("OutreachGathers", "its message waits for its reader's digest"),
        ],
    )
    async def test_calls_nothing_failing_that_only_waits(
        self, temporal_server: str, kind: str, says: str
    ) -> None:
        client, agency = await Client.connect(temporal_server), f"a-{uuid4().hex[:8]}"
        worker = Worker(
            client,
            task_queue=agency,
            workflows=[Hopeless],
            activities=[fails],
            workflow_runner=UnsandboxedWorkflowRunner(),
        )
        async with worker:
            name = workflow_id(agency, "e-1")
            handle = await client.start_workflow(WORKFLOW, kind, id=name, task_queue=agency)
            [finding] = await self._found(client, agency)
            await handle.terminate()

        assert (finding.kind, finding.stuck, finding.says, finding.reason) == ("activity", False, says, kind)

    async def test_names_workflow_tasks_that_nobody_takes(self, temporal_server: str) -> None:
        client, agency = await Client.connect(temporal_server), f"a-{uuid4().hex[:8]}"
        name = workflow_id(agency, "e-1")
        handle = await client.start_workflow(WORKFLOW, id=name, task_queue=agency)

        found = await self._found(client, agency, patience=timedelta())
        patient = await under_way(client, agency)
        await handle.terminate()

        assert [(each.kind, each.name, each.says) for each in found] == [
            ("workflow-task", name, "no worker takes its workflow task")
        ]
        assert patient == []

    async def _found(self, client: Client, agency: str, **options: Any) -> Any:
        async with asyncio.timeout(30):
            while not (found := await under_way(client, agency, **options)):  # noqa: ASYNC110
                await asyncio.sleep(0.1)  # what we wait for is in a server
        return found
