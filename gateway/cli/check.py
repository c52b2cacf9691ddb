"""``rapport check``: what is wrong with the present settings, and whether all that they name answers.

It only looks, works without a stack, and exits with 1 where something is wrong.
"""

from typing import TYPE_CHECKING, Any, Final

import typer

from gateway.cli import options as o

if TYPE_CHECKING:
    from workers.answering import Answer
    from workers.settings import Settings

FOUND: Final = 1
_SHOWN: Final = {"ok": "ok", "warning": "look", "wrong": "WRONG"}


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("check", rich_help_panel="Running")(check)


def check(data: o.Data = None, as_json: o.Json = False) -> None:
    """Say what is wrong with the settings, and whether PostgreSQL, Temporal, mail and connections answer."""
    import asyncio

    from gateway.cli import output
    from workers.answering import Answer
    from workers.settings import mistakes

    found = [Answer("settings", "wrong", each) for each in mistakes()]
    if not found:
        found = [Answer("settings", "ok", "every setting can be read."), *asyncio.run(_ask(data))]
    wrong = sum(each.verdict == "wrong" for each in found)
    if as_json:
        answers: list[dict[str, Any]] = [
            {"what": each.what, "verdict": each.verdict, "says": each.says} for each in found
        ]
        output.emit({"wrong": wrong, "answers": answers})
    else:
        styles = {number: "red" for number, each in enumerate(found) if each.verdict == "wrong"}
        rows = [(_SHOWN[each.verdict], each.what, each.says) for each in found]
        output.table(("", "what", "says"), rows, styles=styles)
    if wrong:
        raise typer.Exit(FOUND)


async def _ask(data: Any) -> "list[Answer]":
    from gateway.cli.connect import addresses, no_stack, settings_of
    from workers.answering import Answer, ask_connections, ask_postgres, ask_smtp, ask_temporal
    from workers.logs import configure_logging

    settings = settings_of(data)
    configure_logging("CRITICAL", settings.log_format)
    where = addresses(settings)
    found: list[Answer] = []
    if where.database_url is None:
        found.append(Answer("PostgreSQL", "wrong", no_stack(settings)))
    else:
        found.append(await ask_postgres(where.database_url))
    if where.temporal is None:
        found.append(Answer("Temporal", "wrong", no_stack(settings)))
    else:
        found += await ask_temporal(where.temporal)
    found.append(await ask_smtp(settings, where.smtp))
    if where.database_url is not None and found[0].verdict != "wrong":
        found += await ask_connections(settings, where.database_url)
    return [*found, *_doors(settings)]


def _doors(settings: "Settings") -> "list[Answer]":
    from workers.answering import Answer

    if settings.public_url is None:
        says = "RAPPORT_PUBLIC_URL is not set: webhooks and candidates' links can reach this machine alone."
        return [Answer("public URL", "warning", says)]
    if settings.public_url.startswith("http://"):
        return [Answer("public URL", "warning", "it is not https: whoever listens on the way reads along.")]
    return [Answer("public URL", "ok", settings.public_url)]
