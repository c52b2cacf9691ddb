"""What comes by asking: as true as the provider's API, and applied once however often it is told."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from activities.asking.changes import Change
from events.integrations.mapping import parse
from events.integrations.message import Received
from tests.events.integrations.conftest import CONNECTIONS, with_examples
from tests.workers.asking.conftest import NOON
from tests.workers.asking.stand_in import KEY, StandIn
from tests.workers.asking.test_clients import meeting, scorecard
from tests.workers.inbox.desk import Office
from workers.asking.apis import ProviderApis
from workers.asking.findings import failing_polls
from workers.asking.polled import Polled
from workers.asking.polls import Poller
from workers.inbox.connections import Connection, ConnectionSettings, Secret

pytestmark = pytest.mark.postgres

LATER = (NOON + timedelta(minutes=1)).isoformat()
INTERVIEW_STAGE, QUIET_STAGE = "7c2690d8-6308-4ed9-ae2a-cbfe7db26593", "992f01a9-ee19-41d2-ae79-1040701b195c"


@dataclass
class Place:
    """An office whose connection asks the stand-in, with a mapping that ships and its examples."""

    office: Office
    stand_in: StandIn
    polled: Polled
    apis: ProviderApis

    @property
    def agency(self) -> str:
        """Name the agency."""
        return self.office.post.agency

    @property
    def connection(self) -> Connection:
        """Give the connection."""
        return self.office.connection

    @property
    def poller(self) -> Poller:
        """Make what polls, as a process does that has just begun."""
        return Poller(self.office.post.connections, self.office.post.inbox, self.polled, self.apis)

    async def connect(self, provider: str, external: str = "7", key: str | None = KEY) -> None:
        """Connect a provider, and link its application to the office's first submission."""
        text = with_examples((CONNECTIONS / f"{provider}.toml").read_text(encoding="utf-8"))
        self.office.connection = await self.office.post.connection(
            provider=provider,
            mapping=parse(text, where=provider).body(),
            api_base=self.stand_in.base(provider),
            settings=ConnectionSettings(settle_seconds=0),
            secrets_=[Secret("api", key)] if key else [],
        )
        # What is asked about happens at noon of a day long ago.
        await self.office.post.sql(
            "UPDATE rapport.connections SET created_at = $2 WHERE connection_id = $1",
            self.connection.id,
            NOON,
        )
        await self.office.link("application", external, "e-1", "s-1", "j-1")
        await self.office.post.sql(
            "UPDATE rapport.external_ids SET at = $2 WHERE connection_id = $1",
            self.connection.id,
            NOON - timedelta(days=1),
        )

    async def comes(self, key: str, event: str, body: Any, minute: int = 1, **headers: str) -> None:
        """Let a webhook come."""
        at = NOON + timedelta(minutes=minute)
        received = Received(key, event, at, json.dumps(body).encode(), headers)
        await self.office.post.inbox.receive(self.connection, received)

    async def poll(self) -> tuple[bool, int]:
        """Poll once, as if the last poll had been at noon of that day."""
        await self.office.post.sql(
            "UPDATE rapport.connections SET polled_until = $2 WHERE connection_id = $1 AND polled_until > $2",
            self.connection.id,
            NOON,
        )
        end = await self.poller.poll(self.agency, self.connection.id)
        return end.ok, end.found

    async def settled(self) -> list[tuple[str, str]]:
        """Wait until all is done, and give each message's event and state."""
        async with self.office.pump():
            await self.office.settled()
        return [(each.event, each.state) for each in await self.office.messages()]

    async def count(self, type: str) -> int:
        """Count an engagement's events of a type."""
        return len(await self.office.desk.events("e-1", type))


@pytest.fixture
async def place(office: Office, stand_in: StandIn) -> Any:
    """This will be the office, and the APIs that it asks."""
    apis = ProviderApis(allow_private=True)
    office.asking = apis
    yield Place(office, stand_in, Polled(office.post.pool, office.post.keys), apis)
    await apis.close()


def stage(name: str) -> dict[str, Any]:
    """Make one of Harvest's applications in a stage."""
    return {
        "id": 7,
        "status": "active",
        "last_activity_at": LATER,
        "current_stage": {"id": len(name), "name": name},
    }


class TestAPoll:
    async def test_brings_a_result_once_however_often_it_is_told(self, place: Place) -> None:
        """No webhook tells a result; a webhook and two polls tell the stage."""
        await place.connect("greenhouse")
        held = place.stand_in
        held.applications = {"7": stage("Onsite")}
        held.meetings = [meeting(1, 7, scorecard=4)]
        held.scorecards = [{**scorecard(4, 7), "submitted_at": LATER}]
        webhook = {"action": "candidate_stage_change", "payload": {"application": held.applications["7"]}}
        await place.comes("w-1", "candidate_stage_change", webhook)
        # At first all of an application; then what its lists show, which the overlap shows a second time.
        assert [await place.poll() for _ in range(3)] == [(True, 3), (True, 2), (True, 0)]
        states = await place.settled()
        # One that was overtaken by a newer look at the same says nothing of its own.
        assert {state for _, state in states} <= {"applied", "superseded"}
        assert len(states) == 1 + 3 + 2
        assert await place.poll() == (True, 0)
        assert await place.count("interview-result-recorded") == 1
        assert await place.count("interview-scheduled") == 1
        assert await place.count("client-answered") == 1

    async def test_tells_a_state_again_that_comes_back(self, place: Place) -> None:
        await place.connect("greenhouse")
        for name, minute in (("Assessment", 1), ("Onsite", 2), ("Assessment", 3)):
            at = (NOON + timedelta(minutes=minute)).isoformat()
            place.stand_in.applications = {"7": {**stage(name), "last_activity_at": at}}
            ok, found = await place.poll()
            assert ok
            assert found >= 1
        kept = [each for each, _ in await place.settled()]
        assert kept.count("candidate_stage_change") == 3

    async def test_says_nothing_of_those_who_are_nobodys(self, place: Place) -> None:
        await place.connect("greenhouse")
        place.stand_in.applications = {"8": {**stage("Onsite"), "id": 8}}
        place.stand_in.scorecards = [scorecard(4, 8)]
        assert await place.poll() == (True, 0)

    async def test_brings_the_same_message_after_a_crash_before_it_was_noted(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await place.connect("greenhouse")
        place.stand_in.applications = {"7": stage("Onsite")}

        async def dies(*_: Any) -> None:
            raise asyncio.CancelledError

        with monkeypatch.context() as patch:
            patch.setattr(Polled, "told", dies)
            with pytest.raises(asyncio.CancelledError):
                await place.poll()
        assert await place.poll() == (True, 2)
        assert [event for event, _ in await place.settled()].count("candidate_stage_change") == 1

    async def test_asks_about_nobody_whose_engagement_is_closed(self, place: Place) -> None:
        await place.connect("workable", "c1")
        await place.office.post.sql(
            "UPDATE rapport.streams SET phase = 'closed' WHERE agency = $1 AND stream = 'engagement:e-1'",
            place.agency,
        )
        end = await place.poller.poll(place.agency, place.connection.id)
        assert (end.ok, end.says) == (True, "it answers; nobody of ours is linked yet")
        assert [each.partition("?")[0] for each in place.stand_in.asked] == ["GET /workable/jobs"]


class TestAFailingPoll:
    async def test_is_a_finding_until_one_goes_through(self, place: Place) -> None:
        await place.connect("greenhouse")
        place.stand_in.applications = {"7": stage("Onsite")}
        place.stand_in.away = True
        assert await place.poll() == (False, 0)
        [finding] = await failing_polls(place.polled, place.agency)
        assert finding.stuck
        assert finding.name == f"connection:{place.connection.id}"
        assert "it answered 503" in finding.says
        place.stand_in.away = False
        assert (await place.poll())[0]
        assert await failing_polls(place.polled, place.agency) == []
        [listed] = [each for each in await place.office.post.connections.list(place.agency) if each.api_base]
        assert listed.last_poll_says == "3 changes"

    async def test_looks_from_where_the_last_good_one_did(self, place: Place) -> None:
        await place.connect("greenhouse")
        await place.poller.poll(place.agency, place.connection.id)
        _, before = await place.polled.begin(place.connection)
        place.stand_in.away = True
        await place.poller.poll(place.agency, place.connection.id)
        _, after = await place.polled.begin(place.connection)
        assert after.moment == before.moment > NOON
        assert after.fresh == frozenset()

    async def test_of_our_own_making_is_told_without_its_words(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await place.connect("greenhouse")

        def breaks(*_: Any) -> None:
            raise ValueError("Ada Lovelace")

        monkeypatch.setattr(ProviderApis, "open", breaks)
        end = await place.poller.poll(place.agency, place.connection.id)
        assert (end.ok, end.found) == (False, 0)
        assert end.says == "failed, and is tried again: what greenhouse answered is not understood"


class TestDue:
    async def test_names_those_whose_time_has_come(self, place: Place) -> None:
        await place.connect("greenhouse")
        ours = (place.agency, place.connection.id)
        assert ours in await place.poller.due()
        await place.poll()
        assert ours not in await place.poller.due()
        ago = "UPDATE rapport.connections SET last_polled_at = now() - $2::interval WHERE connection_id = $1"
        await place.office.post.sql(ago, place.connection.id, timedelta(minutes=14, seconds=30))
        assert ours in await place.poller.due()
        await place.office.post.connections.disable(*ours)
        assert ours not in await place.poller.due()

    async def test_leaves_out_who_is_never_to_be_polled(self, place: Place) -> None:
        await place.connect("greenhouse")
        never = ConnectionSettings(poll_minutes=0)
        await place.office.post.connections.change(
            place.agency, place.connection.id, api_base=place.connection.api_base, settings=never
        )
        assert (place.agency, place.connection.id) not in await place.poller.due()


class TestAHint:
    async def test_is_worth_what_the_provider_says_of_it(self, place: Place) -> None:
        """Whoever has seen one of Lever's deliveries can forge its data."""
        await place.connect("lever", "o-1")
        place.stand_in.opportunities = {"o-1": {"id": "o-1", "stage": {"id": QUIET_STAGE}}}
        forged = {"data": {"opportunityId": "o-1", "toStageId": INTERVIEW_STAGE}}
        await place.comes("t-1", "candidateStageChange", forged)
        assert await place.settled() == [("candidateStageChange", "ignored")]
        place.stand_in.opportunities["o-1"]["stage"] = {"id": INTERVIEW_STAGE}
        await place.comes("t-2", "candidateStageChange", {"data": {"opportunityId": "o-1"}}, minute=2)
        assert (await place.settled())[1] == ("candidateStageChange", "applied")
        assert await place.count("client-answered") == 1

    async def test_is_filled_by_what_its_link_leads_to(self, place: Place) -> None:
        await place.connect("smartrecruiters", "a-1")
        await place.office.link("candidate", "c-1", "e-1")
        place.stand_in.applications = {"a-1": {"id": "a-1", "status": "REJECTED"}}
        link = f"{place.stand_in.base('smartrecruiters')}/applications/a-1"
        thin = {"job_id": "j", "candidate_id": "c-1"}
        await place.comes("ev-1", "application.status.updated", thin, link=link)
        assert await place.settled() == [("application.status.updated", "applied")]
        [answered] = await place.office.desk.events("e-1", "client-answered")
        assert json.loads(answered.body)["answer"] == "no"

    async def test_of_a_link_to_another_host_waits_and_the_key_stays_here(self, place: Place) -> None:
        await place.connect("smartrecruiters", "a-1")
        link = "https://evil.example/applications/a-1"
        await place.comes("ev-1", "application.status.updated", {}, link=link)
        assert await place.settled() == [("application.status.updated", "waiting")]
        [kept] = await place.office.messages()
        assert kept.says is not None
        assert "not followed" in kept.says
        assert "evil" not in kept.says

    async def test_stays_while_the_provider_is_away_and_is_tried_again(self, place: Place) -> None:
        await place.connect("lever", "o-1")
        place.stand_in.opportunities = {"o-1": {"id": "o-1", "stage": {"id": INTERVIEW_STAGE}}}
        place.stand_in.away = True
        await place.comes("t-1", "candidateStageChange", {"data": {"opportunityId": "o-1"}})
        async with place.office.pump():

            async def tried() -> bool:
                [kept] = await place.office.messages()
                return kept.state == "received" and kept.attempts >= 2

            await place.office.until(tried)
            place.stand_in.away = False
            await place.office.settled()
        assert await place.count("client-answered") == 1

    async def test_waits_for_a_key_and_goes_through_with_the_next_poll(self, place: Place) -> None:
        await place.connect("lever", "o-1", key="a-wrong-one")
        place.stand_in.opportunities = {
            "o-1": {"id": "o-1", "stage": {"id": INTERVIEW_STAGE}, "updatedAt": 0, "archived": None}
        }
        await place.comes("t-1", "candidateStageChange", {"data": {"opportunityId": "o-1"}})
        assert await place.settled() == [("candidateStageChange", "waiting")]
        [kept] = await place.office.messages()
        assert (kept.needs, kept.says) == (
            "fetch",
            "the provider refuses the key; give one that may read this",
        )
        right = Secret("api", KEY)
        await place.office.post.connections.rotate(place.agency, place.connection.id, right)
        assert (await place.poll())[0]
        # The hint and the poll say the same: whichever is second may find it told.
        assert {"applied"} <= {state for _, state in await place.settled()} <= {"applied", "superseded"}
        assert await place.count("client-answered") == 1


class TestApart:
    async def test_shows_no_agency_anothers_polls(self, place: Place, offices: Any) -> None:
        await place.connect("greenhouse")
        place.stand_in.away = True
        await place.poll()
        other = offices()
        polled = Polled(other.pool, other.keys)
        assert await polled.failing(other.agency) == []
        change = Change("t", "s", Received("d", "e", None, b"{}"))
        await place.polled.told(place.connection, change)
        assert await place.polled.is_told(place.connection, change)
        async with other.pool.scoped(other.agency) as lent:
            assert await lent.fetch("SELECT * FROM rapport.polled_states") == []

    async def test_keeps_no_foreign_id_and_no_state_readable(self, place: Place) -> None:
        await place.connect("greenhouse")
        await place.polled.told(place.connection, Change("anna", "words", Received("d", "e", None, b"{}")))
        [row] = await place.office.post.sql(
            "SELECT thing, state FROM rapport.polled_states WHERE connection_id = $1", place.connection.id
        )
        assert (len(row["thing"]), len(row["state"])) == (32, 32)
        assert isinstance(await place.office.post.inbox.message_id(place.connection, "d"), UUID)
