"""Commands that look ahead and along: what every promise does next, and the log as it grows.

``tail`` opens no personal field: what it prints are ids, codes and the policy's words.
"""

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform
from gateway.cli.paging import paged

if TYPE_CHECKING:
    from uuid import UUID

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
    from gateway.cli import showing

    async def work(session: Session) -> None:
        await showing.listed(steps(session, await session.agency()), showing.TIMERS, as_json=as_json)

    with paged(text=not as_json):
        perform(Options(agency, data, as_json), work)


async def steps(session: Session, agency: str) -> AsyncIterator[list[Row]]:
    """Give the rows of ``timers``, page by page, from the tables or from the log."""
    from gateway.cli import lists, reading, tables

    directory = session.having.directory
    if not await tables.at_hand(session, agency, ("board", "obligations")):
        yield await next_steps(await reading.engagements(session.log, agency), agency, directory)
        return
    async for page in lists.pages(session.having, agency, lists.steps(agency)):
        yield await going_to(page, agency, directory)


async def next_steps(states: "list[Engagement]", agency: str, directory: "Directory") -> list[Row]:
    """List the next step of every open promise that has one, soonest first."""
    facts = [
        _step(state, key, promise)
        for state in states
        for key, promise in state.obligations.items()
        if promise.rungs
    ]
    return await going_to(facts, agency, directory)


async def going_to(facts: list[Row], agency: str, directory: "Directory") -> list[Row]:
    """Say of each step to whom it goes, soonest first; *facts* name the owner of each promise."""
    from events.reaching import reached
    from gateway.cli.reading import name_of

    # Asked for once: there may be very many promises.
    office = await directory.agency(agency)
    rows = []
    # No two are alike in it, and nobody is shown the last.
    for fact in sorted(facts, key=_soonest):
        del fact["obligation_id"]
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
    return rows


def _soonest(fact: Row) -> tuple[Any, ...]:
    return (fact["at"], fact["engagement"], fact["rule"], fact["subject"], str(fact["obligation_id"]))


def _step(state: "Engagement", key: "UUID", promise: "OpenObligation") -> Row:
    from events.obligations import owner_of

    rung = min(promise.rungs, key=lambda each: (each.at, each.number))
    return {
        "owner": owner_of(state, promise),
        "at": rung.at,
        "engagement": state.engagement_id,
        "candidate_id": state.candidate_id,
        "obligation_id": key,
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
