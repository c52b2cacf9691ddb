"""The server's clock is moved by hand, and whatever is due on the way happens at its own time."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from workers.time_skipping import ServerTime, time_skipping_server

pytestmark = [pytest.mark.temporal]

A_WEEK = timedelta(days=7)


@workflow.defn(name="SleepsAWeek")
class SleepsAWeek:
    """Sleeps, and says when it woke."""

    @workflow.run
    async def run(self) -> datetime:
        await workflow.sleep(A_WEEK)
        return workflow.now()


class TestServerTime:
    async def test_moves_as_far_as_it_is_told_and_never_back(self, tmp_path: Path) -> None:
        async with time_skipping_server(tmp_path) as address:
            clock = ServerTime(await Client.connect(address))
            began = await clock.now()
            await clock.move_to(began + A_WEEK)
            there = await clock.now()
            assert A_WEEK <= there - began < A_WEEK + timedelta(minutes=1)
            await clock.move_to(began)
            assert await clock.now() >= there

    async def test_wakes_what_sleeps_at_its_own_time(self, tmp_path: Path) -> None:
        async with time_skipping_server(tmp_path) as address:
            client = await Client.connect(address)
            clock = ServerTime(client)
            async with Worker(
                client,
                task_queue="sleepers",
                workflows=[SleepsAWeek],
                workflow_runner=UnsandboxedWorkflowRunner(),
            ):
                began = await clock.now()
                handle = await client.start_workflow(SleepsAWeek.run, id=str(uuid4()), task_queue="sleepers")
                await clock.move_to(began + 3 * A_WEEK)
                woke = await handle.result()
            assert A_WEEK <= woke - began < A_WEEK + timedelta(minutes=1)

    async def test_ends_with_its_block(self, tmp_path: Path) -> None:
        async with time_skipping_server(tmp_path) as address:
            await Client.connect(address)
        with pytest.raises(RuntimeError):
            await Client.connect(address)
