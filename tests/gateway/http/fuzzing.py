"""The product's own app behind a socket, on PostgreSQL, and what a fuzzer may hold its answers against.

Engagements are decided by the core, as the workflow does; all else is what a gateway serves.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import uvicorn
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from activities.agency_load import load_agency
from events.agency import Entry
from events.envelope import Actor
from gateway.http.routes.stream import Streamer
from tests.gateway.access.conftest import PEOPLE, Ground, app_of, ground_on
from tests.gateway.http.conftest import Engagements, InMemory, starter
from tests.listening import listening_socket
from workers.projector import projecting

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@dataclass(frozen=True)
class Served:
    """Where the app is, who may call it, and what stands behind the parameters of its paths."""

    url: str
    keys: dict[str, str]
    there: dict[str, Any]

    def headers(self, role: str) -> dict[str, str]:
        """Give what somebody sends along."""
        return {"Authorization": f"Bearer {self.keys[role]}"}


@contextmanager
def served(database_url: str, directory: Path) -> Iterator[Served]:
    """Serve the app in a thread with a loop of its own, since a fuzzer calls from outside of any."""
    listening = listening_socket()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    told: list[Served] = []
    up, ending = threading.Event(), threading.Event()

    async def serve() -> None:
        async with _behind(database_url, directory) as ground:
            config = uvicorn.Config(app_of(ground), log_config=None, lifespan="off", ws="none")
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            told.append(await _prepared(url, ground))
            up.set()
            await asyncio.to_thread(ending.wait)
            server.should_exit = True
            await serving

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.http.asking.WAITS", 0.05)
        # A stream without end would never be an answer: this one ends as it begins.
        patch.setattr("gateway.http.routes.stream.Streamer", partial(Streamer, longest=0.0))
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(lambda: asyncio.run(serve()))
            try:
                while not up.wait(0.1):
                    if running.done():
                        running.result()
                yield told[0]
            finally:
                ending.set()
                running.result()
                listening.close()


@asynccontextmanager
async def _behind(database_url: str, directory: Path) -> AsyncIterator[Ground]:
    async with (
        ground_on(database_url, directory, webhooks_allow_private=True) as ground,
        projecting(database_url),
    ):
        people = tuple(Entry.model_validate(each) for each in PEOPLE)
        operator = Actor(kind="operator", id="test")
        await load_agency(
            ground.having.service, ground.agency, people=people, policy=starter(), actor=operator
        )
        having = InMemory()
        having.log = ground.having.log  # type: ignore[assignment]
        decided: Any = Engagements(having, ground.agency)
        yield replace(ground, kept=decided)


async def _prepared(url: str, ground: Ground) -> Served:
    keys = {role: await ground.key(role) for role in ("director", "recruiter", "operator")}
    made = Served(url, keys, {"engagement_id": "e-1", "job_order_id": "jo-1", "version": 1})
    async with httpx.AsyncClient(base_url=url, headers=made.headers("director"), timeout=30) as http:
        for path, body in (
            ("/v1/engagements", {"engagement": "e-1", "owner": "r-1", "email": "one@example.test"}),
            ("/v1/job-orders/jo-1/commands/open-job-order", {"client_id": "client-1", "owner": "r-2"}),
        ):
            answer = await http.post(path, json=body)
            assert answer.is_success, answer.text
        added = await http.post("/v1/subscriptions", json={"url": "https://127.0.0.1:9/hooks"})
        assert added.status_code == 201, added.text
        head = (await ground.having.log.log_head(ground.agency)).position
        # Until the tables are there, lists rightly answer 503.
        tables = ("board", "obligations")
        await ground.having.read_models.wait_for(ground.agency, head, timedelta(seconds=60), tables)
        # One to call with, and one that the fuzzer may find and revoke.
        linked = [await http.post("/v1/engagements/e-1/links", json={}) for _ in range(2)]
        assert all(each.status_code == 201 for each in linked)
    keys["candidate"] = linked[0].json()["token"]
    there = {"which": added.json()["subscription"], "link_id": linked[1].json()["link_id"]}
    return Served(url, keys, {**made.there, **there})
