import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI, Request
from pydantic import BaseModel
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.access.who import Who
from gateway.http.guards import Bounds, Guards
from gateway.http.rates import Rates

KIB = 1024


class Content(BaseModel):
    """A body that the framework reads."""

    words: str


def product() -> FastAPI:
    """Make an app with the kinds of routes there are."""
    app = FastAPI()

    @app.get("/plain/{name}")
    async def plain(request: Request, name: str) -> str:
        request.state.who = Who(agency="acme", role="auditor", credential="k-1")
        return "said"

    @app.post("/read")
    @app.post("/hooks/c-1")
    async def read(request: Request) -> int:
        return len(await request.body())

    @app.post("/parsed")
    async def parsed(content: Content) -> int:
        return len(content.words)

    @app.get("/never")
    @app.get("/v1/events")
    async def never() -> None:
        await asyncio.sleep(3600)

    @app.get("/own")
    async def own() -> PlainTextResponse:
        return PlainTextResponse("page", headers={"Cache-Control": "max-age=60"})

    @app.get("/livez")
    async def livez() -> str:
        return "alive"

    return app


def client(app: ASGIApp, *, address: str = "10.0.0.1", scheme: str = "http") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, client=(address, 1), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=f"{scheme}://test")


def guarded(**more: Any) -> Guards:
    return Guards(product(), **more)


async def parts(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * KIB


class TestSized:
    @pytest.mark.parametrize(("path", "largest"), [("/read", 128), ("/hooks/c-1", 1024)])
    async def test_takes_a_body_up_to_the_limit_and_no_byte_more(self, path: str, largest: int) -> None:
        async with client(guarded()) as http:
            assert (await http.post(path, content=b"x" * largest * KIB)).json() == largest * KIB
            answer = await http.post(path, content=b"x" * (largest * KIB + 1))
            assert (answer.status_code, answer.json()["code"]) == (413, "too-large")

    @pytest.mark.parametrize("path", ["/read", "/parsed"])
    async def test_counts_what_comes_without_a_length(self, path: str) -> None:
        """Also where the framework would call it a mistake in the body."""
        async with client(guarded()) as http:
            answer = await http.post(path, content=parts(129))
            assert (answer.status_code, answer.json()["code"]) == (413, "too-large")

    async def test_believes_no_length_that_is_none(self) -> None:
        async with client(guarded()) as http:
            answer = await http.post("/read", content=b"x", headers={"Content-Length": "-1"})
            assert answer.status_code == 413

    async def test_stops_reading_at_the_limit(self) -> None:
        read = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal read
            while True:
                read += 1
                yield b"x" * KIB

        async with client(guarded()) as http:
            assert (await http.post("/read", content=endless())).status_code == 413
        assert read <= 130


class TestTimed:
    async def test_ends_what_takes_too_long(self) -> None:
        async with client(guarded(bounds=Bounds(seconds=0.05))) as http:
            answer = await http.get("/never")
            assert (answer.status_code, answer.json()["code"]) == (503, "timed-out")
            assert answer.headers["Retry-After"] == "2"

    async def test_lets_the_stream_of_events_go_on(self) -> None:
        async with client(guarded(bounds=Bounds(seconds=0.05))) as http:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await http.get("/v1/events")

    async def test_leaves_a_timeout_of_the_apps_own_alone(self) -> None:
        async def failing(scope: Scope, receive: Receive, send: Send) -> None:
            raise TimeoutError

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=Guards(failing))) as http:
            with pytest.raises(TimeoutError):
                await http.get("http://test/")

    async def test_cuts_off_what_had_begun(self) -> None:
        async def slow() -> AsyncIterator[bytes]:
            yield b"begun"
            await asyncio.sleep(3600)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await StreamingResponse(slow())(scope, receive, send)

        async with client(Guards(app, bounds=Bounds(seconds=1))) as http:
            assert (await http.get("/")).text == "begun"

    @pytest.mark.parametrize("length", [b"\xb2", b"9" * 5000, b"-1", b""])
    async def test_refuses_a_length_that_is_none(self, length: bytes) -> None:
        async with client(guarded()) as http:
            answer = await http.request("POST", "/read", headers=[(b"content-length", length)])
            assert answer.status_code == 413


class TestHeaded:
    async def test_keeps_browsers_and_caches_from_harm(self) -> None:
        async with client(guarded()) as http:
            for path in ("/plain/x", "/nowhere", "/never-there?x=1"):
                headers = (await http.get(path)).headers
                assert headers["X-Content-Type-Options"] == "nosniff"
                assert headers["Cache-Control"] == "no-store"
                assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
                assert headers["Referrer-Policy"] == "no-referrer"
                assert "Strict-Transport-Security" not in headers

    async def test_asks_for_tls_where_there_is_some(self) -> None:
        async with client(guarded(), scheme="https") as http:
            assert "max-age=" in (await http.get("/plain/x")).headers["Strict-Transport-Security"]

    async def test_leaves_a_routes_own_header(self) -> None:
        async with client(guarded()) as http:
            assert (await http.get("/own")).headers["Cache-Control"] == "max-age=60"

    async def test_adds_them_to_refusals_too(self) -> None:
        async with client(guarded()) as http:
            answer = await http.post("/read", content=b"x" * 129 * KIB)
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["X-Request-ID"]


@pytest.mark.usefixtures("same_minute")
class TestRated:
    async def test_refuses_a_credential_that_asks_too_often(self) -> None:
        guards = guarded(rates=Rates(per_credential=3))
        bearer = {"Authorization": "Bearer one"}
        async with client(guards) as http:
            for left in (2, 1, 0):
                answer = await http.get("/plain/x", headers=bearer)
                assert answer.status_code == 200
                assert answer.headers["RateLimit"].startswith(f'"credential";r={left};t=')
            answer = await http.get("/plain/x", headers=bearer)
            assert (answer.status_code, answer.json()["code"]) == (429, "too-many-requests")
            assert 1 <= int(answer.headers["Retry-After"]) <= 60
            assert answer.headers["RateLimit-Policy"] == '"address";q=3000;w=60, "credential";q=3;w=60'
            other = await http.get("/plain/x", headers={"Authorization": "Bearer two"})
            assert other.status_code == 200

    async def test_takes_a_credential_for_the_same_however_it_is_written(self) -> None:
        ways = ("Bearer one", "bearer one", "Bearer   one", "BEARER one ")
        async with client(guarded(rates=Rates(per_credential=3))) as http:
            statuses = [
                (await http.get("/plain/x", headers={"Authorization": way})).status_code for way in ways
            ]
        assert statuses == [200, 200, 200, 429]

    async def test_refuses_an_address_whatever_it_shows(self) -> None:
        guards = guarded(rates=Rates(per_address=2))
        async with client(guards) as http, client(guards, address="10.0.0.2") as elsewhere:
            statuses = [
                (await http.get("/plain/x", headers={"Authorization": f"Bearer {number}"})).status_code
                for number in range(3)
            ]
            assert statuses == [200, 200, 429]
            assert (await elsewhere.get("/plain/x")).status_code == 200

    async def test_lets_whoever_keeps_us_running_ask(self) -> None:
        async with client(guarded(rates=Rates(per_address=1))) as http:
            assert {(await http.get("/livez")).status_code for _ in range(5)} == {200}


class TestTold:
    async def test_leaves_one_line_without_anything_that_was_sent(self) -> None:
        with structlog.testing.capture_logs() as lines:
            async with client(guarded()) as http:
                await http.get(
                    "/plain/Zofie?email=zofie@example.com", headers={"Authorization": "Bearer hidden"}
                )
                await http.get("/Zofie/nowhere")
                await http.post("/parsed", json={"words": "Zofie", "more": 1})
        assert [(line["method"], line["route"], line["status"]) for line in lines] == [
            ("GET", "/plain/{name}", 200),
            ("GET", "none", 404),
            ("POST", "/parsed", 200),
        ]
        assert (lines[0]["agency"], lines[0]["role"], lines[0]["credential"]) == ("acme", "auditor", "k-1")
        told = json.dumps(lines)
        assert not re.search("Zofie|zofie|hidden", told)

    async def test_names_the_request_as_the_caller_does(self) -> None:
        async with client(guarded()) as http:
            answer = await http.get("/plain/x", headers={"X-Request-ID": "trace-17"})
            assert answer.headers["X-Request-ID"] == "trace-17"

    @pytest.mark.parametrize("given", ["", "two words", "x" * 65, 'a"b'])
    async def test_makes_a_name_where_the_callers_is_none(self, given: str) -> None:
        async with client(guarded()) as http:
            answer = await http.get("/plain/x", headers={"X-Request-ID": given})
            assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])

    async def test_tells_of_a_request_that_failed(self) -> None:
        async def failing(scope: Scope, receive: Receive, send: Send) -> None:
            raise RuntimeError("Zofie")

        with structlog.testing.capture_logs() as lines:
            async with client(Guards(failing)) as http:
                await http.get("/")
        assert [line["status"] for line in lines] == [500]
        assert "Zofie" not in str(lines)
