"""Commands that only look: list, show, waiting, outbox.

They open personal fields for whoever may read the keys, so what they print is not for a log.
"""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform
from gateway.cli.paging import paged

if TYPE_CHECKING:
    from gateway.cli.reading import Row

DEPTHS: Final = ("business", "technical", "raw")


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("list", rich_help_panel="Looking")(list_engagements)
    app.command("show", rich_help_panel="Looking")(show)
    app.command("waiting", rich_help_panel="Looking")(waiting)
    app.command("outbox", rich_help_panel="Looking")(outbox)


def list_engagements(
    stage: Annotated[str | None, typer.Option(help="Only those at this stage.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only this recruiter's.")] = None,
    level: Annotated[int, typer.Option(help="Only those at this level of escalation or above.")] = 0,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """List the agency's engagements."""
    from gateway.cli import output, showing

    async def work(session: Session) -> "list[Row]":
        from gateway.cli import reading, tables

        named = await session.agency()
        if await tables.at_hand(session, named, ("board",)):
            return await tables.engagements(session, named)
        return [reading.summary(state) for state in await reading.engagements(session.log, named)]

    rows = [
        row
        for row in perform(Options(agency, data, as_json), work)
        if stage in (None, row["stage"]) and owner in (None, row["owner"]) and row["level"] >= level
    ]
    if as_json:
        output.emit(rows)
    else:
        with paged():
            showing.engagements(rows)


def show(
    engagement: Annotated[str, typer.Argument(help="An engagement's id, or job-order:ID.")],
    at: Annotated[
        int | None, typer.Option("--at", metavar="N", min=1, help="As it was after N events.")
    ] = None,
    diff: Annotated[
        int | None,
        typer.Option("--diff", metavar="M", min=1, help="What differs from how it was after M events."),
    ] = None,
    depth: Annotated[
        str, typer.Option(help="business: the world alone; technical: the engine too; raw: as stored.")
    ] = "technical",
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Show a stream's timeline and what it comes to, now or at any event, or how two moments differ."""
    from gateway.cli import given, output, showing_stream
    from gateway.cli.errors import Wrong

    category, key = given.stream_of(engagement)
    if depth not in DEPTHS:
        raise Wrong("--depth is one of business, technical and raw")

    async def work(session: Session) -> dict[str, Any]:
        from gateway.cli.telling import tell_stream

        named = await session.agency()
        return await tell_stream(session.log, named, category, key, at, since=diff, depth=depth)

    told = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(told)
    else:
        with paged():
            showing_stream.stream(told)


def waiting(
    owner: Annotated[str | None, typer.Option(help="Only what this recruiter owes.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is past its due time.")] = False,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Show who waits, since when and on whom, the worst first."""
    from gateway.cli import output, showing

    async def work(session: Session) -> "list[Row]":
        from gateway.cli import reading, tables
        from gateway.cli.promises import Narrowed, promises

        named = await session.agency()
        if await tables.at_hand(session, named, ("board", "obligations")):
            facts = await promises(session.having, named, Narrowed(owner, overdue))
            return await reading.lying_with(facts, named, session.having.directory)
        states = await reading.engagements(session.log, named)
        return [
            row
            for row in await reading.waiting(states, named, session.having.directory)
            if owner in (None, row["owner"]) and (row["overdue"] or not overdue)
        ]

    rows = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(rows)
    else:
        with paged():
            showing.waiting(rows)


def outbox(
    state: Annotated[str | None, typer.Option(help="owed, sent, failed or withheld.")] = None,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Show the messages that were owed, and what became of each."""
    from gateway.cli import output, showing
    from gateway.cli.errors import Wrong

    if state not in (None, "owed", "sent", "failed", "withheld"):
        raise Wrong("--state is one of owed, sent, failed and withheld")

    async def work(session: Session) -> "list[Row]":
        from gateway.cli import reading, tables

        named, having = await session.agency(), session.having
        rows = await tables.messages(session, named)
        return await reading.what_waits(rows, having.digests, having.directory, named)

    rows = [row for row in perform(Options(agency, data, as_json), work) if state in (None, row["state"])]
    if as_json:
        output.emit(rows)
    else:
        with paged():
            showing.outbox(rows)
