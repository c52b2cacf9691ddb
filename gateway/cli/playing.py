"""Commands that play: the demo, and the simulation of a foreign log.

What they print as JSON is their last line, and a script may hold them to it.
"""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import options as o

MISMATCH = 1


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="Drive a foreign log through live workflows.", no_args_is_help=True)
    group.command("ocel")(simulate_ocel)
    app.command("demo", rich_help_panel="Playing")(demo)
    app.add_typer(group, name="simulate", rich_help_panel="Playing")


def demo(
    scenario: Annotated[
        list[str] | None, typer.Argument(help="Which to play, by name or file; all if none is named.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End by itself, after verifying everything.")] = False,
    dry: Annotated[
        bool, typer.Option("--dry", help="Rehearse on the core alone, without servers, in a moment.")
    ] = False,
    days_a_second: Annotated[
        float, typer.Option(metavar="DAYS", min=0.01, max=20, help="How fast the story's clock runs.")
    ] = 1.0,
    data: o.Data = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as JSON, as the last line.")
    ] = False,
) -> None:
    """Bring everything up and play the scenarios on a fast clock."""
    import asyncio

    if dry:
        _rehearse(tuple(scenario or ()), as_json)
        return

    from gateway.cli.connect import settings_of
    from gateway.demo.run import DemoOptions, run_demo
    from workers.logs import configure_logging
    from workers.up import in_foreground

    settings = settings_of(data)
    if data is None:
        # Apart from the stack of 'rapport up': a demo's clock runs a day a second.
        settings = settings.model_copy(update={"data_dir": settings.data_dir / "demo"})
    configure_logging("WARNING" if settings.log_level == "INFO" else settings.log_level, settings.log_format)
    options = DemoOptions(
        settings,
        once=once,
        as_json=as_json,
        scenarios=tuple(scenario or ()),
        days_a_second=days_a_second,
    )
    code = asyncio.run(in_foreground(run_demo(options)))
    if code is None:
        raise KeyboardInterrupt
    raise typer.Exit(code)


def _rehearse(names: tuple[str, ...], as_json: bool) -> None:
    from gateway.cli import output
    from gateway.demo.rehearsal import rehearse
    from gateway.demo.scenario import chosen_scenarios

    scenarios = chosen_scenarios(names)
    wrong = rehearse(scenarios)
    for sentence in wrong:
        output.line(f"Not as announced: {sentence}")
    if as_json:
        output.emit({"scenarios": len(scenarios), "not_as_announced": wrong})
    if wrong:
        raise typer.Exit(MISMATCH)


def simulate_ocel(
    file: Annotated[Path, typer.Argument(help="The log, in OCEL JSON.")],
    mapping: Annotated[Path, typer.Option("--map", metavar="FILE", help="What its events mean, in TOML.")],
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The policy; starter if not given.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="APPLICANTS", min=1, help="Only so many applicants.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--pseudonym-key", metavar="FILE", help="Makes ids the same every time.")
    ] = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Play a recruiting log in a database of its own, and tell who was neglected."""
    import asyncio
    import sys
    from datetime import datetime

    from gateway.cli import output
    from gateway.cli.connect import settings_of
    from gateway.cli.escaping import escaped_json
    from workers.logs import configure_logging
    from workers.simulate import SimulationOptions, run_simulation
    from workers.up import in_foreground

    settings = settings_of(data)
    configure_logging("ERROR", settings.log_format)

    def progress(moment: datetime) -> None:
        print(f"\r{moment:%Y-%m-%d}", end="", file=sys.stderr, flush=True)

    options = SimulationOptions(
        file=file,
        mapping=mapping,
        data_dir=settings.data_dir,
        policy=policy,
        limit=limit,
        pseudonym_key=key,
        on_progress=progress if sys.stderr.isatty() else None,
    )
    report = asyncio.run(in_foreground(run_simulation(options)))
    if report is None:
        raise KeyboardInterrupt
    if sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    if as_json:
        output.block(escaped_json(report.to_json()))
    else:
        report.render(output.console())
    if not report.sound:
        raise typer.Exit(MISMATCH)
