"""A compliance report as a table, JSON or CSV, and what one of its figures counts.

Ids, codes and times only: no name of anybody stands in a report.
"""

import csv
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from events.canonical import instant
from events.compliance import Fact, Period, Promise, Report, Row
from events.compliance_columns import BESIDE, COLUMNS, COUNTED, OPENED, PARTS, definitions
from gateway import words
from gateway.cli import output
from gateway.cli.errors import Wrong
from gateway.cli.escaping import escaped
from workers.compliance import Source

SHARES: Final = ("kept_share", "asserted_share")
HOURS: Final = ("late_median", "late_p90")
# Which figures stand together.
TABLES: Final[dict[str, tuple[str, ...]]] = {
    "Promises": (*(each.name for each in (OPENED, *PARTS)), "kept_share", *HOURS, "breached", "overdue"),
    "What else happened": ("refused", "bypassed", "contacts", "asserted", "asserted_share", "not_judgeable"),
    "What it is for: placements": tuple(
        each.name for each in BESIDE if each.name.startswith(("likes", "excels"))
    ),
}
_DETAILS: Final = (
    "row", "column", "engagement", "obligation_id", "rule", "subject", "outcome", "at", "due_at", "owner",
    "stage", "event", "look",
)  # fmt: skip
Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """A report, of whom and when, and where it was read."""

    agency: str
    period: Period
    zone: str
    report: Report
    source: Source
    made_at: datetime

    @property
    def rows(self) -> list[Row]:
        """Give every row, the total last."""
        return [*self.report.rows, self.report.total]

    def title(self) -> str:
        """Say what the report is about."""
        since, until = self.period.since, self.period.until
        begins = f"from {words.moment(since)}" if since is not None else "from the beginning"
        ends = f"until {words.moment(until)}" if until is not None else "until now"
        return f"Agency {self.agency}, {begins} {ends}"

    def read(self) -> str:
        """Say where it was read, and what is not in it."""
        source = self.source
        if source.name == "log":
            return f"Read from the log itself, up to position {source.position}."
        behind = f"{source.behind} events ({source.lag_seconds:.1f} s) behind the log"
        parked = f"; {source.parked} engagements stay as they were ('rapport projections list')" * bool(
            source.parked
        )
        return f"Read from the tables, up to position {source.position}, {behind}{parked}."


def as_json(shown: Shown) -> None:
    """Print the whole report as one JSON value."""
    output.emit(whole(shown))


def whole(shown: Shown) -> Plain:
    """Give the whole report as plain data."""
    rows = [{"key": row.key, **row.figures()} for row in shown.report.rows]
    total = shown.report.total.figures()
    return {**_about(shown), "definitions": dict(definitions()), "total": total, "rows": rows}


def as_table(shown: Shown) -> None:
    """Print what there is to tell for people, promises first."""
    output.line(shown.title(), style="bold")
    for title, names in TABLES.items():
        total = shown.report.total
        rows = [row for row in shown.report.rows if any(row.figure(name) for name in names)]
        if title == "Promises" or any(total.figure(name) for name in names):
            output.line()
            heads = [COLUMNS[name].title for name in names]
            cells = [[row.key, *(cell(row, name) for name in names)] for row in (*rows, total)]
            output.table([title, *heads], cells, styles={len(cells) - 1: "bold"})
    output.line()
    output.line(shown.read(), style="bold red" if shown.source.parked else None)
    output.line("'--unfold COLUMN' lists what a figure counts, '--help' says what each means.")


def as_csv(shown: Shown, *, details: bool) -> None:
    """Print a line for each row, or with *details* one for each event behind each figure."""
    if details:
        _csv(
            _DETAILS,
            (line for row in shown.rows for each in COUNTED for line in _detailed(shown, row, each.name)),
        )
        return
    names = list(shown.report.total.figures())
    _csv([shown.report.by or "row", *names], ([row.key, *row.figures().values()] for row in shown.rows))


def unfolded(shown: Shown, name: str, key: str | None, format: str) -> None:
    """Print what one figure counts, with the command that shows each."""
    row = shown.report.row(key)
    if row is None:
        raise Wrong("--row names no row of this report; without --unfold it lists them")
    items = [item(fact, shown.agency) for fact in row.behind(name)]
    if format == "json":
        output.emit({**_about(shown), "column": name, "row": row.key, "count": len(items), "items": items})
    elif format == "csv":
        _csv(_DETAILS, _detailed(shown, row, name))
    else:
        output.line(f"{cell(row, name)} {name} ({row.key}): {COLUMNS[name].means}", style="bold")
        for each in items:
            promise = f" ({each['obligation_id']})" if each["obligation_id"] is not None else ""
            output.line(f"{each['engagement']}: {each['says']}{promise}")
            for look in each["look"]:
                output.line(f"    {look}", style="dim")


def item(fact: Fact, agency: str) -> Plain:
    """Tell one thing that a figure counts, with the command that shows each of its events."""
    shared: Plain = {
        "engagement": fact.engagement,
        "at": fact.at,
        "owner": fact.owner,
        "stage": fact.stage,
        "says": said(fact),
        "events": [str(each) for each in fact.events],
        "look": [f"rapport why {fact.engagement} {each} --agency {agency}" for each in fact.events],
    }
    if isinstance(fact, Promise):
        about = {"rule": fact.rule, "subject": fact.subject, "outcome": fact.outcome, "due_at": fact.due_at}
        return {**shared, **about, "obligation_id": fact.obligation_id}
    outcome = fact.verdict or fact.kind
    return {
        **shared,
        "rule": fact.what,
        "subject": None,
        "outcome": outcome,
        "due_at": None,
        "obligation_id": None,
    }


def said(fact: Fact) -> str:
    """Tell it in a sentence."""
    who = fact.owner or "nobody"
    if isinstance(fact, Promise):
        late = f" by {hours(fact.late_by.total_seconds() / 3600)}" if fact.late_by is not None else ""
        outcome = fact.outcome.replace("-", " ")
        about = words.subject(fact.subject)
        return f"{fact.rule} for {about}, due {words.moment(fact.due_at)}, owed by {who}: {outcome}{late}"
    when = words.moment(fact.at)
    match fact.kind:
        case "refused":
            return f"gate {fact.what} refused on {when}; candidate's owner {who}"
        case "bypassed":
            return f"gate {fact.what} was not met on {when}; candidate's owner {who}"
        case "not-judgeable":
            return f"rule {fact.what} cannot be judged before {when}"
        case "contact" | "asserted":
            return (
                f"{who} talked with the candidate on {when}{' (asserted)' if fact.kind == 'asserted' else ''}"
            )
        case _:
            side = "candidate likes it" if fact.kind == "likes" else "client finds that they excel"
            return f"placement {fact.what or 'not named'}, {side}: {fact.verdict}, said on {when}"


def cell(row: Row, name: str) -> str:
    """Write a figure for people."""
    figure = row.figure(name)
    if figure is None:
        return "-"
    if name in SHARES:
        return f"{figure:.0%}"
    return hours(figure) if name in HOURS else str(figure)


def hours(number: float) -> str:
    """Write a length of time: in days where it is two of them or more."""
    return f"{number:.1f} h" if number < 48 else f"{number / 24:.1f} d"


def _about(shown: Shown) -> Plain:
    since, until = shown.period.since, shown.period.until
    return {
        "agency": shown.agency,
        "from": since,
        "to": until,
        "zone": shown.zone,
        "by": shown.report.by,
        "made_at": shown.made_at,
        "source": shown.source,
    }


def _detailed(shown: Shown, row: Row, name: str) -> Iterator[list[Any]]:
    for fact in row.behind(name):
        told = {**item(fact, shown.agency), "row": row.key, "column": name}
        for event, look in zip(told["events"], told["look"], strict=True):
            values = {**told, "event": event, "look": look}
            yield [_plain(values[each]) for each in _DETAILS]


def _plain(value: Any) -> Any:
    return instant(value) if isinstance(value, datetime) else value


def _cell(value: Any) -> Any:
    return escaped(value, layout=True) if isinstance(value, str) else value


def _csv(columns: Iterable[str], rows: Iterable[list[Any]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(each) for each in row] for row in rows)
    sys.stdout.flush()
