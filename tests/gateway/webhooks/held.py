"""An inbox and connections in memory, for tests of the door."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from events.integrations.message import Received
from events.log.keys import KeyDestroyed
from workers.inbox.connections import Connection, ConnectionSettings, Secret

THERE = "c-Zm9vYmFyYmF6cXV4"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def there(provider: str, *secrets: str, disabled: bool = False) -> Connection:
    """Give a connection with its secrets."""
    return Connection(
        agency="agency-1",
        id=THERE,
        provider=provider,
        name="theirs",
        mapping=None,
        mapping_digest=None,
        api_base=None,
        settings=ConnectionSettings(),
        created_at=LONG_AGO,
        disabled_at=LONG_AGO if disabled else None,
        secrets=tuple(Secret("signing", each) for each in secrets),
    )


@dataclass
class Held:
    """Connections, messages and failures; *away* is raised by whatever is asked."""

    connections: dict[str, Connection] = field(default_factory=dict)
    messages: dict[tuple[str, str], Received] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    away: Exception | None = None
    erased: bool = False

    async def find(self, connection_id: str, /) -> Connection | None:
        """Find a connection."""
        self.asked.append(connection_id)
        if self.away is not None:
            raise self.away
        return self.connections.get(connection_id)

    async def receive(self, connection: Connection, received: Received, /) -> bool:
        """Keep a message."""
        if self.erased:
            raise KeyDestroyed
        if self.away is not None:
            raise self.away
        key = (connection.id, received.dedupe)
        fresh = key not in self.messages
        self.messages.setdefault(key, received)
        return fresh

    async def count(self, connection_id: str, /) -> None:
        """Count a failure."""
        if self.away is not None:
            raise self.away
        self.failures.append(connection_id)
