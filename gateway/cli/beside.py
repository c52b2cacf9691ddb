"""``rapport history``: what happened in the business beside what Temporal did for it, by time.

Two truths: an engagement whose workflow is gone still has its record, and the other way round.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform
from gateway.cli.paging import paged

if TYPE_CHECKING:
    from events.envelope import Stored
    from workers.runs import Run

Row = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("history", rich_help_panel="Looking")(history)


def history(
    engagement: Annotated[str, typer.Argument(help="An engagement's id.")],
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Show an engagement's events beside Temporal's, in the order in which they were recorded."""
    from gateway.cli import given, output

    key = given.identity(engagement, "the engagement")

    async def work(session: Session) -> Row:
        from gateway.cli.telling import read_told
        from workers.runs import runs_of
        from workflows.types import workflow_id

        named = await session.agency()
        events = await read_told(session.log, named, "engagement", key)
        name = workflow_id(named, key)
        return aligned(named, name, events, await runs_of(await session.temporal(named), name))

    told = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(told)
        return
    with paged():
        _show(told)


def aligned(agency: str, workflow: str, events: "Sequence[Stored]", runs: "Sequence[Run]") -> Row:
    """Lay both histories out by time; an event stands before what Temporal wrote in the same moment."""
    from events.codec import ENGAGEMENT_EVENTS
    from gateway import words
    from gateway.cli.reading import timeline

    rows = [
        {
            "at": stored.recorded_at,
            "side": "domain",
            "run_id": None,
            "id": stored.version,
            "type": stored.type,
            "says": told["says"],
            "command_id": stored.command_id,
            "occurred_at": stored.occurred_at,
        }
        for stored, told in zip(events, timeline(events, words.say, ENGAGEMENT_EVENTS), strict=True)
    ]
    rows += [
        {
            "at": step.at,
            "side": "temporal",
            "run_id": run.run_id,
            "id": step.event_id,
            "type": step.type,
            "says": step.says,
            "command_id": step.command_id,
            "occurred_at": step.at,
        }
        for run in runs
        for step in run.steps
    ]
    # Both sides keep their own order, whatever the two servers' clocks say.
    rows.sort(key=lambda row: row["at"])
    return {
        "stream": events[0].stream,
        "agency": agency,
        "version": len(events),
        "workflow_id": workflow,
        "runs": [
            {
                "run_id": run.run_id,
                "status": run.status,
                "started_at": run.started_at,
                "closed_at": run.closed_at,
                "events": len(run.steps),
            }
            for run in runs
        ],
        "events": rows,
    }


def _show(told: Row) -> None:
    from gateway import words
    from gateway.cli.output import line, table

    line(f"{told['stream']} of agency {told['agency']}, version {told['version']}", style="bold")
    numbers = {run["run_id"]: str(number) for number, run in enumerate(told["runs"], 1)}
    for run in told["runs"]:
        end = f" to {words.moment(run['closed_at'])}" if run["closed_at"] else ""
        begun = words.moment(run["started_at"])
        line(f"run {numbers[run['run_id']]} is {run['run_id']}: {run['status']}, {begun}{end}")
    if not told["runs"]:
        line(f"Temporal knows no run of {told['workflow_id']} any more")
    rows = told["events"]
    table(
        ["RECORDED", "", "RUN", "#", "TYPE", "WHAT", "COMMAND"],
        [
            [
                f"{row['at']:%Y-%m-%d %H:%M:%S}.{row['at'].microsecond // 1000:03}",
                "*" if row["side"] == "domain" else "",
                numbers.get(row["run_id"], ""),
                str(row["id"]),
                row["type"],
                row["says"],
                row["command_id"] or "",
            ]
            for row in rows
        ],
        styles={number: "" if row["side"] == "domain" else "dim" for number, row in enumerate(rows)},
    )
    line("* what is in the record; the rest is Temporal's")
