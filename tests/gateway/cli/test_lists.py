"""Lists come from the database as Python would narrow and sort them whole, and a page reads a page."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from events.projections.reading import ReadModels
from gateway.cli import lists
from gateway.cli.lists import Listing, pages
from tests.gateway.cli.test_promises import Tables, scans
from tests.gateway.promised import NOW, at_random, put

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="module")]
AGENCY: Final = "acme"
MANY: Final = 50_000
SUBJECTS: Final = ("engagement", "interview:i-1", "interview:I-1", "interview:i_1", "submission:s-1")
STATES: Final = ("owed", "sent", "failed", "withheld")
# Whole tables, as somebody of no agency would fill them: many moments have many rows.
ENGAGEMENTS_MANY: Final = f"""
    INSERT INTO rapport_read.board (agency, stream, engagement, candidate_id, stage, moves, team, owner,
        level, version, position, decided_at, open_obligations, overdue_obligations, attempts_since_contact,
        live_submissions)
    SELECT 'many', 'engagement:e-' || n, 'e-' || n, 'c-' || n, 'intake', 'active', '{{}}', 'r-' || n % 50,
        n % 4, 1, n, now(), 1, 0, 0, 0
    FROM generate_series(1, {MANY}) n
"""
PROMISES_MANY: Final = f"""
    INSERT INTO rapport_read.obligations (agency, stream, obligation_id, rule, subject, kind, mode,
        owner_role, awaits, outcome, stage, owner, since, opened_at, due_at, moves, level, raised,
        opening_position, opening_event, steps_ahead, next_at)
    SELECT 'many', 'engagement:e-' || n, gen_random_uuid(), 'keep-in-touch', 'engagement', 'contact',
        'enforce', 'candidate-owner', 'recruiter',
        CASE n % 3 WHEN 0 THEN 'met' WHEN 1 THEN 'open' ELSE 'overdue' END,
        'intake', 'r-' || n % 50, now(), now(), now(), 0, 0, '{{}}', n, gen_random_uuid(), 1,
        CASE WHEN n % 7 > 0 THEN timestamptz '2026-01-05' + n % 9 * interval '1 day' END
    FROM generate_series(1, {MANY}) n
"""
MESSAGES_MANY: Final = f"""
    INSERT INTO rapport_read.outreach (agency, stream, effect_id, state, channel, recipient, template, level,
        requested_at, attempt, requested_position)
    SELECT 'many', 'engagement:e-' || n, gen_random_uuid(), 'sent', 'email', 'owner', 'reminder', 1,
        timestamptz '2026-01-05' + n % 9 * interval '1 day', 1, n
    FROM generate_series(1, {MANY}) n
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tables(new_database: Callable[[], str]) -> AsyncIterator[Tables]:
    """This will be tables with some rows of one agency, alike in much, and very many of another."""
    url = new_database()
    owner, models = await asyncpg.connect(url), ReadModels(url)
    for query in (ENGAGEMENTS_MANY, PROMISES_MANY, MESSAGES_MANY):
        await owner.execute(query)
    await owner.execute(
        "ANALYZE rapport_read.board; ANALYZE rapport_read.obligations; ANALYZE rapport_read.outreach"
    )
    random = Random(3)
    promised = [
        replace(
            each,
            subject=random.choice(SUBJECTS),
            next_at=random.choice((None, *(NOW + timedelta(hours=hours) for hours in range(3)))),
        )
        for each in at_random(3, 300)
    ]
    await put(owner, AGENCY, promised)
    for number in range(80):
        await owner.execute(
            "INSERT INTO rapport_read.outreach (agency, stream, effect_id, state, channel, recipient,"
            " template, level, requested_at, attempt, requested_position)"
            " VALUES ($1, 'engagement:e-1', $2, $3, 'email', 'owner', 'reminder', 1, $4, 1, $5)",
            AGENCY,
            UUID(int=random.getrandbits(128)),
            random.choice(STATES),
            NOW + timedelta(hours=random.randrange(3)),
            number,
        )
    yield Tables(owner, SimpleNamespace(read_models=models))
    await models.close()
    await owner.close()


async def joined(tables: Tables, listing: Listing, size: int | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async for page in pages(tables.having, AGENCY, listing, size=size):
        assert size is None or len(page) <= size
        found += page
    return found


def whole(row: dict[str, Any]) -> tuple[Any, ...]:
    """Give what Python sorts a row of any list by."""
    names = ("at", "requested_at", "engagement", "rule", "subject", "obligation_id", "effect")
    first = [row[each] for each in names[:2] if each in row]
    if "effect" in row:
        return (*first, row["effect"])
    return (*first, *(str(row[each]) for each in names[2:6] if each in row))


class TestPages:
    @pytest.mark.parametrize("size", [1, 7, 50, None])
    @pytest.mark.parametrize(
        "listing",
        [
            lists.engagements(AGENCY),
            lists.steps(AGENCY),
            lists.messages(AGENCY),
            lists.messages(AGENCY, state="owed"),
        ],
        ids=["list", "timers", "outbox", "owed"],
    )
    async def test_join_to_the_whole_in_order(
        self, tables: Tables, listing: Listing, size: int | None
    ) -> None:
        found = await joined(tables, listing, size)
        assert len(found) > 10
        assert found == sorted(found, key=whole)
        [counted] = await tables.having.read_models.fetch(
            AGENCY, f"SELECT count(*) AS n FROM ({listing.query}) q", *listing.given
        )
        assert len({whole(row) for row in found}) == len(found) == counted["n"]

    async def test_hold_what_is_asked_for(self, tables: Tables) -> None:
        await tables.owner.execute(
            "UPDATE rapport_read.board SET owner = 'r-1', level = 2 WHERE agency = $1 AND engagement = 'e-2'",
            AGENCY,
        )
        for narrowed in ({"owner": "r-1"}, {"level": 2}, {"owner": "r-1", "stage": "intake", "level": 1}):
            found = await joined(tables, lists.engagements(AGENCY, **narrowed), 1)
            assert [row["engagement"] for row in found] == ["e-2"]
        assert await joined(tables, lists.engagements(AGENCY, stage="closed")) == []
        owed = await joined(tables, lists.messages(AGENCY, state="owed"))
        assert {row["state"] for row in owed} == {"owed"}

    async def test_are_as_many_as_are_full_and_one(self, tables: Tables) -> None:
        [rows] = [page async for page in pages(tables.having, AGENCY, lists.engagements(AGENCY))]
        assert len([1 async for _ in pages(tables.having, AGENCY, lists.engagements(AGENCY), size=5)]) == 3
        assert len(rows) == 12


class TestThePlan:
    """A page of a large table is a range of an index, under row-level security too."""

    @pytest.mark.parametrize("start", [None, 0, 12_345, 13_000])
    @pytest.mark.parametrize(
        ("listing", "table", "index"),
        [
            (lists.engagements("many"), "board", "(agency, stream)"),
            (
                lists.steps("many"),
                "obligations",
                '(agency, next_at, stream, rule COLLATE "C", subject COLLATE "C", obligation_id)',
            ),
            (lists.messages("many"), "outreach", "(agency, requested_at, effect_id)"),
        ],
        ids=["list", "timers", "outbox"],
    )
    async def test_reads_a_page_and_no_more(
        self, tables: Tables, listing: Listing, table: str, index: str, start: int | None
    ) -> None:
        async with tables.having.read_models._connections.scoped("many") as connection:
            behind = None
            if start is not None:
                query, given = listing.page(None, start + 1)
                behind = listing.place(dict((await connection.fetch(query, *given))[-1]))
            query, given = listing.page(behind, 100)
            text = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", *given)
            [scan] = [each for each in scans(json.loads(text)[0]["Plan"]) if each["Relation Name"] == table]
            defined = await connection.fetchval(
                "SELECT pg_get_indexdef(to_regclass('rapport_read.' || $1))", scan["Index Name"]
            )
        assert index in defined
        read = scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0)
        assert (read, scan["Actual Loops"]) == (100, 1)

    async def test_leaves_no_index_that_another_one_holds(self, tables: Tables) -> None:
        query = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'rapport_read' AND tablename = 'outreach'"
        found = [row["indexdef"].partition("btree ")[2] for row in await tables.owner.fetch(query)]
        assert sorted(found) == ["(agency, requested_at, effect_id)", "(agency, stream, effect_id)"]
