"""A log in PostgreSQL with random lives in it, and the read tables beside their pure folds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from types import ModuleType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import pytest

import events
from events.envelope import AppendRequest, CommandGroup, category_of
from events.log.keys import MemoryKeys
from events.log.port import Appended, LogHead, StreamHead
from events.log.postgres import PostgresLog
from events.projections.folding import fold_stream, rows_of
from events.projections.projection import Projection
from events.projections.store import ProjectionStore
from workers.projecting import Projecting
from workers.projector import PROJECTIONS

if TYPE_CHECKING:
    from tests.events.specification import World

PATIENCE = 20.0
# What any engagement has rows in.
ALWAYS = ("board", "obligations", "caseload", "search")
DOMAIN = Path(events.__file__).parents[1] / "tests" / "events"


@dataclass
class Ground:
    """A database of the test's own."""

    url: str
    log: PostgresLog
    store: ProjectionStore
    superuser: Any
    _versions: dict[tuple[str, str], int] = field(default_factory=dict)

    async def append(self, agency: str, stream: str, groups: Sequence[CommandGroup]) -> None:
        """Append what commands led to, without what they claim: lives know nothing of each other."""
        expected = self._versions.get((agency, stream), 0)
        plain = tuple(each.model_copy(update={"claims": (), "releases": ()}) for each in groups)
        request = AppendRequest(agency=agency, stream=stream, expected=expected, groups=plain)
        [result] = await self.log.append_many([request])
        assert isinstance(result, Appended), result
        self._versions[agency, stream] = result.version

    async def projected(self, projections: Sequence[Projection] = PROJECTIONS, *, batch: int = 50) -> None:
        """Project everything there is."""
        epoch = await self.store.take_over(uuid4(), timedelta(days=1))
        assert epoch is not None
        projecting = Projecting(self.store, projections, epoch, batch=batch)
        await projecting.load()
        while agencies := projecting.behind(await self.store.source.heads()):
            for agency in agencies:
                await projecting.step(agency)
        await self.store.leave(epoch)

    async def forget_after(self, agency: str, stream: str, then: StreamHead, head: LogHead) -> None:
        """Put an agency's log of one stream back to an earlier day, as a restored backup is."""
        connection = self.superuser
        async with connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")
            for query, *given in (
                ("DELETE FROM rapport.events WHERE agency = $1 AND position > $2", head.position),
                ("DELETE FROM rapport.receipts WHERE agency = $1 AND first > $2", then.version),
                (
                    "UPDATE rapport.log_heads SET position = $2, head_hash = $3 WHERE agency = $1",
                    head.position,
                    head.head_hash,
                ),
            ):
                await connection.execute(query, agency, *given)
            query = """
                UPDATE rapport.streams s SET version = $3, phase = $4, chain_hash = e.chain_hash
                FROM rapport.events e WHERE (s.agency, s.stream) = ($1, $2)
                  AND (e.agency, e.stream, e.version) = (s.agency, s.stream, $3)
            """
            await connection.execute(query, agency, stream, then.version, then.phase)
        self._versions[agency, stream] = then.version

    async def rows(self, projection: Projection, agency: str) -> list[tuple[Any, ...]]:
        """Read a table as it is, as somebody of the agency."""
        columns = ", ".join(("stream", *projection.columns))
        query = f"SELECT {columns} FROM rapport_read.{projection.name} WHERE agency = $1"
        return plain(await self.superuser.fetch(query, agency))

    async def folded(
        self, projection: Projection, agency: str, without: Sequence[str] = ()
    ) -> list[tuple[Any, ...]]:
        """Give the pure fold of the log as it is."""
        head = (await self.log.log_head(agency)).position
        found: list[tuple[Any, ...]] = []
        for each in await self.log.streams(agency, category=projection.category):
            if each.stream not in without and category_of(each.stream) == projection.category:
                folded = fold_stream(await self.store.source.stream(agency, each.stream, head), [projection])
                assert not folded.broken
                found += [(each.stream, *row) for row in rows_of(folded, projection)]
        return plain(found)

    async def agrees(self, agency: str, projections: Sequence[Projection] = PROJECTIONS) -> None:
        """Make sure that every table is the pure fold of the log."""
        for each in projections:
            rows = await self.rows(each, agency)
            assert rows or each.name not in ALWAYS, each.name
            assert rows == await self.folded(each, agency), each.name


def plain(rows: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Write rows so that they compare whatever they came from, sorted."""
    found = [tuple(list(value) if isinstance(value, tuple) else value for value in row) for row in rows]
    return sorted(found, key=repr)


@pytest.fixture
async def ground(new_database: Callable[[], str]) -> AsyncIterator[Ground]:
    """This will yield a migrated database with a log and a store."""
    url = new_database()
    superuser = await asyncpg.connect(url)
    store = ProjectionStore(url)
    async with PostgresLog(url, MemoryKeys()) as log:
        yield Ground(url, log, store, superuser)
    await store.close()
    await superuser.close()


Chapters = Callable[[int], list[CommandGroup]]


@pytest.fixture
def chapters(world: "World", lives: ModuleType) -> Chapters:
    """This will live a life by its seed and give what its commands led to, in order."""

    def made(seed: int) -> list[CommandGroup]:
        life = world.life()
        lives.live(life, lives._planned(Random(seed), frozenset()))
        return [each.group for each in life.groups]

    return made


@pytest.fixture
def until() -> Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]:
    """This will wait until something is so."""

    async def come(condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await condition():  # noqa: ASYNC110 (a server, asked again and again)
                await asyncio.sleep(0.02)

    return come
