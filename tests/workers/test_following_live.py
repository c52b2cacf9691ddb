"""Two engagements hear of their job order on both real servers, wired as a worker process wires them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from activities.agency_load import load_agency
from activities.types import StreamCommand
from events.envelope import Actor
from events.job_order_state import JobOrder
from events.state import Submission
from workers.client import Engagements
from workers.serving import serving
from workers.settings import KeyEncryptionKey, Settings
from workers.shipped import deploy_policy
from workers.wiring import Adapters
from workflows.types import workflow_id

pytestmark = [pytest.mark.temporal, pytest.mark.postgres]

OPERATOR = Actor(kind="operator", id="test")
PATIENCE = 60.0
BOTH = ("e-1", "e-2")


@dataclass
class Agency:
    """An agency on real servers, with a job order and two engagements that are presented for it."""

    name: str
    having: Adapters
    engagements: Engagements

    async def tell(self, command: str, **data: Any) -> None:
        """Give a command to the job order."""
        order = StreamCommand(
            agency=self.name,
            stream="job-order:j-1",
            command_id=uuid4().hex,
            name=command,
            data=data,
            actor=OPERATOR,
        )
        await self.having.service.give(order)

    async def hear(self, engagements: Iterable[str], that: Callable[[Submission], bool]) -> None:
        """Wait until something is so for the one submission of each engagement's running workflow."""
        for each in engagements:

            async def heard(engagement: str = each) -> bool:
                state = await self.engagements.state(engagement)
                return all(that(submission) for submission in state.submissions.values())

            await self.until(heard)

    async def comes_to(self, that: Callable[[JobOrder], bool]) -> None:
        """Wait until something is so for the job order."""

        async def come() -> bool:
            return that(await self.having.service.state(self.name, "job-order:j-1"))

        await self.until(come)

    @staticmethod
    async def until(condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(PATIENCE):
            while not await condition():  # noqa: ASYNC110 (servers, asked again and again)
                await asyncio.sleep(0.05)

    async def knows_the_terms(self) -> bool:
        """Tell whether the client's guarantee has come to the placement."""
        return (await self.engagements.state("e-1")).placements["s-1"].guarantee_days == 90

    async def count(self, engagement: str, of: str) -> int:
        """Count an engagement's events of a type."""
        events = await self.having.log.read_stream(self.name, f"engagement:{engagement}")
        return sum(each.type == of for each in events)


@pytest.fixture
async def agency(new_database: Callable[[], str], temporal_for_workers: str) -> AsyncIterator[Agency]:
    """This will yield an agency with a database, workers and a follower of its own."""
    url, name = new_database(), f"a-{uuid4().hex[:12]}"
    settings = Settings(
        database_url=SecretStr(url), key_encryption_keys=(KeyEncryptionKey(id="test", secret=b"k" * 32),)
    )
    async with serving(settings, url, settings.temporal_connect(temporal_for_workers)) as running:
        await load_agency(running.having.service, name, policy=deploy_policy("starter"), actor=OPERATOR)
        made = Agency(name, running.having, Engagements(running.client, name))
        await made.tell("open-job-order", job_order_id="j-1", client_id="k-1")
        for number, each in enumerate(BOTH, start=1):
            await made.engagements.command(
                each, "open-engagement", {"candidate_id": f"c-{number}", "owner": "r-1"}
            )
            await made.engagements.command(
                each,
                "record-submission",
                {"job_order_id": "j-1", "submission_id": f"s-{number}", "by": "r-1"},
            )
        yield made
        for each in BOTH:
            await running.client.get_workflow_handle(workflow_id(name, each)).terminate("the test is over")


class TestAJobOrder:
    async def test_tells_its_hold_its_fill_and_its_reopening_to_both(self, agency: Agency) -> None:
        """One waits and is told that the job is gone; the other's hire comes to nothing and reopens it."""
        by = agency.engagements
        await agency.comes_to(lambda order: order.alive == {"s-1": "e-1", "s-2": "e-2"})
        await agency.tell("hold-job-order", until="2999-01-01T00:00:00Z")
        await agency.hear(BOTH, lambda submission: submission.held)
        await agency.tell("resume-job-order")
        await agency.hear(BOTH, lambda submission: not submission.held)

        await agency.tell("record-job-order-terms", placement_kind="permanent", guarantee_days=90)
        await by.command("e-1", "record-offer", {"submission_id": "s-1", "offer_id": "o-1"})
        await by.command("e-1", "accept-offer", {"offer_id": "o-1"})
        await agency.hear(["e-2"], lambda submission: submission.status == "position-filled")
        await agency.until(agency.knows_the_terms)

        await by.command("e-1", "end-placement", {"placement_id": "s-1", "how": "reneged"})
        await agency.comes_to(lambda order: order.phase == "open" and order.given_back == (("e-1", "s-1"),))
        assert [await agency.count(each, "position-held") for each in BOTH] == [1, 1]
        assert [await agency.count(each, "position-filled") for each in BOTH] == [0, 1]
