"""What is to be delivered, in PostgreSQL: taken in from the log, claimed for an attempt, settled.

A claim is a lease: whoever dies between sending and settling lets it lapse, and the message is sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from events.envelope import Stored
from events.log.connect import Connections
from workers.delivering.schedule import Answer, next_pause
from workers.delivering.subscription import Subscription
from workers.delivering.subscriptions import subscription_of

# Longer than an attempt may take with all that is around it.
LEASE: Final = timedelta(seconds=60)
# With so many messages waiting, a subscription reads no further.
ROOM: Final = 2000
LONGEST_WORDS: Final = 200
_LOCK: Final = """
    SELECT s.* FROM rapport.subscriptions s WHERE agency = $1 AND subscription_id = $2 FOR UPDATE
"""
_TAKE_IN: Final = """
    INSERT INTO rapport.deliveries
        (agency, subscription_id, event_id, position, stream, version, type, next_at)
    SELECT $1, $2, n.event_id, n.position, n.stream, n.version, n.type, CASE
        WHEN row_number() OVER (PARTITION BY n.stream ORDER BY n.position) = 1 AND NOT EXISTS (
            SELECT FROM rapport.deliveries d
            WHERE d.agency = $1 AND d.subscription_id = $2 AND d.stream = n.stream AND d.state = 'pending')
        THEN $3::timestamptz END
    FROM unnest($4::uuid[], $5::bigint[], $6::text[], $7::bigint[], $8::text[])
        AS n (event_id, position, stream, version, type)
"""
_CLAIM: Final = """
    WITH due AS (
        SELECT d.event_id FROM rapport.deliveries d
        WHERE d.agency = $1 AND d.subscription_id = $2 AND d.state = 'pending'
          AND d.next_at <= $3 AND coalesce(d.leased_until <= $3, true)
          AND EXISTS (
              SELECT FROM rapport.subscriptions s
              WHERE s.agency = $1 AND s.subscription_id = $2 AND s.state = 'active'
                AND coalesce(s.quiet_until <= $3, true))
        ORDER BY d.next_at, d.position LIMIT 1 FOR UPDATE OF d SKIP LOCKED)
    UPDATE rapport.deliveries d
    SET attempt = d.attempt + 1, claim = $4, leased_until = $3 + $5::interval, tried_at = $3
    FROM due WHERE d.agency = $1 AND d.subscription_id = $2 AND d.event_id = due.event_id
    RETURNING d.event_id, d.position, d.stream, d.version, d.type, d.attempt
"""
_SETTLE: Final = """
    UPDATE rapport.deliveries
    SET state = $5, next_at = $6, settled_at = CASE WHEN $5 <> 'pending' THEN $7::timestamptz END,
        claim = NULL, leased_until = NULL, status = $8, says = $9, attempt = attempt - $10
    WHERE agency = $1 AND subscription_id = $2 AND event_id = $3 AND claim = $4 AND state = 'pending'
    RETURNING 1
"""
# The stream's first that waits is due, at once if it had no time; the others wait for it.
_REORDER: Final = """
    UPDATE rapport.deliveries d
    SET next_at = CASE WHEN d.event_id = o.first THEN coalesce(d.next_at, $3) END
    FROM (SELECT event_id AS first FROM rapport.deliveries
          WHERE agency = $1 AND subscription_id = $2 AND state = 'pending' AND stream = $4
          ORDER BY position LIMIT 1) o
    WHERE d.agency = $1 AND d.subscription_id = $2 AND d.state = 'pending' AND d.stream = $4
      AND (d.next_at IS NOT NULL) <> (d.event_id = o.first)
"""
_NOTE: Final = """
    UPDATE rapport.subscriptions
    SET failures = CASE WHEN $3 THEN 0 ELSE failures + 1 END, answered_at = $4, status = $5, says = $6,
        quiet_until = greatest(quiet_until, $7), state = CASE WHEN $8 THEN 'gone' ELSE state END
    WHERE agency = $1 AND subscription_id = $2
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message that is claimed for an attempt."""

    event_id: UUID
    position: int
    stream: str
    version: int
    type: str
    attempt: int
    claim: UUID


class Deliveries:
    """Use it for whichever agency; close it when done."""

    def __init__(self, dsn: str, *, role: str = "rapport_app") -> None:
        self._connections = Connections(dsn, role=role, size=8)

    async def close(self) -> None:
        """Give the connections back."""
        await self._connections.close()

    async def due(self, now: datetime) -> list[tuple[str, str]]:
        """List the subscriptions of all agencies that have something to do: agency and id."""
        query = "SELECT agency, subscription_id FROM rapport.due_subscriptions($1, $2)"
        async with self._connections.borrow() as connection:
            return [tuple(row) for row in await connection.fetch(query, now, ROOM)]

    async def subscription(self, agency: str, subscription_id: str) -> Subscription | None:
        """Read a subscription if it is there and active."""
        query = (
            "SELECT * FROM rapport.subscriptions "
            "WHERE agency = $1 AND subscription_id = $2 AND state = 'active'"
        )
        async with self._connections.scoped(agency) as connection:
            row = await connection.fetchrow(query, agency, subscription_id)
        return None if row is None else subscription_of(row)

    async def waiting(self, of: Subscription) -> int:
        """Count the messages that are pending, up to the room there is."""
        query = (
            "SELECT count(*) FROM (SELECT FROM rapport.deliveries "
            "WHERE agency = $1 AND subscription_id = $2 AND state = 'pending' LIMIT $3) AS few"
        )
        async with self._connections.scoped(of.agency) as connection:
            return int(await connection.fetchval(query, of.agency, of.subscription_id, ROOM))

    async def take_in(self, of: Subscription, read: Sequence[Stored], now: datetime) -> bool:
        """Note which events a page of the log asks to be delivered, and the place after it.

        False: somebody else took it in, or the subscription was changed; read on from its new position.
        """
        if not read:
            return False
        wanted = [each for each in read if of.asks_for(each.type)]
        columns = [
            [getattr(each, name) for each in wanted]
            for name in ("event_id", "position", "stream", "version", "type")
        ]
        key = (of.agency, of.subscription_id)
        async with self._connections.scoped(of.agency) as connection:
            row = await connection.fetchrow(_LOCK, *key)
            if row is None or row["position"] != of.position or row["state"] != "active":
                return False
            await connection.execute(_TAKE_IN, *key, now, *columns)
            await connection.execute(
                "UPDATE rapport.subscriptions SET position = $3 WHERE agency = $1 AND subscription_id = $2",
                *(*key, read[-1].position),
            )
        return True

    async def claim(self, of: Subscription, now: datetime) -> Delivery | None:
        """Take on one message that is due: the first of its stream that waits."""
        claim = uuid4()
        async with self._connections.scoped(of.agency) as connection:
            row = await connection.fetchrow(_CLAIM, of.agency, of.subscription_id, now, claim, LEASE)
        return None if row is None else Delivery(**row, claim=claim)

    async def settle(self, of: Subscription, delivery: Delivery, answer: Answer, now: datetime) -> bool:
        """Note what came of an attempt; False: it is somebody else's by now, and this changes nothing."""
        verdict, pause = answer.verdict, next_pause(delivery.attempt)
        asked = answer.pause_asked(now)
        state, next_at = "pending", None
        if verdict == "delivered":
            state = "delivered"
        elif verdict == "gone":
            next_at = now
        elif pause is None:
            state = "parked"
        else:
            next_at = now + max(pause, asked)
        # Whoever is gone did not fail to take this one: once it is back, the schedule begins where it was.
        returned = 1 if verdict == "gone" else 0
        says = answer.says[:LONGEST_WORDS]
        key = (of.agency, of.subscription_id)
        async with self._connections.scoped(of.agency) as connection:
            await connection.execute(_LOCK, *key)
            settled = await connection.fetchval(
                _SETTLE,
                *(*key, delivery.event_id, delivery.claim, state, next_at, now),
                *(answer.status, says, returned),
            )
            if settled is None:
                return False
            await connection.execute(_REORDER, *key, now, delivery.stream)
            quiet = now + asked if asked else None
            await connection.execute(
                _NOTE, *key, verdict == "delivered", now, answer.status, says, quiet, verdict == "gone"
            )
        return True

    async def park(self, of: Subscription, delivery: Delivery, says: str, now: datetime) -> None:
        """Give up on a message that cannot be made."""
        key = (of.agency, of.subscription_id)
        async with self._connections.scoped(of.agency) as connection:
            await connection.execute(_LOCK, *key)
            await connection.execute(
                _SETTLE,
                *(*key, delivery.event_id, delivery.claim, "parked", None, now, None, says, 0),
            )
            await connection.execute(_REORDER, *key, now, delivery.stream)

    async def forget(self, before: datetime) -> int:
        """Delete what was delivered before a moment; returns how many."""
        async with self._connections.borrow() as connection:
            return int(await connection.fetchval("SELECT rapport.forget_deliveries($1)", before))
