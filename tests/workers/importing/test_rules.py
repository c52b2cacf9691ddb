"""Whatever a source is said to show must be a rule of some policy, or nothing is written."""

from datetime import UTC, datetime

import pytest

from activities.agency_load import load_agency
from activities.commands import CommandService
from events.envelope import Actor
from events.log.memory import MemoryLog
from events.sources.errors import SourceError
from events.sources.plan import Plan
from workers.importing.rules import check_rules
from workers.shipped import deploy_policy

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


class TestCheckRules:
    async def test_takes_the_agencys_own_and_the_shipped_ones_only(self) -> None:
        log, starter = MemoryLog(), deploy_policy("starter")
        own = starter.obligations[0].model_copy(update={"id": "own-rule"})
        policy = starter.model_copy(update={"obligations": (own,)})
        service = CommandService(log)
        await load_agency(service, "acme", policy=policy, actor=Actor(kind="operator", id="o-1"))

        def plan(*observes: str) -> Plan:
            return Plan(source="test", observes=observes, until=NOON, read=1, people=(), steps=[])

        await check_rules(plan("own-rule", "keep-in-touch"), log, service, "acme")
        with pytest.raises(SourceError, match='did you mean "own-rule"'):
            await check_rules(plan("own-rul"), log, service, "acme")
