"""Sentences over HTTP: remedies that are at hand there, in our words, without what was sent."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

import events
from gateway.http.wording import over_http

TALK = {"channel": "phone", "by": "r-1"}
DECIDED = Path(events.__file__).parent


class TestRemedies:
    def test_of_the_core_are_none_of_the_command_line(self) -> None:
        every = {
            said
            for each in sorted(DECIDED.rglob("*.py"))
            for said in re.findall(r'"(rapport show [^"]*)"', each.read_text(encoding="utf-8"))
        }
        assert every
        for said in every:
            assert "rapport" not in over_http(said), said

    async def test_are_told_so(self, opened: httpx.AsyncClient) -> None:
        body = {"interview_id": "i-no", "result": "advance"}
        response = await opened.post("/v1/engagements/e-1/commands/record-interview-result", json=body)
        assert response.status_code == 422
        assert "GET /v1/engagements/{id} lists" in response.json()["detail"]

    async def test_for_a_person_name_where_people_are_listed(self, opened: httpx.AsyncClient) -> None:
        body = {"channel": "phone", "by": "qqqqqq"}
        response = await opened.post("/v1/engagements/e-1/commands/record-contact", json=body)
        assert "GET /v1/agency lists everybody" in response.json()["detail"]


class TestWrongRequests:
    @pytest.mark.parametrize(
        ("path", "says"),
        [
            ("/v1/engagements?limit=many", "'limit' in the query must be a whole number"),
            ("/v1/engagements?limit=0", "'limit' in the query must be at least 1"),
            ("/v1/engagements?limit=999", "'limit' in the query must be at most 200"),
            ("/v1/engagements?wait=perhaps", "'wait' in the query must be true or false"),
            ("/v1/engagements?stage=nowhere", "'stage' in the query must be one of '"),
            (f"/v1/waiting?owner={'x' * 81}", "'owner' in the query must be at most 80 characters long"),
            ("/v1/engagements/e-1/at/first", "'version' in the path must be a whole number"),
        ],
    )
    async def test_are_told_in_our_words(self, opened: httpx.AsyncClient, path: str, says: str) -> None:
        response = await opened.get(path)
        assert response.status_code == 422
        assert response.json()["detail"].startswith(says)

    @pytest.mark.parametrize(
        ("name", "body", "says"),
        [
            ("propose-job", {"fit": "much"}, "propose-job: 'fit' must be a whole number"),
            ("record-contact", {"note": 7}, "record-contact: 'note' must be a text"),
        ],
    )
    async def test_of_a_command_too(
        self, opened: httpx.AsyncClient, name: str, body: dict[str, Any], says: str
    ) -> None:
        whole = {"job_order_id": "jo-1", "by": "r-1", **body} if name == "propose-job" else {**TALK, **body}
        response = await opened.post(f"/v1/engagements/e-1/commands/{name}", json=whole)
        assert response.status_code == 422
        assert response.json()["detail"].startswith(says)
