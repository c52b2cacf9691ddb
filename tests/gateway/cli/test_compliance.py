"""``rapport compliance``: four forms of one report, each figure with the events behind it."""

import csv
import io
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from events.compliance import By, Period, report
from events.compliance_columns import COLUMNS, COUNTED, PARTS
from events.log.memory import MemoryLog
from gateway.cli import compliance_showing as showing
from gateway.cli.compliance import _period, _zone
from gateway.cli.compliance_page import as_html
from gateway.cli.compliance_showing import Shown
from gateway.cli.errors import WRONG, Wrong
from workers.compliance import Source, from_log, teams_of

NOW = datetime(2026, 2, 1, 9, tzinfo=UTC)
AMONG_OTHERS = True


async def shown(log: MemoryLog, by: By | None = "rule", **source: Any) -> Shown:
    facts, read = await from_log(log, "agency-1")
    teams = await teams_of(log, "agency-1")
    made = report(facts, Period(), by, zone=UTC, team_of=teams.of)
    return Shown("agency-1", Period(), "UTC", made, Source(**source) if source else read, NOW)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


class TestTable:
    async def test_tells_promises_first_and_only_what_there_is(
        self, kept: MemoryLog, capsys: pytest.CaptureFixture[str]
    ) -> None:
        showing.as_table(await shown(kept))
        told = capsys.readouterr().out
        assert told.startswith("Agency agency-1, from the beginning until now\n\nPromises ")
        assert re.search(r"^keep-in-touch +3 +1 ", told, re.MULTILINE)
        assert "What else happened" in told
        assert "placements" not in told
        assert "Read from the log itself" in told

    async def test_says_how_far_behind_the_tables_are(
        self, kept: MemoryLog, capsys: pytest.CaptureFixture[str]
    ) -> None:
        source = {"name": "tables", "position": 80, "behind": 4, "lag_seconds": 1.25, "parked": 2}
        showing.as_table(await shown(kept, None, **source))
        told = capsys.readouterr().out
        assert "up to position 80, 4 events (1.2 s) behind the log; 2 engagements stay as they were" in told


class TestJson:
    async def test_has_stable_names_and_says_what_they_mean(
        self, kept: MemoryLog, capsys: pytest.CaptureFixture[str]
    ) -> None:
        showing.as_json(await shown(kept))
        told = json.loads(capsys.readouterr().out)
        assert list(told["definitions"]) == list(COLUMNS) == list(told["total"])
        for row in (*told["rows"], told["total"]):
            assert row["opened"] == sum(row[part.name] for part in PARTS)
        assert told["source"]["name"] == "log"


class TestCsv:
    async def test_holds_a_line_for_each_row(
        self, kept: MemoryLog, capsys: pytest.CaptureFixture[str]
    ) -> None:
        made = await shown(kept)
        showing.as_csv(made, details=False)
        told = lines(capsys)
        assert [each["rule"] for each in told] == [row.key for row in made.rows]
        assert int(told[-1]["opened"]) == made.report.total.count("opened")

    async def test_in_its_second_form_holds_every_event_behind_every_figure(
        self, kept: MemoryLog, capsys: pytest.CaptureFixture[str]
    ) -> None:
        made = await shown(kept)
        showing.as_csv(made, details=True)
        told = lines(capsys)
        for row in made.rows:
            for each in COUNTED:
                behind = [line for line in told if (line["row"], line["column"]) == (row.key, each.name)]
                events = [str(event) for fact in row.behind(each.name) for event in fact.events]
                assert [line["event"] for line in behind] == events
        known = {str(each.event_id) for each in await kept.read_stream("agency-1", "engagement:e-1")}
        assert {line["event"] for line in told} <= known


class TestUnfolded:
    async def test_lists_what_a_figure_counts_with_the_command_to_look(
        self, kept: MemoryLog, capsys: pytest.CaptureFixture[str]
    ) -> None:
        made = await shown(kept)
        showing.unfolded(made, "kept_late", "keep-in-touch", "table")
        head, item, look, *_ = capsys.readouterr().out.splitlines()
        assert head == "1 kept_late (keep-in-touch): it happened, after the due time"
        assert item.startswith("e-1: keep-in-touch for the engagement, due ")
        assert re.fullmatch(r"    rapport why e-1 [0-9a-f-]{36} --agency agency-1", look)
        showing.unfolded(made, "late_median", None, "json")
        told = json.loads(capsys.readouterr().out)
        assert (told["count"], told["items"][0]["rule"]) == (1, "keep-in-touch")
        showing.unfolded(made, "opened", None, "csv")
        assert {line["column"] for line in lines(capsys)} == {"opened"}

    async def test_of_no_row_is_told(self, kept: MemoryLog) -> None:
        with pytest.raises(Wrong, match="--row names no row"):
            showing.unfolded(await shown(kept), "opened", "nothing", "table")


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.outside: list[str] = []
        self._link: str | None = None
        self.items: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._link = given.get("href") if tag == "a" else None
        if (name := given.get("id")) is not None:
            self.ids.append(name)
        if tag == "li":
            self.items[self.ids[-1]] = self.items.get(self.ids[-1], 0) + 1
        if tag in ("script", "link", "img", "iframe") or given.get("src"):
            self.outside.append(tag)

    def handle_data(self, data: str) -> None:
        if self._link is not None:
            self.links.append((self._link, data))
            self._link = None


class TestPage:
    async def test_leads_from_each_figure_to_what_it_counts(
        self, kept: MemoryLog, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The page needs nothing outside itself, so it can be kept and sent."""
        made = await shown(kept)
        as_html(made)
        told, page = capsys.readouterr().out, _Page()
        page.feed(told)
        assert len(page.ids) == len(set(page.ids))
        assert page.links
        assert {link for link, _ in page.links} <= {f"#{each}" for each in page.ids}
        assert (page.outside, "http" in told, "url(" in told) == ([], False, False)
        for link, figure in page.links:
            if figure.isdigit():
                assert page.items[link[1:]] == int(figure)
        counted = [row.figure("opened") for row in made.rows]
        assert [int(figure) for link, figure in page.links if link.endswith("-opened")] == counted

    async def test_shows_what_somebody_wrote_as_text(
        self, kept: MemoryLog, capsys: pytest.CaptureFixture[str]
    ) -> None:
        made = await shown(kept)
        as_html(Shown("<b>x</b>", made.period, made.zone, made.report, made.source, NOW))
        assert "<b>x" not in capsys.readouterr().out


class TestPeriod:
    def test_of_days_holds_the_last_of_them(self) -> None:
        """Days are those of the zone: London is an hour ahead of UTC in summer."""
        zone = _zone("Europe/London")
        found = _period("2026-07-01", "2026-07-31", zone)
        assert found.since == datetime(2026, 6, 30, 23, tzinfo=UTC)
        assert found.until == datetime(2026, 7, 31, 23, tzinfo=UTC)
        assert _period("2026-07-01T09:00:00Z", None, zone).since == datetime(2026, 7, 1, 9, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("since", "until", "complaint"),
        [
            ("2026-07-02", "2026-07-01", "ends before it begins"),
            ("soon", None, "--from is no time"),
            (None, "2026-07-01T09:00:00", "--to is a time without a zone"),
            (None, "9999-12-31", "--to lies beyond the calendar"),
        ],
    )
    def test_that_is_none_is_told(self, since: str | None, until: str | None, complaint: str) -> None:
        with pytest.raises(Wrong, match=complaint):
            _period(since, until, UTC)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.temporal
class TestOnARunningStack:
    def test_is_the_same_from_the_tables_and_from_the_log(self, shared: Any) -> None:
        engagement = shared.rapport("open", "--owner", "r-1").out.strip()
        said = ("do", engagement, "record-contact", "channel=phone", "by=r-1", "--actor", "person:r-1")
        assert shared.rapport(*said).code == 0
        log = shared.rapport("compliance", "--by", "owner", "--json", "--from-log").json
        assert log["total"]["contacts"] == 1
        tables = shared.rapport("compliance", "--by", "owner", "--json")
        assert tables.code == 0, tables.err
        assert (tables.json["rows"], tables.json["total"]) == (log["rows"], log["total"])
        unfolded = shared.rapport("compliance", "--unfold", "contacts", "--json").json
        (item,) = unfolded["items"]
        look = item["look"][0].split()[1:]
        assert "talked with the candidate" in shared.rapport(*look).out
        for form in ("table", "csv", "html"):
            assert shared.rapport("compliance", "--format", form, "--by", "week").code == 0

    def test_says_what_is_wrong_in_one_sentence(self, shared: Any) -> None:
        for arguments, complaint in (
            (("--by", "rules"), "--by does not know that; did you mean 'rule'?"),
            (("--format", "pdf"), "give one of table, json, csv, html"),
            (("--unfold", "kept-lat"), "did you mean 'kept_late'?"),
            (("--row", "x"), "give --by and --unfold with it"),
            (("--details",), "give --format csv with it"),
            (("--unfold", "kept", "--format", "html"), "the page unfolds every figure itself"),
            (("--zone", "Nowhere"), "--zone names no time zone"),
            (("--agency", "other"), "there is no agency 'other'"),
            (("--by", "rule", "--unfold", "kept", "--row", "nothing"), "--row names no row"),
        ):
            done = shared.rapport("compliance", *arguments)
            assert (done.code, done.out, done.err.count("\n")) == (WRONG, "", 1), (arguments, done.err)
            assert complaint in done.err
