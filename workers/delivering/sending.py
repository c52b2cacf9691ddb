"""Sends one message and says what came back.

A redirect is an answer like any other and is not followed: it could lead to where no webhook may go.
"""

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Final, Self

import httpcore
from standardwebhooks import Webhook

from events.cloudevents import CONTENT_TYPE
from workers.delivering.addresses import AddressRefused, GuardedBackend, Resolve, Rules, checked_url, resolve
from workers.delivering.schedule import Answer

ANSWERS_WITHIN: Final = 15.0
READ_AT_MOST: Final = 1024
READ_WITHIN: Final = 1.0
Headers = list[tuple[bytes | str, bytes | str]]
AGENT: Final = "Rapport-Webhooks/1"


def signed(message_id: str, at: datetime, body: str, secrets: Sequence[str]) -> dict[str, str]:
    """This will return the headers of the Standard Webhooks: a signature by each secret, in their order."""
    signatures = [Webhook(secret).sign(message_id, at, body) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


async def _read_a_little(response: httpcore.Response) -> None:
    # Read so that the receiver sees its answer taken; kept nowhere.
    read = 0
    async for chunk in response.aiter_stream():
        read += len(chunk)
        if read >= READ_AT_MOST:
            return


class Sender:
    """Posts messages; use it as ``async with Sender(rules) as sender`` or close it."""

    def __init__(
        self,
        rules: Rules,
        *,
        ask: Resolve = resolve,
        trust: ssl.SSLContext | None = None,
        answers_within: float = ANSWERS_WITHIN,
    ) -> None:
        self.rules, self.ask = rules, ask
        self._answers_within = answers_within
        self._trust = trust
        self._pool: httpcore.AsyncConnectionPool | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        if self._pool is not None:
            await self._pool.aclose()
            self._pool = None

    def _opened(self) -> httpcore.AsyncConnectionPool:
        # Made when first asked for: most processes have a sender and send nothing.
        if self._pool is None:
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=self._trust or httpcore.default_ssl_context(),
                max_connections=None,
                # No connection is kept: one that was checked an hour ago is not one that is checked now.
                max_keepalive_connections=0,
                network_backend=GuardedBackend(self.rules, self.ask),
            )
        return self._pool

    async def send(
        self, url: str, message_id: str, body: str, secrets: Sequence[str], at: datetime
    ) -> Answer:
        """This will post *body*, signed at a moment, and wait 15 seconds for an answer; it never raises.

        What went wrong is told by kind, never in the words of whoever answered.
        """
        headers: Headers = [
            ("content-type", CONTENT_TYPE),
            ("user-agent", AGENT),
            ("connection", "close"),
            *signed(message_id, at, body, secrets).items(),
        ]
        try:
            async with asyncio.timeout(self._answers_within):
                return await self._post(checked_url(url, self.rules), headers, body.encode())
        except (TimeoutError, httpcore.TimeoutException):
            return Answer(None, f"no answer within {self._answers_within:g} seconds")
        except AddressRefused as error:
            return Answer(None, str(error))
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol, ValueError):
            return Answer(None, "what answers there does not speak HTTP as it should")
        except ssl.SSLError:
            return Answer(None, "its TLS certificate or handshake is not acceptable")
        except (httpcore.NetworkError, OSError) as error:
            if isinstance(error.__cause__, ssl.SSLError) or "SSL" in str(error):
                return Answer(None, "its TLS certificate or handshake is not acceptable")
            return Answer(None, "it cannot be reached")

    async def _post(self, url: str, headers: Headers, body: bytes) -> Answer:
        async with self._opened().stream("POST", url, headers=headers, content=body) as response:
            given = {name.lower(): value for name, value in response.headers}
            # The status has decided; a body that never ends changes nothing.
            with suppress(TimeoutError, httpcore.NetworkError, httpcore.ProtocolError):
                async with asyncio.timeout(READ_WITHIN):
                    await _read_a_little(response)
        retry_after = given.get(b"retry-after")
        return Answer(
            response.status,
            f"it answered {response.status}",
            retry_after.decode("latin-1") if retry_after is not None else None,
        )
