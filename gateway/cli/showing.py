"""Rows as text for people: tables and short blocks.

A state that is worth a look is coloured; the words alone must say it too.
"""

from datetime import datetime
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
                row["state"] + (f" ({row['reason'] or row['ledger']})" if _detailed(row) else ""),
            ]
            for row in rows
        ],
        styles={number: _STATES.get(row["state"], "") for number, row in enumerate(rows)},
    )


def stream(told: Row) -> None:
    """Print ``show``: the timeline, then the state."""
    line(f"{told['stream']} of agency {told['agency']}, version {told['version']}", style="bold")
    table(
        ["#", "HAPPENED", "WHAT", "WHO", "WHY"],
        [
            [
                str(row["version"]),
                words.moment(row["at"]),
                row["says"] + (" [annulled]" if row["annulled"] else ""),
                f"{row['actor']['kind']} {row['actor']['id']}",
                row["why"],
            ]
            for row in told["timeline"]
        ],
        styles={number: "dim" for number, row in enumerate(told["timeline"]) if row["origin"] == "engine"},
    )
    line()
    state = told["state"]
    if told["stream"].startswith("engagement:"):
        _engagement(state)
    else:
        for name, value in state.items():
            _other(name.replace("_", " "), value)


def _engagement(state: Row) -> None:
    line(f"stage {state['stage']}, {state['posture']}, level {state['level']}", style="bold")
    line(f"owner {state['candidate_owner'] or 'nobody yet'}; candidate {state['candidate_id']}")
    line(f"policy {(state['policy_digest'] or 'none')[:12]}; last talk {_moment(state['last_contact_at'])}")
    for kind in ("applications", "proposals", "rights", "submissions", "interviews", "offers"):
        for key, value in state[kind].items():
            line(f"{_singular(kind)} {key}: {_facts(value)}")
    for promise in state["obligations"].values():
        late = ", overdue" if promise["breached"] else ""
        about = words.subject(promise["subject"])
        due = _moment(promise["due_at"])
        line(f"promise {promise['rule']} for {about}: due {due}, level {promise['level']}{late}")
    for breach in state["breaches"].values():
        end = (
            "excused"
            if breach["excused"]
            else f"met {_moment(breach['met_at'])}"
            if breach["met_at"]
            else "open"
        )
        line(f"breach of {breach['rule']}: due {_moment(breach['due_at'])}, level {breach['level']}, {end}")
    if state["owed"]:
        line(f"messages owed: {len(state['owed'])}")


def _detailed(row: Row) -> bool:
    return bool(row["reason"]) or (row["state"] == "owed" and bool(row["ledger"]))


def _other(name: str, value: Any) -> None:
    if isinstance(value, dict):
        for key, each in value.items():
            line(f"{name} {key}: {_facts(each) if isinstance(each, dict) else each}")
    elif value not in (None, [], ()):
        line(f"{name}: {value}")


def _facts(value: Row) -> str:
    facts = [
        f"{name.replace('_', ' ')} {_moment(each) if name.endswith('_at') else each}"
        for name, each in value.items()
        if each not in (None, False, [], ())
    ]
    return ", ".join(facts) or "recorded"


def _singular(kind: str) -> str:
    return {"rights": "right to represent for"}.get(kind, kind.removesuffix("s"))


def _moment(text: str | None) -> str:
    return words.moment(datetime.fromisoformat(text)) if text else "never"


def _on(row: Row) -> str:
    if row["awaits"] != "recruiter":
        return f"the {row['awaits']}"
    return _named(row["owner"], row["owner_name"])


def _named(person: str | None, name: str | None) -> str:
    if person is None:
        return "nobody"
    return f"{name} ({person})" if name else person
