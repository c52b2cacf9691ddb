"""``rapport inbox``: what integrations have sent, what became of it, and what to do about what waits.

A message's content is other people's too: it is shown to whoever asks for personal data, and never listed.
"""

from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform
from gateway.cli.connection_names import called, names_of
from gateway.cli.paging import paged

if TYPE_CHECKING:
    from workers.inbox.store import Kept, State

Row = dict[str, Any]
# What a person has to do something about.
OPEN: Final = ("waiting", "unmatched")
MessageId = Annotated[str, typer.Argument(metavar="MESSAGE", help="The message's id.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="What integrations have sent.", no_args_is_help=True)
    group.command("list")(list_)
    group.command("show")(show)
    group.command("retry")(retry)
    group.command("discard")(discard)
    app.add_typer(group, name="inbox", rich_help_panel="Integrations")


def list_(
    state: Annotated[
        list[str] | None,
        typer.Option(
            metavar="S",
            help="received, applied, ignored, waiting, unmatched, discarded, superseded; "
            "open: waiting and unmatched.",
        ),
    ] = None,
    connection: Annotated[
        str | None, typer.Option(metavar="C", help="Only this connection's (id or name).")
    ] = None,
    engagement: Annotated[str | None, typer.Option(metavar="E", help="Only this engagement's.")] = None,
    after: Annotated[str | None, typer.Option(metavar="MESSAGE", help="Go on after this one.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """List messages, the newest first."""
    from gateway.cli import output

    states = _states(state)
    behind = None if after is None else _message_id(after)

    async def work(session: Session) -> list[Row]:
        named = await session.agency()
        found = await session.having.inbox.list(
            named,
            states=states,
            connection_id=await _connection(session, connection),
            engagement=engagement,
            after=behind,
            limit=limit,
        )
        names = await names_of(session, named)
        return [_row(each, names) for each in found]

    rows = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(rows)
        return
    if not rows:
        output.line("nothing has come, or nothing like that")
        return
    columns = ("message", "received", "connection", "event", "state", "says")
    with paged():
        output.table(columns, [_cells(row) for row in rows])


def show(
    message: Annotated[
        str | None, typer.Argument(metavar="MESSAGE", help="The message's id; the newest if not given.")
    ] = None,
    with_personal: Annotated[bool, typer.Option("--with-personal", help="Its content too.")] = False,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Show one message: what became of it, under which commands, and its content if asked for."""
    from gateway.cli import output

    given = None if message is None else _message_id(message)

    async def work(session: Session) -> Row:
        wanted = given or await _newest(session)
        named = await session.agency()
        kept, content = await session.having.inbox.show(named, wanted)
        row = _row(kept, await names_of(session, named))
        if with_personal:
            there = content is not None
            row["content"] = {"headers": dict(content.headers), "body": content.body} if content else None
            row["content_is"] = "shown" if there else "gone: its days are over, or its key is destroyed"
        return row

    told = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(told)
    else:
        with paged():
            _show(told)


def retry(
    message: Annotated[str | None, typer.Argument(metavar="MESSAGE", help="The message's id.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All that wait.")] = False,
    connection: Annotated[str | None, typer.Option(metavar="C", help="With --all: this one's.")] = None,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Read what waits again, e.g. after its mapping was mended."""
    from gateway.cli import output
    from gateway.cli.errors import Wrong

    if (message is None) != all_:
        raise Wrong("name one message, or say --all")
    if message is not None and connection is not None:
        raise Wrong("--connection goes with --all")
    wanted = None if message is None else _message_id(message)

    async def work(session: Session) -> int:
        only = await _connection(session, connection)
        return await session.having.inbox.retry(await session.agency(), wanted, connection_id=only)

    count = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit({"read_again": count})
    else:
        output.line(f"{count} will be read again" if count else "nothing to do: nothing waits")


def discard(
    message: MessageId,
    reason: Annotated[str, typer.Option(metavar="CODE", help="E.g. test-data, not-ours, duplicate.")],
    actor: o.Person = "operator:cli",
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Set a message aside for good: nothing of it is applied."""
    import re

    from gateway.cli import given, output
    from gateway.cli.errors import Wrong

    wanted, who = _message_id(message), given.actor(actor)
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}", reason):
        raise Wrong("--reason is one word in small letters, such as not-ours: it is kept in clear")

    async def work(session: Session) -> None:
        by = f"{who.kind}:{who.id}"
        await session.having.inbox.discard(await session.agency(), wanted, reason, by=by)

    perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit({"message": str(wanted), "state": "discarded"})
    else:
        output.line(f"discarded {wanted}")


def _row(kept: "Kept", names: dict[str, str]) -> Row:
    outcome = dict(kept.outcome or {})
    return {
        "message": str(kept.message_id),
        "connection": kept.connection_id,
        "connection_name": names.get(kept.connection_id),
        "event": kept.event,
        "state": kept.state,
        "says": kept.says,
        "needs": kept.needs,
        "occurred_at": kept.occurred_at,
        "received_at": kept.received_at,
        "deliveries": kept.deliveries,
        "last_delivered_at": kept.delivered_at,
        "attempts": kept.attempts,
        "next_at": kept.next_at if kept.state == "received" else None,
        "settled_at": kept.settled_at,
        "purged_at": kept.purged_at,
        "engagements": list(kept.engagements),
        "commands": outcome.get("commands", []),
    }


def _cells(row: Row) -> list[str]:
    from gateway import words

    at = words.moment(row["received_at"])
    connection = called(row["connection"], row["connection_name"])
    return [row["message"], at, connection, row["event"], row["state"], row["says"] or ""]


def _show(told: Row) -> None:
    from gateway import words
    from gateway.cli.output import block, line, written

    connection = called(told["connection"], told["connection_name"])
    line(f"message {told['message']} of {connection}: {told['event']}")
    line(f"happened {words.moment(told['occurred_at'])}, received {words.moment(told['received_at'])}")
    if told["deliveries"] > 1:
        line(f"delivered {told['deliveries']} times, last {words.moment(told['last_delivered_at'])}")
    settled = f" since {words.moment(told['settled_at'])}" if told["settled_at"] is not None else ""
    line(f"{told['state']}{settled}" + (f": {told['says']}" if told["says"] else ""))
    if told["next_at"] is not None:
        line(f"tried {told['attempts']} times, next {words.moment(told['next_at'])}")
    for each in told["commands"]:
        line(f"  {each['command_id']}: {each['outcome']}, {each['stream']} version {each['version']}")
    if "content_is" in told:
        content = told["content"]
        block(told["content_is"] if content is None else written(content, indent=2))


def _states(given: list[str] | None) -> "list[State] | None":
    from typing import cast, get_args

    from gateway.cli.errors import Wrong
    from workers.inbox.store import State

    if not given:
        return None
    wanted = [state for each in given for state in (OPEN if each == "open" else (each,))]
    if not set(wanted) <= set(get_args(State)):
        raise Wrong(f"--state is one of {', '.join(get_args(State))}, or open: {' and '.join(OPEN)}")
    return cast("list[State]", wanted)


async def _connection(session: Session, named: str | None) -> str | None:
    if named is None:
        return None
    return (await session.having.connections.named(await session.agency(), named)).id


async def _newest(session: Session) -> UUID:
    from gateway.cli.errors import Wrong

    found = await session.having.inbox.list(await session.agency(), limit=1)
    if not found:
        raise Wrong("nothing has come yet")
    return found[0].message_id


def _message_id(text: str) -> UUID:
    from gateway.cli.errors import Wrong

    try:
        return UUID(text)
    except ValueError:
        raise Wrong("this is no message's id; 'rapport inbox list' names them") from None
