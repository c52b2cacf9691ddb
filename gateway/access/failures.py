"""Failed attempts, counted by source address and by credential, with waits that double.

Only keyed digests are kept and nothing that was shown: no address and no mistyped secret can leak from here.
"""

import asyncio
import contextlib
import hashlib
import hmac
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import structlog

from events.log.connect import LOST, Connections
from events.log.keys import KeyStore
from workers.codec import SYSTEM

FREE: Final = 10
"""Failures within an hour of one another before anybody waits."""
LONGEST: Final = timedelta(minutes=5)
_SUBJECT: Final = "access-failures"
# Seconds: by then the answer is on its way.
_AFTER: Final = 0.1
_COUNT: Final = "SELECT rapport.count_failures($1::bytea[], $2, $3)"
_log = structlog.get_logger(__name__)


class Failures:
    """Counts after the answer has left: whoever failed is not answered later than whoever did not."""

    def __init__(self, connections: Connections, keys: KeyStore) -> None:
        self._connections = connections
        self._keys = keys
        self._at_once = asyncio.Event()
        self._counting: set[asyncio.Task[None]] = set()

    async def digests(self, address: str | None, credential: str | None) -> list[bytes]:
        """Name an address and a credential in a way that only the holder of the key could retrace."""
        key = await self._keys.get_or_create(SYSTEM, _SUBJECT)
        named = (("address", address), ("credential", credential))
        return [_digest(key.secret, f"{kind}:{what}") for kind, what in named if what is not None]

    def count(self, who: Sequence[bytes], *, kind: str, credential: str | None) -> None:
        """Count one failed attempt, and leave a line about it; *credential* is an id, never its secret."""
        task = asyncio.create_task(self._count(list(who), kind, credential))
        self._counting.add(task)
        task.add_done_callback(self._counting.discard)

    async def settled(self) -> None:
        """Count at once what is not counted yet."""
        self._at_once.set()
        await asyncio.gather(*self._counting)
        self._at_once.clear()

    async def wait(self, who: Sequence[bytes]) -> float:
        """Say how many seconds the next failure of these is refused unjudged; 0: it is judged."""
        async with self._connections.borrow() as connection:
            seconds: float = await connection.fetchval("SELECT rapport.failures_wait($1::bytea[])", list(who))
        return seconds

    async def of_credentials(self, credentials: Sequence[str]) -> list[int]:
        """Say how often each of these failed within the last hour."""
        who = [each for id in credentials for each in await self.digests(None, id)]
        async with self._connections.borrow() as connection:
            rows: list[Any] = await connection.fetch("SELECT * FROM rapport.failures_of($1::bytea[])", who)
        return [row[0] for row in rows]

    async def _count(self, who: list[bytes], kind: str, credential: str | None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_AFTER):
                await self._at_once.wait()
        _log.info("a credential was refused", credential_kind=kind, credential=credential)
        try:
            async with self._connections.borrow() as connection:
                await connection.execute(_COUNT, who, FREE, LONGEST)
        except LOST as error:
            _log.warning("a failed attempt could not be counted", error=type(error).__name__)


def _digest(secret: bytes, text: str) -> bytes:
    return hmac.new(secret, text.encode(), hashlib.sha256).digest()
