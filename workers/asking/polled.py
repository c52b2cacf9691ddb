"""What polls know, in PostgreSQL: which are due, from when on one looks, and what it has told before.

A change is kept in the inbox first and noted as told afterwards: a crash between them tells it again, under
the same key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from activities.asking.changes import Change, Since
from events.log import connect
from events.log.boxes import find_and_open, keyed_digest
from events.log.keys import DIGEST_SUBJECT, KeyStore
from workers.inbox.connections import Connection

# Clocks differ, and a provider's list may trail behind what it tells.
OVERLAP: Final = timedelta(minutes=10)
_LINKED: Final = """
    SELECT x.kind, x.external, x.at FROM rapport.external_ids x
    WHERE x.agency = $1 AND x.connection_id = $2 AND EXISTS (
        SELECT FROM rapport.streams s WHERE s.agency = x.agency AND s.stream = 'engagement:' || x.engagement
            AND s.phase <> 'closed')
"""
_BEGIN: Final = """
    SELECT clock_timestamp() AS now, polled_until, created_at FROM rapport.connections
    WHERE agency = $1 AND connection_id = $2
"""
_STATE: Final = """
    SELECT state FROM rapport.polled_states WHERE agency = $1 AND connection_id = $2 AND thing = $3
"""
_TOLD: Final = """
    INSERT INTO rapport.polled_states (agency, connection_id, thing, state) VALUES ($1, $2, $3, $4)
    ON CONFLICT (agency, connection_id, thing) DO UPDATE
    SET state = excluded.state, at = clock_timestamp()
"""
_DONE: Final = """
    UPDATE rapport.connections SET last_polled_at = clock_timestamp(), last_poll_says = $3, polled_until = $4,
        poll_failing_since = NULL
    WHERE agency = $1 AND connection_id = $2
"""
_FAILED: Final = """
    UPDATE rapport.connections SET last_polled_at = clock_timestamp(), last_poll_says = $3,
        poll_failing_since = coalesce(poll_failing_since, clock_timestamp())
    WHERE agency = $1 AND connection_id = $2
"""
# What waited for the API to be mended there; what waits for longer than a day is for a person.
_ASK_AGAIN: Final = """
    UPDATE rapport.inbox SET state = 'received', says = NULL, needs = NULL, settled_at = NULL, attempts = 0,
        next_at = clock_timestamp()
    WHERE agency = $1 AND connection_id = $2 AND state = 'waiting' AND needs = 'fetch' AND purged_at IS NULL
      AND received_at > clock_timestamp() - interval '1 day'
"""
_FAILING: Final = """
    SELECT connection_id, provider, poll_failing_since, last_poll_says FROM rapport.connections
    WHERE agency = $1 AND poll_failing_since IS NOT NULL AND disabled_at IS NULL
    ORDER BY poll_failing_since, connection_id
"""


@dataclass(frozen=True, slots=True)
class Failing:
    """A connection whose last poll failed."""

    connection_id: str
    provider: str
    since: datetime
    says: str


class Polled:
    """What polls know; the pool is the caller's to close."""

    def __init__(self, pool: connect.Connections, keys: KeyStore) -> None:
        self._pool = pool
        self._keys = keys

    async def due(self) -> Sequence[tuple[str, str]]:
        """Name the connections of every agency whose poll is due, by agency and id."""
        async with self._pool.borrow() as lent:
            rows = await lent.fetch("SELECT agency, connection_id FROM rapport.due_polls()")
        return [(row["agency"], row["connection_id"]) for row in rows]

    async def begin(self, connection: Connection) -> tuple[datetime, Since]:
        """Say when a poll begins, and from when on and at what it looks."""
        async with self._pool.scoped(connection.agency) as lent:
            row = await lent.fetchrow(_BEGIN, connection.agency, connection.id)
            links = await lent.fetch(_LINKED, connection.agency, connection.id)
        until = row["polled_until"]
        linked: dict[str, set[str]] = {}
        fresh = set()
        for link in links:
            place = (connection.id, link["kind"])
            opened = await find_and_open(self._keys, connection.agency, link["external"], *place)
            if opened is None:
                continue
            linked.setdefault(link["kind"], set()).add(opened.decode())
            if link["kind"] == "application" and (until is None or link["at"] >= until):
                fresh.add(opened.decode())
        known = {kind: frozenset(ids) for kind, ids in linked.items()}
        return row["now"], Since((until or row["created_at"]) - OVERLAP, known, frozenset(fresh))

    async def is_told(self, connection: Connection, change: Change) -> bool:
        """Tell whether the thing's last state that was told is this one."""
        thing, state = await self._digests(connection, change)
        async with self._pool.scoped(connection.agency) as lent:
            return bool(state == await lent.fetchval(_STATE, connection.agency, connection.id, thing))

    async def told(self, connection: Connection, change: Change) -> None:
        """Note the state as told."""
        thing, state = await self._digests(connection, change)
        async with self._pool.scoped(connection.agency) as lent:
            await lent.execute(_TOLD, connection.agency, connection.id, thing, state)

    async def done(self, connection: Connection, begun: datetime, says: str) -> None:
        """Note that a poll went through; messages that waited for the API are read again."""
        async with self._pool.scoped(connection.agency) as lent:
            await lent.execute(_DONE, connection.agency, connection.id, says, begun)
            await lent.execute(_ASK_AGAIN, connection.agency, connection.id)

    async def failed(self, connection: Connection, says: str) -> None:
        """Note that a poll failed; the next one looks from where this one did."""
        async with self._pool.scoped(connection.agency) as lent:
            await lent.execute(_FAILED, connection.agency, connection.id, says)

    async def failing(self, agency: str) -> Sequence[Failing]:
        """List an agency's connections whose last poll failed."""
        async with self._pool.scoped(agency) as lent:
            rows: Any = await lent.fetch(_FAILING, agency)
        return [Failing(*row) for row in rows]

    async def _digests(self, connection: Connection, change: Change) -> tuple[bytes, bytes]:
        key = await self._keys.get_or_create(connection.agency, DIGEST_SUBJECT)
        named = (connection.id, change.thing)
        return keyed_digest(key, "polled thing", *named), keyed_digest(
            key, "polled state", *named, change.received.event, change.state
        )
