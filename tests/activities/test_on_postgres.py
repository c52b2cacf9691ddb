"""The same services on the real log: what only PostgreSQL can show."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.commands import Commands, CommandService
from activities.types import StreamCommand
from events.envelope import Actor
from events.log.keys import MemoryKeys
from events.log.postgres import PostgresLog

pytestmark = pytest.mark.postgres


@pytest.fixture
async def postgres_log(new_database: Callable[[], str]) -> AsyncIterator[PostgresLog]:
    async with PostgresLog(new_database(), MemoryKeys()) as log:
        yield log


def order(name: str, command_id: str, **data: str) -> StreamCommand:
    return StreamCommand(
        agency="a-1",
        stream="job-order:j-1",
        command_id=command_id,
        name=name,
        data=data,
        actor=Actor(kind="operator", id="o-1"),
    )


class TestGive:
    async def test_loses_nothing_when_many_write_at_once(self, postgres_log: PostgresLog) -> None:
        services = [CommandService(postgres_log) for _ in range(2)]
        await services[0].give(order("open-job-order", "c-open", job_order_id="j-1"))
        received = [
            order("record-submission-received", f"c-{n}", engagement_id=f"e-{n}", submission_id=f"s-{n}")
            for n in range(24)
        ]
        twice = [services[n % 2].give(each) for n, each in enumerate([*received, *received])]
        replies = await asyncio.gather(*twice)
        assert {reply.outcome for reply in replies} == {"accepted"}
        assert len(await postgres_log.read_stream("a-1", "job-order:j-1")) == 25

    async def test_may_be_tried_again_when_the_database_is_away(self) -> None:
        away = PostgresLog("postgresql://nobody@127.0.0.1:1/none", MemoryKeys())
        with pytest.raises(ApplicationError) as caught:
            await ActivityEnvironment().run(
                Commands(CommandService(away)).give, order("stop-intake", "c-stop")
            )
        assert not caught.value.non_retryable
        await away.close()
