"""How often a connection was sent what did not verify: counted, and nothing of it kept.

A door counts after it has answered: how long counting takes would tell something.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from events.log import connect

_COUNT: Final = "SELECT rapport.count_refused($1)"
_LIST: Final = "SELECT connection_id, refused, last_at FROM rapport.refused_deliveries WHERE agency = $1"


@dataclass(frozen=True, slots=True)
class Refused:
    """How many deliveries of a connection did not verify, and when the last one came."""

    count: int
    last_at: datetime


class Refusals:
    """Counts in PostgreSQL; the pool is the caller's to close."""

    def __init__(self, pool: connect.Connections) -> None:
        self._pool = pool

    async def count(self, connection_id: str) -> None:
        """Count one more."""
        async with self._pool.borrow() as connection:
            await connection.execute(_COUNT, connection_id)

    async def of(self, agency: str) -> Mapping[str, Refused]:
        """Give the counts of an agency's connections, by their ids; one without any is left out."""
        async with self._pool.scoped(agency) as connection:
            rows = await connection.fetch(_LIST, agency)
        return {row["connection_id"]: Refused(row["refused"], row["last_at"]) for row in rows}
