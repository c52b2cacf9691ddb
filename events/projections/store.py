"""The read tables in PostgreSQL, as their one writer sees them, and the log as that writer reads it.

Rows and the position they stand for are written together, under an epoch: an older one writes nothing.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from events.log.connect import Connection, Connections
from events.projections.changes import Changes
from events.projections.folding import Broken
from events.projections.projection import Projection
from events.projections.source import Source

# A writer that stands still inside a transaction would hold its locks against its successor.
PATIENCE: Final = timedelta(seconds=15)


class Fenced(Exception):
    """Another projector has taken over, or has written what we were about to write."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a projection of an agency's log has come."""

    position: int
    edition: int


@dataclass(frozen=True, slots=True)
class Parked:
    """A stream that a projection does not follow."""

    projection: str
    agency: str
    stream: str
    position: int


class ProjectionStore:
    """For the projector alone; close it when done."""

    def __init__(self, dsn: str, *, role: str = "rapport_projector", size: int = 4) -> None:
        self.connections = Connections(dsn, role=role, size=size, command_timeout=600.0)
        self.source = Source(self.connections)

    async def close(self) -> None:
        """Give the connections back."""
        await self.connections.close()

    # -- which projector is at work -------------------------------------------------------------

    async def take_over(self, holder: UUID, lease: timedelta) -> int | None:
        """Become the one at work; returns the new epoch, or None while another one is."""
        query = """
            UPDATE rapport_read.projector
            SET epoch = epoch + 1, holder = $1, seen_at = clock_timestamp()
            WHERE holder IS NULL OR holder = $1 OR seen_at < clock_timestamp() - $2::interval
            RETURNING epoch
        """
        async with self.connections.borrow() as connection, connection.transaction():
            epoch: int | None = await connection.fetchval(query, holder, lease)
            if epoch is not None:
                await connection.execute("UPDATE rapport_read.checkpoints SET epoch = $1", epoch)
            return epoch

    async def stay(self, epoch: int) -> None:
        """Say that we are still at work.

        :raises Fenced: another is.
        """
        query = (
            "UPDATE rapport_read.projector SET seen_at = clock_timestamp() WHERE epoch = $1 RETURNING epoch"
        )
        async with self.connections.borrow() as connection:
            if await connection.fetchval(query, epoch) is None:
                raise Fenced

    async def leave(self, epoch: int) -> None:
        """Let another begin at once."""
        query = "UPDATE rapport_read.projector SET holder = NULL WHERE epoch = $1"
        async with self.connections.borrow() as connection:
            await connection.execute(query, epoch)

    # -- where the tables stand ------------------------------------------------------------------

    async def parked(self, *, retry_only: bool = False) -> list[Parked]:
        """List the streams that are not followed."""
        query = "SELECT projection, agency, stream, position FROM rapport_read.parked WHERE retry OR NOT $1"
        async with self.connections.borrow() as connection:
            return [Parked(*row) for row in await connection.fetch(query, retry_only)]

    async def checkpoints(self) -> dict[str, dict[str, Checkpoint]]:
        """Give every agency's checkpoints, by projection."""
        query = "SELECT agency, projection, position, edition FROM rapport_read.checkpoints"
        found: dict[str, dict[str, Checkpoint]] = {}
        async with self.connections.borrow() as connection:
            for row in await connection.fetch(query):
                of = found.setdefault(row["agency"], {})
                of[row["projection"]] = Checkpoint(row["position"], row["edition"])
        return found

    # -- writing --------------------------------------------------------------------------------

    @asynccontextmanager
    async def writing(
        self, agency: str, epoch: int, expected: Mapping[Projection, int]
    ) -> AsyncIterator["Writing"]:
        """Begin a transaction that writes an agency's rows from these positions on.

        :raises Fenced: the tables stand elsewhere, or another projector is at work.
        """
        async with self.connections.borrow() as connection, connection.transaction():
            await connection.execute(
                f"SET LOCAL idle_in_transaction_session_timeout = '{int(PATIENCE.total_seconds())}s'"
            )
            # A crash that takes the last batch takes its checkpoint with it: nothing waits for the disk.
            await connection.execute("SET LOCAL synchronous_commit = off")
            await _begin(connection, agency, epoch, expected)
            # Locked before any table is written: a rebuild that swaps tables locks in the same order.
            query = """
                SELECT projection, position, epoch, edition FROM rapport_read.checkpoints
                WHERE agency = $1 ORDER BY projection FOR UPDATE
            """
            stands = {row["projection"]: row for row in await connection.fetch(query, agency)}
            for each, position in expected.items():
                row = stands.get(each.name)
                if row is None or (row["position"], row["epoch"], row["edition"]) != (
                    position,
                    epoch,
                    each.edition,
                ):
                    raise Fenced
            yield Writing(connection, agency, epoch)


@dataclass(frozen=True, slots=True)
class Writing:
    """A transaction under way."""

    connection: Connection
    agency: str
    epoch: int

    async def write(self, changes: Changes) -> None:
        """Put a table's rows as the changes say."""
        projection, table = changes.projection, f"rapport_read.{changes.projection.name}"
        if changes.anew:
            query = f"DELETE FROM {table} WHERE agency = $1 AND stream = ANY($2::text[])"
            await self.connection.execute(query, self.agency, changes.anew)
        if changes.gone:
            await self._remove(projection, table, changes.gone)
        if changes.rows:
            await self.connection.copy_records_to_table(
                projection.name,
                schema_name="rapport_read",
                columns=("agency", "stream", *projection.columns),
                records=[(self.agency, *row) for row in changes.rows],
            )

    async def _remove(self, projection: Projection, table: str, gone: Sequence[tuple[str, Any]]) -> None:
        streams, keys = [stream for stream, _ in gone], [key for _, key in gone]
        if projection.key_type is None:
            query = f"DELETE FROM {table} WHERE agency = $1 AND stream = ANY($2::text[])"
            await self.connection.execute(query, self.agency, streams)
            return
        query = f"""
            DELETE FROM {table} t USING unnest($2::text[], $3::{projection.key_type}[]) AS n (stream, key)
            WHERE t.agency = $1 AND t.stream = n.stream AND t.{projection.columns[0]} = n.key
        """
        await self.connection.execute(query, self.agency, streams, keys)

    async def reach(self, projections: Sequence[Projection], position: int) -> None:
        """Say up to which position the rows stand for the log."""
        query = """
            UPDATE rapport_read.checkpoints SET position = $3, moved_at = clock_timestamp()
            WHERE agency = $1 AND projection = ANY($2::text[])
        """
        names = [each.name for each in projections]
        await self.connection.execute(query, self.agency, names, position)

    async def park(self, projection: str, broken: Broken) -> None:
        """Note that a stream is not followed from an event on, and why."""
        query = """
            INSERT INTO rapport_read.parked AS p
                (projection, agency, stream, position, version, event_id, says)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (projection, agency, stream) DO UPDATE
            SET position = excluded.position, version = excluded.version, event_id = excluded.event_id,
                says = excluded.says, retry = false
        """
        told = broken.told
        await self.connection.execute(
            query,
            projection,
            self.agency,
            told.stream,
            told.position,
            told.version,
            told.event_id,
            broken.says,
        )

    async def unpark(self, projection: str, stream: str) -> None:
        """Note that a stream is followed again."""
        query = "DELETE FROM rapport_read.parked WHERE projection = $1 AND agency = $2 AND stream = $3"
        await self.connection.execute(query, projection, self.agency, stream)


async def _begin(connection: Connection, agency: str, epoch: int, expected: Mapping[Projection, int]) -> None:
    new = [each for each, position in expected.items() if position == 0]
    if new:
        query = """
            INSERT INTO rapport_read.checkpoints (projection, agency, position, epoch, edition)
            SELECT n.name, $1, 0, $2, n.edition FROM unnest($3::text[], $4::integer[]) AS n (name, edition)
            ON CONFLICT DO NOTHING
        """
        names, editions = [each.name for each in new], [each.edition for each in new]
        await connection.execute(query, agency, epoch, names, editions)
