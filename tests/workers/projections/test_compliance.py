"""A report from the read tables is the report from the log, and says how far behind it is."""

from datetime import UTC, timedelta
from typing import Any, get_args

import pytest

from events.compliance import By, Period, Report, report
from events.projections.reading import ReadModels
from workers.compliance import ComplianceError, from_log, from_tables

pytestmark = pytest.mark.postgres


def figures(made: Report) -> Any:
    return {row.key: row.figures() for row in (*made.rows, made.total)}


class TestFromTables:
    async def test_is_the_same_as_from_the_log(self, ground: Any, chapters: Any) -> None:
        for number, seed in enumerate((3, 4, 11, 25, 31), 1):
            await ground.append("acme", f"engagement:e-{number}", chapters(seed))
        await ground.append("other", "engagement:e-1", chapters(7))
        await ground.projected()
        tables = ReadModels(ground.url)
        try:
            whole, source = await from_log(ground.log, "acme")
            assert any(each.columns for each in whole)
            middle = sorted(each.at for each in whole)[len(whole) // 2]
            for period in (Period(), Period(since=middle), Period(until=middle), Period(middle, middle)):
                facts, read = await from_tables(tables, ground.log, "acme", period)
                assert (read.position, read.behind) == (source.position, 0)
                for by in get_args(By):
                    expected = report(whole, period, by, zone=UTC)
                    assert figures(report(facts, period, by, zone=UTC)) == figures(expected)
        finally:
            await tables.close()

    async def test_says_how_far_behind_it_is(self, ground: Any, chapters: Any) -> None:
        await ground.append("acme", "engagement:e-1", chapters(3))
        await ground.projected()
        before = (await ground.log.log_head("acme")).position
        await ground.append("acme", "engagement:e-2", chapters(4))
        after = (await ground.log.log_head("acme")).position
        tables = ReadModels(ground.url)
        try:
            _, source = await from_tables(tables, ground.log, "acme", Period())
            assert (source.position, source.behind) == (before, after - before)
            assert timedelta(seconds=source.lag_seconds) > timedelta()
        finally:
            await tables.close()

    async def test_says_what_to_do_where_nobody_built_them(self, ground: Any, chapters: Any) -> None:
        await ground.append("acme", "engagement:e-1", chapters(3))
        tables = ReadModels(ground.url)
        try:
            with pytest.raises(ComplianceError, match=r"'acme' has no read tables yet; .* --from-log"):
                await from_tables(tables, ground.log, "acme", Period())
        finally:
            await tables.close()
