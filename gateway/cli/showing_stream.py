"""One stream as text for people: its timeline, then the state, or what differs between two.

What ``--depth raw`` prints is for programs: one JSON object a line, and nothing beside it.
"""

from datetime import datetime
from typing import Any, Final

from gateway import words
from gateway.cli.output import emit, line, table

Row = dict[str, Any]


def stream(told: Row) -> None:
    """Print ``show``."""
    if told["depth"] == "raw":
        _raw(told)
        return
    line(f"{told['stream']} of agency {told['agency']}, version {told['version']}", style="bold")
    events(told["timeline"], depth=told["depth"])
    line()
    if told["diff"] is not None:
        differences(told["diff"])
        return
    state = told["state"]
    if told["stream"].startswith("engagement:"):
        _engagement(state)
    else:
        for name, value in state.items():
            _other(name.replace("_", " "), value)


def events(rows: list[Row], *, depth: str = "technical") -> None:
    """Print a timeline; in plain words alone, or with causes and command ids."""
    technical = depth == "technical"
    table(
        ["#", "HAPPENED", "WHAT", "WHO", *(["WHY", "COMMAND"] if technical else [])],
        [
            [
                str(row["version"]),
                words.moment(row["at"]),
                row["says"] + (" [annulled]" if row["annulled"] else ""),
                f"{row['actor']['kind']} {row['actor']['id']}",
                *([row["why"].removesuffix(f" {row['command_id']}"), row["command_id"]] if technical else []),
            ]
            for row in rows
        ],
        styles={number: "dim" for number, row in enumerate(rows) if row["origin"] == "engine"},
    )


def differences(diff: Row) -> None:
    """Print what ``--diff`` found: each field that differs, old and new."""
    between = f"between version {diff['from']} and version {diff['to']}"
    if not diff["changes"]:
        line(f"nothing differs {between}", style="bold")
        return
    count = len(diff["changes"])
    line(f"{count} {'field differs' if count == 1 else 'fields differ'} {between}", style="bold")
    styles = {"added": "green", "removed": "red"}
    for change in diff["changes"]:
        old, new = (_value(change[side]) for side in ("old", "new"))
        match change["change"]:
            case "added":
                told = f"+ {change['field']}: {new}"
            case "removed":
                told = f"- {change['field']}: {old}"
            case _:
                told = f"  {change['field']}: {_listed(change) or f'{old} → {new}'}"
        line(told, style=styles.get(change["change"]))


def _raw(told: Row) -> None:
    for row in told["timeline"]:
        emit(row)
    if told["diff"] is not None:
        emit({"diff": told["diff"]})


def _listed(change: Row) -> str | None:
    """Say what came to a list and what left it; a changed order is told by the whole lists."""
    old, new = change["old"], change["new"]
    if not isinstance(old, list | tuple) or not isinstance(new, list | tuple):
        return None
    told = [f"-{_value(each)}" for each in old if each not in new]
    told += [f"+{_value(each)}" for each in new if each not in old]
    return ", ".join(told) or None


def _value(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case dict():
            return "{" + ", ".join(f"{name}: {_value(each)}" for name, each in value.items()) + "}"
        case [dict(), *_]:
            return f"{len(value)} of them"
        case list() | tuple():
            return "[" + ", ".join(_value(each) for each in value) + "]"
        case datetime():
            return words.moment(value)
        case _:
            return str(value)


_THINGS: Final = (
    "facets",
    "applications",
    "proposals",
    "rights",
    "submissions",
    "conflicts",
    "interviews",
    "offers",
    "placements",
)


def _engagement(state: Row) -> None:
    line(f"stage {state['stage']}, {state['posture']}, level {state['level']}", style="bold")
    line(f"owner {state['candidate_owner'] or 'nobody yet'}; candidate {state['candidate_id']}")
    line(f"policy {(state['policy_digest'] or 'none')[:12]}; last talk {_when(state['last_contact_at'])}")
    for kind in _THINGS:
        for key, value in state[kind].items():
            line(f"{_singular(kind)} {key}: {_facts(value)}")
    for key, promise in state["obligations"].items():
        late = ", overdue" if promise["breached"] else ""
        about = words.subject(promise["subject"])
        due = _when(promise["due_at"])
        line(f"promise {promise['rule']} for {about}: due {due}, level {promise['level']}{late} ({key})")
    for key, raised in state["escalations"].items():
        taken = (
            f"taken on by {raised['acknowledged_by']}" if raised["acknowledged_by"] else "nobody took it on"
        )
        plan = f", to be done by {_when(raised['plan_by'])}" if raised["plan_by"] else ""
        line(f"escalation to {raised['to']}, level {raised['level']}: {taken}{plan} ({key})")
    for key, breach in state["breaches"].items():
        end = (
            "excused"
            if breach["excused"]
            else f"met {_when(breach['met_at'])}"
            if breach["met_at"]
            else "open"
        )
        due = _when(breach["due_at"])
        line(f"breach of {breach['rule']}: due {due}, level {breach['level']}, {end} ({key})")
    if state["owed"]:
        line(f"messages owed: {len(state['owed'])}")


def _other(name: str, value: Any) -> None:
    if isinstance(value, dict):
        for key, each in value.items():
            line(f"{name} {key}: {_facts(each) if isinstance(each, dict) else each}")
    elif value not in (None, [], ()):
        line(f"{name}: {value}")


def _facts(value: Row) -> str:
    facts = [
        f"{name.replace('_', ' ')} {_when(each) if name.endswith(('_at', '_on')) else each}"
        for name, each in value.items()
        if each not in (None, False, [], ())
    ]
    return ", ".join(facts) or "recorded"


def _singular(kind: str) -> str:
    return {"rights": "right to represent for"}.get(kind, kind.removesuffix("s"))


def _when(text: str | None) -> str:
    return words.moment(datetime.fromisoformat(text)) if text else "never"
