"""Reading one engagement: its state, its events, what it was at a version, its promises."""

import asyncio
from typing import Any

import httpx
import pytest

TALK = {"channel": "phone", "by": "r-1", "note": "Wants to lead people."}
COMMANDED = "/v1/engagements/e-1/commands"


@pytest.fixture
async def talked(opened: httpx.AsyncClient) -> httpx.AsyncClient:
    """This will be the door of an agency where r-1 has talked with the candidate of e-1."""
    response = await opened.post(f"{COMMANDED}/record-contact", json=TALK)
    assert response.status_code == 200
    return opened


def not_personal(_who: Any, action: str, _target: Any) -> bool:
    """Allow all but what is personal."""
    return action != "read-personal"


class TestEngagement:
    async def test_is_told_with_its_version(self, talked: httpx.AsyncClient) -> None:
        response = await talked.get("/v1/engagements/e-1")
        told = response.json()
        assert response.status_code == 200
        assert (told["stage"], told["owner"], told["state"]["stage"]) == ("intake", "r-1", "intake")
        assert response.headers["etag"] == f'"{told["version"]}"'

    async def test_shows_personal_values_to_whom_they_may_be_shown(
        self, talked: httpx.AsyncClient, caller: Any
    ) -> None:
        paths = ["", "/events", f"/at/{2}", "/obligations"]
        shown = [(await talked.get(f"/v1/engagements/e-1{path}")).text for path in paths]
        assert any("Ada Ønskeby" in text for text in shown)
        assert any("Wants to lead people." in text for text in shown)
        caller.may = not_personal
        for path in paths:
            response = await talked.get(f"/v1/engagements/e-1{path}")
            assert response.status_code == 200
            assert "Ada" not in response.text
            assert "lead people" not in response.text

    @pytest.mark.parametrize("path", ["", "/events", "/at/1", "/obligations"])
    async def test_is_not_shown_to_whom_it_may_not_be(
        self, talked: httpx.AsyncClient, caller: Any, path: str
    ) -> None:
        caller.may = lambda _who, _action, target: target.owner != "r-1"
        assert (await talked.get(f"/v1/engagements/e-1{path}")).status_code == 403
        assert (await talked.get(f"/v1/engagements/e-2{path}")).status_code == 404

    @pytest.mark.parametrize("path", ["", "/events", "/at/1", "/obligations"])
    async def test_is_not_there_for_another_agency(
        self, talked: httpx.AsyncClient, caller: Any, path: str
    ) -> None:
        caller.becomes("director", agency="other")
        assert (await talked.get(f"/v1/engagements/e-1{path}")).status_code == 404


class TestMinVersion:
    async def test_waits_until_it_is_there(self, talked: httpx.AsyncClient) -> None:
        """Whoever was told a version by one door may ask for it at another."""
        version = (await talked.get("/v1/engagements/e-1")).json()["version"]
        reading = asyncio.ensure_future(
            talked.get("/v1/engagements/e-1", params={"min_version": version + 1})
        )
        await talked.post(f"{COMMANDED}/record-contact", json=TALK)
        assert (await reading).json()["version"] > version

    async def test_gives_up_in_the_end(
        self, talked: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gateway.http.asking.WAITS", 0.05)
        response = await talked.get("/v1/engagements/e-1", params={"min_version": 10_000})
        assert (response.status_code, response.json()["code"]) == (425, "not-there-yet")
        assert response.headers["retry-after"] == "1"


class TestEvents:
    async def test_come_in_pages(self, talked: httpx.AsyncClient) -> None:
        whole = (await talked.get("/v1/engagements/e-1/events")).json()
        assert whole["next"] is None
        assert [each["version"] for each in whole["items"]] == list(range(1, whole["version"] + 1))
        found: list[Any] = []
        cursor = None
        while True:
            params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await talked.get("/v1/engagements/e-1/events", params=params)).json()
            assert len(page["items"]) <= 2
            found += page["items"]
            if (cursor := page["next"]) is None:
                break
        assert found == whole["items"]

    @pytest.mark.parametrize("cursor", ["x", "YzE6Zm9v", "é", "YzE6LTE"])
    async def test_begin_where_a_cursor_of_theirs_says(self, talked: httpx.AsyncClient, cursor: str) -> None:
        response = await talked.get("/v1/engagements/e-1/events", params={"cursor": cursor})
        assert (response.status_code, response.json()["code"]) == (422, "invalid-cursor")

    @pytest.mark.parametrize("limit", ["0", "201", "x"])
    async def test_come_in_sensible_numbers(self, talked: httpx.AsyncClient, limit: str) -> None:
        response = await talked.get("/v1/engagements/e-1/events", params={"limit": limit})
        assert (response.status_code, response.json()["code"]) == (422, "invalid-request")
        assert "'limit' in the query" in response.json()["detail"]


class TestAt:
    async def test_is_the_fold_of_the_first_events(self, talked: httpx.AsyncClient) -> None:
        response = await talked.get("/v1/engagements/e-1/at/1")
        assert response.headers["etag"] == '"1"'
        first = response.json()
        assert (first["version"], first["state"]["version"]) == (1, 1)
        assert first["state"]["last_contact_at"] is None
        now = (await talked.get("/v1/engagements/e-1")).json()
        last = (await talked.get(f"/v1/engagements/e-1/at/{now['version']}")).json()
        assert last["state"] == now["state"]
        assert now["state"]["last_contact_at"] is not None

    async def test_knows_no_version_beyond_the_last(self, talked: httpx.AsyncClient) -> None:
        response = await talked.get("/v1/engagements/e-1/at/1000")
        assert (response.status_code, response.json()["code"]) == (404, "unknown-version")


class TestObligations:
    async def test_are_told_with_their_whole_life(self, talked: httpx.AsyncClient) -> None:
        told = (await talked.get("/v1/engagements/e-1/obligations")).json()["items"]
        assert {each["rule"]: each["outcome"] for each in told}["keep-in-touch"] in ("open", "met")
        assert all(each["due_at"].endswith("Z") for each in told)
