"""How far a follower of the log has come, so that it resumes there.

A follower acts first and notes its place after: whatever it does must be safe to do again.
"""

from typing import Final, Protocol

from events.log.connect import Connections

_NOTE: Final = """
    INSERT INTO rapport.followers AS f (agency, follower, position) VALUES ($1, $2, $3)
    ON CONFLICT (agency, follower) DO UPDATE SET position = excluded.position
    WHERE f.position < excluded.position
"""


class Places(Protocol):
    """Where followers keep their place."""

    async def place(self, agency: str, follower: str) -> int:
        """Give the last position the follower has dealt with, or 0."""

    async def note(self, agency: str, follower: str, position: int) -> None:
        """Keep a position; an earlier one changes nothing."""


class MemoryPlaces:
    """Places that last as long as the process."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], int] = {}

    async def place(self, agency: str, follower: str) -> int:
        """Give the last position the follower has dealt with, or 0."""
        return self._places.get((agency, follower), 0)

    async def note(self, agency: str, follower: str, position: int) -> None:
        """Keep a position; an earlier one changes nothing."""
        self._places[agency, follower] = max(position, await self.place(agency, follower))


class PostgresPlaces:
    """Places in PostgreSQL; close it when done."""

    def __init__(self, dsn: str, *, role: str = "rapport_app") -> None:
        self._connections = Connections(dsn, role=role, size=1)

    async def close(self) -> None:
        """Give the connection back."""
        await self._connections.close()

    async def place(self, agency: str, follower: str) -> int:
        """Give the last position the follower has dealt with, or 0."""
        query = "SELECT position FROM rapport.followers WHERE agency = $1 AND follower = $2"
        async with self._connections.scoped(agency) as connection:
            return int(await connection.fetchval(query, agency, follower) or 0)

    async def note(self, agency: str, follower: str, position: int) -> None:
        """Keep a position; an earlier one changes nothing."""
        async with self._connections.scoped(agency) as connection:
            await connection.execute(_NOTE, agency, follower, position)
