"""Commands that look across engagements: each person's load, what to look at, and search by plain words.

Search knows ids and codes: names are sealed, are in no table, and cannot be searched for here.
"""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform
from gateway.cli.paging import paged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Row = dict[str, Any]
KINDS: Final = (
    "gate-bypassed",
    "command-refused",
    "message-refused",
    "right-to-represent-unknown",
    "right-to-represent-missing",
    "fit-overridden",
    "consent-unknown",
    "evidence-asserted",
    "past-partly-judged",
    "outreach-bounced",
)


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("caseload", rich_help_panel="Looking")(caseload)
    app.command("findings", rich_help_panel="Looking")(findings)
    app.command("search", rich_help_panel="Looking")(search)


def caseload(agency: o.Agency = None, data: o.Data = None, as_json: o.Json = False) -> None:
    """Show what each person has open: engagements, promises, how many are overdue, the longest waiting."""
    from gateway.cli import output

    async def work(session: Session) -> list[Row]:
        from events.projections.caseload import PROJECTION
        from gateway.cli import tables

        named = await session.agency()
        office = await session.having.directory.agency(named)
        return [
            {
                **load,
                "name": _name(office.people.get(load["person"])),
                "works_here": load["person"] in office.people,
            }
            for load in loads(await tables.rows(session, named, PROJECTION))
        ]

    rows = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(rows)
    else:
        with paged():
            _show_loads(rows)


def loads(shares: "Iterable[Row]") -> list[Row]:
    """Add up what each engagement adds to each person's load, the heaviest first."""
    found: dict[str, list[Row]] = {}
    for share in shares:
        found.setdefault(share["person"], []).append(share)
    rows = [
        {
            "person": person,
            "engagements": sum(each["owns"] for each in of),
            "open_obligations": sum(each["open_obligations"] for each in of),
            "overdue_obligations": sum(each["overdue_obligations"] for each in of),
            "level": max(each["level"] for each in of),
            "waiting_since": _first(of, "waiting_since"),
            "next_due_at": _first(of, "next_due_at"),
        }
        for person, of in found.items()
    ]
    return sorted(
        rows, key=lambda row: (-row["overdue_obligations"], -row["open_obligations"], row["person"])
    )


def _first(shares: "Sequence[Row]", name: str) -> Any:
    return min((each[name] for each in shares if each[name] is not None), default=None)


def _name(entry: Any) -> str | None:
    return entry.name if entry is not None and isinstance(entry.name, str) else None


def _show_loads(rows: list[Row]) -> None:
    from gateway import words
    from gateway.cli.output import line, table
    from gateway.cli.showing import LEVELS

    if not rows:
        line("nobody has anything open")
        return
    table(
        ["PERSON", "ENGAGEMENTS", "OPEN", "OVERDUE", "LEVEL", "SOMEBODY WAITS SINCE", "NEXT DUE"],
        [
            [
                (f"{row['name']} ({row['person']})" if row["name"] else row["person"])
                + ("" if row["works_here"] else ", who has left"),
                str(row["engagements"]),
                str(row["open_obligations"]),
                str(row["overdue_obligations"]),
                str(row["level"]),
                "-" if row["waiting_since"] is None else words.moment(row["waiting_since"]),
                "-" if row["next_due_at"] is None else words.moment(row["next_due_at"]),
            ]
            for row in rows
        ],
        styles={number: LEVELS.get(row["level"], "") for number, row in enumerate(rows)},
    )


def findings(
    kind: Annotated[str | None, typer.Option(help=f"Only one of: {', '.join(KINDS)}.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only in this recruiter's engagements.")] = None,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Show what a person should look at, with its event: bypassed gates, refusals, what nobody can show."""
    from gateway.cli import output
    from gateway.cli.errors import Wrong

    if kind is not None and kind not in KINDS:
        raise Wrong(f"--kind is one of {', '.join(KINDS)}")

    async def work(session: Session) -> list[Row]:
        from events.projections.findings import PROJECTION
        from gateway.cli import tables

        rows = await tables.rows(session, await session.agency(), PROJECTION)
        return sorted(rows, key=lambda row: (row["position"], row["kind"]))

    rows = [
        {"engagement": row.pop("stream").partition(":")[2], **row}
        for row in perform(Options(agency, data, as_json), work)
        if kind in (None, row["kind"]) and owner in (None, row["owner"])
    ]
    if as_json:
        output.emit(rows)
    else:
        with paged():
            _show_findings(rows)


def _show_findings(rows: list[Row]) -> None:
    from gateway import words
    from gateway.cli.output import line, table

    if not rows:
        line("there is nothing to look at")
        return
    table(
        ["POSITION", "WHEN", "ENGAGEMENT", "OWNER", "FINDING", "RULE", "ABOUT", "BY"],
        [
            [
                str(row["position"]),
                words.moment(row["at"]),
                row["engagement"],
                row["owner"] or "-",
                row["kind"],
                row["rule"] or "-",
                row["subject"] or "-",
                f"{row['actor_kind']} {row['actor_id']}",
            ]
            for row in rows
        ],
    )


def search(
    term: Annotated[str, typer.Argument(help="The beginning of an id, an owner, a stage, a rule.")],
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Find engagements by ids and codes: their own, the candidate's, owner, stage, job order, rules open.

    Not by name: names are sealed in the log and are in no table.
    """
    from gateway.cli import output

    async def work(session: Session) -> list[Row]:
        from events.projections.search import PROJECTION
        from gateway.cli import tables

        named = await session.agency()
        if await tables.at_hand(session, named, (PROJECTION.name,)):
            found = await tables.terms(session, named, term)
        else:
            found = await tables.folded(session, named, PROJECTION)
        return hits(found, term)

    rows = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(rows)
        return
    with paged():
        for row in rows:
            output.line(f"{row['engagement']}  {', '.join(row['found_by'])}")
        if not rows:
            output.line(f"no engagement is found by '{term}'")


def hits(terms: "Iterable[Row]", term: str) -> list[Row]:
    """Give each engagement that a word begins a term of, with the terms."""
    found: dict[str, list[str]] = {}
    for row in terms:
        if row["term"].startswith(term):
            found.setdefault(row["stream"].partition(":")[2], []).append(f"{row['kind']} {row['term']}")
    return [{"engagement": key, "found_by": sorted(by)} for key, by in sorted(found.items())]
