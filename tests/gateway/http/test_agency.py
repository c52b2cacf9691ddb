"""The agency over HTTP: its people, its policy, who is away, and whether messages are held."""

from typing import Any

import httpx
import pytest

from workers.client import NotAnswered
from workers.shipped import policy_path

COMMANDED = "/v1/agency/commands"
AWAY = {"person_id": "r-1", "starts_at": "2030-01-07T00:00:00Z", "ends_at": "2030-01-14T00:00:00Z"}
PEOPLE: list[dict[str, Any]] = [
    {"person_id": "r-1", "role": "recruiter", "team_lead": "l-1", "name": "Recruiter One"},
    {"person_id": "l-1", "role": "team-lead", "name": "Lead One"},
]


class TestAgency:
    async def test_names_its_people_and_its_policy(self, http: httpx.AsyncClient) -> None:
        told = (await http.get("/v1/agency")).json()
        assert told["policy"]["name"] == "starter"
        assert [each["person"] for each in told["people"]] == ["d-1", "l-1", "r-1", "r-2"]
        assert told["people"][2]["name"] == "Recruiter One"
        assert (told["outreach_held"], told["absences"]) == (None, [])

    async def test_leaves_names_out_for_those_who_may_not_see_them(
        self, http: httpx.AsyncClient, caller: Any
    ) -> None:
        caller.may = lambda _who, action, _target: action != "read-personal"
        assert "Recruiter One" not in (await http.get("/v1/agency")).text

    async def test_is_empty_for_one_that_nobody_loaded(self, http: httpx.AsyncClient, caller: Any) -> None:
        caller.becomes("director", agency="other")
        told = (await http.get("/v1/agency")).json()
        assert (told["people"], told["policy"], told["version"]) == ([], None, 0)


class TestGive:
    async def test_records_who_is_away_and_who_is_back(self, http: httpx.AsyncClient) -> None:
        headers = {"Idempotency-Key": "away-1"}
        first = await http.post(f"{COMMANDED}/record-absence", json=AWAY, headers=headers)
        again = await http.post(f"{COMMANDED}/record-absence", json=AWAY, headers=headers)
        assert (first.status_code, again.json()) == (200, first.json())
        [absence] = (await http.get("/v1/agency")).json()["absences"]
        assert (absence["person"], absence["state"]) == ("r-1", "ahead")
        ended = await http.post(f"{COMMANDED}/end-absence", json={"absence_id": absence["absence_id"]})
        assert ended.json()["events"] == ["absence-ended"]

    async def test_holds_messages_and_lets_them_go(self, http: httpx.AsyncClient) -> None:
        await http.post(f"{COMMANDED}/hold-outreach", json={"reason": "wrong-template"})
        assert (await http.get("/v1/agency")).json()["outreach_held"]["reason"] == "wrong-template"
        await http.post(f"{COMMANDED}/release-outreach")
        assert (await http.get("/v1/agency")).json()["outreach_held"] is None

    async def test_loads_everybody_who_works_there(self, http: httpx.AsyncClient) -> None:
        response = await http.post(f"{COMMANDED}/load-people", json={"people": PEOPLE})
        assert sorted(response.json()["events"]) == [
            "person-changed",
            "person-changed",
            "person-left",
            "person-left",
        ]

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"email": "not an address"}, "must be an e-mail address"),
            ({"team_lead": "l-9"}, "is not in the list"),
            ({"role": "king"}, "malformed"),
        ],
    )
    async def test_says_what_is_wrong_with_them(
        self, http: httpx.AsyncClient, change: dict[str, str], says: str
    ) -> None:
        people = [{**PEOPLE[0], **change}, PEOPLE[1]]
        response = await http.post(f"{COMMANDED}/load-people", json={"people": people})
        assert response.status_code == 422
        assert says in response.json()["detail"]
        assert "not an address" not in response.text

    @pytest.mark.parametrize("name", ["start-reassignment", "complete-reassignment", "nothing"])
    async def test_takes_what_is_meant_for_this_door_only(self, http: httpx.AsyncClient, name: str) -> None:
        assert (await http.post(f"{COMMANDED}/{name}", json={})).status_code == 404

    async def test_asks_whether_the_caller_may(self, http: httpx.AsyncClient, caller: Any) -> None:
        caller.may = lambda *_: False
        for name in ("record-absence", "adopt-policy", "load-people"):
            assert (await http.post(f"{COMMANDED}/{name}", json={})).status_code == 403
        assert (await http.get("/v1/agency")).status_code == 403


class TestAdoptPolicy:
    async def test_reaches_the_agency_and_all_that_is_open(self, opened: httpx.AsyncClient) -> None:
        first = await opened.post(f"{COMMANDED}/adopt-policy", json={"policy": "observed"})
        assert first.status_code == 200, first.text
        told = first.json()
        assert (told["agency_outcome"], told["adopted"], told["whole"]) == ("accepted", 1, True)
        again = (await opened.post(f"{COMMANDED}/adopt-policy", json={"policy": "observed"})).json()
        assert (again["agency_outcome"], again["adopted"], again["had_it"]) == ("nothing-to-do", 0, 1)
        state = (await opened.get("/v1/engagements/e-1")).json()["state"]
        assert state["policy_digest"] == told["digest"]

    async def test_reads_a_file_s_text(self, http: httpx.AsyncClient) -> None:
        text = policy_path("observed").read_text()
        response = await http.post(f"{COMMANDED}/adopt-policy", json={"toml": text})
        assert (response.status_code, response.json()["policy"]) == (200, "observed")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"policy": "nope"},
            {"policy": "../../etc/passwd"},
            {"policy": 1},
            {"toml": "nonsense ="},
            {"policy": "starter", "toml": ""},
            {"policy": "starter", "keep_modes": "yes"},
            {"policy": "starter", "actor": {}},
        ],
    )
    async def test_refuses_what_is_no_policy(self, http: httpx.AsyncClient, body: dict[str, Any]) -> None:
        response = await http.post(f"{COMMANDED}/adopt-policy", json=body)
        assert response.status_code == 422
        assert "passwd" not in response.text

    async def test_goes_on_where_it_stopped(self, calls: Any, soon: Any) -> None:
        """The agency's own adoption makes the id of every engagement's command."""
        away = False

        async def maybe(_: str) -> None:
            if away:
                raise NotAnswered("k-1", soon)

        async with calls(before=maybe) as client:
            await client.post(
                "/v1/engagements", json={"engagement": "e-1", "candidate_id": "c-1", "owner": "r-1"}
            )
            away = True
            cut = await client.post(f"{COMMANDED}/adopt-policy", json={"policy": "observed"})
            assert (cut.status_code, cut.json()["unanswered"], cut.json()["whole"]) == (202, ["e-1"], False)
            away = False
            whole = await client.post(f"{COMMANDED}/adopt-policy", json={"policy": "observed"})
            assert (whole.status_code, whole.json()["adopted"]) == (200, 1)
