"""Builds projections anew beside the old tables, which answer meanwhile, and swaps them in at the end.

All of it is one transaction: whatever cuts it off leaves nothing behind, and the next begins anew.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import asyncpg
import structlog

from events.envelope import category_of
from events.log.connect import LOST, Connection
from events.projections.folding import Broken, Folded, broken_by, fold_stream, items_of
from events.projections.projection import Projection, Told
from events.projections.store import ProjectionStore

PAGE: Final = 2000
FLUSH: Final = 2000
# While tables are swapped nobody reads them; who reads for longer than this is let finish first.
PATIENCE: Final = 5
TRIES: Final = 24
# So few events are read again while nobody may write.
NEAR: Final = 500
_LOCK: Final = 7_270_747_102
_log = structlog.get_logger(__name__)


class RebuildError(Exception):
    """A rebuild could not be done; one sentence, and the tables are as they were."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild came to."""

    projections: tuple[str, ...]
    events: int
    streams: int
    rows: int
    parked: int
    seconds: float


class _Made(NamedTuple):
    """A stream's rows of one projection that are not written yet, and the event that they reach to."""

    agency: str
    last: Told
    rows: list[tuple[Any, ...]]


@dataclass(slots=True)
class Rebuild:
    """One rebuild of some projections, for all agencies."""

    store: ProjectionStore
    projections: Sequence[Projection]
    on_progress: Callable[[int, int], None] = lambda done, of: None
    """Told of events done and of all there are."""
    events: int = 0
    streams: int = 0
    rows: int = 0
    _buffers: dict[str, list[_Made]] = field(default_factory=dict)
    _buffered: int = 0
    _broken: dict[tuple[str, str], dict[str, Broken]] = field(default_factory=dict)

    async def run(self) -> Rebuilt:
        """Build, catch up, swap.

        :raises RebuildError: another rebuild is under way, or somebody reads without end.
        """
        began = time.monotonic()
        async with self.store.connections.borrow() as connection, connection.transaction():
            await connection.execute("SET LOCAL idle_in_transaction_session_timeout = '15min'")
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
                raise RebuildError("another rebuild is under way; wait until it is done")
            for each in self.projections:
                await connection.execute(_beside(each))
            reached: dict[str, int] = {}
            heads = await self.store.source.heads()
            for agency, head in heads.items():
                await self._build(connection, agency, head, sum(heads.values()))
                reached[agency] = head
            await self._catch_up(connection, reached)
            await self._swap(connection, reached)
        return Rebuilt(
            projections=tuple(each.name for each in self.projections),
            events=self.events,
            streams=self.streams,
            rows=self.rows,
            parked=sum(map(len, self._broken.values())),
            seconds=time.monotonic() - began,
        )

    async def _build(self, connection: Connection, agency: str, head: int, of: int) -> None:
        for category in sorted({each.category for each in self.projections}):
            wanted = [each for each in self.projections if each.category == category]
            async for events in self.store.source.streams(agency, category, head, PAGE):
                await self._stream(connection, agency, events, wanted)
                self.on_progress(self.events, of)
        await self._flush(connection)

    async def _stream(
        self, connection: Connection, agency: str, events: Sequence[Told], wanted: Sequence[Projection]
    ) -> None:
        folded = fold_stream(events, wanted)
        self.events += len(events)
        self.streams += 1
        rows = self._take(agency, folded)
        if self._buffered >= FLUSH:
            await self._flush(connection)
        self.rows += rows

    def _take(self, agency: str, folded: Folded) -> int:
        stream, count = folded.stream, 0
        key = stream.partition(":")[2]
        for each in folded.projections:
            try:
                items = items_of(folded, each).values()
                rows = [(agency, stream, *each.row(key, item)) for item in items]
            except Exception as error:
                folded.broken[each.name] = folded.refused(error)
                continue
            if rows and folded.last is not None:
                self._buffers.setdefault(each.name, []).append(_Made(agency, folded.last, rows))
            count += len(rows)
        if folded.broken:
            self._broken[agency, stream] = dict(folded.broken)
        self._buffered += count
        return count

    async def _flush(self, connection: Connection) -> None:
        self._buffered = 0
        for each in self.projections:
            made = self._buffers.pop(each.name, [])
            if not made:
                continue
            try:
                await _copy(connection, each, [row for one in made for row in one.rows])
            except LOST:
                raise
            except Exception as error:
                _log.warning(
                    "rows are written stream by stream", projection=each.name, error=type(error).__name__
                )
                await self._flush_singly(connection, each, made)

    async def _flush_singly(
        self, connection: Connection, projection: Projection, made: Sequence[_Made]
    ) -> None:
        """Do the same stream by stream, so that what the database refuses parks alone."""
        for one in made:
            try:
                await _copy(connection, projection, one.rows)
            except LOST:
                raise
            except Exception as error:
                broken = self._broken.setdefault((one.agency, one.last.stream), {})
                broken[projection.name] = broken_by(one.last, error)

    async def _catch_up(self, connection: Connection, reached: dict[str, int]) -> None:
        """Take in what was appended meanwhile, until little is left."""
        while True:
            heads = await self.store.source.heads()
            behind = sum(head - reached.get(agency, 0) for agency, head in heads.items())
            if behind <= NEAR:
                return
            await self._reach(connection, reached, heads)

    async def _reach(
        self, connection: Connection, reached: dict[str, int], targets: Mapping[str, int]
    ) -> None:
        for agency, target in targets.items():
            if target <= reached.get(agency, 0):
                continue
            for stream in await self.store.source.touched(agency, reached.get(agency, 0), target):
                wanted = [each for each in self.projections if each.category == category_of(stream)]
                if wanted:
                    await self._again(connection, agency, stream, target, wanted)
            await self._flush(connection)
            reached[agency] = target

    async def _again(
        self, connection: Connection, agency: str, stream: str, upto: int, wanted: Sequence[Projection]
    ) -> None:
        for each in wanted:
            query = f"DELETE FROM rapport_read.{each.name}__new WHERE agency = $1 AND stream = $2"
            await connection.execute(query, agency, stream)
        self._broken.pop((agency, stream), None)
        self._take(agency, fold_stream(await self.store.source.stream(agency, stream, upto), wanted))

    async def _swap(self, connection: Connection, reached: dict[str, int]) -> None:
        for _ in range(TRIES):
            kept = dict(reached)
            try:
                async with connection.transaction():
                    await connection.execute(f"SET LOCAL lock_timeout = '{PATIENCE}s'")
                    await self._swap_at_once(connection, kept)
                return
            except asyncpg.LockNotAvailableError:
                _log.info("somebody reads the old tables; the swap waits")
                await asyncio.sleep(1)
                await self._catch_up(connection, reached)
        raise RebuildError(
            "the old tables are being read without end, so nothing was swapped; end the longest query and "
            "run 'rapport projections rebuild' again"
        )

    async def _swap_at_once(self, connection: Connection, reached: dict[str, int]) -> None:
        # Locked in the order in which the projector locks: checkpoints, then tables.
        await connection.execute("LOCK TABLE rapport_read.checkpoints IN EXCLUSIVE MODE")
        names = [each.name for each in self.projections]
        query = """
            SELECT agency, max(position) AS position FROM rapport_read.checkpoints
            WHERE projection = ANY($1::text[]) GROUP BY agency
        """
        # Nobody who has waited for a position may find the tables before it afterwards.
        live = {row["agency"]: row["position"] for row in await connection.fetch(query, names)}
        # Unless it is one that the log does not reach: it was restored to an earlier day.
        heads = await self.store.source.heads()
        reachable = {agency: min(position, heads.get(agency, 0)) for agency, position in live.items()}
        await self._reach(connection, reached, reachable)
        for name in names:
            await connection.execute(f"DROP TABLE rapport_read.{name}")
            await connection.execute(f"ALTER TABLE rapport_read.{name}__new RENAME TO {name}")
        await connection.execute(
            "DELETE FROM rapport_read.checkpoints WHERE projection = ANY($1::text[])", names
        )
        # Under no epoch: whoever is at work looks again before it writes.
        await connection.executemany(
            """
            INSERT INTO rapport_read.checkpoints (projection, agency, position, epoch, edition)
            VALUES ($1, $2, $3, 0, $4)
            """,
            [
                (each.name, agency, position, each.edition)
                for each in self.projections
                for agency, position in reached.items()
            ],
        )
        await self._park(connection, names)
        await connection.execute("NOTIFY rapport_log")

    async def _park(self, connection: Connection, names: Sequence[str]) -> None:
        await connection.execute("DELETE FROM rapport_read.parked WHERE projection = ANY($1::text[])", names)
        await connection.executemany(
            """
            INSERT INTO rapport_read.parked (projection, agency, stream, position, version, event_id, says)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            [
                (name, agency, stream, at.told.position, at.told.version, at.told.event_id, at.says)
                for (agency, stream), broken in self._broken.items()
                for name, at in broken.items()
            ],
        )


async def _copy(connection: Connection, projection: Projection, rows: Sequence[tuple[Any, ...]]) -> None:
    # In a transaction inside the rebuild's: what is refused must not take the rest with it.
    async with connection.transaction():
        await connection.copy_records_to_table(
            f"{projection.name}__new",
            schema_name="rapport_read",
            columns=("agency", "stream", *projection.columns),
            records=rows,
        )


def _beside(projection: Projection) -> str:
    table = f"rapport_read.{projection.name}__new"
    return f"""
        CREATE TABLE {table} (LIKE rapport_read.{projection.name} INCLUDING ALL);
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
        CREATE POLICY one_agency ON {table} FOR SELECT TO rapport_app
            USING (agency = current_setting('rapport.agency', true));
        GRANT SELECT ON {table} TO rapport_app;
    """
