"""``rapport rehydrate``: what to run when Temporal's data is lost, older than the log, or elsewhere now.

What runs is left alone, so it may be run at any time, again, and twice at once.
"""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from temporalio.client import Client

    from workers.rehydrating import Account

FAILED: Final = 1
_COUNTED: Final = ("started", "running", "told", "closed", "importing")


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("rehydrate", rich_help_panel="Running")(rehydrate)


def rehydrate(
    context: typer.Context,
    engagement: Annotated[
        str | None, typer.Argument(help="An engagement's id; all if none is named.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every agency's.")] = False,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Start the workflow of every open engagement that has none; exits with 1 if one could not be started.

    Each loads its record, takes the steps that passed meanwhile, and owes what it owed; what runs is left
    alone.  Run it when Temporal's data was deleted, restored from an older backup, or is another server's.
    """
    from time import monotonic

    from gateway.cli import given, output
    from gateway.cli.errors import Wrong

    if everything and (engagement is not None or _named_here(context)):
        raise Wrong("--all is every agency's; give it alone, or name an agency or an engagement without it")
    key = given.identity(engagement, "the engagement") if engagement is not None else None
    began = monotonic()

    async def work(session: Session) -> dict[str, Any]:
        from workers.readiness import make_ready, worker_comes

        named = None if everything else await session.agency()
        client = await session.temporal(named)
        scheduled = await make_ready(client)
        if key is not None:
            assert named is not None
            accounts = [await _one(session, client, named, key)]
        else:
            accounts = await _all(session, client, [named] if named else await session.log.agencies())
        told = _told(accounts, sweep_scheduled=scheduled)
        told["seconds"] = round(monotonic() - began, 1)
        return {**told, "worker": await worker_comes(client)}

    told = perform(Options(None if everything else agency, data, as_json), work)
    if as_json:
        output.emit(told)
    else:
        _show(told)
    if told["failed"]:
        raise typer.Exit(FAILED)


def _named_here(context: typer.Context) -> bool:
    # RAPPORT_AGENCY is for all commands, and must not keep --all from being all.
    source = context.get_parameter_source("agency")
    return source is not None and source.name == "COMMANDLINE"


async def _one(session: Session, client: "Client", agency: str, key: str) -> "Account":
    from gateway.cli.errors import Wrong
    from workers.rehydrating import rehydrate_engagement

    head = await session.log.head(agency, f"engagement:{key}")
    if head is None or head.version == 0:
        raise Wrong(f"there is no engagement '{key}' in agency '{agency}'; 'rapport list' names them")
    return await rehydrate_engagement(session.log, client, head)


async def _all(session: Session, client: "Client", agencies: list[str]) -> "list[Account]":
    from workers.rehydrating import rehydrate_agency

    accounts = []
    for agency in agencies:
        with _progress(agency) as on_progress:
            accounts.append(await rehydrate_agency(session.log, client, agency, on_progress=on_progress))
    return accounts


def _progress(agency: str) -> "Any":
    from contextlib import contextmanager, nullcontext
    from sys import stderr

    if not stderr.isatty():
        return nullcontext(None)

    @contextmanager
    def shown() -> "Iterator[Callable[[int, int], None]]":
        from rich.progress import Progress

        from gateway.cli import output

        with Progress(console=output.console(stderr=True), transient=True) as bar:
            task = bar.add_task(agency, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    return shown()


def _told(accounts: "list[Account]", *, sweep_scheduled: bool) -> dict[str, Any]:
    from dataclasses import asdict

    rows = [asdict(each) for each in accounts]
    return {
        **{name: sum(row[name] for row in rows) for name in _COUNTED},
        "failed": sum(len(row["failed"]) for row in rows),
        "sweep_scheduled": sweep_scheduled,
        "agencies": rows,
    }


def _show(told: dict[str, Any]) -> None:
    from gateway.cli.output import line

    for row in told["agencies"]:
        for each in row["failed"]:
            line(f"{row['agency']}: {each['engagement']} is not started: {each['says']}", style="bold red")
        if len(told["agencies"]) > 1:
            line(f"{row['agency']}: {_counts(row, len(row['failed']))}")
    line(f"{_counts(told, told['failed'])}, in {told['seconds']:.1f} s")
    if told["sweep_scheduled"]:
        line("the sweep was not scheduled; it is now")
    if not told["worker"]:
        line("no worker takes them: start one with 'rapport up' or 'rapport worker'", style="bold red")


def _counts(row: dict[str, Any], failed: int) -> str:
    words = [f"{row['started']} started", f"{row['running']} running already"]
    if row["told"]:
        words.append(f"{row['told']} running and told to look at the log")
    words.append(f"{row['closed']} closed")
    if row["importing"]:
        words.append(f"{row['importing']} still being imported")
    return ", ".join([*words, f"{failed} failed"])
