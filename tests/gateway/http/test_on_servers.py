"""The HTTP door on both real servers: lists from the tables, commands through Temporal, and both away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr
from temporalio.envconfig import ClientConnectConfig

from activities.agency_load import load_agency
from events.agency import Entry
from events.envelope import Actor
from events.log.migrate import migrate
from gateway.access.who import Who
from gateway.http.doors import opened
from workers.embedded.stack import EmbeddedStack
from workers.projector import projecting
from workers.serving import serving
from workers.settings import KeyEncryptionKey, Settings
from workers.shipped import deploy_policy

pytestmark = [pytest.mark.temporal, pytest.mark.postgres]

PEOPLE = (
    Entry(person_id="r-1", role="recruiter", team_lead="l-1", name="Recruiter One", team="north"),
    Entry(person_id="r-2", role="recruiter", team_lead="l-1", name="Recruiter Two", team="south"),
    Entry(person_id="l-1", role="team-lead", name="Lead One"),
)
TALK = {"channel": "phone", "by": "r-1", "note": "keeps bees in Lisbon"}
PATIENCE = timedelta(seconds=15)


@asynccontextmanager
async def served(
    url: str, temporal: str, caller: Any, calling: Any, permits: Any, *, patience: timedelta = PATIENCE
) -> AsyncIterator[httpx.AsyncClient]:
    """Run workers, a projector and the door on two servers, with an agency of its own."""
    await migrate(url)
    key = KeyEncryptionKey(id="test", secret=b"k" * 32)
    settings = Settings(database_url=SecretStr(url), key_encryption_keys=(key,))
    where = ClientConnectConfig(target_host=temporal, namespace="default")
    agency = f"a-{uuid4().hex[:12]}"
    caller.who = Who(agency=agency, role="director", credential="k-1", person_id="l-1")

    async with (
        serving(settings, url, where) as at_work,
        projecting(url),
        opened(settings, url, where, patience=patience) as doors,
    ):
        operator = Actor(kind="operator", id="test")
        policy = deploy_policy("starter")
        await load_agency(at_work.having.service, agency, people=PEOPLE, policy=policy, actor=operator)
        async with calling(replace(doors, permits=permits(caller, doors.having))) as client:
            yield client


@pytest.fixture
async def http(
    new_database: Callable[[], str], temporal_for_workers: str, caller: Any, calling: Any, permits: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """This will call the door of an agency on servers that others use as well."""
    async with served(new_database(), temporal_for_workers, caller, calling, permits) as client:
        yield client


async def until_done(
    http: httpx.AsyncClient, place: str, body: dict[str, Any], headers: dict[str, str]
) -> httpx.Response:
    """Send a command again for as long as nobody answers it in time."""
    async with asyncio.timeout(90):
        while True:
            response = await http.post(place, json=body, headers=headers)
            if response.status_code != 503:
                return response
            # Nobody tells when they are back, so it is asked again.
            await asyncio.sleep(0.1)


async def open_some(http: httpx.AsyncClient) -> None:
    """Open five engagements: three of r-1, one of r-2, one of nobody."""
    owners = {"e-1": "r-1", "e-2": "r-2", "e-3": "r-1", "e-4": None, "e-5": "r-1"}
    for engagement, owner in owners.items():
        body = {"engagement": engagement, "candidate_id": f"c-{engagement}"} | (
            {"owner": owner} if owner else {}
        )
        response = await until_done(http, "/v1/engagements", body, {"Idempotency-Key": f"open-{engagement}"})
        assert response.status_code == 201, response.text


async def found(http: httpx.AsyncClient, **params: Any) -> list[str]:
    """List the ids of all pages, asking for all that is in the log."""
    ids: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        response = await http.get("/v1/engagements", params={"wait": True, "limit": 2, **params, **cursor})
        assert response.status_code == 200, response.text
        page = response.json()
        ids += [each["engagement"] for each in page["items"]]
        if page["next"] is None:
            return ids
        cursor = {"cursor": page["next"]}


class TestList:
    async def test_finds_what_is_asked_for_in_pages(self, http: httpx.AsyncClient, caller: Any) -> None:
        await open_some(http)
        assert await found(http) == ["e-1", "e-2", "e-3", "e-4", "e-5"]
        assert await found(http, owner="r-1") == ["e-1", "e-3", "e-5"]
        assert await found(http, team="south") == ["e-2"]
        assert await found(http, stage="matching") == []
        assert await found(http, waiting_on="recruiter") == ["e-1", "e-2", "e-3", "e-4", "e-5"]
        paused = {"until": "2090-01-01T00:00:00Z", "approved_by": "l-1"}
        response = await http.post("/v1/engagements/e-3/commands/record-pause", json=paused)
        assert response.status_code == 200, response.text
        assert await found(http, posture="paused") == ["e-3"]
        assert "e-3" not in await found(http, posture="active")
        waits = (await http.get("/v1/waiting", params={"wait": True, "limit": 200})).json()["items"]
        assert {each["engagement"] for each in waits} == {"e-1", "e-2", "e-3", "e-4", "e-5"}
        await self._in_pages(http, waits)
        await self._only_for_whom_it_is(http, caller)

    async def _in_pages(self, http: httpx.AsyncClient, whole: list[Any]) -> None:
        rows: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await http.get("/v1/waiting", params={"limit": 2, **cursor})).json()
            rows += page["items"]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert rows == whole

    async def _only_for_whom_it_is(self, http: httpx.AsyncClient, caller: Any) -> None:
        """Whoever may see only some people's engagements is told of no others; nobody's are anybody's."""
        caller.may = lambda who, action, target: action != "read-engagement" or target.owner == who.person_id
        caller.becomes("recruiter", person_id="r-2")
        assert await found(http) == ["e-2", "e-4"]
        assert await found(http, owner="r-1") == []
        waits = (await http.get("/v1/waiting")).json()["items"]
        assert {each["engagement"] for each in waits} == {"e-2", "e-4"}
        caller.becomes("director", agency="another")
        assert await found(http) == []

    async def test_says_that_nobody_has_built_the_tables(
        self, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await open_some(http)
        await found(http)
        from events.projections.reading import ReadModels

        real = ReadModels.wait_for

        async def behind(self: ReadModels, *arguments: Any) -> Any:
            return replace(await real(self, *arguments), missing=("board",), at_work=False)

        monkeypatch.setattr(ReadModels, "wait_for", behind)
        for path in ("/v1/engagements", "/v1/waiting", "/v1/compliance"):
            response = await http.get(path)
            assert (response.status_code, response.json()["code"]) == (503, "read-models-away")
            assert "retry-after" in response.headers


class TestCompliance:
    async def test_is_the_command_line_s_report(self, http: httpx.AsyncClient) -> None:
        await open_some(http)
        response = await http.get("/v1/compliance", params={"by": "owner", "from": "2020-01-01"})
        assert response.status_code == 200, response.text
        told = response.json()
        assert told["total"]["opened"] >= 5
        assert "r-1" in {each["key"] for each in told["rows"]}
        assert set(told["total"]) <= set(told["definitions"]) | set(told["total"])

    @pytest.mark.parametrize(
        "params",
        [
            {"from": "x"},
            {"from": "2020-02-01", "to": "2020-01-01"},
            {"zone": "Mars"},
            {"by": "x"},
            {"to": "9999-12-31"},
        ],
    )
    async def test_says_what_is_wrong_with_a_period(
        self, http: httpx.AsyncClient, params: dict[str, str]
    ) -> None:
        response = await http.get("/v1/compliance", params=params)
        assert (response.status_code, response.json()["code"]) == (422, "invalid-request")


class TestGive:
    async def test_does_a_command_once_under_its_id(self, http: httpx.AsyncClient) -> None:
        await open_some(http)
        place, headers = "/v1/engagements/e-1/commands/record-contact", {"Idempotency-Key": "talk-1"}
        first = await http.post(place, json=TALK, headers=headers)
        for _ in range(3):
            again = await http.post(place, json=TALK, headers=headers)
            assert (again.status_code, again.json()) == (200, first.json())
        other = await http.post(place, json={**TALK, "channel": "video"}, headers=headers)
        assert (other.status_code, other.json()["code"]) == (409, "command-id-reused")
        events = (await http.get("/v1/engagements/e-1/events")).json()["items"]
        assert sum(each["event"] == "contact-made" for each in events) == 1

    async def test_holds_two_callers_to_the_version_that_both_saw(self, http: httpx.AsyncClient) -> None:
        """Of those who decide on the same picture one is first, however close they come."""
        await open_some(http)
        headers = {"If-Match": (await http.get("/v1/engagements/e-1")).headers["etag"]}
        place = "/v1/engagements/e-1/commands/record-contact"
        answers = await asyncio.gather(*(http.post(place, json=TALK, headers=headers) for _ in range(6)))
        assert sorted(each.status_code for each in answers) == [200, 412, 412, 412, 412, 412]

    async def test_takes_many_at_once(self, http: httpx.AsyncClient) -> None:
        await open_some(http)
        place = "/v1/engagements/e-1/commands/record-contact"
        answers = await asyncio.gather(*(http.post(place, json=TALK) for _ in range(40)))
        assert {each.status_code for each in answers} == {200}
        versions = [each.json()["version"] for each in answers]
        read = await http.get("/v1/engagements/e-1", params={"min_version": max(versions)})
        assert read.json()["version"] >= max(versions)

    async def test_tells_a_mistake_and_a_gate(self, http: httpx.AsyncClient) -> None:
        await open_some(http)
        place = "/v1/engagements/e-1/commands"
        gate = await http.post(f"{place}/propose-job", json={"job_order_id": "jo-1", "by": "r-1", "fit": 80})
        assert (gate.status_code, gate.json()["gate"]) == (409, "know-each-other-first")
        wrong = await http.post(f"{place}/record-interview-held", json={"interview_id": "i-9"})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "unknown-reference")
        closed = await http.post(f"{place}/close-engagement", json={"reason": "moved-away"})
        assert closed.status_code == 200, closed.text
        late = await http.post(f"{place}/complete-intake")
        assert (late.status_code, late.json()["code"]) == (409, "closed-engagement")


class TestAway:
    async def test_is_told_and_loses_nothing(
        self, stack: EmbeddedStack, caller: Any, calling: Any, permits: Any
    ) -> None:
        """The same request again, when Temporal is back, is done once."""
        patience = timedelta(seconds=2)
        place, headers = "/v1/engagements/e-1/commands/record-contact", {"Idempotency-Key": "talk-1"}
        async with served(
            stack.database_url, stack.temporal_address, caller, calling, permits, patience=patience
        ) as http:
            await open_some(http)
            assert (await http.get("/readyz")).status_code == 200
            await stack.kill("temporal")
            away = await http.post(place, json=TALK, headers=headers)
            assert (away.status_code, away.headers["retry-after"]) == (503, "2")
            unready = await http.get("/readyz")
            assert (unready.status_code, unready.json()["missing"]) == (503, ["temporal"])
            assert (await http.get("/livez")).status_code == 200
            assert (await http.get("/v1/engagements/e-1")).status_code == 200
            await stack.restart("temporal")
            back = await until_done(http, place, TALK, headers)
            assert back.status_code == 200, back.text
            events = (await http.get("/v1/engagements/e-1/events")).json()["items"]
            assert sum(each["event"] == "contact-made" for each in events) == 1
