"""Commands that change something: open an engagement, give any stream a command.

A command id makes giving the same command again harmless; without one, every call is a new command.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from events.commands import Order
    from events.envelope import Actor
    from workers.inbox.external import External

OPERATOR = "operator:cli"


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("open", rich_help_panel="Engagements")(open_engagement)
    app.command("do", rich_help_panel="Engagements")(do)


def open_engagement(
    engagement: Annotated[str | None, typer.Argument(help="Its id; made up if not given.")] = None,
    candidate_id: Annotated[
        str | None, typer.Option(help="Opaque id of the person; made up if not given.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The candidate's name; stored sealed.")] = None,
    email: Annotated[str | None, typer.Option(help="Stored sealed.")] = None,
    phone: Annotated[str | None, typer.Option(help="Stored sealed.")] = None,
    zone: Annotated[str | None, typer.Option(help="Where the candidate lives, e.g. Europe/Berlin.")] = None,
    owner: Annotated[str | None, typer.Option(help="The recruiter who answers for the candidate.")] = None,
    command_id: Annotated[str | None, typer.Option(help="Makes repeating this harmless.")] = None,
    at: Annotated[str | None, typer.Option(help="When it happened; now if not given.")] = None,
    actor: o.Person = OPERATOR,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Open an engagement with a candidate, and print its id."""
    from uuid import uuid4

    from gateway.cli import given, output

    engagement = given.identity(engagement or f"e-{uuid4().hex[:12]}", "the engagement")
    fields = {
        "candidate_id": candidate_id or f"c-{uuid4().hex[:12]}",
        "candidate_name": name,
        "email": email,
        "phone": phone,
        "zone": zone,
        "owner": owner,
    }
    content = {key: value for key, value in fields.items() if value is not None}
    order = _order("open-engagement", _timed(content, at), _named(command_id, {}), given.actor(actor))

    async def work(session: Session) -> dict[str, Any]:
        return await _to_engagement(session, engagement, order)

    reply = perform(Options(agency, data, as_json), work)
    reply = {"engagement": engagement, "candidate_id": fields["candidate_id"], **reply}
    if as_json:
        output.emit(reply)
    else:
        output.line(engagement)


def do(
    stream: Annotated[str, typer.Argument(metavar="STREAM", help="An engagement's id, or job-order:ID.")],
    command: Annotated[str, typer.Argument(help="What is to be done or has happened, e.g. propose-job.")],
    fields: Annotated[
        list[str] | None, typer.Argument(metavar="[FIELD=VALUE]...", help="Lists are separated by commas.")
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", metavar="JSON", help="The fields as one object; - reads stdin.")
    ] = None,
    command_id: Annotated[str | None, typer.Option(help="Makes repeating this harmless.")] = None,
    at: Annotated[str | None, typer.Option(help="When it happened; now if not given.")] = None,
    external: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONNECTION:KIND:ID",
            help="Under which id another system knows the submission or interview, e.g. "
            "client-1:application:265277; repeat it for several.",
        ),
    ] = None,
    actor: o.Person = OPERATOR,
    agency: o.Agency = None,
    data_dir: o.DataDir = None,
    as_json: o.Json = False,
) -> None:
    """Give a command to a stream: propose-job, record-contact, open-job-order and so on."""
    from gateway.cli import given, output

    category, key = given.stream_of(stream)
    content = _timed(given.content(data, fields or [], _model(category, command)), at)
    who, named = given.actor(actor), _named(command_id, content)
    said = given.externals(command, external or (), engagement=category == "engagement")
    if category == "engagement":
        order = _order(command, content, named, who)

        async def work(session: Session) -> dict[str, Any]:
            return await _to_engagement(session, key, order, said)
    else:
        ready = _opening(category, key, command, content)

        async def work(session: Session) -> dict[str, Any]:
            return await _to_stream(session, f"{category}:{key}", command, ready, named, who)

    reply = perform(Options(agency, data_dir, as_json), work)
    if as_json:
        output.emit(reply)
    elif reply["outcome"] == "nothing-to-do":
        output.line(f"nothing to do: the record says so already (version {reply['version']})")
    else:
        told = f": {', '.join(reply['events'])}" if reply["events"] else ""
        output.line(f"{reply['outcome']}{told} (version {reply['version']})")
    if not as_json:
        for each in reply.get("external", ()):
            output.line(_learnt(each))


def _learnt(told: dict[str, Any]) -> str:
    if not told["learnt"]:
        return f"not linked: this {told['kind']} stands for something else by now"
    again = f"; {told['read_again']} that waited for it will be read again" if told["read_again"] else ""
    return f"linked: this {told['kind']} of {told['connection']}{again}"


async def _to_engagement(
    session: Session, engagement: str, order: "Order", said: "Sequence[External]" = ()
) -> dict[str, Any]:
    from gateway import giving
    from gateway.cli.errors import Refused

    agency = await session.agency()
    running = await session.engagements(agency)
    given = await giving.to_engagement(session.having, running, agency, engagement, order, said=said)
    if given.gate is not None:
        raise Refused(given.gate, given.says, given.remedy, given.plain())
    return given.plain()


async def _to_stream(
    session: Session, stream: str, name: str, fields: dict[str, Any], command_id: str, who: "Actor"
) -> dict[str, Any]:
    from gateway import giving

    given = await giving.to_stream(
        session.having,
        await session.agency(),
        stream,
        name,
        fields,
        command_id=command_id,
        actor=who,
        source="cli",
    )
    return given.plain()


def _order(name: str, fields: dict[str, Any], command_id: str, who: "Actor") -> "Order":
    from events.orders import parse_order

    return parse_order(name, fields, command_id=command_id, actor_default=who, source="cli")


def _named(command_id: str | None, fields: dict[str, Any]) -> str:
    """Give the command's id: the option's, else the content's own, else a new one."""
    from uuid import uuid4

    own = fields.get("command_id")
    return command_id or (own if isinstance(own, str) and own else str(uuid4()))


def _timed(fields: dict[str, Any], at: str | None) -> dict[str, Any]:
    from gateway.cli import given

    return fields if at is None else {**fields, "at": given.moment(at).isoformat()}


def _opening(category: str, key: str, name: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Complete the content, and find its mistakes before anything is connected."""
    from activities.streams import parse
    from events.orders import RESERVED

    if name == "open-job-order":
        fields = {"job_order_id": key, **fields}
    parse(f"{category}:{key}", name, {each: fields[each] for each in fields if each not in RESERVED})
    return fields


def _model(category: str, name: str) -> "type[BaseModel] | None":
    """Find a command's model, which knows the fields that are lists."""
    from activities.streams import KINDS
    from events.orders import COMMANDS

    return COMMANDS.get(name) if category == "engagement" else KINDS[category].commands.get(name)
