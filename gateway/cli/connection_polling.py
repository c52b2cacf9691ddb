"""``rapport connection set`` and ``poll``: where a provider's API is asked, how often, and asking it now.

A poll brings what changed into the inbox; what it means is found out there, as of any message.
"""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from gateway.cli import connection_secrets
from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform
from gateway.cli.connection_names import called

FAILED: Final = 1
Id = Annotated[str, typer.Argument(metavar="ID", help="The connection's id, or its name.")]
Row = dict[str, Any]


def register(group: typer.Typer) -> None:
    """Add this file's commands."""
    group.command("set")(set_)
    group.command("poll")(poll)


def set_(
    connection: Id,
    api_base: Annotated[str | None, typer.Option(metavar="URL", help="Where its API is asked.")] = None,
    api_key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The API's key; an old one stays valid for 24 hours.")
    ] = None,
    keep_days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="How long a message's content is kept.")
    ] = None,
    settle_seconds: Annotated[
        float | None, typer.Option(min=0, max=60, help="How long a message waits for earlier ones.")
    ] = None,
    tolerance_seconds: Annotated[
        int | None, typer.Option(min=1, max=86_400, help="How far a signed time may be off.")
    ] = None,
    poll_minutes: Annotated[
        int | None,
        typer.Option(min=0, max=1440, help="How often its API is polled, at most every 5; 0: never."),
    ] = None,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Change a connection; what waited for its API is asked again."""
    from gateway.cli import output
    from gateway.cli.errors import Wrong

    given = {
        "keep_days": keep_days,
        "settle_seconds": settle_seconds,
        "tolerance_seconds": tolerance_seconds,
        "poll_minutes": poll_minutes,
    }
    changed = {key: each for key, each in given.items() if each is not None}
    if not changed and api_base is None and api_key_file is None:
        raise Wrong("say what to change; 'rapport connection set --help' lists it")
    key = None if api_key_file is None else connection_secrets.text_of(api_key_file)

    async def work(session: Session) -> Row:
        return await _set(session, connection, address(session, api_base), key, changed)

    told = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(told)
        return
    output.line(f"changed {told['connection']}")
    if told["read_again"]:
        output.line(f"{told['read_again']} that waited will be read again")


async def _set(
    session: Session, connection: str, base: str | None, key: str | None, changed: dict[str, Any]
) -> Row:
    from workers.inbox.connections import Secret

    named, having = await session.agency(), session.having
    found = await having.connections.named(named, connection)
    connection = found.id
    settings = found.settings.model_copy(update=changed)
    await having.connections.change(named, connection, api_base=base or found.api_base, settings=settings)
    again = 0
    if key is not None:
        await having.connections.rotate(named, connection, Secret("api", key))
    if base is not None or key is not None:
        again = await having.inbox.retry(named, connection_id=connection)
    return {
        "connection": connection,
        "api_base": base or found.api_base,
        **settings.model_dump(),
        "read_again": again,
    }


def poll(connection: Id, agency: o.Agency = None, data: o.Data = None, as_json: o.Json = False) -> None:
    """Ask its provider now what changed; exits with 1 if it does not answer."""
    from gateway.cli import output

    async def work(session: Session) -> Row:
        named = await session.agency()
        found = await session.having.connections.named(named, connection)
        end = await session.having.polls.poll(named, found.id)
        return {
            "connection": found.id,
            "connection_name": found.name,
            "ok": end.ok,
            "found": end.found,
            "says": end.says,
        }

    told = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(told)
    else:
        of = called(told["connection"], told["connection_name"])
        output.line(f"{of}: {told['says']}", style=None if told["ok"] else "bold red")
    if not told["ok"]:
        raise typer.Exit(FAILED)


def address(session: Session, text: str | None) -> str | None:
    """Check where an API is to be asked.

    :raises Wrong: it cannot be asked there.
    """
    from gateway.cli.errors import Wrong
    from workers.asking.transport import checked_base
    from workers.delivering.addresses import AddressRefused

    if text is None:
        return None
    try:
        checked_base(text, allow_private=session.settings.webhooks_allow_private)
    except AddressRefused as error:
        raise Wrong(
            f"--api-base is written like https://api.example.com, without a user in it: {error}"
        ) from None
    return text.rstrip("/")
