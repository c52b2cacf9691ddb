"""``rapport keys``: what an operator does with the keys that wrap people's keys.

No key is ever printed, only its id.
"""

import typer

from gateway.cli import options as o
from gateway.cli.connect import Options, Session, perform


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="The keys that wrap people's keys.", no_args_is_help=True)
    group.command("rewrap")(rewrap)
    app.add_typer(group, name="keys", rich_help_panel="Running")


def rewrap(data: o.Data = None, as_json: o.Json = False) -> None:
    """Wrap every key under the first of RAPPORT_KEY_ENCRYPTION_KEYS.

    Put the new key first, keep the old ones behind it, start every worker again with that list, then
    rewrap; afterwards the old ones may go.
    """
    from gateway.cli import output

    async def work(session: Session) -> tuple[int, str]:
        return await session.having.keys.rewrap(), session.settings.encryption_keys()[0].id

    count, key_id = perform(Options(data=data, as_json=as_json), work)
    if as_json:
        output.emit({"rewrapped": count, "key_id": key_id})
    elif count:
        output.line(f"rewrapped {count} {'key' if count == 1 else 'keys'} under '{key_id}'")
    else:
        output.line(f"nothing to do: every key is wrapped under '{key_id}' already")
