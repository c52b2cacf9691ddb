"""``rapport connection test``: sends what the provider would send, through the gateway that runs.

The probe is signed like any delivery and kept nowhere.
"""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform

if TYPE_CHECKING:
    from workers.inbox.connections import Connection

FAILED: Final = 1
_TIMEOUT: Final = 15.0
Row = dict[str, Any]


def register(group: typer.Typer) -> None:
    """Add this file's command."""
    group.command("test")(try_)


def try_(
    connection: Annotated[str, typer.Argument(metavar="ID", help="The connection's id, or its name.")],
    url: Annotated[
        str | None,
        typer.Option(envvar="RAPPORT_URL", help="The gateway's address; the running stack's if not given."),
    ] = None,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Send a test delivery as the provider would, and ask its API; exits with 1 if one of them fails."""
    from gateway.cli import output

    async def work(session: Session) -> Row:
        return await _try(session, connection, url)

    told = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(told)
    else:
        output.line(told["door"]["says"], style=None if told["door"]["ok"] else "bold red")
        if told["api"] is not None:
            output.line(told["api"]["says"], style=None if told["api"]["ok"] else "bold red")
    if not all(part["ok"] for part in (told["door"], told["api"]) if part is not None):
        raise typer.Exit(FAILED)


async def _try(session: Session, connection: str, url: str | None) -> Row:
    import httpx

    from gateway.cli.errors import Wrong
    from gateway.webhooks.registry import PROVIDERS

    found = await session.having.connections.named(await session.agency(), connection)
    secrets = found.valid("signing")
    if not secrets:
        raise Wrong(
            f"the connection has no secret yet; give it with 'rapport connection rotate {connection}'"
        )
    async with httpx.AsyncClient(timeout=_TIMEOUT) as client:
        provider = PROVIDERS[found.provider]
        door = await _send(client, _base(session, url), found.id, provider, secrets[0])
    api = None if found.api_base is None else await _ask(session, found)
    return {"connection": found.id, "door": door, "api": api}


async def _send(client: Any, base: str, connection: str, provider: Any, secret: str) -> Row:
    from datetime import UTC, datetime

    import httpx

    probe = provider.probe(secret, datetime.now(UTC))
    if probe is None:
        says = "a public key signs nothing; let the sender send a test delivery, and see 'rapport inbox list'"
        return {"ok": True, "status": None, "says": says}
    headers = {"content-type": "application/json", **probe.headers}
    try:
        answer = await client.post(f"{base}/hooks/{connection}", content=probe.body, headers=headers)
    except httpx.HTTPError as error:
        return {"ok": False, "status": None, "says": f"no gateway answers at {base} ({type(error).__name__})"}
    ok = answer.status_code == provider.acknowledges
    return {"ok": ok, "status": answer.status_code, "says": _what_came_back(answer)}


def _what_came_back(answer: Any) -> str:
    try:
        told = answer.json()
        words = told.get("says") or told.get("detail")
    except (ValueError, AttributeError):
        words = None
    words = words or "in words that are not ours; is this the gateway?"
    return f"the door answers {answer.status_code}: {words}"


async def _ask(session: Session, connection: "Connection") -> Row:
    """Ask the provider for something harmless, with the connection's own key."""
    ok, says = await session.having.apis.greet(connection)
    return {"ok": ok, "says": says}


def _base(session: Session, url: str | None) -> str:
    from gateway.cli.errors import Wrong
    from workers import stack_file

    # Only a stack that runs a gateway says where it is.
    running = stack_file.read(session.settings.data_dir)
    found: str | None = url or (running.http_url if running is not None else None)
    if found is None:
        raise Wrong("no gateway is known to run; start one with 'rapport gateway', or give --url")
    return found.rstrip("/")
