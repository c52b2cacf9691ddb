"""Whose word the HTTP door takes for where a request came from."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI, Request

from gateway.http.serving import listen, serve, url_of

ELSEWHERE = "203.0.113.7"


class TestServe:
    @pytest.mark.parametrize(
        ("trusted", "seen"),
        [("127.0.0.1", ELSEWHERE), ("10.0.0.1, 127.0.0.1", ELSEWHERE), ("10.0.0.1", None), ("", None)],
    )
    async def test_believes_a_proxy_only_where_the_settings_name_it(
        self, trusted: str, seen: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
        app = FastAPI()

        @app.get("/")
        async def whence(request: Request) -> list[str]:
            assert request.client is not None
            return [request.client.host, request.url.scheme]

        listening, stopping, begun = listen("127.0.0.1", 0), asyncio.Event(), asyncio.Event()
        serving = asyncio.create_task(serve(app, listening, stopping, begun.set, trusted_proxies=trusted))
        try:
            await begun.wait()
            headers = {"X-Forwarded-For": f"198.51.100.1, {ELSEWHERE}", "X-Forwarded-Proto": "https"}
            async with httpx.AsyncClient(trust_env=False) as client:
                told = (await client.get(url_of(listening), headers=headers)).json()
        finally:
            stopping.set()
            await serving
            listening.close()
        assert told == ([seen, "https"] if seen else ["127.0.0.1", "http"])
