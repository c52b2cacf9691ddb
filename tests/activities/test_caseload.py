"""Who answers for what: read from the streams, of open engagements and of jobs that go on."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from activities.caseload import caseloads
from activities.commands import CommandService
from activities.types import StreamCommand
from events.decider import prepare
from events.envelope import Actor, AppendRequest
from events.fold import fold
from events.log.memory import MemoryLog
from events.orders import parse_order

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
PERSON = Actor(kind="person", id="r-1")


async def give(log: MemoryLog, engagement: str, name: str, **data: Any) -> None:
    stream = f"engagement:{engagement}"
    state = fold(await log.read_stream("a-1", stream))
    order = parse_order(name, data, command_id=uuid4().hex, actor_default=PERSON, source="test")
    prepared = prepare(order, state, None, NOON, agency="a-1", engagement_id=engagement)
    request = AppendRequest(agency="a-1", stream=stream, expected=state.version, groups=(prepared.group,))
    await log.append_many([request])


async def job(service: CommandService, key: str, name: str, **data: Any) -> None:
    order = StreamCommand(
        agency="a-1",
        stream=f"job-order:{key}",
        command_id=uuid4().hex,
        name=name,
        data=data,
        actor=PERSON,
    )
    await service.give(order)


@pytest.fixture
async def lived(log: MemoryLog, service: CommandService) -> MemoryLog:
    """This will be an agency of two recruiters with candidates, jobs and one closed engagement."""
    for number, owner in enumerate(("r-1", "r-1", "r-2"), start=1):
        await give(log, f"e-{number}", "open-engagement", candidate_id=f"c-{number}", owner=owner)
    await give(log, "e-4", "open-engagement", candidate_id="c-4", owner="r-1")
    await give(log, "e-4", "close-engagement", reason="moved-away")
    await job(service, "j-1", "open-job-order", job_order_id="j-1", owner="r-2")
    await job(service, "j-2", "open-job-order", job_order_id="j-2", owner="r-2")
    await job(service, "j-2", "close-job-order")
    return log


class TestCaseloads:
    async def test_count_open_engagements_and_jobs_that_go_on(self, lived: MemoryLog) -> None:
        found = await caseloads(lived, "a-1")
        assert {person: (each.engagements, each.job_orders) for person, each in found.items()} == {
            "r-1": (["e-1", "e-2"], []),
            "r-2": (["e-3"], ["j-1"]),
        }

    async def test_find_who_answers_for_a_job_in_an_engagement_only(self, lived: MemoryLog) -> None:
        """Not every job order is kept here, and a closed one has placements that go on."""
        for engagement, owner in (("e-1", "r-2"), ("e-3", "r-3")):
            await give(
                lived,
                engagement,
                "record-submission",
                job_order_id="j-9",
                submission_id=f"s-{engagement}",
                job_order_owner=owner,
            )
        await give(lived, "e-2", "record-proposal", job_order_id="j-8", by="r-1", job_order_owner="r-2")
        found = await caseloads(lived, "a-1")
        assert found["r-2"].positions == {"j-9": ["e-1"], "j-8": ["e-2"]}
        assert found["r-2"].jobs == ["j-1", "j-8", "j-9"]
        assert found["r-3"].positions == {"j-9": ["e-3"]}

    async def test_leave_out_what_is_over(self, lived: MemoryLog) -> None:
        given = {"job_order_id": "j-9", "job_order_owner": "r-2"}
        await give(lived, "e-1", "record-submission", submission_id="s-1", **given)
        await give(lived, "e-1", "withdraw", submission_id="s-1")
        await give(lived, "e-2", "record-proposal", by="r-1", **given)
        await give(lived, "e-2", "answer-proposal", job_order_id="j-9", answer="no")
        assert (await caseloads(lived, "a-1"))["r-2"].positions == {}
