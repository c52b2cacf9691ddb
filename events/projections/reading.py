"""Read models as an agency's reader sees them, and how far behind the log they are.

They trail: whoever has just written waits for the position that came back before reading, or says the lag.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from events.log.connect import Connections

# A projector says every 2.5 seconds that it is at work.
SILENT_AFTER: Final = timedelta(seconds=12)
_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 0.25


@dataclass(frozen=True, slots=True)
class ProjectionStanding:
    """How far one projection of an agency's log has come."""

    projection: str
    position: int
    head: int
    lag_seconds: float
    """The age of the first event that is not in it yet; 0 where there is none."""
    edition: int
    moved_at: datetime
    parked: int

    @property
    def behind(self) -> int:
        """How many events it does not hold yet."""
        return max(0, self.head - self.position)


@dataclass(frozen=True, slots=True)
class ParkedStream:
    """A stream whose rows stay as they were, and why."""

    projection: str
    stream: str
    position: int
    version: int
    event_id: UUID
    says: str
    parked_at: datetime
    retry: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How the projections that somebody wants to read stand."""

    at_work: bool
    """Whether a projector is."""
    head: int
    projections: tuple[ProjectionStanding, ...]
    missing: tuple[str, ...]
    """Those that nobody has begun to build for this agency."""

    @property
    def position(self) -> int:
        """Up to where all of them hold the log."""
        return 0 if self.missing else min((each.position for each in self.projections), default=0)

    @property
    def behind(self) -> int:
        """How many events the furthest behind does not hold."""
        return max(0, self.head - self.position)

    @property
    def lag_seconds(self) -> float:
        """The age of the first event that one of them does not hold."""
        return max((each.lag_seconds for each in self.projections), default=0.0)


class ReadModels:
    """Reads in the application's role, one agency at a time; close it when done."""

    def __init__(self, dsn: str, *, role: str = "rapport_app", size: int = 2) -> None:
        self._connections = Connections(dsn, role=role, size=size)

    async def close(self) -> None:
        """Give the connections back."""
        await self._connections.close()

    async def standing(self, agency: str, names: Sequence[str] | None = None) -> Standing:
        """Tell how far some projections have come, or all there are."""
        query = """
            SELECT c.projection, c.position, h.position AS head, c.edition, c.moved_at,
                   coalesce(extract(epoch FROM clock_timestamp() - e.recorded_at), 0)::float8 AS lag_seconds,
                   (SELECT count(*) FROM rapport_read.parked p
                    WHERE p.agency = c.agency AND p.projection = c.projection) AS parked
            FROM rapport_read.checkpoints c
            JOIN rapport.log_heads h ON h.agency = c.agency
            LEFT JOIN rapport.events e ON e.agency = c.agency AND e.position = c.position + 1
            WHERE c.agency = $1 AND ($2::text[] IS NULL OR c.projection = ANY($2)) ORDER BY c.projection
        """
        at_work = """
            SELECT holder IS NOT NULL AND seen_at > clock_timestamp() - $1::interval
            FROM rapport_read.projector
        """
        async with self._connections.scoped(agency) as connection:
            head = await connection.fetchval(
                "SELECT position FROM rapport.log_heads WHERE agency = $1", agency
            )
            rows = await connection.fetch(query, agency, names)
            working = bool(await connection.fetchval(at_work, SILENT_AFTER))
        found = tuple(ProjectionStanding(**row) for row in rows)
        known = {each.projection for each in found}
        return Standing(working, head or 0, found, tuple(each for each in names or () if each not in known))

    async def wait_for(
        self, agency: str, position: int, patience: timedelta, names: Sequence[str] | None = None
    ) -> Standing:
        """Wait until projections hold the log up to a position, as long as a projector is at work.

        Returns where they stand, be it before the position: then the patience is over, or nobody projects.
        """
        until = time.monotonic() + patience.total_seconds()
        pause = _FIRST_PAUSE
        while True:
            standing = await self.standing(agency, names)
            if standing.position >= position or not standing.at_work or time.monotonic() >= until:
                return standing
            await asyncio.sleep(min(pause, max(0.0, until - time.monotonic())))
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def fetch(self, agency: str, query: str, *arguments: Any) -> list[dict[str, Any]]:
        """Read rows of schema ``rapport_read``; row-level security leaves the agency's own."""
        async with self._connections.scoped(agency) as connection:
            return [dict(row) for row in await connection.fetch(query, *arguments)]

    async def parked(self, agency: str) -> list[ParkedStream]:
        """List the agency's streams that a projection does not follow."""
        query = """
            SELECT projection, stream, position, version, event_id, says, parked_at, retry
            FROM rapport_read.parked WHERE agency = $1 ORDER BY parked_at, projection, stream
        """
        return [ParkedStream(**row) for row in await self.fetch(agency, query, agency)]

    async def ask_retry(self, agency: str, projection: str | None, stream: str | None) -> int:
        """Ask the projector to try parked streams again; returns how many."""
        query = "SELECT rapport_read.ask_retry($1, $2, $3) AS asked"
        [row] = await self.fetch(agency, query, agency, projection, stream)
        return int(row["asked"])
