"""How the door is served: whose word about a caller's address it takes."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI, Request

from gateway.http.serving import listen, serve, url_of


class TestServe:
    @pytest.mark.parametrize(
        ("trusted", "seen"),
        [("127.0.0.1", ["203.0.113.7", "https"]), ("10.1.2.3,10.1.2.4", ["127.0.0.1", "http"])],
    )
    async def test_believes_the_proxies_it_is_told_to(self, trusted: str, seen: list[str]) -> None:
        app = FastAPI()

        @app.get("/who")
        async def who(request: Request) -> list[str]:
            assert request.client is not None
            return [request.client.host, request.url.scheme]

        listening, stopping, begun = listen("127.0.0.1", 0), asyncio.Event(), asyncio.Event()
        serving = asyncio.create_task(serve(app, listening, stopping, begun.set, trusted=trusted))
        await begun.wait()
        forwarded = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
        async with httpx.AsyncClient() as client:
            response = await client.get(f"{url_of(listening)}/who", headers=forwarded)
        stopping.set()
        assert await serving is None
        assert response.json() == seen
