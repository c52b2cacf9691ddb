"""When a credential was used last, written down at most once a minute.

In the background: nobody's request waits for it, and one that gets lost is made up by the next use.
"""

import asyncio
import time
from typing import Final

import structlog

from events.log.connect import LOST, Connections
from gateway.access.credentials import Kind

EVERY: Final = 60.0
# The row is written a moment after the use: a use exactly a minute later must still find it old enough.
_SLACK: Final = 0.9
_REMEMBERED: Final = 10_000
_NOTE: Final = {
    "rpk": """UPDATE rapport.api_keys SET last_used_at = clock_timestamp() WHERE agency = $1 AND key_id = $2
              AND (last_used_at IS NULL OR last_used_at <= clock_timestamp() - make_interval(secs => $3))""",
    "rpl": """UPDATE rapport.candidate_links SET last_used_at = clock_timestamp()
              WHERE agency = $1 AND link_id = $2
              AND (last_used_at IS NULL OR last_used_at <= clock_timestamp() - make_interval(secs => $3))""",
}
_log = structlog.get_logger(__name__)


class Uses:
    """Notes uses; one for a process, and several processes agree by the row."""

    def __init__(self, connections: Connections, *, every: float = EVERY) -> None:
        self._connections = connections
        self._every = every
        self._noted: dict[str, float] = {}
        self._noting: set[asyncio.Task[None]] = set()

    def note(self, kind: Kind, agency: str, id: str) -> None:
        """Note that a credential is being used."""
        now = time.monotonic()
        if now - self._noted.get(id, -self._every) < self._every:
            return
        if len(self._noted) >= _REMEMBERED:
            self._noted.clear()
        self._noted[id] = now
        task = asyncio.create_task(self._note(kind, agency, id))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def settled(self) -> None:
        """Wait until everything is written down."""
        await asyncio.gather(*self._noting)

    async def _note(self, kind: Kind, agency: str, id: str) -> None:
        try:
            async with self._connections.scoped(agency) as connection:
                await connection.execute(_NOTE[kind], agency, id, self._every * _SLACK)
        except LOST as error:
            _log.warning("the use of a credential could not be noted", error=type(error).__name__)
