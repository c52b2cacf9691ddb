"""Commands that look ahead and along: what every promise does next, and the log as it grows.

``tail`` opens no personal field: what it prints are ids, codes and the policy's words.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform
from gateway.cli.paging import paged

if TYPE_CHECKING:
    from activities.directory import Directory
    from events.envelope import Stored
    from events.state import Engagement, OpenObligation

# As tail(1) does: what came last is shown before what comes.
SHOWN_FIRST: Final = 10
PAGE: Final = 1000
Row = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("timers", rich_help_panel="Looking")(timers)
    app.command("tail", rich_help_panel="Looking")(tail)


def timers(agency: o.Agency = None, data: o.Data = None, as_json: o.Json = False) -> None:
    """Show the next step of every open promise, soonest first: when, what it does, and to whom."""
    from gateway.cli import output

    async def work(session: Session) -> list[Row]:
        from gateway.cli import reading, tables

        named = await session.agency()
        if await tables.at_hand(session, named, ("board", "obligations")):
            return await going_to(await tables.steps(session, named), named, session.having.directory)
        states = await reading.engagements(session.log, named)
        return await next_steps(states, named, session.having.directory)

    rows = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(rows)
        return
    with paged():
        _show_timers(rows)


async def next_steps(states: "list[Engagement]", agency: str, directory: "Directory") -> list[Row]:
    """List the next step of every open promise that has one, soonest first."""
    facts = [
        _step(state, promise) for state in states for promise in state.obligations.values() if promise.rungs
    ]
    return await going_to(facts, agency, directory)


async def going_to(facts: list[Row], agency: str, directory: "Directory") -> list[Row]:
    """Say of each step to whom it goes, soonest first; *facts* name the owner of each promise."""
    from events.reaching import reached
    from gateway.cli.reading import name_of

    # Asked for once: there may be very many promises.
    office = await directory.agency(agency)
    rows = []
    for fact in facts:
        owner, mode = fact.pop("owner"), fact["mode"]
        # In ``observe`` nobody hears of it, in ``remind`` the owner alone.
        silent = mode == "observe" or (mode == "remind" and fact["to"] != "owner")
        to = None if silent else fact["to"]
        staff = to if to in ("owner", "team-lead", "director") else None
        # By who is there when the step comes, as far as it is known now.
        person = reached(office, staff, owner, fact["at"]) if staff is not None else None
        named = person.person_id if person is not None else None
        who = {"to": to, "person": named, "person_name": name_of(office, person)}
        rows.append({**fact, **who})
    return sorted(rows, key=lambda row: (row["at"], row["engagement"], row["rule"], row["subject"]))


def _step(state: "Engagement", promise: "OpenObligation") -> Row:
    from events.obligations import owner_of

    rung = min(promise.rungs, key=lambda each: (each.at, each.number))
    return {
        "owner": owner_of(state, promise),
        "at": rung.at,
        "engagement": state.engagement_id,
        "candidate_id": state.candidate_id,
        "rule": promise.rule,
        "subject": promise.subject,
        "rung": rung.number,
        "do": rung.do,
        "level": rung.level,
        "to": rung.to,
        "person": None,
        "person_name": None,
        "template": rung.template,
        "mode": promise.mode,
        "steps_ahead": len(promise.rungs),
        "due_at": promise.due_at,
        "overdue": promise.breached,
    }


def _show_timers(rows: list[Row]) -> None:
    from gateway import words
    from gateway.cli.output import line, table
    from gateway.cli.showing import LEVELS

    if not rows:
        line("no promise has a step ahead")
        return
    table(
        ["WHEN", "STEP", "DOES", "LEVEL", "TO", "ENGAGEMENT", "PROMISE", "ABOUT", "DUE"],
        [
            [
                words.moment(row["at"]),
                str(row["rung"]),
                row["do"],
                str(row["level"]),
                _to(row),
                row["engagement"],
                row["rule"],
                words.subject(row["subject"]),
                words.moment(row["due_at"]) + (" (overdue)" if row["overdue"] else ""),
            ]
            for row in rows
        ],
        styles={number: LEVELS.get(row["level"], "") for number, row in enumerate(rows)},
    )


def _to(row: Row) -> str:
    if row["to"] is None:
        return "nobody"
    if row["to"] == "candidate":
        return "the candidate"
    if row["person"] is None:
        return f"the {row['to']}, whom nobody is"
    return f"{row['person_name']} ({row['person']})" if row["person_name"] else row["person"]


def tail(
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="TEXT",
            help="Words to look for, or type=…, stream=…, rule=…; all that are given must hold.",
        ),
    ] = None,
    since: Annotated[
        int | None, typer.Option(metavar="POSITION", min=0, help="Begin after this position of the log.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Print what there is, and end.")] = False,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Follow the agency's log, one line an event, until Ctrl-C; with --json one object a line."""
    from gateway.cli.filters import matching

    wanted = matching(only or [])

    async def work(session: Session) -> None:
        from workers.up import in_foreground

        named = await session.agency()
        if once:
            await _all(session, named, since or 0, wanted, as_json)
        else:
            await in_foreground(_follow(session, named, since, wanted, as_json))

    perform(Options(agency, data, as_json), work)


async def _all(
    session: Session, agency: str, after: int, wanted: Callable[[Row], bool], as_json: bool
) -> None:
    head = (await session.log.log_head(agency)).position
    while after < head and (page := await session.log.read_all(agency, after=after, limit=PAGE)):
        for stored in page:
            if stored.position <= head:
                _print(stored, wanted, as_json)
        after = page[-1].position


async def _follow(
    session: Session, agency: str, since: int | None, wanted: Callable[[Row], bool], as_json: bool
) -> None:
    from contextlib import aclosing

    if since is None:
        since = max(0, (await session.log.log_head(agency)).position - SHOWN_FIRST)
    async with aclosing(session.log.subscribe(agency, after=since)) as batches:
        async for batch in batches:
            for stored in batch:
                _print(stored, wanted, as_json)


def _print(stored: "Stored", wanted: Callable[[Row], bool], as_json: bool) -> None:
    from gateway.cli import output
    from gateway.cli.filters import row_of, text_of

    row = row_of(stored)
    if not wanted(row):
        return
    if as_json:
        output.emit(row)
    else:
        output.line(text_of(row), style="dim" if stored.origin == "engine" else None)
