"""Commands over HTTP: what they come to, and how each mistake is told."""

import asyncio
from typing import Any

import httpx
import pytest

from events.envelope import Actor
from events.orders import COMMANDS, PUBLIC, parse_order
from gateway.http.examples import example_of
from gateway.http.flights import Flights
from workers.client import CommandFailed, NotAnswered

TALK = {"channel": "phone", "by": "r-1", "note": "Wants to lead people."}
ADA = {"candidate_name": "Ada Ønskeby"}
COMMANDED = "/v1/engagements/e-1/commands"


class TestOpen:
    async def test_tells_where_it_is(self, http: httpx.AsyncClient) -> None:
        response = await http.post("/v1/engagements", json={**ADA, "engagement": "e-7", "owner": "r-1"})
        assert response.status_code == 201
        assert response.headers["location"] == "/v1/engagements/e-7"
        told = response.json()
        assert (told["engagement"], told["outcome"], told["events"][0]) == (
            "e-7",
            "accepted",
            "engagement-opened",
        )

    async def test_makes_the_same_ids_for_the_same_request(self, http: httpx.AsyncClient) -> None:
        """Whoever heard no answer may send it again, and opens nothing twice."""
        first, again = [
            await http.post(
                "/v1/engagements", json={**ADA, "owner": "r-1"}, headers={"Idempotency-Key": "k-1"}
            )
            for _ in range(2)
        ]
        assert (again.status_code, again.json()) == (first.status_code, first.json())

    @pytest.mark.parametrize(
        "body", [None, {}, {"owner": "r-1"}, {"candidate_id": ""}, {"candidate_name": None, "email": ""}]
    )
    async def test_asks_who_it_is_with(self, http: httpx.AsyncClient, body: Any) -> None:
        response = (
            await http.post("/v1/engagements", json=body) if body else await http.post("/v1/engagements")
        )
        assert (response.status_code, response.json()["code"]) == (422, "invalid-command")
        assert "candidate_id, candidate_name or email" in response.json()["detail"]

    @pytest.mark.parametrize("body", [{"candidate_id": "c-1"}, ADA, {"email": "ada@example.test"}])
    async def test_is_content_with_one_of_three(self, http: httpx.AsyncClient, body: Any) -> None:
        assert (await http.post("/v1/engagements", json=body)).status_code == 201

    async def test_says_that_it_is_open_already(self, http: httpx.AsyncClient) -> None:
        """And says so again to the same request, as it says 201 to the one that opened it."""
        body = {"engagement": "e-7", "candidate_id": "c-1", "candidate_name": "Ada Ønskeby"}
        first, other, again, opening = [
            await http.post("/v1/engagements", json=body, headers={"Idempotency-Key": key})
            for key in ("k-1", "k-2", "k-2", "k-1")
        ]
        assert (other.status_code, other.json()["outcome"]) == (200, "nothing-to-do")
        assert "location" not in other.headers
        assert (again.status_code, again.json()) == (200, other.json())
        assert (opening.status_code, opening.json()) == (201, first.json())
        assert opening.headers["location"] == first.headers["location"]

    @pytest.mark.parametrize("engagement", ["", "a b", "-x", "é", 7, ["e-1"], "x" * 81])
    async def test_refuses_what_is_no_id(self, http: httpx.AsyncClient, engagement: Any) -> None:
        response = await http.post("/v1/engagements", json={"engagement": engagement, "candidate_id": "c-1"})
        assert response.status_code == (201 if engagement == "" else 422)


class TestFields:
    """What a body may hold is told as it is at that address."""

    @pytest.mark.parametrize(
        ("field", "hint"),
        [
            ("name", "a body may not hold 'name'; the candidate's is candidate_name"),
            ("engagement_id", "a body may not hold 'engagement_id'; its id is the field engagement"),
            ("engagment", "did you mean 'engagement'?"),
            ("foo", "open-engagement has no field 'foo'; its fields are candidate_id, "),
        ],
    )
    async def test_of_opening(self, http: httpx.AsyncClient, field: str, hint: str) -> None:
        response = await http.post("/v1/engagements", json={"candidate_id": "c-1", field: "Ada"})
        assert response.status_code == 422
        assert hint in response.json()["detail"]

    @pytest.mark.parametrize(
        ("field", "hint"),
        [
            ("name", "the command's name stands in the address"),
            ("engagement_id", "the engagement's id stands in the address"),
            ("engagement", "the engagement's id stands in the address"),
            ("qqq", "record-contact has no field 'qqq'; its fields are "),
            ("chanel", "record-contact has no field 'chanel'; did you mean 'channel'?"),
            ("Ada Ønskeby", "record-contact has no field '?'"),
        ],
    )
    async def test_of_a_command(self, opened: httpx.AsyncClient, field: str, hint: str) -> None:
        response = await opened.post(f"{COMMANDED}/record-contact", json={**TALK, field: "e-1"})
        assert response.status_code == 422
        assert hint in response.json()["detail"]

    async def test_are_those_that_are_taken(self, opened: httpx.AsyncClient) -> None:
        """None that would be refused as reserved, and all that the door takes beside a command's own."""
        places = {
            "/v1/engagements": ("engagement", "at"),
            f"{COMMANDED}/submit": ("submission_id", "external", "at"),
            "/v1/job-orders/jo-1/commands/hold-job-order": ("at",),
            "/v1/agency/commands/adopt-policy": ("policy", "toml", "keep_modes"),
        }
        for place, taken in places.items():
            told = (await opened.post(place, json={"qqq": 1})).json()["detail"]
            fields = told.partition("its fields are ")[2].split(", ")
            assert set(taken) <= set(fields), place
            assert not {"name", "actor", "source", "command_id", "causation_id"} & set(fields), place


class TestGive:
    async def test_answers_with_the_version(self, opened: httpx.AsyncClient) -> None:
        response = await opened.post(f"{COMMANDED}/record-contact", json=TALK)
        assert response.status_code == 200, response.text
        told = response.json()
        assert response.headers["etag"] == f'"{told["version"]}"'
        assert told["events"][0] == "contact-made"

    async def test_puts_it_down_to_who_is_known(self, opened: httpx.AsyncClient) -> None:
        await opened.post(f"{COMMANDED}/record-contact", json=TALK)
        events = (await opened.get("/v1/engagements/e-1/events")).json()["items"]
        talk = next(each for each in events if each["event"] == "contact-made")
        assert (talk["actor"], talk["source"]) == ({"kind": "person", "id": "r-1"}, "http")

    @pytest.mark.parametrize("name", ["actor", "source", "command_id", "causation_id", "expected_version"])
    async def test_lets_nobody_say_who_acts(self, opened: httpx.AsyncClient, name: str) -> None:
        response = await opened.post(f"{COMMANDED}/record-contact", json={**TALK, name: "Somebody Else"})
        assert response.status_code == 422
        assert response.json()["code"] == "reserved-field"
        assert "Somebody" not in response.text

    async def test_answers_the_same_request_alike(self, opened: httpx.AsyncClient) -> None:
        headers = {"Idempotency-Key": "talk-1"}
        first = await opened.post(f"{COMMANDED}/record-contact", json=TALK, headers=headers)
        await opened.post(f"{COMMANDED}/record-contact", json=TALK)
        again = await opened.post(f"{COMMANDED}/record-contact", json=TALK, headers=headers)
        assert (again.status_code, again.json()) == (200, first.json())

    async def test_refuses_an_id_with_another_body(self, opened: httpx.AsyncClient) -> None:
        headers = {"Idempotency-Key": "talk-1"}
        await opened.post(f"{COMMANDED}/record-contact", json=TALK, headers=headers)
        other = {**TALK, "channel": "email"}
        response = await opened.post(f"{COMMANDED}/record-contact", json=other, headers=headers)
        assert (response.status_code, response.json()["code"]) == (409, "command-id-reused")

    @pytest.mark.parametrize("key", ["", " ", b"\xfcn", "a b", "x" * 201, "step:1", "hook:1"])
    async def test_refuses_an_id_that_is_none_or_another_s(self, opened: httpx.AsyncClient, key: Any) -> None:
        headers = {"Idempotency-Key": key}
        response = await opened.post(f"{COMMANDED}/record-contact", json=TALK, headers=headers)
        assert response.status_code == 422

    async def test_tells_a_gate_and_what_would_help(self, opened: httpx.AsyncClient) -> None:
        body = {"job_order_id": "jo-1", "by": "r-1", "fit": 80}
        response = await opened.post(f"{COMMANDED}/propose-job", json=body)
        assert response.status_code == 409
        assert response.headers["content-type"] == "application/problem+json"
        told = response.json()
        assert (told["code"], told["gate"]) == ("refused", "know-each-other-first")
        assert told["remedy"]

    async def test_holds_a_command_to_the_version_it_is_meant_for(self, opened: httpx.AsyncClient) -> None:
        etag = (await opened.get("/v1/engagements/e-1")).headers["etag"]
        first = await opened.post(f"{COMMANDED}/record-contact", json=TALK, headers={"If-Match": etag})
        stale = await opened.post(f"{COMMANDED}/record-contact", json=TALK, headers={"If-Match": etag})
        assert (first.status_code, stale.status_code) == (200, 412)
        assert stale.json()["code"] == "stale-version"

    @pytest.mark.parametrize("given", ["", "abc", "3", 'W/"3"', '"3', '"1", "2"', "-1", '"' + "9" * 30 + '"'])
    async def test_refuses_a_version_that_is_none(self, opened: httpx.AsyncClient, given: str) -> None:
        response = await opened.post(f"{COMMANDED}/record-contact", json=TALK, headers={"If-Match": given})
        assert (response.status_code, response.json()["code"]) == (422, "invalid-if-match")

    @pytest.mark.parametrize(
        ("body", "status"),
        [(b"{", 400), (b"[]", 400), (b'{"fit": NaN}', 400), (b'{"fit": 1e999}', 400), (b"[" * 100_000, 400)],
    )
    async def test_reads_nothing_but_an_object(
        self, opened: httpx.AsyncClient, body: bytes, status: int
    ) -> None:
        response = await opened.post(f"{COMMANDED}/record-contact", content=body)
        assert response.status_code == status
        assert response.json()["detail"]

    async def test_reads_nothing_but_json(self, opened: httpx.AsyncClient) -> None:
        response = await opened.post(f"{COMMANDED}/resume", data={"a": "b"})
        assert response.status_code == 415

    async def test_refuses_a_body_that_is_too_large(self, opened: httpx.AsyncClient) -> None:
        response = await opened.post(f"{COMMANDED}/record-contact", json={"note": "x" * 200_000})
        assert response.status_code == 413

    async def test_names_the_field_and_never_the_value(self, opened: httpx.AsyncClient) -> None:
        response = await opened.post(f"{COMMANDED}/record-contact", json={"channel": "Ada's private line"})
        assert response.status_code == 422
        assert "'channel' must be one of" in response.json()["detail"]
        assert "Ada" not in response.text

    async def test_knows_the_command_that_was_meant(self, opened: httpx.AsyncClient) -> None:
        response = await opened.post(f"{COMMANDED}/record-contakt", json=TALK)
        assert (response.status_code, response.json()["code"]) == (404, "unknown-command")
        assert "record-contact" in response.json()["detail"]

    @pytest.mark.parametrize("name", sorted(set(COMMANDS) - PUBLIC))
    async def test_takes_none_of_the_engine_s_own(self, opened: httpx.AsyncClient, name: str) -> None:
        assert (await opened.post(f"{COMMANDED}/{name}", json={})).status_code == 404

    @pytest.mark.parametrize("key", ["e-9", "a b", "%00", "é"])
    async def test_knows_no_engagement_that_is_not_there(self, opened: httpx.AsyncClient, key: str) -> None:
        response = await opened.post(f"/v1/engagements/{key}/commands/record-contact", json=TALK)
        assert (response.status_code, response.json()["code"]) == (404, "unknown-engagement")

    async def test_asks_whether_the_caller_may(self, opened: httpx.AsyncClient, caller: Any) -> None:
        asked: list[tuple[str, Any]] = []

        def may(_who: Any, action: str, target: Any) -> bool:
            asked.append((action, target))
            return False

        caller.may = may
        response = await opened.post(f"{COMMANDED}/record-contact", json=TALK)
        assert (response.status_code, response.json()["code"]) == (403, "not-allowed")
        [(action, target)] = asked
        assert (action, target.owner, target.command) == ("give-command", "r-1", "record-contact")

    async def test_asks_who_it_is_first(self, opened: httpx.AsyncClient, caller: Any) -> None:
        caller.who = None
        response = await opened.post(f"{COMMANDED}/record-contakt", content=b"{")
        assert response.status_code == 401


class TestProblems:
    @pytest.mark.parametrize(
        ("error", "status", "code"),
        [
            (CommandFailed("It is closed.", "closed-engagement"), 409, "closed-engagement"),
            (CommandFailed("Erased.", "KeyDestroyed"), 409, "person-erased"),
            (CommandFailed("No policy.", "UnknownPolicy"), 409, "unknown-policy"),
            (CommandFailed("No.", "NotRecorded"), 503, "not-recorded"),
            (CommandFailed("No.", "needs-evidence"), 422, "needs-evidence"),
            (RuntimeError("Failed client connect: Server connection error"), 503, "temporal-away"),
            (ConnectionRefusedError(), 503, "database-away"),
            (KeyError("Ada Ønskeby"), 500, "unexpected"),
        ],
    )
    async def test_are_told_as_such(self, calls: Any, error: Exception, status: int, code: str) -> None:
        async def fail(_: str) -> None:
            raise error

        async with calls(before=fail) as client:
            response = await client.post("/v1/engagements", json={**ADA, "engagement": "e-1", "owner": "r-1"})
        assert (response.status_code, response.json()["code"]) == (status, code)
        assert ("retry-after" in response.headers) == (status == 503)
        assert "Ada" not in response.text

    async def test_say_that_the_same_again_is_harmless_where_nobody_answers(
        self, calls: Any, soon: Any
    ) -> None:
        async def silent(_: str) -> None:
            raise NotAnswered("k-1", soon)

        async with calls(before=silent) as client:
            response = await client.post(
                "/v1/engagements", json={**ADA, "owner": "r-1"}, headers={"Idempotency-Key": "k-1"}
            )
        assert response.status_code == 503
        assert "send it again under the id 'k-1'" in response.json()["detail"]

    async def test_answer_places_that_are_not_there(self, http: httpx.AsyncClient) -> None:
        nowhere, wrong = await http.get("/v2"), await http.delete("/livez")
        assert (nowhere.status_code, nowhere.json()["code"]) == (404, "no-such-place")
        assert (wrong.status_code, wrong.json()["code"], wrong.headers["allow"]) == (
            405,
            "no-such-method",
            "GET",
        )


async def second_is_there(flights: Flights) -> None:
    """Wait until two commands are under way or wait."""
    async with asyncio.timeout(30):
        while sum(lane.users for lane in flights._lanes.values()) < 2:  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(0)  # one turn of the loop


class TestFlights:
    async def test_lets_eight_commands_to_an_engagement_under_way(self, calls: Any) -> None:
        """Beyond ten updates in flight Temporal falls off a cliff."""
        under_way, most, eight, go = 0, 0, asyncio.Event(), asyncio.Event()

        async def slow(_: str) -> None:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            if under_way == 8:
                eight.set()
            await go.wait()
            under_way -= 1

        async with calls(before=slow) as client:
            requests = [
                asyncio.ensure_future(
                    client.post("/v1/engagements", json={**ADA, "engagement": "e-1", "owner": "r-1"})
                )
                for _ in range(20)
            ]
            await eight.wait()
            go.set()
            await asyncio.gather(*requests)
        assert most == 8

    async def test_sends_away_who_would_wait_too_long(self, calls: Any) -> None:
        go = asyncio.Event()

        async def slow(_: str) -> None:
            await go.wait()

        flights = Flights(at_once=1, waiting=1)
        async with calls(before=slow, flights=flights) as client:
            waiting = [
                asyncio.ensure_future(
                    client.post("/v1/engagements", json={**ADA, "engagement": "e-1", "owner": "r-1"})
                )
                for _ in range(2)
            ]
            await second_is_there(flights)
            third = await client.post("/v1/engagements", json={**ADA, "engagement": "e-1", "owner": "r-1"})
            other = asyncio.ensure_future(client.post("/v1/engagements", json={**ADA, "engagement": "e-2"}))
            go.set()
            await asyncio.gather(*waiting)
            assert (await other).status_code == 201
        assert (third.status_code, third.headers["retry-after"]) == (429, "1")
        assert flights._lanes == {}


class TestExamples:
    @pytest.mark.parametrize("name", sorted(PUBLIC))
    def test_are_taken_by_their_own_reader(self, name: str) -> None:
        actor = Actor(kind="person", id="r-1")
        order = parse_order(
            name, example_of(COMMANDS[name]), command_id="k-1", actor_default=actor, source="http"
        )
        assert order.command.name == name
