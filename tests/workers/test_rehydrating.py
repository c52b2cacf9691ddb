"""Temporal loses its data, all of it or the latest, and every engagement goes on from its log."""

import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from events.fold import fold
from workers.client import Engagements
from workers.embedded.stack import EmbeddedStack
from workers.readiness import make_ready, worker_comes
from workers.rehydrating import Account, rehydrate_agency
from workers.stuck import find_stuck
from workers.sweep_schedule import sweep_is_scheduled
from workers.verify import verify_agency
from workflows.types import workflow_id

if TYPE_CHECKING:
    from tests.workers.rehydrating_office import Office

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.temporal]

AGENCY = "acme"
QUIET = [f"quiet-{number}" for number in range(14)]
LATE = ["late-0", "late-1", "late-2"]


def _helper() -> Any:
    place = Path(__file__).with_name("rehydrating_office.py")
    spec = importlib.util.spec_from_file_location("rapport_tests_rehydrating_office", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


OFFICE = _helper()


@pytest.fixture
async def office(stack: EmbeddedStack, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator["Office"]:
    """This will be an agency with a fast clock, on servers of its own."""
    monkeypatch.setattr("workers.regular.LOOK_AFTER_IT", timedelta(seconds=1))
    async with OFFICE.office(stack) as made:
        yield made


async def rehydrate(office: "Office") -> Account:
    """Do as the command does."""
    await make_ready(office.running.client)
    return await rehydrate_agency(office.running.having.log, office.running.client, AGENCY)


def counts(account: Account) -> tuple[int, int, int, int, int]:
    """Give what an account counts."""
    assert account.failed == ()
    return account.started, account.running, account.told, account.closed, account.importing


async def without_workflow(office: "Office") -> set[str]:
    """Ask what ``rapport stuck`` says."""
    having = office.running.having
    found = await find_stuck(having.log, having.ledger, office.running.client, AGENCY)
    assert all("rapport rehydrate" in each.says for each in found if each.kind == "no-workflow")
    return {each.name.partition(":")[2] for each in found if each.kind == "no-workflow"}


async def is_sound(office: "Office") -> bool:
    """Do as ``rapport verify --all`` does, as somebody who knows nothing of the agency's clock."""
    report = await verify_agency(
        office.running.having.log, Engagements(office.running.client, AGENCY), AGENCY
    )
    return report.mismatches == 0


async def letters_about(office: "Office", key: str) -> list[str]:
    """List the outcomes of an engagement's messages, as its log has them."""
    return [each.type for each in await office.events(key, "outreach-sent", "outreach-failed")]


class TestAfterAllOfTemporalWasDeleted:
    async def test_everybody_goes_on_from_the_log(self, office: "Office") -> None:
        """Steps that passed are recorded at their times, one letter goes for the highest, none goes twice."""
        given_now = office.now()
        for key in QUIET:
            await office.open(key, due=given_now + timedelta(days=30))
        await office.open("sending", due=given_now, owner="r-slow")
        async with asyncio.timeout(30):
            await office.sink.begun.wait()
        await office.hold("hold-outreach")
        await office.open("closed-and-owing", due=office.now())
        await office.has("closed-and-owing", "outreach-requested")
        await office.by.command("closed-and-owing", "close-engagement", {"reason": "done"})
        await office.open("closed", due=given_now + timedelta(days=30))
        await office.by.command("closed", "close-engagement", {"reason": "done"})
        due = office.now() + timedelta(hours=3)
        for key in LATE:
            await office.open(key, due=due)
        await office.all_acknowledged()

        await office.lose_temporal()
        office.sink.may_answer.set()
        await office.passes(due + timedelta(minutes=30))
        await office.stack.restart("temporal")
        needing = {*QUIET, *LATE, "sending", "closed-and-owing"}
        assert await without_workflow(office) == needing
        accounts = await asyncio.gather(rehydrate(office), rehydrate(office))

        assert sum(each.started for each in accounts) == len(needing)
        assert sum(each.running + each.told for each in accounts) == len(needing)
        assert [each.closed for each in accounts] == [1, 1]
        assert await without_workflow(office) == set()
        assert await sweep_is_scheduled(office.running.client)
        assert await worker_comes(office.running.client)
        await office.hold("release-outreach")
        for key in LATE:
            await office.has(key, "outreach-sent")
            assert [each.occurred_at for each in await office.events(key, "escalation-raised")] == [
                due + timedelta(minutes=each) for each in (0, 10, 20)
            ]
            assert fold(await office.events(key)).level == 3
            assert await letters_about(office, key) == ["outreach-sent"]
        await office.has(
            "sending", "outreach-sent", len(await office.events("sending", "outreach-requested"))
        )
        await office.has("closed-and-owing", "outreach-sent")
        slow = [each for each in await office.sink.messages() if OFFICE.is_slow(each.recipients)]
        requested = await office.events("sending", "outreach-requested")
        assert len({each.message["Message-ID"] for each in slow}) == len(slow) == len(requested)
        assert await is_sound(office)
        assert {
            each.clock for each in await office.running.having.log.streams(AGENCY, category="engagement")
        } == {office.clock.model_dump_json()}

    async def test_a_worker_that_is_at_work_schedules_the_sweep_again(self, office: "Office") -> None:
        """Nobody has to start it anew, or to know that a schedule was lost as well."""
        await office.lose_temporal()
        await office.stack.restart("temporal")

        async def scheduled() -> bool:
            return await sweep_is_scheduled(office.running.client)

        await OFFICE.until(scheduled)


class TestAfterTemporalWentBackToAnOlderDay:
    async def test_who_is_behind_is_told_and_who_ended_is_started(self, office: "Office") -> None:
        """A workflow behind its log rings at times that no longer count."""
        for key in ("behind", "level", "ended", "new"):
            if key == "new":
                await office.keep_temporal()
            await office.open(key, due=office.now() + timedelta(days=30))
        await office.by.command("behind", "record-contact", {"channel": "phone", "by": "r-1"})
        versions = {key: len(await office.events(key)) for key in ("behind", "level", "ended", "new")}
        await office.all_acknowledged()
        await office.lose_temporal(to_kept=True)
        await office.stack.restart("temporal")
        client = office.running.client
        await client.get_workflow_handle(workflow_id(AGENCY, "ended")).terminate("by somebody")

        # What Temporal lists trails what it knows.
        async def both_are_missed() -> bool:
            return await without_workflow(office) == {"ended", "new"}

        await OFFICE.until(both_are_missed)
        assert counts(await rehydrate(office)) == (2, 1, 1, 0, 0)

        async def all_know() -> bool:
            return versions == {key: (await office.by.state(key)).version for key in versions}

        await OFFICE.until(all_know)
        assert counts(await rehydrate(office))[:2] == (0, 4)
        assert await is_sound(office)
