"""Commands that change something: open an engagement, give any stream a command.

A command id makes giving the same command again harmless; without one, every call is a new command.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform

if TYPE_CHECKING:
    from pydantic import BaseModel

    from events.envelope import Actor

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
    fields = {key: value for key, value in fields.items() if value is not None}
    order = _order("open-engagement", fields, command_id, at, given.actor(actor))

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
    actor: o.Person = OPERATOR,
    agency: o.Agency = None,
    data_dir: o.DataDir = None,
    as_json: o.Json = False,
) -> None:
    """Give a command to a stream: propose-job, record-contact, open-job-order and so on."""
    from gateway.cli import given, output

    category, key = given.stream_of(stream)
    content = given.content(data, fields or [], _model(category, command))
    who = given.actor(actor)
    if category == "engagement":
        order = _order(command, content, command_id, at, who)

        async def work(session: Session) -> dict[str, Any]:
            return await _to_engagement(session, key, order)
    else:
        ready = _stream_command(f"{category}:{key}", command, content, command_id, at, who)

        async def work(session: Session) -> dict[str, Any]:
            return await _to_stream(session, ready)

    reply = perform(Options(agency, data_dir, as_json), work)
    if as_json:
        output.emit(reply)
    elif reply["outcome"] == "nothing-to-do":
        output.line(f"nothing to do: the record says so already (version {reply['version']})")
    else:
        told = f": {', '.join(reply['events'])}" if reply["events"] else ""
        output.line(f"{reply['outcome']}{told} (version {reply['version']})")


async def _to_engagement(session: Session, engagement: str, order: Any) -> dict[str, Any]:
    from gateway.cli.errors import Refused

    agency = await session.agency()
    reply = await (await session.engagements(agency)).command(engagement, order)
    told = {
        "stream": f"engagement:{engagement}",
        "command_id": reply.command_id,
        "outcome": reply.outcome,
        "version": reply.version,
        "events": list(reply.events),
    }
    if reply.outcome == "refused":
        raise Refused(reply.refused_by or "a gate", reply.says or "", reply.remedy or "", told)
    return told


async def _to_stream(session: Session, ready: dict[str, Any]) -> dict[str, Any]:
    from activities.types import StreamCommand

    order = StreamCommand(agency=await session.agency(), **ready)
    reply = await session.having.service.give(order)
    events = await session.log.read_stream(order.agency, order.stream)
    return {
        "stream": order.stream,
        "command_id": order.command_id,
        "outcome": reply.outcome,
        "version": reply.version,
        "events": [each.type for each in events if each.command_id == order.command_id],
    }


def _order(name: str, fields: dict[str, Any], command_id: str | None, at: str | None, who: "Actor") -> Any:
    from uuid import uuid4

    from events.orders import parse_order
    from gateway.cli import given

    meta = {"at": given.moment(at).isoformat()} if at is not None else {}
    named = command_id or fields.get("command_id")
    return parse_order(
        name,
        {**fields, **meta},
        command_id=named if isinstance(named, str) and named else str(uuid4()),
        actor_default=who,
        source="cli",
    )


def _stream_command(
    stream: str, name: str, fields: dict[str, Any], command_id: str | None, at: str | None, who: "Actor"
) -> dict[str, Any]:
    from uuid import uuid4

    from activities.streams import parse
    from gateway.cli import given

    if stream.startswith("job-order:") and name == "open-job-order":
        fields = {"job_order_id": stream.partition(":")[2], **fields}
    parse(stream, name, fields)  # before anything is connected: a mistake needs no server
    return {
        "stream": stream,
        "command_id": command_id or str(uuid4()),
        "name": name,
        "data": fields,
        "actor": who,
        "source": "cli",
        "at": given.moment(at) if at is not None else None,
    }


def _model(category: str, name: str) -> "type[BaseModel] | None":
    """Find a command's model, which knows the fields that are lists."""
    from typing import get_args

    from events import agency, job_order
    from events.orders import COMMANDS

    if category == "engagement":
        return COMMANDS.get(name)
    union = job_order.AnyJobOrderCommand if category == "job-order" else agency.AnyAgencyCommand
    members = get_args(get_args(union)[0])
    return next((each for each in members if each.model_fields["name"].default == name), None)
