"""Rows as text for people: tables and short blocks.

A state that is worth a look is coloured; the words alone must say it too.
"""

from typing import Any, Final

from gateway import words
from gateway.cli.output import line, table

LEVELS: Final = {0: "", 1: "yellow", 2: "red", 3: "bold red"}
_STATES: Final = {"owed": "yellow", "failed": "bold red", "withheld": "dim"}
Row = dict[str, Any]


def engagements(rows: list[Row]) -> None:
    """Print ``list``."""
    if not rows:
        line("no engagement")
        return
    table(
        ["ENGAGEMENT", "STAGE", "POSTURE", "OWNER", "LEVEL", "VERSION"],
        [
            [
                row["engagement"],
                row["stage"],
                row["posture"],
                row["owner"] or "-",
                str(row["level"]),
                str(row["version"]),
            ]
            for row in rows
        ],
        styles={number: LEVELS.get(row["level"], "") for number, row in enumerate(rows)},
    )


def waiting(rows: list[Row]) -> None:
    """Print ``waiting``."""
    if not rows:
        line("nobody waits")
        return
    table(
        ["ENGAGEMENT", "WAITS SINCE", "ON", "PROMISE", "ABOUT", "DUE", "LEVEL", "LIES WITH"],
        [
            [
                row["engagement"],
                words.moment(row["since"]),
                _on(row),
                row["rule"],
                words.subject(row["subject"]),
                words.moment(row["due_at"]) + (" (overdue)" if row["overdue"] else ""),
                str(row["level"]),
                _named(row["lies_with"], row["lies_with_name"]),
            ]
            for row in rows
        ],
        styles={number: LEVELS.get(row["level"], "") for number, row in enumerate(rows)},
    )


def outbox(rows: list[Row]) -> None:
    """Print ``outbox``."""
    if not rows:
        line("no message was ever owed")
        return
    table(
        ["OWED", "ENGAGEMENT", "TO", "MESSAGE", "ABOUT", "LEVEL", "STATE"],
        [
            [
                words.moment(row["requested_at"]),
                row["engagement"],
                row["person"] or row["to"],
                row["template"],
                row["rule"] or "-",
                str(row["level"]),
                _state(row),
            ]
            for row in rows
        ],
        styles={number: _STATES.get(row["state"], "") for number, row in enumerate(rows)},
    )


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
