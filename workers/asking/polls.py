"""One poll of one connection: what changed at the provider comes into the inbox, as its webhook would have.

A poll gives no command and judges nothing: what it brings is read by the mapping like any message.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import structlog

from activities.asking.changes import Since
from activities.asking.errors import CannotBeAsked, NotAnswered, Unknown
from events.log.connect import LOST
from workers.asking.apis import ProviderApis
from workers.asking.polled import Polled
from workers.inbox.connections import Connection, Connections
from workers.inbox.store import Inbox

# Seconds: whoever takes longer than this is asked again by the next poll, from the same moment on.
LONGEST: Final = 600.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PollEnd:
    """How a poll ended; *found* counts the messages that are new in the inbox."""

    ok: bool
    found: int
    says: str


class Poller:
    """Polls connections; an :class:`activities.polling.Polls`."""

    def __init__(self, connections: Connections, inbox: Inbox, polled: Polled, apis: ProviderApis) -> None:
        self._connections = connections
        self._inbox = inbox
        self._polled = polled
        self._apis = apis

    async def due(self) -> Sequence[tuple[str, str]]:
        """Name the connections whose poll is due, by agency and id."""
        return await self._polled.due()

    async def poll(self, agency: str, connection_id: str) -> PollEnd:
        """Poll one connection, and note how it went.

        :raises UnknownConnection: the agency has no such connection.
        :raises OSError: the database is away, or another of :data:`events.log.connect.LOST`.
        """
        connection = await self._connections.get(agency, connection_id)
        begun, since = await self._polled.begin(connection)
        found = 0
        try:
            async with asyncio.timeout(LONGEST):
                found = await self._ask(connection, since)
        except LOST:
            raise
        except Exception as error:
            says = _why(error, connection)
            await self._polled.failed(connection, says)
            _log.warning("a poll failed", agency=agency, connection=connection_id, error=type(error).__name__)
            return PollEnd(False, found, says)
        says = _says(found, since)
        await self._polled.done(connection, begun, says)
        return PollEnd(True, found, says)

    async def _ask(self, connection: Connection, since: Since) -> int:
        provider, api = self._apis.open(connection)
        if not any(since.linked.values()):
            await provider.greet(api)
            return 0
        found = 0
        async with aclosing(provider.changes(api, since)) as changes:
            async for change in changes:
                if not await self._polled.is_told(connection, change):
                    found += await self._inbox.receive(connection, change.received)
                    await self._polled.told(connection, change)
        return found


def _says(found: int, since: Since) -> str:
    if not any(since.linked.values()):
        return "it answers; nobody of ours is linked yet"
    return f"{found} {'change' if found == 1 else 'changes'}"


def _why(error: Exception, connection: Connection) -> str:
    if isinstance(error, CannotBeAsked):
        return f"failed: {error}"
    if isinstance(error, Unknown):
        return "failed: there is no such API at its address; correct it with 'rapport connection set'"
    if isinstance(error, NotAnswered):
        return f"failed, and is tried again: {error}"
    if isinstance(error, TimeoutError):
        return f"failed, and is tried again: it took longer than {LONGEST:g} seconds"
    return f"failed, and is tried again: what {connection.provider} answered is not understood"
