"""Commands for whoever keeps it running: what is stuck, and whether the present code fits what runs.

Both only look, and both exit with 1 where something needs a person.
"""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform
from gateway.cli.connection_names import called, names_of
from gateway.cli.paging import paged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workers.finding import Finding

FOUND: Final = 1
_CONNECTION: Final = "connection:"
Row = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("stuck", rich_help_panel="Running")(stuck)
    app.command("replay", rich_help_panel="Running")(replay)


def stuck(
    attempts: Annotated[
        int, typer.Option(metavar="N", min=1, help="An activity beyond so many attempts is stuck.")
    ] = 3,
    patience: Annotated[
        int,
        typer.Option(
            metavar="SECONDS", min=0, help="How long a stream may be ahead, or a workflow task wait."
        ),
    ] = 150,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Show what does not get on by itself; exits with 1 if anything is stuck."""
    from datetime import timedelta

    from gateway.cli import output

    async def work(session: Session) -> Row:
        from workers.stuck import find_stuck

        named = await session.agency()
        client, having = await session.temporal(named), session.having
        found = await find_stuck(
            having.log,
            having.ledger,
            client,
            named,
            attempts=attempts,
            patience=timedelta(seconds=patience),
            read_models=having.read_models,
            inbox=having.inbox,
            polled=having.polled,
            subscriptions=having.subscriptions,
        )
        rows = _rows(found, await names_of(session, named))
        return {"agency": named, "stuck": sum(each.stuck for each in found), "findings": rows}

    told = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(told)
    else:
        with paged():
            _show_stuck(told)
    if told["stuck"]:
        raise typer.Exit(FOUND)


def _rows(found: "list[Finding]", names: dict[str, str]) -> list[Row]:
    from dataclasses import asdict
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    return [
        {
            **asdict(each),
            "connection_name": names.get(each.name.removeprefix(_CONNECTION)),
            "age_seconds": None if each.since is None else round((now - each.since).total_seconds()),
        }
        for each in found
    ]


def _show_stuck(told: Row) -> None:
    from gateway.cli.output import line

    for row in told["findings"]:
        age = "" if row["age_seconds"] is None else f", since {_span(row['age_seconds'])}"
        reason = f" ({row['reason']})" if row["reason"] else ""
        state = "stuck" if row["stuck"] else "under way"
        name = row["name"]
        if row["connection_name"]:
            name = _CONNECTION + called(name.removeprefix(_CONNECTION), row["connection_name"])
        line(f"{state}: {name}: {row['says']}{reason}{age}", style="bold red" if row["stuck"] else "dim")
    line(f"{told['stuck']} stuck, {len(told['findings']) - told['stuck']} under way")


def _span(seconds: int) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def replay(
    query: Annotated[
        str | None,
        typer.Option("--query", metavar="Q", help="Only the open workflows of this visibility query."),
    ] = None,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Replay what runs against the code that is here; exits with 1 if any run would not go on.

    Run it with the new code before a deploy.  Without --agency it looks at every agency's workflows.
    """
    from gateway.cli import output

    async def work(session: Session) -> Row:
        from temporalio.service import RPCError, RPCStatusCode

        from gateway.cli.errors import Wrong
        from workers.replaying import replay as play
        from workers.unattended import open_workflows

        named = await session.agency() if agency is not None else None
        asked = open_workflows(named) + (f" AND ({query})" if query else "")
        try:
            with _quietly():
                found = [each async for each in play(await session.temporal(None), asked)]
        except RPCError as error:
            if query and error.status == RPCStatusCode.INVALID_ARGUMENT:
                raise Wrong(f"Temporal does not understand --query: {error.message}") from None
            raise
        failures = [each for each in found if not each.sound]
        return {
            "query": asked,
            "replayed": len(found),
            "events": sum(each.events for each in found),
            "failed": len(failures),
            "failures": failures,
        }

    told = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(told)
    else:
        with paged():
            _show_replay(told)
    if told["failed"]:
        raise typer.Exit(FOUND)


@contextmanager
def _quietly() -> "Iterator[None]":
    """Keep the library's own complaints from stderr: a failing replay is an answer here, told in one line."""
    import logging

    logger = logging.getLogger("temporalio")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _show_replay(told: Row) -> None:
    from gateway.cli.output import line

    for each in told["failures"]:
        what = "goes another way" if each.kind == "nondeterminism" else "fails"
        place = f"event {each.event_id} ({each.event_type})" if each.event_id else "an unknown event"
        line(f"{each.workflow_id} run {each.run_id} {what} at {place}: {each.reason}", style="bold red")
    runs = "1 run" if told["replayed"] == 1 else f"{told['replayed']} runs"
    line(f"{runs} replayed, {told['events']} events of Temporal's; {told['failed']} would not go on")
