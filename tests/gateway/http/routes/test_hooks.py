"""The route: raw bytes in, the provider's own acknowledgement out, and nothing told to whom it is not for."""

import logging
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from gateway.http.app import make_app
from gateway.http.doors import Doors
from gateway.http.routes import hooks
from gateway.webhooks.door import Door
from gateway.webhooks.provider import Delivery
from tests.gateway.webhooks.held import THERE, Held, there
from tests.gateway.webhooks.signers import NOW, SAMPLES, SECRET, secret_of, signed


@pytest.fixture
def kept() -> Held:
    """This will be what the door keeps."""
    return Held({THERE: there("greenhouse", SECRET)})


@pytest.fixture
async def client(kept: Held) -> AsyncIterator[httpx.AsyncClient]:
    """This will speak to the application."""
    nothing: Any = SimpleNamespace(log=None)
    doors = Doors(nothing, nothing, nothing, hooks=Door(kept, kept, kept, lambda: NOW))
    transport = httpx.ASGITransport(make_app(doors))
    async with httpx.AsyncClient(transport=transport, base_url="http://door") as speaking:
        yield speaking


async def post(client: httpx.AsyncClient, delivery: Delivery, connection: str = THERE) -> httpx.Response:
    """Deliver."""
    headers = dict(delivery.headers)
    return await client.post(f"/hooks/{connection}", content=delivery.body, headers=headers)


class TestTake:
    async def test_acknowledges_what_is_kept(self, client: httpx.AsyncClient, kept: Held) -> None:
        body = b' {"action":"hire_candidate","payload":{"note":"\\u003cp\\u003e"}}\n'
        answer = await post(client, signed("greenhouse", body))
        assert (answer.status_code, answer.json()["outcome"]) == (200, "kept")
        [message] = kept.messages.values()
        assert message.body == body, "the very bytes"

    async def test_acknowledges_by_the_providers_own_status(
        self, client: httpx.AsyncClient, kept: Held
    ) -> None:
        for provider in ("smartrecruiters", "standard-webhooks"):
            kept.connections[THERE] = there(provider, secret_of(provider))
            assert (await post(client, signed(provider, SAMPLES[provider]))).status_code == 202

    async def test_refuses_a_wrong_signature_and_counts_it(
        self, client: httpx.AsyncClient, kept: Held
    ) -> None:
        answer = await post(client, Delivery({"signature": "sha256 00"}, SAMPLES["greenhouse"]))
        assert (answer.status_code, answer.json()["code"]) == (401, "not-verified")
        assert answer.headers["content-type"] == "application/problem+json"
        assert kept.failures == [THERE]

    async def test_refuses_an_unknown_connection_and_counts_nothing(
        self, client: httpx.AsyncClient, kept: Held
    ) -> None:
        for connection in ("c-bm9ib2R5", "c-%00", "x" * 300):
            answer = await post(client, signed("greenhouse", SAMPLES["greenhouse"]), connection)
            assert answer.status_code == 404
        assert kept.failures == []

    @pytest.mark.parametrize("declared", [True, False])
    async def test_reads_no_more_than_its_limit(
        self, client: httpx.AsyncClient, kept: Held, declared: bool
    ) -> None:
        async def endless() -> AsyncIterator[bytes]:
            for _ in range(40):
                read.append(1)
                yield b"x" * 65_536

        read: list[int] = []
        content = b"x" * (hooks.LARGEST + 1) if declared else endless()
        answer = await client.post(f"/hooks/{THERE}", content=content)
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
        assert len(read) <= 17, "what lies beyond the limit is left unread"
        assert kept.messages == {}

    async def test_takes_a_body_of_the_limit(self, client: httpx.AsyncClient) -> None:
        start = b'{"action":"hire_candidate","payload":"'
        body = start + b"x" * (hooks.LARGEST - len(start) - 2) + b'"}'
        assert (await post(client, signed("greenhouse", body))).status_code == 200

    async def test_asks_to_send_again_while_the_database_is_away(
        self, client: httpx.AsyncClient, kept: Held
    ) -> None:
        kept.away = ConnectionRefusedError()
        answer = await post(client, signed("greenhouse", SAMPLES["greenhouse"]))
        assert (answer.status_code, answer.json()["code"]) == (503, "away")
        assert answer.headers["retry-after"]

    async def test_echoes_the_header_of_an_activation(self, client: httpx.AsyncClient, kept: Held) -> None:
        kept.connections[THERE] = there("smartrecruiters", SECRET)
        answer = await post(client, Delivery({"X-Hook-Secret": "temporary"}, b""))
        assert (answer.status_code, answer.headers["x-hook-secret"]) == (200, "temporary")

    async def test_never_logs_what_came(
        self, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.DEBUG, "gateway")
        body = b'{"action":"hire_candidate","payload":{"name":"Quux"}}'
        await post(client, signed("greenhouse", body))
        answer = await post(client, Delivery({"signature": "sha256 Quux"}, body))
        assert "Quux" not in answer.text
        assert "Quux" not in caplog.text
        assert "Quux" not in "".join(capsys.readouterr())
