"""Query parameters: what a route does not know is refused, on every route that asks who calls."""

from typing import Any

import httpx
import pytest

from gateway.http.app import make_app
from gateway.http.doors import Doors

TALK = {"channel": "phone", "by": "r-1"}


class TestUnknown:
    @pytest.mark.parametrize(
        ("path", "says"),
        [
            (
                "/v1/engagements?owners=r-1",
                "no parameter 'owners' here; did you mean 'owner'? there are stage, ",
            ),
            ("/v1/waiting?limit=5&Overdue=1", "no parameter 'Overdue' here; did you mean 'overdue'?"),
            ("/v1/engagements/e-1?qqq", "no parameter 'qqq' here; there is min_version"),
            ("/v1/agency?Ada%20%C3%98=1", "no parameter '?' here, and no other either; leave it out"),
            ("/v1/compliance?since=2030-01-07", "there are from, to, by, zone"),
            (
                "/v1/events?engagment=e-1",
                "did you mean 'engagement'? there are type, engagement, after, personal",
            ),
            ("/v1/subscriptions?limit=1", "no parameter 'limit' here"),
        ],
    )
    async def test_is_refused_by_name(self, opened: httpx.AsyncClient, path: str, says: str) -> None:
        response = await opened.get(path)
        assert (response.status_code, response.json()["code"]) == (422, "unknown-parameter")
        assert says in response.json()["detail"]

    async def test_is_refused_with_a_command(self, opened: httpx.AsyncClient) -> None:
        before = (await opened.get("/v1/engagements/e-1")).json()["version"]
        response = await opened.post("/v1/engagements/e-1/commands/record-contact?foo=1", json=TALK)
        assert (response.status_code, response.json()["code"]) == (422, "unknown-parameter")
        assert (await opened.get("/v1/engagements/e-1")).json()["version"] == before

    async def test_says_nothing_to_who_is_not_known(self, http: httpx.AsyncClient, caller: Any) -> None:
        caller.who = None
        assert (await http.get("/v1/engagements?owners=r-1")).status_code == 401

    @pytest.mark.parametrize("path", ["/livez?probe=1", "/openapi.json?v=2"])
    async def test_is_left_to_who_keeps_us_running(self, http: httpx.AsyncClient, path: str) -> None:
        assert (await http.get(path)).status_code == 200

    async def test_is_left_to_providers(self, http: httpx.AsyncClient) -> None:
        response = await http.post("/hooks/c-1?source=provider", json={})
        assert response.json()["code"] != "unknown-parameter"


class TestEveryRoute:
    async def test_below_v1_refuses_what_its_description_does_not_name(self, doors_in_memory: Doors) -> None:
        app = make_app(doors_in_memory)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        fill_in = {
            "engagement_id": "e-1",
            "job_order_id": "jo-1",
            "version": "1",
            "link_id": "x",
            "which": "s-1",
        }
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            for path, item in app.openapi()["paths"].items():
                if not path.startswith("/v1/"):
                    continue
                for method in item:
                    place = f"{path.format(**fill_in)}?no_such_thing=1"
                    response = await client.request(method, place, json={} if method == "post" else None)
                    assert response.json()["code"] == "unknown-parameter", f"{method} {path}"
