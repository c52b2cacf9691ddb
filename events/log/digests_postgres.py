"""Digests in PostgreSQL.

Every call is a transaction of its own, as in the ledger of effects: never wrap one in a larger one.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from events.log.connect import Connections
from events.log.digests import LARGEST, Became, Entry, Place, Waiting
from events.log.effects import Claim

_ENTRIES: Final = """
    SELECT y.effect_id, y.stream, y.note, coalesce(x.doubtful, false) AS doubtful
    FROM rapport.digest_entries y LEFT JOIN LATERAL (
        SELECT bool_or(e.state IN ('claimed', 'unknown')) AS doubtful,
               bool_or(e.state IN ('sent', 'failed', 'withheld')) AS settled
        FROM rapport.effects e WHERE e.agency = y.agency AND e.effect_id = y.effect_id
    ) x ON true
    WHERE y.agency = $1 AND y.digest_id = $2 AND NOT coalesce(x.settled, false) ORDER BY y.effect_id
"""
_WAITING: Final = """
    SELECT y.effect_id, y.digest_id, h.person_id, h.ripe_at
    FROM rapport.digest_entries y JOIN rapport.digests h USING (agency, digest_id)
    WHERE y.agency = $1 AND NOT EXISTS (
        SELECT FROM rapport.effects e WHERE e.agency = y.agency AND e.effect_id = y.effect_id
        AND e.state IN ('sent', 'failed', 'withheld'))
    ORDER BY y.effect_id
"""


class PostgresDigests:
    """The :class:`events.log.digests.Digests` of every process; close it when done."""

    def __init__(self, dsn: str, *, role: str = "rapport_app") -> None:
        self._connections = Connections(dsn, role=role)

    async def close(self) -> None:
        """Give the connections back."""
        await self._connections.close()

    async def join(
        self,
        agency: str,
        person_id: str,
        effect_id: str,
        stream: str,
        note: str,
        *,
        digest_id: str,
        window: timedelta,
    ) -> Place | None:
        """Put an effect into its person's open digest."""
        query = "SELECT * FROM rapport.join_digest($1, $2, $3, $4, $5, $6, $7, $8)"
        async with self._connections.borrow() as connection:
            row = await connection.fetchrow(
                query, agency, person_id, effect_id, stream, note, digest_id, window, LARGEST
            )
        return None if row is None or row["digest_id"] is None else Place(**row)

    async def leave(self, agency: str, effect_id: str) -> None:
        """Take an effect out."""
        async with self._connections.borrow() as connection:
            await connection.execute("SELECT rapport.leave_digest($1, $2)", agency, effect_id)

    async def take(self, agency: str, digest_id: str, *, lease: timedelta) -> list[Entry] | None:
        """Close a ripe digest to newcomers and have it for a while."""
        query = "SELECT rapport.take_digest($1, $2, $3)"
        async with self._connections.borrow() as connection:
            if not await connection.fetchval(query, agency, digest_id, lease):
                return None
        async with self._connections.scoped(agency) as connection:
            return [Entry(**row) for row in await connection.fetch(_ENTRIES, agency, digest_id)]

    async def claim(
        self,
        agency: str,
        digest_id: str,
        channel: str,
        message_id: str,
        *,
        max_attempts: int = 2,
        stale_after: timedelta,
    ) -> Claim:
        """Ask to send a digest."""
        query = "SELECT * FROM rapport.claim_digest($1, $2, $3, $4, $5, $6)"
        async with self._connections.borrow() as connection:
            row = await connection.fetchrow(
                query, agency, digest_id, channel, message_id, max_attempts, stale_after
            )
        return Claim(**row)

    async def finish(
        self, agency: str, digest_id: str, attempt: int, became: Sequence[Became], *, pause: timedelta
    ) -> None:
        """Record what became of each entry."""
        effects, states, details = (
            [each.effect_id for each in became],
            [each.outcome for each in became],
            [each.detail for each in became],
        )
        query = "SELECT rapport.finish_digest($1, $2, $3, $4, $5, $6, $7)"
        async with self._connections.borrow() as connection:
            await connection.execute(query, agency, digest_id, attempt, effects, states, details, pause)

    async def waiting(self, agency: str) -> list[Waiting]:
        """List what waits, by effect id."""
        async with self._connections.scoped(agency) as connection:
            return [Waiting(**row) for row in await connection.fetch(_WAITING, agency)]
