"""``rapport check``: what is wrong with the present settings, and whether all that they name answers.

It only looks, works without a stack, and exits with 1 where something is wrong.
"""

from typing import TYPE_CHECKING, Any, Final

import typer

from gateway.cli import options as o

if TYPE_CHECKING:
    from gateway.cli.connect import Addresses
    from workers.answering import Answer
    from workers.settings import Settings
    from workers.settings_reading import Reading

FOUND: Final = 1
_SHOWN: Final = {"ok": "ok", "warning": "look", "wrong": "WRONG"}
# What each answer depends on, by how the variables begin.
_NEEDS: Final = {
    "PostgreSQL": ("DATABASE_URL", "RAPPORT_DATA_DIR"),
    "Temporal": ("TEMPORAL_", "RAPPORT_DATA_DIR"),
    "SMTP": ("RAPPORT_SMTP_",),
    "connections": (
        "DATABASE_URL",
        "RAPPORT_DATA_DIR",
        "RAPPORT_KEY_ENCRYPTION_KEYS",
        "RAPPORT_WEBHOOKS_ALLOW_PRIVATE",
    ),
    "public URL": ("RAPPORT_PUBLIC_URL",),
}


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("check", rich_help_panel="Running")(check)


def check(data: o.Data = None, as_json: o.Json = False) -> None:
    """Say what is wrong with the settings, and whether PostgreSQL, Temporal, mail and connections answer."""
    import asyncio

    from gateway.cli import output
    from workers.answering import Answer
    from workers.settings_reading import read_settings

    reading = read_settings(None if data is None else data.expanduser().resolve())
    found = [Answer("settings", "wrong", each) for each in reading.mistakes]
    if not found:
        found = [Answer("settings", "ok", "every setting can be read.")]
    found += asyncio.run(_ask(reading))
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


async def _ask(reading: "Reading") -> "list[Answer]":
    """Ask all that the settings name; what only a wrong one names is not asked, and that is said."""
    from gateway.cli.connect import addresses
    from workers.answering import ask_smtp
    from workers.logs import configure_logging

    settings = reading.settings
    configure_logging("CRITICAL", settings.log_format)
    where = addresses(settings)
    found = await _ask_postgres(reading, where)
    reached = found[0].verdict != "wrong" and not _not_asked(reading, "PostgreSQL")
    found += _not_asked(reading, "Temporal") or await _ask_temporal(settings, where)
    found += _not_asked(reading, "SMTP") or [await ask_smtp(settings, where.smtp)]
    if reached and where.database_url is not None:
        found += await _ask_connections(reading, where.database_url)
    return [*found, *(_not_asked(reading, "public URL") or _doors(settings))]


def _not_asked(reading: "Reading", what: str) -> "list[Answer]":
    from workers.answering import Answer

    wrong = sorted(each for each in reading.wrong if each.startswith(_NEEDS[what]))
    says = f"it was not asked: first correct {' and '.join(wrong)}."
    return [Answer(what, "warning", says)] if wrong else []


async def _ask_postgres(reading: "Reading", where: "Addresses") -> "list[Answer]":
    from gateway.cli.connect import no_stack
    from workers.answering import Answer, ask_postgres

    if unasked := _not_asked(reading, "PostgreSQL"):
        return unasked
    if where.database_url is None:
        return [Answer("PostgreSQL", "wrong", no_stack(reading.settings))]
    return [await ask_postgres(where.database_url)]


async def _ask_temporal(settings: "Settings", where: "Addresses") -> "list[Answer]":
    from gateway.cli.connect import no_stack
    from workers.answering import Answer, ask_temporal

    if where.temporal is None:
        return [Answer("Temporal", "wrong", no_stack(settings))]
    return await ask_temporal(where.temporal)


async def _ask_connections(reading: "Reading", database_url: str) -> "list[Answer]":
    from workers.answering import ask_connections

    return _not_asked(reading, "connections") or await ask_connections(reading.settings, database_url)


def _doors(settings: "Settings") -> "list[Answer]":
    from workers.answering import Answer

    if settings.public_url is None:
        says = "RAPPORT_PUBLIC_URL is not set: webhooks and candidates' links can reach this machine alone."
        return [Answer("public URL", "warning", says)]
    if settings.public_url.startswith("http://"):
        return [Answer("public URL", "warning", "it is not https: whoever listens on the way reads along.")]
    return [Answer("public URL", "ok", settings.public_url)]
