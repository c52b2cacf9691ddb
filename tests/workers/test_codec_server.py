"""The codec server: what Temporal's UI and CLI ask of it, and what it refuses."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping

import pytest
from temporalio.api.common.v1 import Payload

from events.log.keys import MemoryKeys
from workers.codec import EngagementCodec
from workers.codec_server import LOOPBACK, CodecServer

UI = "http://127.0.0.1:8233"
WORDS = {"metadata": {"encoding": base64.b64encode(b"json/plain").decode()}, "data": "ImRvZ3Mi"}


@pytest.fixture
async def server() -> AsyncIterator[CodecServer]:
    """This will yield a running server with an agency's codec."""
    server = CodecServer()
    await server.start()
    server.codec = EngagementCodec(MemoryKeys(), "acme")
    server.origins = {UI}
    yield server
    await server.stop()


async def _ask(
    server: CodecServer,
    path: str,
    body: object = None,
    *,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
) -> tuple[int, dict[str, str], dict[str, list[dict[str, object]]]]:
    reader, writer = await asyncio.open_connection(LOOPBACK, int(server.endpoint.rpartition(":")[2]))
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {len(data)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + data)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, content = answer.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    pairs = dict(line.split(": ", 1) for line in rest)
    return int(first.split()[1]), pairs, json.loads(content)


class TestCodecServer:
    async def test_decodes_what_it_encoded(self, server: CodecServer) -> None:
        _, _, sealed = await _ask(server, "/encode", {"payloads": [WORDS]})
        status, _, opened = await _ask(server, "/decode?ignored=1", sealed)
        assert status == 200
        assert opened["payloads"] == [WORDS], "marks beside it would make the CLI print bytes"
        assert sealed["payloads"][0]["data"] != WORDS["data"]

    async def test_answers_the_ui_across_origins(self, server: CodecServer) -> None:
        headers = {"Origin": UI, "Access-Control-Request-Method": "POST"}
        status, allowed, _ = await _ask(server, "/decode", method="OPTIONS", headers=headers)
        assert status == 200
        assert allowed["Access-Control-Allow-Origin"] == UI
        assert "x-namespace" in allowed["Access-Control-Allow-Headers"]

    async def test_refuses_another_site(self, server: CodecServer) -> None:
        status, answered, _ = await _ask(
            server, "/decode", {"payloads": []}, headers={"Origin": "https://elsewhere.example"}
        )
        assert status == 403
        assert "Access-Control-Allow-Origin" not in answered

    @pytest.mark.parametrize(
        ("path", "method", "body", "status"),
        [
            ("/", "GET", {}, 404),
            ("/decode", "GET", {}, 404),
            ("/decode", "POST", b"{", 400),
            ("/decode", "POST", b"\xff", 400),
            ("/decode", "POST", {"payloads": "no"}, 400),
        ],
    )
    async def test_refuses_what_it_does_not_know(
        self, server: CodecServer, path: str, method: str, body: object, status: int
    ) -> None:
        assert (await _ask(server, path, body, method=method))[0] == status

    async def test_says_that_it_has_no_keys_yet(self, server: CodecServer) -> None:
        server.codec = None
        assert (await _ask(server, "/decode", {"payloads": []}))[0] == 503

    async def test_says_that_it_cannot_seal_without_an_agency(self, server: CodecServer) -> None:
        server.codec = EngagementCodec(MemoryKeys())
        assert (await _ask(server, "/encode", {"payloads": [WORDS]}))[0] == 500

    async def test_leaves_what_it_cannot_open(self, server: CodecServer) -> None:
        foreign = Payload(metadata={"encoding": b"binary/encrypted"}, data=b"foreign")
        data = base64.b64encode(foreign.data).decode()
        encoding = base64.b64encode(foreign.metadata["encoding"]).decode()
        body = {"payloads": [{"metadata": {"encoding": encoding}, "data": data}]}
        status, _, answer = await _ask(server, "/decode", body)
        assert status == 200
        assert answer["payloads"][0]["data"] == data
