"""Commands that only look: list, show, waiting, outbox.

They open personal fields for whoever may read the keys, so what they print is not for a log.
"""

from typing import Annotated, Any, Final

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform
from gateway.cli.paging import paged

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
    from gateway.cli import showing

    async def work(session: Session) -> None:
        from gateway.cli import tables

        rows = tables.engagements(session, await session.agency(), stage=stage, owner=owner, level=level)
        await showing.listed(rows, showing.ENGAGEMENTS, as_json=as_json)

    with paged(text=not as_json):
        perform(Options(agency, data, as_json), work)


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
    from gateway.cli import showing

    async def work(session: Session) -> None:
        from gateway.cli import tables
        from gateway.cli.promises import Narrowed

        rows = tables.waiting(session, await session.agency(), Narrowed(owner, overdue))
        await showing.listed(rows, showing.WAITING, as_json=as_json)

    with paged(text=not as_json):
        perform(Options(agency, data, as_json), work)


def outbox(
    state: Annotated[str | None, typer.Option(help="owed, sent, failed or withheld.")] = None,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Show the messages that were owed, and what became of each."""
    from gateway.cli import showing
    from gateway.cli.errors import Wrong

    if state not in (None, "owed", "sent", "failed", "withheld"):
        raise Wrong("--state is one of owed, sent, failed and withheld")

    async def work(session: Session) -> None:
        from gateway.cli import messages, tables

        named, having = await session.agency(), session.having
        waits = await messages.waits_of(having.digests, having.directory, named)
        pages = tables.messages(session, named, state=state)
        rows = (messages.what_waits(page, waits) async for page in pages)
        await showing.listed(rows, showing.OUTBOX, as_json=as_json)

    with paged(text=not as_json):
        perform(Options(agency, data, as_json), work)
