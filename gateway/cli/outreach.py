"""``rapport outreach``: the incident switch over every message of an agency.

Holding loses nothing: what is owed waits, and goes out after the release if it still helps.
"""

from typing import Annotated, Any

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform

Row = dict[str, Any]
By = Annotated[str | None, typer.Option("--by", help="The person of the agency who decided it.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="Hold and release all messages of an agency.", no_args_is_help=True)
    group.command("hold")(hold)
    group.command("release")(release)
    group.command("status")(status)
    app.add_typer(group, name="outreach", rich_help_panel="Running")


def hold(
    reason: Annotated[
        str, typer.Option(metavar="CODE", help="E.g. wrong-template, wrong-recipients, client-request.")
    ],
    words: Annotated[str | None, typer.Option(help="What happened, in words; stored sealed.")] = None,
    by: By = None,
    actor: o.Person = "operator:cli",
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Let no message leave, from the next one on; what is being sent at this moment still leaves."""
    fields = {"reason": reason, "words": words, "by": by}
    _give("hold-outreach", fields, actor, Options(agency, data, as_json))


def release(
    by: By = None,
    actor: o.Person = "operator:cli",
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Let what was held leave, within half a minute."""
    _give("release-outreach", {"by": by}, actor, Options(agency, data, as_json))


def status(agency: o.Agency = None, data: o.Data = None, as_json: o.Json = False) -> None:
    """Show whether outreach is held, since when and why, and how many messages wait."""
    _show(perform(Options(agency, data, as_json), _status), as_json)


def _give(name: str, fields: Row, actor: str, options: Options) -> None:
    from gateway.cli import given

    who = given.actor(actor)

    async def work(session: Session) -> Row:
        from uuid import uuid4

        from gateway import giving
        from gateway.cli.errors import Wrong

        named = await session.agency()
        by = fields.get("by")
        if by is not None and await session.having.directory.person(named, by) is None:
            raise Wrong(f"'{by}' does not work at agency '{named}'; --by names one of its people")
        content = {key: value for key, value in fields.items() if value is not None}
        given_to = await giving.to_stream(
            session.having,
            named,
            f"agency:{named}",
            name,
            content,
            command_id=str(uuid4()),
            actor=who,
            source="cli",
        )
        # Not counted: that reads the whole log, and an incident does not wait for it.
        return {"outcome": given_to.outcome, **await _switch(session)}

    _show(perform(options, work), options.as_json)


async def _switch(session: Session) -> Row:
    named = await session.agency()
    held = await session.having.directory.outreach_held(named)
    return {
        "agency": named,
        "held": held is not None,
        "since": held.since if held is not None else None,
        "reason": held.reason if held is not None else None,
        "by": held.by if held is not None else None,
    }


async def _status(session: Session) -> Row:
    from gateway.cli import messages, tables

    named, having = await session.agency(), session.having
    waits = await messages.waits_of(having.digests, having.directory, named)
    owed = gathering = 0
    async for page in tables.messages(session, named, state="owed"):
        owed += len(page)
        gathering += sum(row["digest_of"] is not None for row in messages.what_waits(page, waits))
    return {**await _switch(session), "owed": owed, "gathering": gathering}


def _show(told: Row, as_json: bool) -> None:
    from gateway import words
    from gateway.cli import output

    if as_json:
        output.emit(told)
        return
    switch = "is not held"
    if told["held"]:
        by = f" by {told['by']}" if told["by"] else ""
        switch = f"is held since {words.moment(told['since'])}{by} ({told['reason']})"
    output.line(f"outreach of {told['agency']} {switch}{_owed(told)}")


def _owed(told: Row) -> str:
    if "owed" not in told:
        return ""
    owed = "1 message is owed" if told["owed"] == 1 else f"{told['owed']} messages are owed"
    gathers = told["gathering"] and not told["held"]
    return f"; {owed}" + (f", {told['gathering']} of them gather for a digest" if gathers else "")
