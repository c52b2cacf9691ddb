"""The schedule that starts the sweep: there once, as wanted, and as an operator left it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, ScheduleHandle, ScheduleOverlapPolicy
from temporalio.service import RPCError

from activities.commands import Commands, CommandService
from activities.directory import Directory
from activities.recording import Recording
from activities.sweeping import Sweeping
from events.log.keys import MemoryKeys
from events.log.memory import MemoryLog
from workers.behind import the_sweep
from workers.data_converter import data_converter
from workers.poking import Poking
from workers.sweep_schedule import CATCH_UP, SweepStanding, ensure_sweep, sweep_is_scheduled, sweep_standing
from workers.time_skipping import time_skipping_server
from workers.worker import engagement_worker
from workflows.types import SWEEP, SWEEP_ID

pytestmark = pytest.mark.temporal

PATIENCE = 20.0
# Counted from 1970, so that the next two are years away.
NEVER_IN_A_TEST, NOR_THEN = timedelta(days=40_000), timedelta(days=30_000)


@dataclass
class Place:
    """A schedule of a test's own."""

    client: Client
    id: str

    @property
    def handle(self) -> ScheduleHandle:
        """Give the schedule."""
        return self.client.get_schedule_handle(self.id)

    async def ensure(self, every: timedelta = NEVER_IN_A_TEST) -> bool:
        """Ensure it, as a worker that starts does."""
        return await ensure_sweep(self.client, schedule_id=self.id, every=every, task_queue=self.id)

    async def started(self) -> int:
        """Count the sweeps that it has started."""
        return (await self.handle.describe()).info.num_actions

    async def until(self, condition: Any) -> Any:
        """Wait until something is so."""
        async with asyncio.timeout(PATIENCE):
            while not (found := await condition()):  # noqa: ASYNC110 - what we wait for is in a server
                await asyncio.sleep(0.05)
        return found


@pytest.fixture
async def place(temporal_server: str) -> AsyncIterator[Place]:
    """This will be where a schedule may be made, under the converter of a worker."""
    client = await Client.connect(temporal_server, data_converter=data_converter(MemoryKeys()))
    made = Place(client, f"{SWEEP_ID}-{uuid4().hex[:8]}")
    yield made
    with suppress(RPCError):
        await made.handle.delete()
    async for run in client.list_workflows(f"TaskQueue = '{made.id}' AND ExecutionStatus = 'Running'"):
        with suppress(RPCError):
            await client.get_workflow_handle(run.id).terminate("the test is over")


class TestEnsureSweep:
    async def test_makes_one_schedule_however_many_start_at_once(self, place: Place) -> None:
        assert await asyncio.gather(*(place.ensure() for _ in range(4))) == [True] * 4

        schedule = (await place.handle.describe()).schedule
        assert schedule.policy.overlap == ScheduleOverlapPolicy.SKIP
        assert schedule.policy.catchup_window == CATCH_UP
        assert [each.every for each in schedule.spec.intervals] == [NEVER_IN_A_TEST]
        assert (schedule.action.workflow, schedule.action.id) == (SWEEP, place.id)  # type: ignore[attr-defined]

    async def test_sweeps_at_once_and_skips_while_a_sweep_is_under_way(self, place: Place) -> None:
        """Here no worker takes the first one, so it stays under way."""
        await place.ensure()
        assert await place.until(place.started) == 1

        await place.ensure()

        async def skipped() -> int:
            return (await place.handle.describe()).info.num_actions_skipped_overlap

        assert await place.until(skipped) == 1
        assert await place.started() == 1

    async def test_brings_a_changed_interval_in(self, place: Place) -> None:
        await place.ensure()
        await place.ensure(NOR_THEN)

        schedule = (await place.handle.describe()).schedule
        assert [each.every for each in schedule.spec.intervals] == [NOR_THEN]

    async def test_changes_nothing_that_is_as_wanted(self, place: Place) -> None:
        await place.ensure()
        await place.ensure()

        assert (await place.handle.describe()).info.last_updated_at is None

    async def test_keeps_paused_what_an_operator_paused(self, place: Place) -> None:
        """Neither a start nor a new interval resumes it, and none sweeps behind the operator's back."""
        await place.ensure()
        await place.until(place.started)
        await place.handle.pause(note="moving house")

        for every in (NEVER_IN_A_TEST, NOR_THEN):
            assert await place.ensure(every)

        described = await place.handle.describe()
        assert (described.schedule.state.paused, described.schedule.state.note) == (True, "moving house")
        assert [each.every for each in described.schedule.spec.intervals] == [NOR_THEN]
        assert (described.info.num_actions, described.info.num_actions_skipped_overlap) == (1, 0)

    async def test_says_no_where_the_server_has_no_schedules(self, tmp_path: Path) -> None:
        """Temporal's time-skipping server: whoever serves on it sweeps by itself."""
        async with time_skipping_server(tmp_path) as address:
            client = await Client.connect(address)
            assert not await ensure_sweep(client)
            assert await the_sweep(client, SWEEP_ID, timedelta()) == []


class TestSweepIsScheduled:
    async def test_tells_one_that_is_paused_from_none(self, place: Place) -> None:
        assert not await sweep_is_scheduled(place.client, place.id)
        await place.ensure()
        await place.handle.pause()
        assert await sweep_is_scheduled(place.client, place.id)


class TestSweepStanding:
    async def test_knows_the_last_sweep_that_came_to_its_end(self, place: Place) -> None:
        """A real one, started by the schedule, under a codec that has no agency."""
        log, before = MemoryLog(), datetime.now(UTC)
        recording, commands = Recording(log, Directory(log)), Commands(CommandService(log))
        sweeping = Sweeping(log, Poking(place.client))
        async with engagement_worker(place.client, recording, commands, sweeping, task_queue=place.id):
            await place.ensure()

            async def done() -> SweepStanding | None:
                found = await sweep_standing(place.client, place.id)
                return found if found is not None and found.last_done_at is not None else None

            found = await place.until(done)

        assert not found.paused
        assert found.last_done_at is not None
        assert found.last_started_at is not None
        assert before - timedelta(seconds=5) < found.last_done_at

    async def test_does_not_take_a_start_for_an_end(self, place: Place) -> None:
        await place.ensure()
        await place.until(place.started)

        found = await sweep_standing(place.client, place.id)

        assert found is not None
        assert found.last_started_at is not None
        assert found.last_done_at is None


class TestTheSweep:
    async def test_is_missed_where_nobody_has_scheduled_it(self, place: Place) -> None:
        [found] = await the_sweep(place.client, place.id, timedelta(minutes=5))

        assert (found.kind, found.reason, found.stuck) == ("sweep", "missing", True)

    async def test_is_told_of_when_paused_without_the_words_of_the_note(self, place: Place) -> None:
        await place.ensure()
        assert await the_sweep(place.client, place.id, timedelta(minutes=5)) == []
        await place.handle.pause(note="until Zebulon is back")

        [found] = await the_sweep(place.client, place.id, timedelta(minutes=5))

        assert (found.reason, found.stuck) == ("paused", True)
        assert "Zebulon" not in str(replace(found))

    async def test_is_late_when_none_has_come_to_its_end_for_so_long(self, place: Place) -> None:
        await place.ensure()

        [found] = await the_sweep(place.client, place.id, timedelta())

        assert (found.reason, found.stuck) == ("late", True)
        assert "is a worker running?" in found.says
