"""Whoever a source makes answer for something must work for the agency, or nothing is written."""

from datetime import UTC, datetime
from typing import Any

import pytest

from activities.agency_load import load_agency
from activities.commands import CommandService
from events.agency import Entry
from events.envelope import Actor
from events.log.memory import MemoryLog
from events.sources.errors import SourceError
from events.sources.plan import Plan, Step
from workers.importing.people import check_people, named_by
from workers.shipped import deploy_policy

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
PEOPLE = (Entry(person_id="d-1", role="director"), Entry(person_id="r-1", role="recruiter", director="d-1"))
OPERATOR = Actor(kind="operator", id="o-1")


def step(name: str, actor: Actor = OPERATOR, **data: Any) -> Step:
    """Give a command of row 7."""
    return Step(NOON, 7, "engagement:e-1", name, data, "c-1", actor)


def plan(*steps: Step) -> Plan:
    """Give a plan of these commands."""
    return Plan(source="test", observes=(), until=NOON, read=1, people=(), steps=list(steps))


@pytest.fixture
async def service() -> CommandService:
    """This will be an agency with a recruiter, a director and a policy."""
    service = CommandService(MemoryLog())
    policy = deploy_policy("starter")
    await load_agency(service, "acme", people=PEOPLE, policy=policy, actor=OPERATOR)
    return service


class TestNamedBy:
    def test_names_owners_teams_and_whoever_acted(self) -> None:
        """Whether alone or among others."""
        acting = step("reassign", Actor(kind="person", id="r-2"), owner="r-1", team=["r-1", "r-3"])
        assert list(named_by(acting)) == ["r-2", "r-1", "r-1", "r-3"]


class TestCheckPeople:
    async def test_takes_those_who_work_here(self, service: CommandService) -> None:
        """And clients and candidates are no people of the agency."""
        client = Actor(kind="client", id="client-contact-1")
        await check_people(plan(step("assign", client, owner="r-1")), service, "acme")

    async def test_names_who_is_missing_and_where(self, service: CommandService) -> None:
        """By the id that the agency's file would need."""
        with pytest.raises(SourceError) as failed:
            await check_people(plan(step("assign", owner="r-9")), service, "acme")
        assert "r-9 (row 7)" in str(failed.value)
        assert "[people]" in str(failed.value)

    async def test_needs_a_policy(self) -> None:
        """What is owed from here on is the policy's to say."""
        service = CommandService(MemoryLog())
        await load_agency(service, "acme", people=PEOPLE, actor=OPERATOR)
        with pytest.raises(SourceError, match="follows no policy yet"):
            await check_people(plan(), service, "acme")
