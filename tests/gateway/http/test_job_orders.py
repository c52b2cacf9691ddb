"""Clients' job orders over HTTP."""

from typing import Any

import httpx
import pytest

from events.job_order import COMMANDS
from gateway.http.examples import example_of
from gateway.http.routes.job_orders import PUBLIC

PLACE = "/v1/job-orders/jo-1"


@pytest.fixture
async def ordered(http: httpx.AsyncClient) -> httpx.AsyncClient:
    """This will be the door of an agency with a job order."""
    body = {"client_id": "client-1", "title": "Head of Invention", "owner": "r-2"}
    response = await http.post(f"{PLACE}/commands/open-job-order", json=body)
    assert response.status_code == 200, response.text
    return http


class TestJobOrder:
    async def test_is_told_with_its_version(self, ordered: httpx.AsyncClient) -> None:
        response = await ordered.get(PLACE, params={"min_version": 1})
        assert (response.status_code, response.headers["etag"]) == (200, '"1"')
        assert response.json()["state"]["owner"] == "r-2"

    async def test_is_found_in_pages(self, ordered: httpx.AsyncClient) -> None:
        for key in ("jo-2", "jo-3"):
            await ordered.post(f"/v1/job-orders/{key}/commands/open-job-order", json={"owner": "r-1"})
        first = (await ordered.get("/v1/job-orders", params={"limit": 2})).json()
        assert [each["job_order"] for each in first["items"]] == ["jo-1", "jo-2"]
        rest = (await ordered.get("/v1/job-orders", params={"cursor": first["next"]})).json()
        assert ([each["job_order"] for each in rest["items"]], rest["next"]) == (["jo-3"], None)
        owned = (await ordered.get("/v1/job-orders", params={"owner": "r-2"})).json()
        assert [each["job_order"] for each in owned["items"]] == ["jo-1"]

    async def test_is_not_there_for_another_agency(self, ordered: httpx.AsyncClient, caller: Any) -> None:
        caller.becomes("director", agency="other")
        assert (await ordered.get(PLACE)).status_code == 404
        assert (await ordered.get("/v1/job-orders")).json()["items"] == []

    @pytest.mark.parametrize("key", ["jo-9", "a b", "é"])
    async def test_that_is_not_there_is_a_problem(self, ordered: httpx.AsyncClient, key: str) -> None:
        response = await ordered.get(f"/v1/job-orders/{key}")
        assert (response.status_code, response.json()["code"]) == (404, "unknown-job-order")


class TestGive:
    async def test_answers_the_same_request_alike(self, ordered: httpx.AsyncClient) -> None:
        headers = {"Idempotency-Key": "stop-1"}
        first = await ordered.post(f"{PLACE}/commands/stop-intake", headers=headers)
        await ordered.post(f"{PLACE}/commands/close-job-order")
        again = await ordered.post(f"{PLACE}/commands/stop-intake", headers=headers)
        assert (first.json()["events"], again.json()) == (["intake-stopped"], first.json())

    async def test_refuses_an_id_with_another_body(self, ordered: httpx.AsyncClient) -> None:
        headers = {"Idempotency-Key": "k-1"}
        await ordered.post(f"{PLACE}/commands/change-openings", json={"openings": 2}, headers=headers)
        other = await ordered.post(f"{PLACE}/commands/change-openings", json={"openings": 3}, headers=headers)
        assert (other.status_code, other.json()["code"]) == (409, "command-id-reused")

    async def test_holds_a_command_to_its_version(self, ordered: httpx.AsyncClient) -> None:
        headers = {"If-Match": '"1"'}
        assert (await ordered.post(f"{PLACE}/commands/stop-intake", headers=headers)).status_code == 200
        stale = await ordered.post(f"{PLACE}/commands/close-job-order", headers=headers)
        assert (stale.status_code, stale.json()["code"]) == (412, "stale-version")

    async def test_names_nobody_who_does_not_work_here(self, ordered: httpx.AsyncClient) -> None:
        response = await ordered.post(f"{PLACE}/commands/change-job-order-owner", json={"owner": "r-99"})
        assert (response.status_code, response.json()["code"]) == (422, "invalid-command")

    async def test_takes_no_word_of_ours_from_outside(self, ordered: httpx.AsyncClient) -> None:
        response = await ordered.post(f"{PLACE}/commands/record-submission-received", json={})
        assert response.status_code == 404

    @pytest.mark.parametrize("name", sorted(PUBLIC))
    async def test_takes_each_command_s_example(self, http: httpx.AsyncClient, name: str) -> None:
        if name != "open-job-order":
            await http.post(f"{PLACE}/commands/open-job-order", json={"owner": "r-1"})
        response = await http.post(f"{PLACE}/commands/{name}", json=example_of(COMMANDS[name]))
        assert response.status_code in (200, 409), response.text


class TestAnAddress:
    async def test_names_all_the_methods_that_it_takes(self, http: httpx.AsyncClient) -> None:
        """Also where each of them is a route of its own."""
        for path, methods in (
            ("/v1/engagements", "GET, POST"),
            ("/v1/subscriptions/s-1", "DELETE, GET"),
            ("/v1/engagements/e-1/links", "GET, POST"),
        ):
            answer = await http.put(path, json={})
            assert (answer.status_code, answer.headers["allow"]) == (405, methods)
            assert answer.json()["code"] == "no-such-method"
