"""``rapport agency absence``: who is away, for how long, and who stands in for them.

A day without a time is its midnight in --zone; nobody is guessed to live anywhere.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform
from gateway.cli.paging import paged

if TYPE_CHECKING:
    from events.absences import Absence
    from events.agency import Agency

OPERATOR = "operator:cli"
Row = dict[str, Any]
Zone = Annotated[str, typer.Option(help="Where a day without a time begins, e.g. Europe/Berlin.")]


def register(group: typer.Typer) -> None:
    """Add this file's commands to ``rapport agency``."""
    absence = typer.Typer(help="Who is away, and who stands in.", no_args_is_help=True)
    absence.command("add")(add)
    absence.command("list")(list_absences)
    absence.command("end")(end)
    group.add_typer(absence, name="absence")


def add(
    person: Annotated[str, typer.Argument(help="The id of whoever is away.")],
    starts: Annotated[str, typer.Option("--from", help="The first day away, or a time with its zone.")],
    ends: Annotated[str, typer.Option("--to", help="The day they are back, or a time with its zone.")],
    cover: Annotated[str | None, typer.Option(help="Who stands in; else the next of their line.")] = None,
    kind: Annotated[str, typer.Option(help="E.g. away, leave, training; never a diagnosis.")] = "away",
    zone: Zone = "UTC",
    actor: o.Person = OPERATOR,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Record that somebody is away: what would come to them goes to their cover until they are back."""
    from uuid import uuid4

    from gateway.cli import given, output

    fields = {
        "absence_id": f"a-{uuid4().hex[:12]}",
        "person_id": person,
        "starts_at": given.day(starts, "--from", zone).isoformat(),
        "ends_at": given.day(ends, "--to", zone).isoformat(),
        "absence_kind": kind,
    }
    if cover is not None:
        fields["cover"] = cover
    rows = _give("record-absence", fields, actor, Options(agency, data, as_json))
    row = next(each for each in rows["absences"] if _is_of(each, fields))
    if as_json:
        output.emit({**row, "outcome": rows["outcome"], "agency": rows["agency"]})
    else:
        known = "" if rows["outcome"] == "accepted" else " (recorded before)"
        output.line(f"{row['absence_id']}: {_says(row)}{known}")


def list_absences(
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """List who is away or will be, and who gets what would come to them now."""
    from gateway.cli import output

    async def work(session: Session) -> list[Row]:
        named = await session.agency()
        return absence_rows(await session.having.service.state(named, f"agency:{named}"))

    rows = perform(Options(agency, data, as_json), work)
    rows = [row for row in rows if everything or row["state"] in ("now", "ahead")]
    if as_json:
        output.emit(rows)
        return
    with paged():
        _show(rows)


def end(
    absence: Annotated[str, typer.Argument(help="The absence's id, as list shows it.")],
    at: Annotated[
        str | None, typer.Option(help="The day they are back, or a time; now if not given.")
    ] = None,
    zone: Zone = "UTC",
    actor: o.Person = OPERATOR,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Record that somebody is back sooner; before its first day, that they were never away."""
    from gateway.cli import given, output

    fields = {"absence_id": absence}
    if at is not None:
        fields["ended_at"] = given.day(at, "--at", zone).isoformat()
    rows = _give("end-absence", fields, actor, Options(agency, data, as_json))
    row = next(each for each in rows["absences"] if each["absence_id"] == absence)
    if as_json:
        output.emit({**row, "outcome": rows["outcome"], "agency": rows["agency"]})
    else:
        known = "" if rows["outcome"] == "accepted" else " (nothing to do)"
        output.line(f"{absence}: {_says(row)}{known}")


def _give(name: str, fields: Row, actor: str, options: Options) -> Row:
    from gateway.cli import given as reading

    who = reading.actor(actor)

    async def work(session: Session) -> Row:
        from uuid import uuid4

        from gateway import giving

        named = await session.agency()
        stream = f"agency:{named}"
        given = await giving.to_stream(
            session.having, named, stream, name, fields, command_id=str(uuid4()), actor=who, source="cli"
        )
        rows = absence_rows(await session.having.service.state(named, stream))
        return {"agency": named, "outcome": given.outcome, "absences": rows}

    return perform(options, work)


def _is_of(row: Row, fields: Row) -> bool:
    from datetime import datetime

    times = (datetime.fromisoformat(fields["starts_at"]), datetime.fromisoformat(fields["ends_at"]))
    return row["person"] == fields["person_id"] and (row["from"], row["until"]) == times


def absence_rows(state: "Agency") -> list[Row]:
    """List an agency's absences as they stand now, the earliest first."""
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    ordered = sorted(state.absences.values(), key=lambda each: (each.starts_at, each.absence_id))
    return [_row(each, state, now) for each in ordered]


def _row(absence: "Absence", state: "Agency", now: Any) -> Row:
    from events.reaching import instead_of

    # Asked for its own time: the first moment of one ahead, the present of one that runs.
    when = max(absence.starts_at, now)
    reached = instead_of(state, absence.person_id, when) if absence.holds(when) else None
    return {
        "absence_id": absence.absence_id,
        "person": absence.person_id,
        "from": absence.starts_at,
        "until": absence.until,
        "cover": absence.cover,
        "kind": absence.kind,
        "state": _state(absence, now),
        "reaches": reached.person_id if reached is not None else None,
    }


def _state(absence: "Absence", now: Any) -> str:
    if absence.until <= absence.starts_at:
        return "never"
    if now < absence.starts_at:
        return "ahead"
    return "now" if absence.holds(now) else "over"


def _says(row: Row) -> str:
    from gateway.words import moment

    if row["state"] == "never":
        return f"{row['person']} is not away"
    span = f"{row['person']} is away from {moment(row['from'])} until {moment(row['until'])}"
    return f"{span}; what comes to them goes to {row['reaches']}" if row["reaches"] else span


def _show(rows: list[Row]) -> None:
    from gateway.cli.output import line, table
    from gateway.words import moment

    if not rows:
        line("nobody is away")
        return
    table(
        ["ABSENCE", "PERSON", "FROM", "UNTIL", "KIND", "COVER", "GOES TO", "WHEN"],
        [
            [
                row["absence_id"],
                row["person"],
                moment(row["from"]),
                moment(row["until"]),
                row["kind"],
                row["cover"] or "",
                row["reaches"] or "",
                row["state"],
            ]
            for row in rows
        ],
    )
