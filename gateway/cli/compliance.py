"""``rapport compliance``: which promises were kept, and beside it what they are for; each figure unfolds.

Every figure's meaning stands in ``events/compliance_columns.py`` and nowhere else.
"""

from datetime import date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer

from events.compliance_columns import COLUMNS, GROUPS, PERIOD, named
from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform

if TYPE_CHECKING:
    from events.compliance import Period
    from gateway.cli.compliance_showing import Shown

FORMATS: Final = ("table", "json", "csv", "html")


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("compliance", rich_help_panel="Proving", epilog=_explained())(compliance)


def compliance(
    agency: o.Agency = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day, or a moment with its zone.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Last day, or the moment that ends the period.")
    ] = None,
    zone: Annotated[str, typer.Option("--zone", help="Whose days and weeks.")] = "UTC",
    by: Annotated[
        str | None, typer.Option("--by", metavar="|".join(GROUPS), help="One row for each.")
    ] = None,
    format: Annotated[
        str, typer.Option("--format", metavar="|".join(FORMATS), help="How to print it.")
    ] = "table",
    details: Annotated[
        bool, typer.Option("--details", help="With csv: the events behind every figure, a line each.")
    ] = False,
    unfold: Annotated[
        str | None, typer.Option("--unfold", metavar="COLUMN", help="List what one figure counts.")
    ] = None,
    row: Annotated[
        str | None, typer.Option("--row", metavar="KEY", help="With --unfold: of one row.")
    ] = None,
    from_log: Annotated[
        bool, typer.Option("--from-log", help="Fold the log itself instead of reading the tables.")
    ] = False,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Report how promises were kept, and whether placements are liked and excel."""
    from gateway.cli import compliance_showing as showing

    format = "json" if as_json else format
    _one_of("--format", format, FORMATS)
    if by is not None:
        _one_of("--by", by, tuple(GROUPS))
    if unfold is not None:
        _one_of("--unfold", unfold if (found := named(unfold)) is None else found, tuple(COLUMNS))
        unfold = named(unfold)
    _fits(row, details, by=by, unfold=unfold, format=format)
    where = _zone(zone)
    period = _period(since, until, where)

    async def work(session: Session) -> "Shown":
        return await _made(session, period, by, where, from_log=from_log)

    shown = perform(Options(agency, data, format == "json"), work)
    if unfold is not None:
        showing.unfolded(shown, unfold, row, format)
        return
    match format:
        case "json":
            showing.as_json(shown)
        case "csv":
            showing.as_csv(shown, details=details)
        case "html":
            from gateway.cli.compliance_page import as_html

            as_html(shown)
        case _:
            showing.as_table(shown)


async def _made(session: Session, period: "Period", by: Any, zone: tzinfo, *, from_log: bool) -> "Shown":
    from datetime import UTC

    from events.compliance import report
    from gateway.cli.compliance_showing import Shown
    from workers import compliance as facts_of

    agency = await session.agency()
    if from_log:
        facts, source = await facts_of.from_log(session.log, agency)
    else:
        facts, source = await facts_of.from_tables(session.having.read_models, session.log, agency, period)
    teams = await facts_of.teams_of(session.log, agency)
    made = report(facts, period, by, zone=zone, team_of=teams.of)
    return Shown(agency, period, str(zone), made, source, datetime.now(UTC))


def _explained() -> str:
    rows = "\n\n".join(f"{name}: {each.means}." for name, each in COLUMNS.items())
    groups = "\n\n".join(f"--by {name}: {means}." for name, means in GROUPS.items())
    return f"{PERIOD}\n\n{groups}\n\n{rows}"


def _one_of(option: str, given: str, known: tuple[str, ...]) -> None:
    from difflib import get_close_matches

    from gateway.cli.errors import Wrong

    if given not in known:
        near = get_close_matches(given, known, n=1)
        remedy = f"did you mean '{near[0]}'?" if near else f"give one of {', '.join(known)}"
        raise Wrong(f"{option} does not know that; {remedy}")


def _fits(row: str | None, details: bool, *, by: str | None, unfold: str | None, format: str) -> None:
    from gateway.cli.errors import Wrong

    if row is not None and (unfold is None or by is None):
        raise Wrong("--row names a row to unfold: give --by and --unfold with it")
    if details and (format != "csv" or unfold is not None):
        raise Wrong("--details is a form of the csv; give --format csv with it, and no --unfold")
    if unfold is not None and format == "html":
        raise Wrong("the page unfolds every figure itself; leave --unfold out, or give another --format")


def _zone(name: str) -> tzinfo:
    from gateway.cli.errors import Wrong

    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise Wrong("--zone names no time zone; give one like Europe/London") from None


def _period(since: str | None, until: str | None, zone: tzinfo) -> "Period":
    from events.compliance import Period
    from gateway.cli.errors import Wrong

    begins = None if since is None else _moment("--from", since, zone, after=False)
    ends = None if until is None else _moment("--to", until, zone, after=True)
    if begins is not None and ends is not None and begins >= ends:
        raise Wrong("the period ends before it begins; swap --from and --to")
    return Period(begins, ends)


def _moment(option: str, text: str, zone: tzinfo, *, after: bool) -> datetime:
    """Read a day, of which the first or, *after*, the following midnight counts, or a moment."""
    from gateway.cli import given
    from gateway.cli.errors import Wrong

    try:
        day = date.fromisoformat(text)
    except ValueError:
        return given.moment(text, option)
    try:
        return datetime.combine(day + timedelta(days=after), time(), zone)
    except OverflowError:
        raise Wrong(f"{option} lies beyond the calendar; give an earlier day") from None
