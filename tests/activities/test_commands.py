"""Commands to streams without a workflow, against the in-memory log."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.commands import Commands, CommandService, ReusedCommandId, StreamBusy
from activities.streams import read_order
from activities.types import StreamCommand
from events.envelope import Actor, AppendRequest
from events.errors import InvalidCommand, StaleVersion, UnknownReference, WrongState
from events.log.memory import MemoryLog
from events.log.port import AppendResult, Conflict
from events.policy import Policy

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def order(name: str, command_id: str, stream: str = "job-order:j-1", **data: Any) -> StreamCommand:
    return StreamCommand(
        agency="a-1",
        stream=stream,
        command_id=command_id,
        name=name,
        data=data,
        actor=Actor(kind="operator", id="o-1"),
    )


OPEN = order("open-job-order", "c-open", job_order_id="j-1", client_id="k-1", title="Head of Invention")


class Interrupted(MemoryLog):
    """A log to which somebody else always writes first, *times* times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    async def append_many(self, requests: Sequence[AppendRequest]) -> list[AppendResult]:
        if self.times > 0:
            self.times -= 1
            return [Conflict(version=9, missing=())]
        return await super().append_many(requests)


class TestGive:
    async def test_appends_what_was_decided(self, service: CommandService, log: MemoryLog) -> None:
        reply = await service.give(OPEN)
        assert (reply.outcome, reply.version) == ("accepted", 1)
        [stored] = await log.read_stream("a-1", "job-order:j-1")
        assert (stored.type, stored.origin, stored.decided_at) == ("job-order-opened", "business", NOON)
        assert "Head of Invention" not in stored.body

    async def test_answers_a_retry_with_what_is_stored(self, service: CommandService, log: MemoryLog) -> None:
        """A command is carried out once, also when the stream has gone on since."""
        first = await service.give(OPEN)
        await service.give(order("close-job-order", "c-close"))
        again = await service.give(OPEN)
        assert (again.outcome, first.outcome) == ("accepted", "accepted")
        assert len(await log.read_stream("a-1", "job-order:j-1")) == 2

    async def test_takes_a_command_at_the_version_it_is_meant_for_only(self, service: CommandService) -> None:
        """Whoever decided on an older picture must look again; a retry is no new decision."""
        stop = order("stop-intake", "c-stop").model_copy(update={"expected_version": 1})
        await service.give(OPEN)
        await service.give(stop)
        assert (await service.give(stop)).outcome == "accepted"
        with pytest.raises(StaleVersion, match="is at version 2, and the command is for version 1"):
            await service.give(order("close-job-order", "c").model_copy(update={"expected_version": 1}))

    async def test_refuses_a_reused_command_id(self, service: CommandService) -> None:
        await service.give(OPEN)
        with pytest.raises(ReusedCommandId, match="'c-open' was used before with another content"):
            await service.give(order("stop-intake", "c-open"))

    async def test_says_when_there_was_nothing_to_do(self, service: CommandService) -> None:
        await service.give(OPEN)
        await service.give(order("stop-intake", "c-stop"))
        assert (await service.give(order("stop-intake", "c-again"))).outcome == "nothing-to-do"

    async def test_decides_again_after_a_conflict(self) -> None:
        reply = await CommandService(Interrupted(3)).give(OPEN)
        assert reply.version == 1

    async def test_gives_up_after_many_conflicts(self) -> None:
        with pytest.raises(StreamBusy):
            await CommandService(Interrupted(1000)).give(OPEN)

    async def test_loses_nothing_when_many_write_at_once(
        self, service: CommandService, log: MemoryLog
    ) -> None:
        await service.give(OPEN)
        received = [
            order("record-submission-received", f"c-{n}", engagement_id=f"e-{n}", submission_id=f"s-{n}")
            for n in range(8)
        ]
        await asyncio.gather(*(service.give(each) for each in received))
        state = await service.state("a-1", "job-order:j-1")
        assert len(state.alive) == 8

    async def test_writes_nothing_for_a_callers_mistake(
        self, service: CommandService, log: MemoryLog
    ) -> None:
        with pytest.raises(UnknownReference, match="no job order 'j-1' here"):
            await service.give(order("stop-intake", "c-stop"))
        assert await log.read_stream("a-1", "job-order:j-1") == []

    async def test_refuses_what_a_closed_order_may_not_have(self, service: CommandService) -> None:
        await service.give(OPEN)
        await service.give(order("close-job-order", "c-close"))
        with pytest.raises(WrongState, match="is closed"):
            await service.give(order("change-client-contact", "c-contact", contact="m-2"))

    async def test_takes_late_reports_of_submissions(self, service: CommandService) -> None:
        await service.give(OPEN)
        await service.give(order("close-job-order", "c-close"))
        late = order("record-submission-received", "c-late", engagement_id="e-1", submission_id="s-1")
        assert (await service.give(late)).outcome == "accepted"

    async def test_never_decides_earlier_than_before(self, service: CommandService, log: MemoryLog) -> None:
        """``decided_at`` is monotone in a stream, and ``occurred_at`` is what was claimed."""
        await service.give(OPEN.model_copy(update={"decided_at": NOON + timedelta(days=1)}))
        await service.give(order("stop-intake", "c-stop").model_copy(update={"at": NOON}))
        stored = (await log.read_stream("a-1", "job-order:j-1"))[-1]
        assert (stored.occurred_at, stored.decided_at) == (NOON, NOON + timedelta(days=1))

    async def test_refuses_what_has_not_happened_yet(self, service: CommandService) -> None:
        with pytest.raises(InvalidCommand, match="'at' lies in the future"):
            await service.give(OPEN.model_copy(update={"at": NOON + timedelta(hours=1)}))

    @pytest.mark.parametrize("year", [1, 249, 1899, 3000])
    def test_takes_no_time_that_is_a_slip_of_the_pen(self, year: int) -> None:
        """A year of three digits would be written such that it could never be read again."""
        at = f"{year:04}-05-26T17:02:59Z"
        with pytest.raises(InvalidCommand, match="'at' is malformed: a moment outside the years"):
            read_order(
                "a-1",
                "job-order:j-1",
                "hold-job-order",
                {"at": at},
                command_id="c-1",
                actor_default=Actor(kind="operator", id="o-1"),
                source="http",
            )

    async def test_keeps_a_policys_body_before_any_event_names_it(
        self, service: CommandService, log: MemoryLog
    ) -> None:
        policy = Policy(name="starter")
        await service.give(order("adopt-policy", "c-adopt", stream="agency:a-1", body=policy.body()))
        assert await log.load_policy("a-1", policy.digest()) == policy.body()


class TestCommands:
    async def test_answers_a_workflow(self, service: CommandService) -> None:
        reply = await ActivityEnvironment().run(Commands(service).give, OPEN)
        assert reply.outcome == "accepted"

    async def test_makes_a_mistake_final(self, service: CommandService) -> None:
        with pytest.raises(ApplicationError) as caught:
            await ActivityEnvironment().run(Commands(service).give, order("stop-intake", "c-stop"))
        assert caught.value.non_retryable
        assert caught.value.type == "UnknownReference"
