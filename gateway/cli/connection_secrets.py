"""``rapport connection rotate``, and how a secret is given: from a file or from stdin, never as an argument.

The old secret is valid beside the new one for a day, so that nothing under way is turned away.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform

if TYPE_CHECKING:
    from gateway.webhooks.provider import Provider

Secret = Annotated[str | None, typer.Option("--secret", metavar="-", help="- reads the secret from stdin.")]
SecretFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Reads the secret from a file.")]


def register(group: typer.Typer) -> None:
    """Add this file's command."""
    group.command("rotate")(rotate)


def rotate(
    connection: Annotated[str, typer.Argument(metavar="ID", help="The connection's id, or its name.")],
    secret: Secret = None,
    secret_file: SecretFile = None,
    api_key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A new key of its API, and no new secret.")
    ] = None,
    agency: o.Agency = None,
    data: o.Data = None,
    as_json: o.Json = False,
) -> None:
    """Give a connection a new secret; the old one stays valid for 24 hours."""
    from gateway.cli import output
    from gateway.cli.errors import Wrong

    if api_key_file is not None and (secret is not None or secret_file is not None):
        raise Wrong("give either a secret or a key of its API; rotate twice for both")

    async def work(session: Session) -> dict[str, Any]:
        found = (await session.having.connections.named(await session.agency(), connection)).id
        if api_key_file is not None:
            return await _new_key(session, found, text_of(api_key_file))
        return await _rotate(session, found, secret, secret_file)

    told = perform(Options(agency, data, as_json), work)
    if as_json:
        output.emit(told)
        return
    output.line(f"rotated {told['connection']}; until {told['old_valid_until']} the old one is valid as well")
    if told["secret"] is not None:
        output.line(f"its new secret, shown this once: {told['secret']}")
    if told["setup"] is not None:
        output.line(told["setup"])


async def _rotate(
    session: Session, connection: str, secret: str | None, secret_file: Path | None
) -> dict[str, Any]:
    from gateway.cli.errors import Wrong
    from gateway.webhooks.registry import PROVIDERS
    from workers.inbox.connections import Secret as Kept

    agency, connections = await session.agency(), session.having.connections
    provider = PROVIDERS[(await connections.get(agency, connection)).provider]
    theirs = given(provider, secret, secret_file)
    ours = provider.new_secret() if theirs is None else None
    new = theirs or ours
    if new is None:
        raise Wrong(
            f"{provider.name} makes its secrets itself; give the new one with --secret - or --secret-file"
        )
    await connections.rotate(agency, connection, Kept("signing", new))
    return _told(connection, ours, provider.setup)


async def _new_key(session: Session, connection: str, key: str) -> dict[str, Any]:
    from workers.inbox.connections import Secret as Kept

    agency, having = await session.agency(), session.having
    await having.connections.rotate(agency, connection, Kept("api", key))
    # What waited because the old key was refused.
    await having.inbox.retry(agency, connection_id=connection)
    return _told(connection, None, None)


def _told(connection: str, secret: str | None, setup: str | None) -> dict[str, Any]:
    from datetime import UTC, datetime

    from gateway import words
    from workers.inbox.connections import GRACE

    until = words.moment(datetime.now(UTC) + GRACE)
    return {"connection": connection, "secret": secret, "old_valid_until": until, "setup": setup}


def given(provider: "Provider", secret: str | None, secret_file: Path | None) -> str | None:
    """Read the secret that was given; None if none was."""
    from gateway.cli.errors import Wrong

    if secret is not None and secret_file is not None:
        raise Wrong("give either --secret - or --secret-file, not both")
    if secret is None and secret_file is None:
        return None
    if secret is not None and secret != "-":
        raise Wrong("a secret in a command line is seen by others; give --secret - and the secret on stdin")
    text = sys.stdin.read().strip() if secret_file is None else text_of(secret_file)
    complaint = provider.complaint(text)
    if complaint is not None:
        raise Wrong(f"this is no secret of {provider.name}: {complaint}")
    return text


def text_of(file: Path) -> str:
    """Read one secret from a file; the line end behind it is none of it."""
    from gateway.cli.errors import Wrong

    try:
        text = file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise Wrong(f"{file}: it holds no text") from None
    if not text:
        raise Wrong(f"{file}: it is empty")
    return text
