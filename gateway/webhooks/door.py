"""What happens to a delivery: found, verified, read, kept, and only then acknowledged.

Nothing but a database that is away may answer with a 5xx, and it always does: the provider then sends again.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, Protocol

import asyncpg
import structlog

from events.integrations.message import MALFORMED, Received
from events.log.connect import LOST, ConnectionsClosed
from events.log.keys import KeyDestroyed, UnknownKek
from gateway.webhooks import content, signing
from gateway.webhooks.provider import Delivery, Malformed, NotTaken, NotVerified
from gateway.webhooks.registry import PROVIDERS
from workers.inbox.connections import Connection

Outcome = Literal["kept", "known", "tested", "unknown", "not-verified", "not-taken", "away"]
_ID: Final = re.compile(r"c-[A-Za-z0-9_-]{1,80}")
_AWAY: Final = (*LOST, TimeoutError, asyncpg.PostgresError, ConnectionsClosed, UnknownKek)
# Providers wait 5 to 15 seconds; whoever gives up sooner sends again, and hears that it is known.
_PATIENCE: Final = 10.0
_RETRY_AFTER: Final = "30"
# Nobody knows it: a signature that is held against it takes as long as one that is held against a real one.
_DUMMY: Final = signing.random_secret()
_log = structlog.get_logger(__name__)


class Connections(Protocol):
    """Finds connections."""

    async def find(self, connection_id: str, /) -> Connection | None:
        """Find a connection of any agency by its whole id."""


class Inbox(Protocol):
    """Keeps messages."""

    async def receive(self, connection: Connection, received: Received, /) -> bool:
        """Keep a message for good; False: it was there already."""


class Failures(Protocol):
    """Counts what did not verify."""

    async def count(self, connection_id: str, /) -> None:
        """Count one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender is told; *failed* is the connection whose failure is still to be counted."""

    status: int
    outcome: Outcome
    says: str
    headers: Mapping[str, str] = field(default_factory=dict)
    failed: str | None = None


_UNKNOWN: Final = Answer(404, "unknown", "there is no such connection; look at the address again")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Door:
    """Takes deliveries for every agency's connections."""

    def __init__(
        self,
        connections: Connections,
        inbox: Inbox,
        failures: Failures,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._connections = connections
        self._inbox = inbox
        self._failures = failures
        self._now = now

    async def take(self, connection_id: str, delivery: Delivery) -> Answer:
        """Take one delivery; what is acknowledged is in the database."""
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = await self._taken(connection_id, delivery)
        except _AWAY as error:
            _log.warning("a delivery could not be kept", error=type(error).__name__)
            says = "the inbox cannot be reached; send it again"
            return Answer(503, "away", says, {"Retry-After": _RETRY_AFTER})
        if answer.outcome != "unknown":
            _log.info("a delivery came", connection=connection_id, outcome=answer.outcome)
        return answer

    async def count(self, connection_id: str) -> None:
        """Count a failure, after the answer has left: counting takes time that would tell something."""
        try:
            await self._failures.count(connection_id)
        except _AWAY as error:
            _log.warning("a failure could not be counted", error=type(error).__name__)

    async def _taken(self, connection_id: str, delivery: Delivery) -> Answer:
        found = await self._connections.find(connection_id) if _ID.fullmatch(connection_id) else None
        provider = PROVIDERS.get(found.provider) if found is not None else None
        if found is None or provider is None or found.disabled_at is not None:
            signing.hex_digest(_DUMMY, delivery.body)
            return _UNKNOWN
        shaken = provider.handshake(delivery)
        if shaken is not None:
            return Answer(shaken.status, "tested", "the door answers", shaken.headers)
        tolerance = timedelta(seconds=found.settings.tolerance_seconds)
        try:
            provider.verify(delivery, found.valid("signing") or (_DUMMY,), self._now(), tolerance)
        except NotVerified as error:
            return Answer(401, "not-verified", str(error), failed=found.id)
        if not found.valid("signing"):
            # Whatever has been held against a secret that nobody has.
            return Answer(
                401, "not-verified", "the connection has no secret that is valid now", failed=found.id
            )
        try:
            received = provider.read(delivery)
        except NotTaken as error:
            return Answer(415, "not-taken", str(error))
        except Malformed as error:
            received = _unread(delivery, error)
        if received is None:
            return Answer(provider.acknowledges, "tested", "the signature holds; nothing was kept")
        try:
            if await self._inbox.receive(found, received):
                return Answer(provider.acknowledges, "kept", "it is in the inbox")
        except KeyDestroyed:
            return _UNKNOWN
        return Answer(provider.acknowledges, "known", "it was in the inbox already")


def _unread(delivery: Delivery, error: Malformed) -> Received:
    """Keep what is signed and cannot be read, with the reason: a person looks at it, and nothing is lost."""
    return Received(
        dedupe=content.body_key(delivery.body),
        event=MALFORMED,
        occurred_at=None,
        body=delivery.body,
        headers={MALFORMED: str(error)},
    )
