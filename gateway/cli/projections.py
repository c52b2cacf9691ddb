"""``rapport projector`` and ``rapport projections``: who keeps the read models, how far they are, build anew.

The read models are computed from the log: whatever is done to them here, nothing can be lost by it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform
from workers import garbage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from events.projections.reading import ParkedStream, Standing

Row = dict[str, Any]
Named = Annotated[str | None, typer.Argument(metavar="[NAME]", help="One projection; all if not given.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("projector", rich_help_panel="Running")(projector)
    group = typer.Typer(help="See, retry and rebuild the tables computed from the log.", no_args_is_help=True)
    group.command("list")(list_projections)
    group.command("retry")(retry)
    group.command("rebuild")(rebuild)
    app.add_typer(group, name="projections", rich_help_panel="Running")


def projector(data: o.Data = None) -> None:
    """Run a projector beside a stack that runs already, in the foreground; a second one stands by."""
    import asyncio

    from gateway.cli.output import line
    from workers.projector import projecting
    from workers.up import in_foreground

    database_url = _database_url(data)

    async def work() -> None:
        async with projecting(database_url):
            garbage.once_started()
            line("a projector runs, and is at work whenever no other one is; Ctrl-C stops it")
            await asyncio.Future()

    asyncio.run(in_foreground(work()))


def list_projections(agency: o.Agency = None, data: o.Data = None, as_json: o.Json = False) -> None:
    """Show how far each projection is behind the log, in events and seconds, and which streams are parked."""
    from gateway.cli import output

    told = perform(Options(agency, data, as_json), _standing)
    if as_json:
        output.emit(told)
    else:
        _show(told)


def retry(
    name: Named = None,
    stream: Annotated[str | None, typer.Option(help="Only this stream, e.g. engagement:e-1.")] = None,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Try parked streams again, as after an upgrade that knows the event they stopped at."""
    from gateway.cli import output

    _check(name)

    async def work(session: Session) -> Row:
        named, read_models = await session.agency(), session.having.read_models
        asked = await read_models.ask_retry(named, name, stream)
        return {"agency": named, "asked": asked, "at_work": (await read_models.standing(named)).at_work}

    told = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(told)
    elif not told["asked"]:
        output.line("no such stream is parked")
    else:
        when = "the projector tries them now" if told["at_work"] else "a projector tries them when it starts"
        output.line(f"{told['asked']} parked, {when}; see 'rapport projections list'")


def rebuild(name: Named = None, data: o.Data = None, as_json: o.Json = False) -> None:
    """Build projections anew, of all agencies; the old tables answer until the new ones take their place."""
    import asyncio

    from events.projections.store import ProjectionStore
    from gateway.cli import output
    from gateway.cli.errors import INTERRUPTED, Wrong
    from workers.projector import PROJECTIONS
    from workers.rebuilding import Rebuild, RebuildError
    from workers.up import in_foreground

    _check(name)
    chosen = [each for each in PROJECTIONS if name in (None, each.name)]
    store = ProjectionStore(_database_url(data))

    async def work() -> Row:
        from dataclasses import asdict

        try:
            with _progress() as progress:
                return asdict(await Rebuild(store, chosen, progress).run())
        except RebuildError as error:
            raise Wrong(str(error)) from None
        finally:
            await store.close()

    done = asyncio.run(in_foreground(work()))
    if done is None:
        raise typer.Exit(INTERRUPTED)
    if as_json:
        output.emit(done)
        return
    rate = done["events"] / max(done["seconds"], 0.001)
    output.line(
        f"rebuilt {', '.join(done['projections'])}: {done['events']} events of {done['streams']} streams, "
        f"{done['rows']} rows in {done['seconds']:.1f} s ({rate:.0f} events/s); {done['parked']} parked"
    )


async def _standing(session: Session) -> Row:
    from workers.projector import PROJECTIONS

    agency, read_models = await session.agency(), session.having.read_models
    standing = await read_models.standing(agency, [each.name for each in PROJECTIONS])
    return {
        "agency": agency,
        "at_work": standing.at_work,
        "head": standing.head,
        "projections": [*_rows(standing), *map(_missing, standing.missing)],
        "parked": list(await read_models.parked(agency)),
    }


def _rows(standing: "Standing") -> "Iterator[Row]":
    for each in standing.projections:
        yield {
            "projection": each.projection,
            "position": each.position,
            "behind": each.behind,
            "lag_seconds": round(each.lag_seconds, 1),
            "edition": each.edition,
            "moved_at": each.moved_at,
            "parked": each.parked,
        }


def _missing(name: str) -> Row:
    kept: Row = dict.fromkeys(("position", "behind", "lag_seconds", "edition", "moved_at"))
    return {"projection": name, **kept, "parked": 0}


def _show(told: Row) -> None:
    from gateway.cli.output import line, table

    table(
        ["PROJECTION", "POSITION", "BEHIND", "LAG", "EDITION", "PARKED"],
        [
            [
                row["projection"],
                "not built" if row["position"] is None else str(row["position"]),
                "" if row["behind"] is None else str(row["behind"]),
                "" if row["lag_seconds"] is None else f"{row['lag_seconds']:.1f} s",
                "" if row["edition"] is None else str(row["edition"]),
                str(row["parked"] or ""),
            ]
            for row in told["projections"]
        ],
    )
    for each in told["parked"]:
        line(_parked(each), style="bold red")
    who = "a projector is at work"
    if not told["at_work"]:
        who = "no projector is at work; 'rapport projector' starts one"
    line(f"the log of {told['agency']} reaches position {told['head']}; {who}")


def _parked(each: "ParkedStream") -> str:
    after = "it is being tried again" if each.retry else "'rapport projections retry' tries it again"
    return f"{each.projection}: {each.stream} is parked at position {each.position}: {each.says}; {after}"


def _check(name: str | None) -> None:
    from gateway.cli.errors import Wrong
    from workers.projector import PROJECTIONS

    known = [each.name for each in PROJECTIONS]
    if name is not None and name not in known:
        raise Wrong(f"there is no projection '{name}'; known are {', '.join(known)}")


def _database_url(data: Path | None) -> str:
    from gateway.cli.connect import addresses, no_stack, settings_of
    from gateway.cli.errors import Wrong
    from workers.logs import configure_logging

    settings = settings_of(data)
    configure_logging(settings.log_level, settings.log_format)
    where = addresses(settings)
    if where.database_url is None:
        raise Wrong(no_stack(settings))
    return where.database_url


def _progress() -> Any:
    """Show how far it is, on a terminal only."""
    import sys
    from contextlib import contextmanager

    @contextmanager
    def shown() -> "Iterator[Callable[[int, int], None]]":
        if not sys.stderr.isatty():
            yield lambda done, of: None
            return
        from rich.progress import Progress

        from gateway.cli import output

        with Progress(console=output.console(stderr=True), transient=True) as progress:
            task = progress.add_task("events", total=None)
            yield lambda done, of: progress.update(task, completed=done, total=of)

    return shown()
