"""An inbox and connections in memory, for tests of the door."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from events.integrations.message import Received
from gateway.webhooks import door

THERE = "c-Zm9vYmFyYmF6cXV4"


@dataclass(frozen=True)
class HeldSettings:
    """Settings of a connection."""

    tolerance_seconds: int = 300


@dataclass(frozen=True)
class HeldConnection:
    """A connection."""

    provider: str
    secrets: tuple[str, ...]
    id: str = THERE
    agency: str = "agency-1"
    settings: HeldSettings = HeldSettings()
    disabled_at: datetime | None = None

    def valid(self, kind: Literal["signing"], /) -> tuple[str, ...]:
        """Give its secrets."""
        assert kind == "signing"
        return self.secrets


@dataclass
class Held:
    """Connections, messages and failures; *away* is raised by whatever is asked."""

    connections: dict[str, HeldConnection] = field(default_factory=dict)
    messages: dict[tuple[str, str], Received] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    away: Exception | None = None

    async def find(self, connection_id: str, /) -> HeldConnection | None:
        """Find a connection."""
        self.asked.append(connection_id)
        if self.away is not None:
            raise self.away
        return self.connections.get(connection_id)

    async def receive(self, connection: door.Connection, received: Received, /) -> bool:
        """Keep a message."""
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


DISABLED = datetime(2026, 1, 1, tzinfo=UTC)
