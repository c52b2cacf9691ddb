"""``rapport connection``: an agency's connections to other systems, their secrets and what their words mean.

A secret is printed once, where it is made here, and is never an argument: others see a command line.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import connection_linking, connection_polling, connection_secrets, connection_trying
from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform

if TYPE_CHECKING:
    from gateway.webhooks.provider import Provider

Row = dict[str, Any]
Id = Annotated[str, typer.Argument(metavar="ID", help="The connection's id, or its name.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands, and those that need more room."""
    group = typer.Typer(help="Connections to other systems.", no_args_is_help=True)
    group.command("add")(add)
    group.command("list")(list_)
    connection_trying.register(group)
    connection_secrets.register(group)
    connection_polling.register(group)
    group.command("map")(map_)
    connection_linking.register(group)
    group.command("disable")(disable)
    group.command("enable")(enable)
    app.add_typer(group, name="connection", rich_help_panel="Integrations")


def add(
    provider: Annotated[str, typer.Argument(help="E.g. greenhouse, lever, ashby, or standard-webhooks.")],
    name: Annotated[
        str | None, typer.Option(help="What people call it; the provider's if not given.")
    ] = None,
    secret: connection_secrets.Secret = None,
    secret_file: connection_secrets.SecretFile = None,
    api_base: Annotated[str | None, typer.Option(metavar="URL", help="Where its API is asked.")] = None,
    api_key_file: Annotated[Path | None, typer.Option(metavar="FILE", help="The API's key.")] = None,
    mapping: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What its words mean; the shipped one if not given.")
    ] = None,
    keep_days: Annotated[
        int, typer.Option(min=1, max=3650, help="How long a message's content is kept.")
    ] = 30,
    tolerance: Annotated[
        int, typer.Option(metavar="SECONDS", min=1, max=86_400, help="How far a signed time may be off.")
    ] = 300,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Add a connection; prints its address, and its secret where that is ours to make."""
    from gateway.cli import output
    from workers.inbox.connections import ConnectionSettings, Secret

    known = _provider(provider)
    given = connection_secrets.given(known, secret, secret_file)
    made = known.new_secret() if given is None else None
    body = _mapping(provider, mapping)
    secrets = [Secret("signing", each) for each in (given, made) if each is not None]
    if api_key_file is not None:
        secrets.append(Secret("api", connection_secrets.text_of(api_key_file)))

    async def work(session: Session) -> Row:
        added = await session.having.connections.add(
            await session.agency(),
            provider=provider,
            name=name or provider,
            mapping=body,
            api_base=connection_polling.address(session, api_base),
            settings=ConnectionSettings(keep_days=keep_days, tolerance_seconds=tolerance),
            secrets_=secrets,
        )
        return {
            "connection": added.id,
            "provider": provider,
            "path": f"/hooks/{added.id}",
            "url": _address_of(session, added.id),
            "secret": made,
            "mapping": added.mapping_digest,
            "setup": known.setup,
        }

    told = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(told)
        return
    output.line(f"added {told['connection']}; its address: {told['url'] or 'the gateway, ' + told['path']}")
    if made is not None:
        output.line(f"its secret, shown this once: {made}")
    output.line(known.setup)
    if not given and not made:
        output.line(
            f"until its secret is given, all is refused: 'rapport connection rotate {told['connection']}'"
        )


def list_(agency: o.Agency = None, data: o.Data = None, as_json: o.Json = False) -> None:
    """List the connections: what they brought last, what waits, and what was refused."""
    from gateway.cli import output

    rows = perform(Options(agency, data, as_json), _rows)
    if as_json:
        output.emit(rows)
        return
    columns = ("connection", "provider", "name", "last received", "last polled", "waiting", "refused")
    output.table(columns, [_cells(row) for row in rows])


async def _rows(session: Session) -> list[Row]:
    from datetime import timedelta

    having, named = session.having, await session.agency()
    refused = await having.refusals.of(named)
    held_up = {each.connection_id: each for each in await having.inbox.held_up(named, timedelta())}
    return [
        {
            "connection": each.id,
            "provider": each.provider,
            "name": each.name,
            "disabled_at": each.disabled_at,
            "last_received_at": each.last_received_at,
            "last_polled_at": each.last_polled_at,
            "last_poll_says": each.last_poll_says,
            "waiting": held_up[each.id].waiting if each.id in held_up else 0,
            "refused": refused[each.id].count if each.id in refused else 0,
            "last_refused_at": refused[each.id].last_at if each.id in refused else None,
        }
        for each in await having.connections.list(named)
    ]


def _cells(row: Row) -> list[str]:
    from gateway import words

    when = [
        "never" if at is None else words.moment(at) for at in (row["last_received_at"], row["last_polled_at"])
    ]
    if row["last_poll_says"]:
        when[1] += f": {row['last_poll_says']}"
    refused = "0"
    if row["refused"]:
        refused = f"{row['refused']}, last {words.moment(row['last_refused_at'])}"
    name = row["name"] + (" (disabled)" if row["disabled_at"] is not None else "")
    return [row["connection"], row["provider"], name, *when, str(row["waiting"]), refused]


def map_(
    connection: Id,
    file: Annotated[Path, typer.Argument(help="What its words mean, in TOML.")],
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Replace what a connection's words mean; what waited is read again."""
    from gateway.cli import output

    async def work(session: Session) -> Row:
        named, having = await session.agency(), session.having
        found = await having.connections.named(named, connection)
        body = _mapping(found.provider, file)
        again = await having.connections.set_mapping(named, found.id, body)
        return {"connection": found.id, "read_again": again}

    told = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(told)
    else:
        output.line(f"mapped {told['connection']}; {told['read_again']} that waited will be read again")


def disable(id: Id, agency: o.Agency = None, data: o.Data = None, as_json: o.Json = False) -> None:
    """Take nothing for a connection any more; what it has brought stays."""
    _switch(id, Options(agency, data, as_json), on=False)


def enable(id: Id, agency: o.Agency = None, data: o.Data = None, as_json: o.Json = False) -> None:
    """Take deliveries for a connection again."""
    _switch(id, Options(agency, data, as_json), on=True)


def _switch(id: str, options: Options, *, on: bool) -> None:
    from gateway.cli import output

    async def work(session: Session) -> str:
        named, connections = await session.agency(), session.having.connections
        found = (await connections.named(named, id)).id
        await (connections.enable(named, found) if on else connections.disable(named, found))
        return found

    id = perform(options, work)
    if options.as_json:
        output.emit({"connection": id, "disabled": not on})
    else:
        output.line(f"{'enabled' if on else 'disabled'} {id}")


def _provider(name: str) -> "Provider":
    from gateway.cli.errors import Wrong
    from gateway.webhooks.registry import PROVIDERS

    if name not in PROVIDERS:
        raise Wrong(f"there is no such provider; known are {', '.join(PROVIDERS)}")
    return PROVIDERS[name]


def _mapping(provider: str, file: Path | None) -> str | None:
    """Read a mapping and check it; the shipped one where none is given, None where none ships."""
    from events.integrations.mapping import parse
    from gateway.cli.errors import Wrong
    from workers.shipped import MAPPINGS

    if file is None:
        file = MAPPINGS / f"{provider}.toml"
        if not file.is_file():
            return None
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Wrong(f"{file}: it is not UTF-8; save the file as UTF-8 text") from None
    mapping = parse(text, where=str(file))
    if mapping.provider != provider:
        raise Wrong(f"{file}: it is for {mapping.provider}, and the connection for {provider}")
    return mapping.body()


def _address_of(session: Session, connection: str) -> str | None:
    """Give the address that a provider is told; None where no gateway is known."""
    from workers import stack_file

    running = stack_file.read(session.settings.data_dir)
    base = session.settings.public_url or (running.http_url if running is not None else None)
    return None if base is None else f"{base.rstrip('/')}/hooks/{connection}"
