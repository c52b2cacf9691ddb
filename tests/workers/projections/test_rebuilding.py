"""Rebuilds: the same rows, the old tables answering meanwhile, and nothing half when cut off."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from events.projections import board, obligations
from events.projections.projection import Projection
from workers.projecting import Projecting
from workers.projector import PROJECTIONS
from workers.rebuilding import Rebuild, RebuildError

if TYPE_CHECKING:
    from tests.workers.projections.conftest import Chapters, Ground

pytestmark = pytest.mark.postgres


async def lived(ground: "Ground", chapters: "Chapters") -> None:
    """Let two agencies live and be projected."""
    for agency, seed in (("a-1", 1), ("a-1", 2), ("a-2", 3)):
        await ground.append(agency, f"engagement:e-{seed}", chapters(seed))
    await ground.projected()


async def tables(ground: "Ground") -> set[str]:
    """Name the tables there are."""
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'rapport_read'"
    return {row["tablename"] for row in await ground.superuser.fetch(query)}


async def found_by(ground: "Ground") -> list[tuple[Any, ...]]:
    """Give what every table's indexes hold, and its computed columns; an index's name is nobody's."""
    indexes = """
        SELECT tablename, substring(indexdef FROM ' USING .*') FROM pg_indexes
        WHERE schemaname = 'rapport_read'
    """
    computed = """
        SELECT table_name, column_name, generation_expression, is_nullable FROM information_schema.columns
        WHERE table_schema = 'rapport_read' AND is_generated = 'ALWAYS'
    """
    found = [*await ground.superuser.fetch(indexes), *await ground.superuser.fetch(computed)]
    return sorted(map(tuple, found))


class TestRebuild:
    async def test_gives_the_same_rows(self, ground: "Ground", chapters: "Chapters") -> None:
        """Also where somebody had spoilt them; rights and row-level security are those of before."""
        await lived(ground, chapters)
        before = await tables(ground)
        await ground.superuser.execute("UPDATE rapport_read.board SET stage = 'closed'")
        done = await Rebuild(ground.store, PROJECTIONS).run()
        assert (done.parked, done.streams) == (0, 3)
        for agency in ("a-1", "a-2"):
            await ground.agrees(agency)
        assert await tables(ground) == before
        async with ground.superuser.transaction():
            await ground.superuser.execute("SET LOCAL ROLE rapport_app")
            await ground.superuser.execute("SELECT set_config('rapport.agency', 'a-2', true)")
            seen = await ground.superuser.fetch("SELECT DISTINCT agency FROM rapport_read.obligations")
        assert [row["agency"] for row in seen] == ["a-2"]

    async def test_keeps_what_a_table_is_found_and_ordered_by(
        self, ground: "Ground", chapters: "Chapters"
    ) -> None:
        """Indexes, and the columns that the database computes: also after one rebuild upon another."""
        await lived(ground, chapters)
        before = await found_by(ground)
        assert "worst_first" in str(before)
        for _ in range(2):
            await Rebuild(ground.store, PROJECTIONS).run()
            assert await found_by(ground) == before

    async def test_goes_on_from_where_it_ended(self, ground: "Ground", chapters: "Chapters") -> None:
        await lived(ground, chapters)
        await Rebuild(ground.store, [board.PROJECTION]).run()
        await ground.append("a-1", "engagement:e-4", chapters(4))
        await ground.projected()
        await ground.agrees("a-1")

    async def test_lets_the_old_tables_answer_and_the_projector_write(
        self, ground: "Ground", chapters: "Chapters"
    ) -> None:
        """Events that come while it builds are in both, before and after the swap."""
        await lived(ground, chapters)
        epoch = await ground.store.take_over(uuid4(), timedelta(days=1))
        assert epoch is not None
        live = Projecting(ground.store, PROJECTIONS, epoch)
        await live.load()
        counts: list[int] = []

        async def meanwhile() -> None:
            await ground.append("a-2", "engagement:e-5", chapters(5))
            await live.step("a-2")
            counts.append(await ground.superuser.fetchval("SELECT count(*) FROM rapport_read.board"))

        await interrupted(ground, [board.PROJECTION], meanwhile).run()
        assert counts == [4]
        await ground.agrees("a-2")

    async def test_leaves_nothing_when_cut_off(self, ground: "Ground", chapters: "Chapters") -> None:
        """The tables, the rows and the checkpoints are as they were, and the next rebuild begins anew."""
        await lived(ground, chapters)
        before, rows = await tables(ground), await ground.rows(board.PROJECTION, "a-1")

        async def die() -> None:
            query = """
                SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                WHERE l.locktype = 'advisory' AND d.datname = current_database()
            """
            await ground.superuser.execute(query)

        with pytest.raises(Exception, match=r"terminat|closed|lost"):
            await interrupted(ground, PROJECTIONS, die).run()
        assert await tables(ground) == before
        assert await ground.rows(board.PROJECTION, "a-1") == rows
        await Rebuild(ground.store, PROJECTIONS).run()
        await ground.agrees("a-1")

    async def test_is_done_by_one_at_a_time(self, ground: "Ground", chapters: "Chapters") -> None:
        await lived(ground, chapters)

        async def another() -> None:
            with pytest.raises(RebuildError, match="under way"):
                await Rebuild(ground.store, [board.PROJECTION]).run()

        await interrupted(ground, [obligations.PROJECTION], another).run()
        await ground.agrees("a-1")

    async def test_parks_what_cannot_be_projected(self, ground: "Ground", chapters: "Chapters") -> None:
        await lived(ground, chapters)

        def row(key: str, item: Any) -> Any:
            if key == "e-1":
                raise ZeroDivisionError
            return board.PROJECTION.row(key, item)

        done = await Rebuild(ground.store, [replace(board.PROJECTION, row=row)]).run()
        assert done.parked == 1
        await Rebuild(ground.store, [board.PROJECTION]).run()
        assert await ground.superuser.fetchval("SELECT count(*) FROM rapport_read.parked") == 0
        await ground.agrees("a-1")

    async def test_parks_what_the_database_refuses(self, ground: "Ground", chapters: "Chapters") -> None:
        """A row that cannot be stored stops neither the other streams nor the rebuild."""
        await lived(ground, chapters)

        def row(key: str, item: Any) -> Any:
            return (None if key == "e-1" else key, *item)

        done = await Rebuild(ground.store, [obligations.PROJECTION, replace(board.PROJECTION, row=row)]).run()
        assert done.parked == 1
        [parked] = await ground.superuser.fetch("SELECT projection, stream, says FROM rapport_read.parked")
        assert (parked["projection"], parked["stream"]) == ("board", "engagement:e-1")
        assert "NotNullViolationError" in parked["says"]
        assert [row[0] for row in await ground.rows(board.PROJECTION, "a-1")] == ["engagement:e-2"]
        await ground.agrees("a-1", [obligations.PROJECTION])
        await ground.agrees("a-2")


class Interrupted(Rebuild):
    """A rebuild during which something happens, once everything is built and nothing is swapped."""

    meanwhile: Callable[[], Awaitable[None]]

    async def _catch_up(self, connection: Any, reached: dict[str, int]) -> None:
        await self.meanwhile()
        await super()._catch_up(connection, reached)


def interrupted(
    ground: "Ground", projections: Sequence[Projection], meanwhile: Callable[[], Awaitable[None]]
) -> Rebuild:
    """Make one."""
    made = Interrupted(ground.store, projections)
    made.meanwhile = meanwhile
    return made
