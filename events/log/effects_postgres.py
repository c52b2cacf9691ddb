"""The ledger of effects in PostgreSQL.

A claim is a transaction of its own: never wrap it in a larger one that could still roll back.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final

from events.log.connect import Connections
from events.log.effects import Claim, Effect, EffectState, Outcome, unknown_attempt

_LIST: Final = """
    SELECT agency, effect_id, attempt, stream, channel, state, message_id, claimed_at, finished_at, detail
    FROM rapport.effects
    WHERE agency = $1 AND ($2::text IS NULL OR stream = $2) AND ($3::text[] IS NULL OR state = ANY ($3))
      AND ($4::text IS NULL OR (effect_id, attempt) > ($4, $5::integer))
    ORDER BY effect_id, attempt LIMIT $6
"""
_LAST: Final = """
    SELECT DISTINCT ON (effect_id)
           agency, effect_id, attempt, stream, channel, state, message_id, claimed_at, finished_at, detail
    FROM rapport.effects WHERE agency = $1 AND effect_id = ANY ($2::text[])
    ORDER BY effect_id, attempt DESC
"""


class PostgresEffects:
    """An :class:`events.log.effects.EffectsLedger`; close it when done."""

    def __init__(self, dsn: str, *, role: str = "rapport_app") -> None:
        self._connections = Connections(dsn, role=role)

    async def close(self) -> None:
        """Give the connections back."""
        await self._connections.close()

    async def claim(
        self,
        agency: str,
        effect_id: str,
        stream: str,
        channel: str,
        message_id: str,
        *,
        max_attempts: int = 2,
        stale_after: timedelta,
    ) -> Claim:
        """Ask to send an effect."""
        query = "SELECT * FROM rapport.claim_effect($1, $2, $3, $4, $5, $6, $7)"
        async with self._connections.borrow() as connection:
            row = await connection.fetchrow(
                query, agency, effect_id, stream, channel, message_id, max_attempts, stale_after
            )
        return Claim(**row)

    async def finish(
        self, agency: str, effect_id: str, attempt: int, outcome: Outcome, detail: str | None = None
    ) -> EffectState:
        """Record what became of an attempt."""
        query = "SELECT rapport.finish_effect($1, $2, $3, $4, $5)"
        async with self._connections.borrow() as connection:
            state: EffectState | None = await connection.fetchval(
                query, agency, effect_id, attempt, outcome, detail
            )
        if state is None:
            raise unknown_attempt(effect_id, attempt)
        return state

    async def list(
        self,
        agency: str,
        *,
        stream: str | None = None,
        states: Sequence[EffectState] | None = None,
        after: tuple[str, int] | None = None,
        limit: int = 1000,
    ) -> list[Effect]:
        """List attempts by effect id and attempt."""
        effect_id, attempt = after or (None, None)
        async with self._connections.scoped(agency) as connection:
            rows = await connection.fetch(_LIST, agency, stream, states, effect_id, attempt, limit)
        return [Effect(**row) for row in rows]

    async def last(self, agency: str, effect_ids: Collection[str]) -> dict[str, Effect]:
        """Give the last attempt at each of some effects."""
        async with self._connections.scoped(agency) as connection:
            rows = await connection.fetch(_LAST, agency, list(effect_ids))
        return {row["effect_id"]: Effect(**row) for row in rows}
