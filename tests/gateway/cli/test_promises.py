"""Open promises come from the database as Python would narrow and sort them all, and a page reads a page."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from itertools import product
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from events.projections.reading import ReadModels
from gateway.cli.promises import EVERY, Narrowed, Place, promises, query_of
from gateway.cli.reading import worst_first
from tests.gateway.promised import Promised, at_random, put

pytestmark = pytest.mark.postgres
AGENCY = "acme"
NARROWED = [
    Narrowed(owner, overdue, people)
    for owner, overdue, people in product(
        (None, "r-1", "R-1", "nobody"),
        (False, True),
        (None, frozenset(), frozenset({"r-1"}), frozenset({"r-2", "R-1", "r-9"})),
    )
]


@dataclass
class Tables:
    """A database's read tables, as their owner and as an agency's reader."""

    owner: Any
    having: Any

    async def page(self, narrowed: Narrowed = EVERY, **more: Any) -> list[dict[str, Any]]:
        """Read the agency's promises."""
        return await promises(self.having, AGENCY, narrowed, **more)


@pytest.fixture
async def tables(new_database: Callable[[], str]) -> AsyncIterator[Tables]:
    """This will be tables with nothing in them."""
    url = new_database()
    owner, models = await asyncpg.connect(url), ReadModels(url)
    yield Tables(owner, SimpleNamespace(read_models=models))
    await models.close()
    await owner.close()


def place(row: dict[str, Any]) -> Place:
    return Place(*worst_first(row))._replace(obligation_id=row["obligation_id"])


def in_python(promised: list[Promised], narrowed: Narrowed) -> list[tuple[Any, ...]]:
    """Narrow and sort as it was done before the database did it: this is what must come out."""
    rows = [
        {**vars(each), "overdue": each.outcome == "overdue"}
        for each in promised
        if each.outcome in ("open", "overdue")
    ]
    found = [
        row
        for row in rows
        if (narrowed.people is None or row["owner"] is None or row["owner"] in narrowed.people)
        and narrowed.owner in (None, row["owner"])
        and (row["overdue"] or not narrowed.overdue)
    ]
    return [told(row) for row in sorted(found, key=worst_first)]


def told(row: dict[str, Any]) -> tuple[Any, ...]:
    names = ("engagement", "rule", "owner", "overdue", "level", "due_at")
    return (*(row[each] for each in names), str(row["obligation_id"]))


class TestPromises:
    @pytest.mark.parametrize("seed", range(4))
    async def test_are_what_python_made_of_all_of_them(self, tables: Tables, seed: int) -> None:
        """The same rows in the same order, whatever they are narrowed to; another agency's are not there."""
        promised = at_random(seed, 400)
        await put(tables.owner, AGENCY, promised)
        await put(tables.owner, "another", at_random(seed + 100, 50))
        for narrowed in NARROWED:
            assert [told(row) for row in await tables.page(narrowed)] == in_python(promised, narrowed)

    @pytest.mark.parametrize("size", [1, 7, 50])
    async def test_come_in_pages_that_join(self, tables: Tables, size: int) -> None:
        promised = at_random(7, 150)
        await put(tables.owner, AGENCY, promised)
        for narrowed in NARROWED:
            rows: list[dict[str, Any]] = []
            while page := await tables.page(narrowed, behind=place(rows[-1]) if rows else None, limit=size):
                assert len(page) <= size
                rows += page
            assert [told(row) for row in rows] == in_python(promised, narrowed)

    async def test_go_on_behind_one_that_is_gone(self, tables: Tables) -> None:
        await put(tables.owner, AGENCY, at_random(3, 60))
        whole = await tables.page()
        gone = whole[9]
        await tables.owner.execute(
            "DELETE FROM rapport_read.obligations WHERE obligation_id = $1", gone["obligation_id"]
        )
        after = await tables.page(behind=place(gone), limit=5)
        assert [told(row) for row in after] == [told(row) for row in whole[10:15]]

    async def test_lack_those_whose_engagement_is_on_no_board(self, tables: Tables) -> None:
        await put(tables.owner, AGENCY, [Promised("e-1"), Promised("e-2"), Promised("e-3")])
        await tables.owner.execute("DELETE FROM rapport_read.board WHERE engagement = 'e-2'")
        assert [row["engagement"] for row in await tables.page(limit=2)] == ["e-1", "e-3"]


class TestThePlan:
    """A page is read where it begins, under row-level security too."""

    async def _plan(
        self, tables: Tables, query: str, given: list[Any], *, by_index: bool = True
    ) -> dict[str, Any]:
        async with tables.having.read_models._connections.scoped(AGENCY) as connection:
            await connection.execute(f"SET LOCAL enable_indexscan = {'on' if by_index else 'off'}")
            text = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", *given)
        found: dict[str, Any] = json.loads(text)[0]["Plan"]
        return found

    @pytest.mark.parametrize("start", [None, 0, 700, 1330])
    async def test_reads_a_page_and_no_more(self, tables: Tables, start: int | None) -> None:
        promised = [each for each in at_random(1, 4000) if each.outcome in ("open", "overdue")]
        await put(tables.owner, AGENCY, promised)
        await tables.owner.execute("ANALYZE rapport_read.obligations; ANALYZE rapport_read.board")
        whole = await tables.page()
        behind = None if start is None else place(whole[start])
        plan = await self._plan(tables, *query_of(AGENCY, EVERY, behind, 51))
        read = [
            each["Actual Rows"] + each.get("Rows Removed by Filter", 0)
            for each in scans(plan)
            if each["Relation Name"] == "obligations"
        ]
        assert read == [51]

    async def test_finds_what_little_somebody_owes(self, tables: Tables) -> None:
        few = [Promised("e-1", owner="r-few"), Promised("e-2", owner="r-few", level=1)]
        await put(tables.owner, AGENCY, [*few, *at_random(1, 8000)])
        await tables.owner.execute("ANALYZE rapport_read.obligations; ANALYZE rapport_read.board")
        plan = await self._plan(tables, *query_of(AGENCY, Narrowed("r-few"), None, 51))
        assert sum(each.get("Rows Removed by Filter", 0) for each in scans(plan)) == 0

    async def test_sorts_by_code_point_wherever_the_database_does_not(self, tables: Tables) -> None:
        """What has no collation of its own is named with one: a server may sort by a language's rules."""
        await put(tables.owner, AGENCY, at_random(1, 50))
        plan = await self._plan(tables, *query_of(AGENCY, EVERY, None, None), by_index=False)
        [key] = [each["Sort Key"] for each in nodes(plan) if "Sort Key" in each]
        assert key[2:4] == ['o.stream COLLATE "C"', 'o.rule COLLATE "C"']


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(below for each in plan.get("Plans", ()) for below in nodes(each))]


def scans(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in nodes(plan) if "Relation Name" in each]
