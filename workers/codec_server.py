"""Opens and seals payloads over HTTP on loopback, so that Temporal's own UI and CLI read plainly.

It serves whoever may reach this machine's loopback: never bind it to another address.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from google.protobuf.json_format import MessageToDict, Parse, ParseError
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import PayloadCodec

from workflows.types import DIGEST_MARK, ENCRYPTED_MARK

LOOPBACK: Final = "127.0.0.1"
_LARGEST: Final = 16 * 1024 * 1024
_PATIENCE: Final = 30.0

_log = logging.getLogger(__name__)


class _Refused(Exception):
    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class CodecServer:
    """Answers ``POST /encode`` and ``POST /decode``.

    It starts before the servers whose addresses it needs: set *codec* and *origins* when they are known.
    """

    def __init__(self, *, port: int = 0) -> None:
        self.codec: PayloadCodec | None = None
        self.origins: set[str] = set()
        self._port = port
        self._server: asyncio.Server | None = None

    @property
    def endpoint(self) -> str:
        """Give the address for ``--ui-codec-endpoint`` and ``temporal --codec-endpoint``."""
        return f"http://{LOOPBACK}:{self._port}"

    async def start(self) -> None:
        """Listen; on port 0 a free one is taken."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        origin = None
        try:
            async with asyncio.timeout(_PATIENCE):
                method, path, headers = await _head(reader)
                origin = headers.get("origin")
                body = await self._answer(method, path, headers, reader)
            _write(writer, HTTPStatus.OK, origin if origin in self.origins else None, body)
        except _Refused as refused:
            _write(writer, refused.status, origin if origin in self.origins else None, {})
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            _log.debug("whoever asked has gone")
        except Exception as error:
            # The key store is away, or there is no agency to seal for: the one who asks must hear of it.
            _log.warning("a payload could not be opened or sealed: %s", type(error).__name__)
            _write(writer, HTTPStatus.INTERNAL_SERVER_ERROR, origin if origin in self.origins else None, {})
        finally:
            with suppress(OSError):
                writer.close()
                await writer.wait_closed()

    async def _answer(
        self, method: str, path: str, headers: Mapping[str, str], reader: asyncio.StreamReader
    ) -> Mapping[str, object]:
        if headers.get("origin") not in {None, *self.origins}:
            raise _Refused(HTTPStatus.FORBIDDEN)
        if method == "OPTIONS":
            return {}
        if method != "POST" or path not in ("/encode", "/decode"):
            raise _Refused(HTTPStatus.NOT_FOUND)
        if self.codec is None:
            raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE)
        try:
            length = int(headers.get("content-length", ""))
        except ValueError:
            raise _Refused(HTTPStatus.LENGTH_REQUIRED) from None
        if not 0 <= length <= _LARGEST:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            given = Parse(await reader.readexactly(length), Payloads()).payloads
        except (ParseError, UnicodeDecodeError):
            raise _Refused(HTTPStatus.BAD_REQUEST) from None
        if path == "/encode":
            changed = await self.codec.encode(given)
        else:
            changed = [_for_people(each) for each in await self.codec.decode(given)]
        answer: dict[str, object] = MessageToDict(Payloads(payloads=changed))
        return answer


def _for_people(payload: Payload) -> Payload:
    # With metadata beside its encoding, the CLI prints a payload's bytes instead of its words.
    for mark in (ENCRYPTED_MARK, DIGEST_MARK):
        payload.metadata.pop(mark, None)
    return payload


async def _head(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    try:
        method, target, _ = lines[0].split(" ")
    except ValueError:
        raise _Refused(HTTPStatus.BAD_REQUEST) from None
    pairs = (line.partition(":") for line in lines[1:] if line)
    return method, target.partition("?")[0], {name.strip().lower(): value.strip() for name, _, value in pairs}


def _write(
    writer: asyncio.StreamWriter, status: HTTPStatus, origin: str | None, body: Mapping[str, object]
) -> None:
    data = json.dumps(body).encode()
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Content-Type: application/json",
        f"Content-Length: {len(data)}",
        "Connection: close",
    ]
    if origin is not None:
        lines += [
            f"Access-Control-Allow-Origin: {origin}",
            "Access-Control-Allow-Methods: POST, OPTIONS",
            "Access-Control-Allow-Headers: content-type, x-namespace, authorization",
            "Vary: Origin",
        ]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + data)
