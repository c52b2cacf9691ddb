"""The schedule of the polls, and a worker that polls by it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from temporalio.client import Client, ScheduleActionStartWorkflow, ScheduleHandle
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.polling import Polling
from activities.types import PollReply
from events.log.keys import MemoryKeys
from workers import regular
from workers.data_converter import data_converter
from workers.polls_schedule import EVERY, ensure_polls
from workers.regular import see_to_the_polls
from workers.sweep_schedule import sweep_is_scheduled
from workers.worker import WORKFLOWS, workflow_runner
from workflows.types import POLL, POLLS_ID

pytestmark = pytest.mark.temporal
PATIENCE = 30.0


class Polls:
    """Three connections are due: one answers, one does not, and one cannot even note so."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def due(self) -> list[tuple[str, str]]:
        """Name them."""
        return [("acme", "c-good"), ("acme", "c-away"), ("acme", "c-lost")]

    async def poll(self, agency: str, connection_id: str, /) -> SimpleNamespace:
        """Poll one."""
        self.asked.append(connection_id)
        if connection_id == "c-lost":
            raise ConnectionError("no database")
        return SimpleNamespace(ok=connection_id == "c-good", found=2)


@pytest.fixture
async def client(temporal_server: str) -> Client:
    """This will be a client with a worker's converter."""
    return await Client.connect(temporal_server, data_converter=data_converter(MemoryKeys()))


@pytest.fixture
async def handle(client: Client) -> AsyncIterator[ScheduleHandle]:
    """This will be where a schedule of a test's own may be."""
    there = client.get_schedule_handle(f"{POLLS_ID}-{uuid4().hex[:8]}")
    yield there
    with suppress(RPCError):
        await there.delete()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110 (a server, asked again and again)
            await asyncio.sleep(0.05)


class TestPoll:
    async def test_polls_all_that_are_due_though_some_fail(self, client: Client) -> None:
        polls, queue = Polls(), f"queue-{uuid4().hex}"
        async with Worker(
            client,
            task_queue=queue,
            workflows=WORKFLOWS,
            activities=[Polling(polls).poll],
            workflow_runner=workflow_runner(),
        ):
            reply = await client.execute_workflow(
                POLL, id=f"{POLLS_ID}-{queue}", task_queue=queue, result_type=PollReply
            )
        assert reply == PollReply(polled=1, failed=2, found=2)
        assert sorted(polls.asked) == ["c-away", "c-good", "c-lost"]


class TestEnsurePolls:
    async def test_makes_one_schedule_however_many_start_at_once(
        self, client: Client, handle: ScheduleHandle
    ) -> None:
        assert await asyncio.gather(*(ensure_polls(client, schedule_id=handle.id) for _ in range(4))) == (
            [True] * 4
        )
        schedule = (await handle.describe()).schedule
        assert [each.every for each in schedule.spec.intervals] == [EVERY]
        action = schedule.action
        assert isinstance(action, ScheduleActionStartWorkflow)
        assert (action.workflow, action.id) == (POLL, handle.id)

    async def test_leaves_a_paused_one_paused(self, client: Client, handle: ScheduleHandle) -> None:
        await ensure_polls(client, schedule_id=handle.id, every=timedelta(hours=1))
        await handle.pause()
        await ensure_polls(client, schedule_id=handle.id)
        described = await handle.describe()
        assert described.schedule.state.paused
        assert [each.every for each in described.schedule.spec.intervals] == [EVERY]


class TestSeeToThePolls:
    async def test_makes_the_schedule_and_makes_it_again_when_it_is_lost(
        self, client: Client, handle: ScheduleHandle, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(regular, "LOOK_AFTER_IT", timedelta(seconds=0.05))
        task = asyncio.create_task(see_to_the_polls(client, Polling(Polls()), schedule_id=handle.id))

        async def is_there() -> bool:
            return await sweep_is_scheduled(client, handle.id)

        try:
            await until(is_there)
            await handle.delete()
            await until(is_there)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
