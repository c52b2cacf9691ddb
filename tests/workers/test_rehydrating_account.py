"""What the account of a rehydration says where not everything goes well."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from events.commands import OpenEngagement, Order
from events.decider import prepare
from events.envelope import ENGINE, AppendRequest
from events.log.keys import MemoryKeys
from events.log.memory import MemoryLog
from events.state import Engagement
from workers.client import Engagements
from workers.data_converter import data_converter
from workers.rehydrating import rehydrate_agency, rehydrate_engagement

pytestmark = pytest.mark.temporal

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


async def log_of(agency: str, *names: str) -> MemoryLog:
    """Make a log with an engagement of each name."""
    log = MemoryLog()
    for name in names:
        order = Order(command_id="open", command=OpenEngagement(candidate_id=f"c-{name}"), actor=ENGINE)
        prepared = prepare(order, Engagement(), None, NOW, agency=agency, engagement_id=name)
        stream = f"engagement:{name}"
        await log.append_many(
            [AppendRequest(agency=agency, stream=stream, expected=0, groups=(prepared.group,))]
        )
    return log


class TestAccount:
    async def test_names_whom_temporal_refuses_and_goes_on_with_the_others(
        self, temporal_server: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Law 9: one engagement's failure never stops another's, and no failure is silent."""
        agency, starts = f"a-{uuid4().hex[:8]}", Engagements.start

        async def start(by: Engagements, key: str) -> bool:
            if key == "e-1":
                raise RPCError("Zebulon Quuxworth", RPCStatusCode.INVALID_ARGUMENT, b"")
            return await starts(by, key)

        monkeypatch.setattr(Engagements, "start", start)
        client = await Client.connect(temporal_server, data_converter=data_converter(MemoryKeys()))
        log = await log_of(agency, "e-1", "e-2")
        seen: list[tuple[int, int]] = []

        account = await rehydrate_agency(
            log, client, agency, on_progress=lambda done, total: seen.append((done, total))
        )

        assert (account.started, [each.engagement for each in account.failed]) == (1, ["e-1"])
        assert account.failed[0].says == "Temporal did not take it (INVALID_ARGUMENT); run this again"
        assert seen == [(1, 2), (2, 2)]
        await client.get_workflow_handle(f"engagement:{agency}:e-2").terminate()

    async def test_asks_no_thousand_times_who_does_not_answer_once(
        self, temporal_server: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        agency, asked = f"a-{uuid4().hex[:8]}", list[str]()

        async def start(_: Engagements, key: str) -> bool:
            asked.append(key)
            raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")

        monkeypatch.setattr(Engagements, "start", start)
        log = await log_of(agency, *(f"e-{number}" for number in range(60)))

        account = await rehydrate_agency(log, await Client.connect(temporal_server), agency)

        assert len(account.failed) == 60
        assert len(asked) <= 16
        assert {each.says for each in account.failed} == {
            "Temporal does not answer (UNAVAILABLE); run this again when it does"
        }

    async def test_leaves_alone_what_is_being_imported(self, temporal_server: str) -> None:
        """Its workflow starts when it goes live; until then nobody may write but the import."""
        log, client = MemoryLog(), await Client.connect(temporal_server)
        await log.begin_import("acme", "engagement:e-1")
        head = await log.head("acme", "engagement:e-1")
        assert head is not None

        account = await rehydrate_engagement(log, client, head)

        assert (account.importing, account.started, account.failed) == (1, 0, ())
