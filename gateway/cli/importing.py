"""``rapport import``: moves an agency in, with the past that another system kept.

Given again it goes on where it was killed, and changes nothing where it was done.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform

if TYPE_CHECKING:
    from events.sources.plan import Plan
    from workers.importing.report import ImportReport

_PATIENCE: Final = timedelta(minutes=5)
Mapping = Annotated[Path, typer.Option("--map", metavar="FILE", help="What the source means, in TOML.")]
Key = Annotated[
    Path | None, typer.Option("--pseudonym-key", metavar="FILE", help="Makes ids the same every time.")
]
AccountFile = Annotated[
    Path | None, typer.Option("--account", metavar="FILE", help="Write what became of every row, as CSV.")
]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(
        help="Move in: the past that another system kept, and then live.", no_args_is_help=True
    )
    group.command("ocel")(import_ocel)
    group.command("csv")(import_csv)
    app.add_typer(group, name="import", rich_help_panel="Agencies")


def import_ocel(
    file: Annotated[Path, typer.Argument(help="The log, in OCEL JSON.")],
    mapping: Mapping,
    limit: Annotated[
        int | None, typer.Option(metavar="APPLICANTS", min=1, help="Only so many applicants.")
    ] = None,
    key: Key = None,
    account: AccountFile = None,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Import a log of events: history at its own times, then what is still open goes live."""
    from events.sources.plan import plan_of
    from events.sources.pseudonyms import Pseudonyms
    from gateway.cli.connect import settings_of
    from workers.pseudonym_key import pseudonym_key
    from workers.simulate import read_mapping_file, read_source

    log, meaning = read_source(file), read_mapping_file(mapping)
    pseudonyms = Pseudonyms(pseudonym_key(key, settings_of(data).data_dir))
    plan = plan_of(log, meaning, pseudonyms, limit=limit)
    _import(plan, account, Options(agency, data, as_json))


def import_csv(
    file: Annotated[Path, typer.Argument(help="The table of candidates, with a head.")],
    mapping: Mapping,
    limit: Annotated[
        int | None, typer.Option(metavar="CANDIDATES", min=1, help="Only so many candidates.")
    ] = None,
    key: Key = None,
    account: AccountFile = None,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Import a table of candidates: who they are, how far they are, and when they were last spoken with."""
    from events.sources.candidates import plan_of_candidates
    from events.sources.pseudonyms import Pseudonyms
    from events.sources.table import read_rows
    from gateway.cli.connect import settings_of
    from workers.importing.files import content_of_file, read_table_mapping_file
    from workers.pseudonym_key import pseudonym_key

    meaning = read_table_mapping_file(mapping)
    rows = read_rows(content_of_file(file, "table"), meaning)
    pseudonyms = Pseudonyms(pseudonym_key(key, settings_of(data).data_dir))
    plan = plan_of_candidates(rows, meaning, pseudonyms, limit=limit)
    _import(plan, account, Options(agency, data, as_json))


def _import(plan: "Plan", account: Path | None, options: Options) -> None:
    from gateway.cli import output

    with _progress() as on_progress:

        async def work(session: Session) -> "ImportReport":
            from datetime import UTC, datetime

            from workers.client import Engagements
            from workers.importing.run import Ground, run_import

            agency = await session.agency()
            ground = Ground(
                log=session.log,
                service=session.having.service,
                # A worker that has just taken on hundreds is busy with what they owe.
                engagements=Engagements(await session.temporal(agency), agency, patience=_PATIENCE),
                agency=agency,
                now=lambda: datetime.now(UTC),
                on_progress=on_progress,
            )
            return await run_import(plan, ground)

        report = perform(options, work)
    if account is not None:
        account.write_text(report.account(), encoding="utf-8")
    if options.as_json:
        output.emit(report.plain())
    else:
        report.render(output.console())


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show bars on stderr while it lasts, on a terminal only."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from gateway.cli import output

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = output.console(stderr=True)
    bars = Progress(*columns, console=console, disable=not console.is_terminal)
    tasks = {}

    def show(stage: str, done: int, of: int) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=of)
        bars.update(tasks[stage], completed=done, total=of)

    with bars:
        yield show
