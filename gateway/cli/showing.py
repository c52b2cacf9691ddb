"""Rows as text for people: tables and short blocks.

A state that is worth a look is coloured; the words alone must say it too.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

from gateway import words
from gateway.cli.output import Sheet, emit_all, line

LEVELS: Final = {0: "", 1: "yellow", 2: "red", 3: "bold red"}
_STATES: Final = {"owed": "yellow", "failed": "bold red", "withheld": "dim"}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Layout:
    """How rows of one kind stand in a table."""

    columns: tuple[str, ...]
    cells: Callable[[Row], list[str]]
    style: Callable[[Row], str]
    none: str
    """What is said where there is no row."""


async def listed(pages: AsyncIterator[list[Row]], layout: Layout, *, as_json: bool) -> None:
    """Print rows page by page, as they come."""
    if as_json:
        await emit_all(pages)
        return
    sheet = Sheet(layout.columns)
    async for page in pages:
        if page:
            styles = {number: layout.style(row) for number, row in enumerate(page)}
            sheet.add([layout.cells(row) for row in page], styles=styles)
    if not sheet.begun:
        line(layout.none)


def _engagement(row: Row) -> list[str]:
    return [
        row["engagement"],
        row["stage"],
        row["posture"],
        row["owner"] or "-",
        str(row["level"]),
        str(row["version"]),
    ]


def _promise(row: Row) -> list[str]:
    return [
        row["engagement"],
        words.moment(row["since"]),
        _on(row),
        row["rule"],
        words.subject(row["subject"]),
        words.moment(row["due_at"]) + (" (overdue)" if row["overdue"] else ""),
        str(row["level"]),
        _named(row["lies_with"], row["lies_with_name"]),
    ]


def _message(row: Row) -> list[str]:
    return [
        words.moment(row["requested_at"]),
        row["engagement"],
        row["person"] or row["to"],
        row["template"],
        row["rule"] or "-",
        str(row["level"]),
        _state(row),
    ]


def _step(row: Row) -> list[str]:
    return [
        words.moment(row["at"]),
        str(row["rung"]),
        row["do"],
        str(row["level"]),
        _to(row),
        row["engagement"],
        row["rule"],
        words.subject(row["subject"]),
        words.moment(row["due_at"]) + (" (overdue)" if row["overdue"] else ""),
    ]


def _state(row: Row) -> str:
    """Say what became of a message, or for what it waits: a hold and a digest are no failures."""
    if row["held_since"] is not None:
        return f"held since {words.moment(row['held_since'])}"
    if row["digest_of"] is not None and row["ledger"] is None:
        return f"gathers for {row['digest_of']} until {words.moment(row['digest_at'])}"
    detail = row["reason"] or (row["ledger"] if row["state"] == "owed" else None)
    return f"{row['state']} ({detail})" if detail else str(row["state"])


def _on(row: Row) -> str:
    if row["awaits"] != "recruiter":
        return f"the {row['awaits']}"
    return _named(row["owner"], row["owner_name"])


def _named(person: str | None, name: str | None) -> str:
    if person is None:
        return "nobody"
    return f"{name} ({person})" if name else person


def _to(row: Row) -> str:
    if row["to"] is None:
        return "nobody"
    if row["to"] == "candidate":
        return "the candidate"
    if row["person"] is None:
        return f"the {row['to']}, whom nobody is"
    return f"{row['person_name']} ({row['person']})" if row["person_name"] else row["person"]


def _by_level(row: Row) -> str:
    return LEVELS.get(row["level"], "")


def _by_state(row: Row) -> str:
    return _STATES.get(row["state"], "")


ENGAGEMENTS: Final = Layout(
    ("ENGAGEMENT", "STAGE", "POSTURE", "OWNER", "LEVEL", "VERSION"), _engagement, _by_level, "no engagement"
)
WAITING: Final = Layout(
    ("ENGAGEMENT", "WAITS SINCE", "ON", "PROMISE", "ABOUT", "DUE", "LEVEL", "LIES WITH"),
    _promise,
    _by_level,
    "nobody waits",
)
OUTBOX: Final = Layout(
    ("OWED", "ENGAGEMENT", "TO", "MESSAGE", "ABOUT", "LEVEL", "STATE"),
    _message,
    _by_state,
    "no message was ever owed",
)
TIMERS: Final = Layout(
    ("WHEN", "STEP", "DOES", "LEVEL", "TO", "ENGAGEMENT", "PROMISE", "ABOUT", "DUE"),
    _step,
    _by_level,
    "no promise has a step ahead",
)
