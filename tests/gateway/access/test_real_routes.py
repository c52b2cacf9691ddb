"""The table of roles as the product's own routes ask it, on PostgreSQL, with real credentials."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from events.catalogue import Reassigned
from gateway.access.roles_table import main
from workers.inbox.links import Link, Target

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gateway.access.conftest import Ground

pytestmark = pytest.mark.postgres
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


async def give(
    http: httpx.AsyncClient, key: str, engagement: str, name: str, **fields: Any
) -> httpx.Response:
    path = f"/v1/engagements/{engagement}/commands/{name}"
    return await http.post(path, json=fields, headers=bearer(key))


class TestReading:
    async def test_opens_personal_fields_to_those_who_may_see_them(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        await ground.engagement("e-1", email="zofie@example.com")
        sees: dict[Any, bool] = {
            "recruiter": True,
            "director": True,
            "compliance": True,
            "operator": False,
            "auditor": False,
        }
        for role, opened in sees.items():
            headers = bearer(await ground.key(role))
            for path in ("", "/events", "/at/1"):
                answer = await http.get(f"/v1/engagements/e-1{path}", headers=headers)
                assert answer.status_code == 200, answer.text
                assert opened or "Žofie" not in answer.text
            told = await http.get("/v1/engagements/e-1/events", headers=headers)
            assert ("Žofie" in told.text) is opened
        link = bearer(await ground.link("e-1"))
        own = await http.get("/v1/engagements/e-1/events", headers=link)
        assert own.status_code == 200
        assert "Žofie" not in own.text

    async def test_is_shown_what_the_glass_opened(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        await ground.engagement("e-1")
        key = bearer(await ground.key("operator"))
        path = "/v1/engagements/e-1/events"
        assert "Žofie" not in (await http.get(path, headers=key)).text
        why = {"reason": "Support case 4711"}
        await http.post("/v1/engagements/e-1/break-glass", json=why, headers=key)
        assert "Žofie" in (await http.get(path, headers=key)).text

    async def test_follows_a_candidate_to_their_new_owner_at_once(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        """No table has heard of it yet."""
        await ground.engagement("e-1", "r-1")
        ours, theirs = await ground.key("recruiter"), await ground.key("recruiter", person_id="r-3")
        moved = Reassigned(at=NOW, owner="r-3", previous="r-1")
        await ground.append(ground.agency, "engagement:e-1", 2, moved)
        assert (await http.get("/v1/engagements/e-1", headers=bearer(ours))).status_code == 403
        assert (await http.get("/v1/engagements/e-1", headers=bearer(theirs))).status_code == 200

    async def test_says_in_one_way_what_is_not_there(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        """Whether nothing has the name, nothing can have it, or another agency has what is called so."""
        await ground.engagement("e-1")
        await ground.engagement("e-other", agency=ground.other)
        key = bearer(await ground.key("director"))
        link = bearer(await ground.link("e-1"))
        answers = [
            *[await http.get(f"/v1/engagements/{each}", headers=key) for each in ("e-no", "e-other", "%20")],
            await give(http, key["Authorization"].removeprefix("Bearer "), "e-no", "record-attempt"),
            await http.get("/v1/engagements/e-no", headers=link),
            *[
                await http.get(f"/v1/events?engagement={each}", headers=key)
                for each in ("e-no", "e-other", "%20")
            ],
        ]
        assert {each.status_code for each in answers} == {404}
        assert {each.json()["code"] for each in answers} == {"unknown-engagement"}
        assert len({each.json()["detail"] for each in answers}) == 1
        for what, path in {
            "unknown-job-order": "/v1/job-orders/jo-no",
            "unknown-subscription": "/v1/subscriptions/sub-no",
            "unknown-version": "/v1/engagements/e-1/at/99",
        }.items():
            answer = await http.get(path, headers=key)
            assert (answer.status_code, answer.json()["code"]) == (404, what)
        gone = await http.delete(f"/v1/engagements/e-1/links/{'0' * 16}", headers=key)
        assert (gone.status_code, gone.json()["code"]) == (404, "unknown-link")

    async def test_names_colleagues_to_colleagues(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        expected: dict[Any, int] = {"recruiter": 200, "auditor": 200, "integration": 403}
        for role, status in expected.items():
            assert (
                await http.get("/v1/agency", headers=bearer(await ground.key(role)))
            ).status_code == status
        await ground.engagement("e-1")
        candidate = bearer(await ground.link("e-1"))
        for path in ("/v1/agency", "/v1/engagements", "/v1/waiting", "/v1/job-orders", "/v1/compliance"):
            assert (await http.get(path, headers=candidate)).status_code == 403

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "engagements/%00/links"),
            ("POST", "engagements/%00/links"),
            ("GET", "engagements/%00/held"),
            ("DELETE", "engagements/e-1/links/%00"),
            ("GET", "events?engagement=%00"),
            ("POST", "engagements/%00/break-glass"),
        ],
    )
    async def test_finds_nothing_by_what_is_no_text(
        self, ground: "Ground", http: httpx.AsyncClient, method: str, path: str
    ) -> None:
        await ground.engagement("e-1")
        role: Any = "recruiter" if "events" in path else "operator" if "glass" in path else "director"
        body = {"reason": "why"} if "glass" in path else {} if method == "POST" else None
        answer = await http.request(method, f"/v1/{path}", json=body, headers=bearer(await ground.key(role)))
        assert answer.status_code in (404, 422), answer.text


class TestCommands:
    async def test_are_for_those_whose_it_is(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        await ground.engagement("e-1", "r-1")
        await ground.engagement("e-far", "r-3")
        expected: dict[Any, tuple[int, int]] = {
            "recruiter": (200, 403),
            "team-lead": (200, 403),
            "director": (200, 200),
            "compliance": (403, 403),
            "operator": (403, 403),
            "auditor": (403, 403),
            "integration": (200, 403),
        }
        linked = await ground.connected("greenhouse", "e-1")
        for role, statuses in expected.items():
            key = await ground.key(role, **({"connection": linked} if role == "integration" else {}))
            for engagement, status in zip(("e-1", "e-far"), statuses, strict=True):
                answer = await give(http, key, engagement, "record-contact", channel="phone", by="r-1")
                assert (role, answer.status_code) == (role, status), answer.text
        kinds = {order.actor.kind for _, order in ground.kept.orders}
        assert kinds == {"person", "integration"}

    async def test_go_through_a_connection_to_what_it_is_linked_to(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        """Another's link, and another agency's connection of whatever words, open nothing."""
        await ground.engagement("e-1", "r-1")
        connection = await ground.connected("greenhouse")
        await ground.connected("lever", "e-1")
        key = await ground.key("integration", connection=connection)
        refused = await give(http, key, "e-1", "record-contact", channel="phone", by="r-1")
        assert (refused.status_code, refused.json()["detail"]) == (
            403,
            "an integration may not give commands that tell of an engagement that its connection is not "
            "linked to; have a person link it with 'rapport connection link'",
        )
        link = Link("application", "265277", Target("e-1", "s-1"))
        await ground.having.links.learn(ground.agency, connection, [link], by="person:r-1")
        assert (await give(http, key, "e-1", "record-contact", channel="phone", by="r-1")).status_code == 200
        foreign = await ground.having.connections.add(ground.other, provider="standard-webhooks", name="ats")
        key = await ground.key("integration", connection=foreign.id)
        assert (await give(http, key, "e-1", "record-contact", channel="phone", by="r-1")).status_code == 403

    async def test_go_through_a_connection_in_our_own_words_to_all_of_its_agency(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        await ground.engagement("e-1", "r-1")
        await ground.engagement("e-2", agency=ground.other)
        key = await ground.key("integration", connection=await ground.connected("standard-webhooks"))
        for engagement, status in (("e-1", 200), ("e-2", 404)):
            answer = await give(http, key, engagement, "record-contact", channel="phone", by="r-1")
            assert answer.status_code == status

    async def test_open_through_any_connection(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        """What is not there yet is linked to nothing."""
        headers = bearer(await ground.key("integration", connection=await ground.connected("greenhouse")))
        body = {"candidate_id": "c-1", "owner": "r-1"}
        assert (await http.post("/v1/engagements", json=body, headers=headers)).status_code == 201

    async def test_of_a_lead_are_given_by_the_lead(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        await ground.engagement("e-1", "r-1")
        pause = {"until": "2090-01-01T00:00:00Z", "approved_by": "l-1"}
        recruiter, lead = await ground.key("recruiter"), await ground.key("team-lead")
        assert (await give(http, recruiter, "e-1", "pause", **pause)).status_code == 403
        assert (await give(http, recruiter, "e-1", "pause", until=pause["until"])).status_code == 200
        assert (await give(http, lead, "e-1", "pause", **pause)).status_code == 200
        another = await give(http, lead, "e-1", "pause", until=pause["until"], approved_by="d-1")
        assert another.status_code == 403
        assert (await give(http, recruiter, "e-1", "reassign", owner="r-2")).status_code == 403
        assert (await give(http, lead, "e-1", "reassign", owner="r-2")).status_code == 200

    async def test_may_be_a_covers_while_the_lead_is_away(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        await ground.engagement("e-1", "r-1")
        key = await ground.key("recruiter", person_id="r-3")
        assert (await give(http, key, "e-1", "reassign", owner="r-2")).status_code == 403
        today = datetime.now(UTC)
        await ground.agency_command(
            ground.agency,
            "record-absence",
            absence_id="a-1",
            person_id="l-1",
            starts_at=(today - timedelta(days=1)).isoformat(),
            ends_at=(today + timedelta(days=1)).isoformat(),
            cover="r-3",
        )
        await ground.having.directory.agency(ground.agency)
        assert (await give(http, key, "e-1", "reassign", owner="r-2")).status_code == 200
        [(_, order)] = ground.kept.orders
        assert order.actor.id == "r-3"

    async def test_open_an_engagement_for_oneself_or_ones_team(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        key = bearer(await ground.key("recruiter"))
        expected = {"r-1": 201, "r-2": 201, "r-3": 403}
        for owner, status in expected.items():
            body = {"candidate_id": "c-1", "owner": owner}
            assert (await http.post("/v1/engagements", json=body, headers=key)).status_code == status
        for role in ("compliance", "operator", "auditor"):
            headers = bearer(await ground.key(role))
            assert (await http.post("/v1/engagements", json={}, headers=headers)).status_code == 403

    async def test_to_a_job_order_are_its_teams(self, ground: "Ground", http: httpx.AsyncClient) -> None:
        ours, theirs = await ground.key("recruiter"), await ground.key("recruiter", person_id="r-3")
        path = "/v1/job-orders/jo-1/commands"
        body = {"client_id": "client-1", "owner": "r-1"}
        assert (
            await http.post(f"{path}/open-job-order", json=body, headers=bearer(theirs))
        ).status_code == 403
        for name, sent in (("open-job-order", body), ("hold-job-order", {})):
            for key, status in ((theirs, 403), (ours, 200)):
                answer = await http.post(f"{path}/{name}", json=sent, headers=bearer(key))
                assert answer.status_code == status, answer.text
        change = {"owner": "r-2"}
        lead = bearer(await ground.key("team-lead"))
        for headers, status in ((bearer(ours), 403), (lead, 200)):
            answer = await http.post(f"{path}/change-job-order-owner", json=change, headers=headers)
            assert answer.status_code == status, answer.text

    async def test_to_the_agency_are_as_the_table_says(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        hold = "/v1/agency/commands/hold-outreach"
        for role, status in (("recruiter", 403), ("team-lead", 403), ("compliance", 403), ("operator", 200)):
            key: Any = role
            answer = await http.post(
                hold, json={"reason": "wrong-template"}, headers=bearer(await ground.key(key))
            )
            assert (role, answer.status_code) == (role, status), answer.text
        away = {"starts_at": "2030-01-07T00:00:00Z", "ends_at": "2030-01-09T00:00:00Z"}
        recruiter = bearer(await ground.key("recruiter"))
        for person, status in (("r-2", 403), ("r-1", 200)):
            body = {**away, "person_id": person, "absence_id": f"a-{person}"}
            answer = await http.post("/v1/agency/commands/record-absence", json=body, headers=recruiter)
            assert (person, answer.status_code) == (person, status), answer.text

    async def test_send_nobody_away_to_take_their_place(
        self, ground: "Ground", http: httpx.AsyncClient
    ) -> None:
        """A lead who is in the director's team would stand in for the director, with all their rights."""
        people = [
            {**each, "team": "berlin"} if each["person_id"] in ("l-1", "d-1", "c-1", "r-1") else each
            for each in ground.people
        ]
        await ground.agency_command(ground.agency, "load-people", people=people)
        lead, director = bearer(await ground.key("team-lead")), bearer(await ground.key("director"))
        now = datetime.now(UTC)
        away = {
            "starts_at": (now - timedelta(hours=1)).isoformat(),
            "ends_at": (now + timedelta(days=1)).isoformat(),
            "cover": "l-1",
        }
        path = "/v1/agency/commands/record-absence"
        for person, headers, status in (
            ("d-1", lead, 403),
            ("c-1", lead, 403),
            ("r-1", lead, 200),
            ("c-1", director, 200),
            ("d-1", director, 200),
        ):
            body = {**away, "person_id": person, "absence_id": f"a-{person}"}
            answer = await http.post(path, json=body, headers=headers)
            assert (person, answer.status_code) == (person, status), answer.text


class TestTheReadme:
    def test_holds_the_table_as_it_is(self) -> None:
        assert main(["--check"]) == 0

    def test_is_told_to_be_behind(self, tmp_path: "Path", capsys: pytest.CaptureFixture[str]) -> None:
        from workers.generated import marks

        begin, end = marks("roles", "gateway.access.roles_table")

        readme = tmp_path / "README.md"
        readme.write_text(f"before\n{begin}old\n{end}after\n")
        assert main(["--check"], readme) == 1
        assert main(["--write"], readme) == 0
        assert main(["--check"], readme) == 0
        assert readme.read_text().startswith("before\n")
