"""The subscriptions of an agency in PostgreSQL.

Whoever changes deliveries locks their subscription's row first, so that which one is next is never in doubt.
"""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from events.log.connect import Connections
from events.log.keys import KeyStore
from workers.delivering.secrets import new_secret, open_secret, seal_secret
from workers.delivering.subscription import (
    NameTaken,
    Parked,
    Standing,
    State,
    Subscription,
    SubscriptionError,
    UnknownSubscription,
)

KEEPS_SIGNING: Final = timedelta(hours=24)
_COLUMNS: Final = ", ".join(f"s.{each.name}" for each in fields(Subscription))
_STANDING: Final = f"""
    SELECT {_COLUMNS}, coalesce(h.position, 0) AS head, d.pending, d.parked, d.next_at,
           coalesce(d.first - 1, s.position) AS settled
    FROM rapport.subscriptions s
    LEFT JOIN rapport.log_heads h ON h.agency = s.agency
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE x.state = 'pending') AS pending,
               count(*) FILTER (WHERE x.state = 'parked') AS parked,
               min(x.next_at) FILTER (WHERE x.state = 'pending') AS next_at,
               min(x.position) FILTER (WHERE x.state = 'pending') AS first
        FROM rapport.deliveries x
        WHERE x.agency = s.agency AND x.subscription_id = s.subscription_id AND x.state <> 'delivered') d
    WHERE s.agency = $1 AND ($2::text IS NULL OR s.subscription_id = $2)
    ORDER BY s.created_at, s.subscription_id
"""
_PARKED: Final = """
    SELECT subscription_id, event_id, position, stream, type, attempt, says, settled_at
    FROM rapport.deliveries
    WHERE agency = $1 AND state = 'parked' AND ($2::text IS NULL OR subscription_id = $2)
    ORDER BY subscription_id, position LIMIT $3
"""
_HAS_NAME: Final = "SELECT EXISTS (SELECT 1 FROM rapport.subscriptions WHERE agency = $1 AND name = $2)"
_SECRETS: Final = """
    SELECT secret_id, sealed FROM rapport.subscription_secrets
    WHERE agency = $1 AND subscription_id = $2 AND coalesce(expires_at > $3, true)
    ORDER BY expires_at IS NOT NULL, created_at DESC, secret_id
"""
# After a change of what is pending: a stream's first is due, at once if it had no time, and the others wait.
_REORDER: Final = """
    UPDATE rapport.deliveries d SET next_at = CASE WHEN o.first THEN coalesce(d.next_at, $3) END
    FROM (SELECT event_id, row_number() OVER (PARTITION BY stream ORDER BY position) = 1 AS first
          FROM rapport.deliveries WHERE agency = $1 AND subscription_id = $2 AND state = 'pending') o
    WHERE d.agency = $1 AND d.subscription_id = $2 AND d.event_id = o.event_id AND d.state = 'pending'
      AND (d.next_at IS NOT NULL) <> o.first
"""


class Subscriptions:
    """Use it for whichever agency; close it when done."""

    def __init__(self, dsn: str, keys: KeyStore, *, role: str = "rapport_app") -> None:
        self._connections = Connections(dsn, role=role)
        self._keys = keys

    async def close(self) -> None:
        """Give the connections back."""
        await self._connections.close()

    async def add(
        self,
        agency: str,
        *,
        name: str,
        url: str,
        types: Sequence[str],
        personal: bool,
        position: int,
        now: datetime,
    ) -> tuple[Subscription, str]:
        """Make a subscription to what comes after a position; returns it with the secret that signs.

        :raises NameTaken: another has the name; any number may have none.
        """
        subscription_id = f"s-{secrets.token_urlsafe(12)}"
        async with self._connections.scoped(agency) as connection:
            if name:
                # One at a time in an agency, so that two at once do not both find it free.
                await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 43))", agency)
                if await connection.fetchval(_HAS_NAME, agency, name):
                    raise NameTaken("another subscription has that name; give another, or remove that one")
            await connection.execute(
                "INSERT INTO rapport.subscriptions (agency, subscription_id, name, url, types, personal, "
                "position, created_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
                *(agency, subscription_id, name, url, sorted(set(types)), personal, position, now),
            )
            secret = await self._new_secret(connection, agency, subscription_id, now)
        return await self.get(agency, subscription_id), secret

    async def get(self, agency: str, subscription_id: str) -> Subscription:
        """Read one.

        :raises UnknownSubscription: there is none.
        """
        return (await self.standing(agency, subscription_id))[0].subscription

    async def standing(self, agency: str, subscription_id: str | None = None) -> list[Standing]:
        """List an agency's subscriptions, or one, and how far each has come.

        :raises UnknownSubscription: the one that is named is none.
        """
        async with self._connections.scoped(agency) as connection:
            found = await connection.fetch(_STANDING, agency, subscription_id)
        if subscription_id is not None and not found:
            raise _unknown()
        return [_standing(row) for row in found]

    async def parked(
        self, agency: str, subscription_id: str | None = None, *, limit: int = 1000
    ) -> list[Parked]:
        """List the messages that were tried to the end of the schedule."""
        async with self._connections.scoped(agency) as connection:
            found = await connection.fetch(_PARKED, agency, subscription_id, limit)
        return [Parked(**row) for row in found]

    async def secrets(self, agency: str, subscription_id: str, now: datetime) -> list[str]:
        """Open the secrets that sign at a moment, the newest first."""
        async with self._connections.scoped(agency) as connection:
            found = await connection.fetch(_SECRETS, agency, subscription_id, now)
        return [
            await open_secret(self._keys, agency, subscription_id, row["secret_id"], row["sealed"])
            for row in found
        ]

    async def rotate(
        self, agency: str, subscription_id: str, now: datetime, keeps: timedelta = KEEPS_SIGNING
    ) -> str:
        """Make a new secret; those there are sign beside it for so long, and no longer than they would."""
        async with self._locked(agency, subscription_id) as connection:
            await connection.execute(
                "UPDATE rapport.subscription_secrets SET expires_at = least(expires_at, $3) "
                "WHERE agency = $1 AND subscription_id = $2",
                *(agency, subscription_id, now + keeps),
            )
            await connection.execute(
                "DELETE FROM rapport.subscription_secrets "
                "WHERE agency = $1 AND subscription_id = $2 AND expires_at <= $3",
                *(agency, subscription_id, now),
            )
            return await self._new_secret(connection, agency, subscription_id, now)

    async def turn(self, agency: str, subscription_id: str, state: State, now: datetime) -> None:
        """Pause it, or let it go on, also one that its receiver gave up."""
        async with self._locked(agency, subscription_id) as connection:
            await connection.execute(
                "UPDATE rapport.subscriptions SET state = $3, changed_at = $4, quiet_until = NULL "
                "WHERE agency = $1 AND subscription_id = $2",
                *(agency, subscription_id, state, now),
            )

    async def remove(self, agency: str, subscription_id: str) -> None:
        """Delete it with its secrets and all that waits for it."""
        async with self._locked(agency, subscription_id) as connection:
            await connection.execute(
                "DELETE FROM rapport.subscriptions WHERE agency = $1 AND subscription_id = $2",
                *(agency, subscription_id),
            )

    async def replay(self, agency: str, subscription_id: str, first: int, now: datetime) -> int:
        """Tell everything from a position on once more; returns how many events of the log that is.

        :raises SubscriptionError: the log does not reach to the position.
        """
        async with self._locked(agency, subscription_id) as connection:
            head = await connection.fetchval(
                "SELECT position FROM rapport.log_heads WHERE agency = $1", agency
            )
            if not 1 <= first <= (head or 0):
                raise SubscriptionError(f"the log has the positions 1 to {head or 0}; name one of them")
            await connection.execute(
                "DELETE FROM rapport.deliveries "
                "WHERE agency = $1 AND subscription_id = $2 AND position >= $3",
                *(agency, subscription_id, first),
            )
            await connection.execute(
                "UPDATE rapport.subscriptions SET position = least(position, $3), changed_at = $4 "
                "WHERE agency = $1 AND subscription_id = $2",
                *(agency, subscription_id, first - 1, now),
            )
            return int(head - first + 1)

    async def retry(self, agency: str, subscription_id: str, now: datetime) -> int:
        """Try what is parked once more from the schedule's beginning, and what waits, now; tells how many."""
        async with self._locked(agency, subscription_id) as connection:
            parked = await connection.fetch(
                "UPDATE rapport.deliveries "
                "SET state = 'pending', attempt = 0, next_at = NULL, settled_at = NULL "
                "WHERE agency = $1 AND subscription_id = $2 AND state = 'parked' RETURNING 1",
                *(agency, subscription_id),
            )
            waiting = await connection.fetch(
                "UPDATE rapport.deliveries SET next_at = $3 WHERE agency = $1 AND subscription_id = $2 "
                "AND state = 'pending' AND next_at > $3 RETURNING 1",
                *(agency, subscription_id, now),
            )
            await connection.execute(_REORDER, agency, subscription_id, now)
            await connection.execute(
                "UPDATE rapport.subscriptions SET quiet_until = NULL, changed_at = $3 "
                "WHERE agency = $1 AND subscription_id = $2",
                *(agency, subscription_id, now),
            )
            return len(parked) + len(waiting)

    async def _new_secret(self, connection: Any, agency: str, subscription_id: str, now: datetime) -> str:
        secret, secret_id = new_secret(), uuid4()
        await connection.execute(
            "INSERT INTO rapport.subscription_secrets "
            "(agency, subscription_id, secret_id, sealed, created_at) VALUES ($1, $2, $3, $4, $5)",
            *(agency, subscription_id, secret_id),
            await seal_secret(self._keys, agency, subscription_id, secret_id, secret),
            now,
        )
        return secret

    @asynccontextmanager
    async def _locked(self, agency: str, subscription_id: str) -> AsyncIterator[Any]:
        async with self._connections.scoped(agency) as connection:
            found = await connection.fetchval(
                "SELECT true FROM rapport.subscriptions "
                "WHERE agency = $1 AND subscription_id = $2 FOR UPDATE",
                *(agency, subscription_id),
            )
            if not found:
                raise _unknown()
            yield connection


def subscription_of(row: Any) -> Subscription:
    """Read one from a row."""
    values = {each.name: row[each.name] for each in fields(Subscription)}
    return Subscription(**{**values, "types": tuple(row["types"])})


def _standing(row: Any) -> Standing:
    return Standing(
        subscription_of(row), row["head"], row["settled"], row["pending"], row["parked"], row["next_at"]
    )


def _unknown() -> UnknownSubscription:
    return UnknownSubscription(
        "there is no such subscription; 'rapport subscription list' names those there are"
    )
