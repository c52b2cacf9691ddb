"""The policy language: from the TOML an agency writes to the compiled policy that engagements adopt.

A file with any problem compiles to nothing: half a policy would break promises without a word.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from events.calendar_file import read_calendars, read_quiet_hours
from events.calendar_resolving import Period
from events.durations import DurationError, parse_span, written
from events.policy import (
    LARGEST_COMPILED,
    GateRule,
    LadderStep,
    ObligationRule,
    Policy,
    Span,
    Trigger,
    level_of,
)
from events.policy_checks import (
    COMMANDS,
    EVENTS,
    KNOWN_TEMPLATES,
    check_gate,
    check_obligation,
    key,
    texts_of,
)
from events.policy_needs import KNOWN_GATES, check_needs, unknown_gate
from events.policy_table import Problems, Table, plain, quoted, sort_of
from events.toml_lines import Path, locate

__all__ = ["KNOWN_GATES", "KNOWN_TEMPLATES", "DurationError", "PolicyError", "load_policy", "parse_span"]

_R = TypeVar("_R", GateRule, ObligationRule)
_STEP: Final = '{ after = "1 day", do = "escalate", to = "team-lead", template = "escalation" }'
_NAMED: Final = "use small letters, digits and hyphens, at most 60"
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_SYNTAX_AT: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
# How tomllib begins its complaints, and what helps.
_SYNTAX: Final = {
    "Cannot declare": "the table stands here a second time; give every rule an id of its own",
    "Cannot overwrite": "this stands here a second time; keep one of the two",
    "Duplicate inline table key": "the key stands here a second time; keep one of the two",
    "Invalid value": "the value is not understood; put words and lengths of time in quotes",
    "Expected newline": "the line goes on after the value has ended; put quotes around all of it",
    "Unclosed array": "a list is not closed or lacks a comma; end it with ] and put commas between its items",
    "Unclosed inline table": "a table is not closed or lacks a comma; put { … } on one line, with commas",
    "Illegal character": "the text does not end on its line, or holds a control character; close its quotes",
    "Unterminated string": "a text is not closed; add the missing quotes",
    "Expected '='": "there is no = after the key; write key = value",
    "Expected ']'": "the table's name is not closed; write it like [obligation.keep-in-touch]",
    "Invalid statement": "this is neither a key = value, nor a [table], nor a # comment",
}


class PolicyError(Exception):
    """A policy cannot be used; ``problems`` holds one sentence each, the first of them is the message."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(problems[0])
        self.problems = problems


def load_policy(text: str, *, where: str, on: date, until: date | None = None) -> Policy:
    """Compile the text of a policy file; *where* is what the messages call it.

    Calendars are resolved from the year before *on* to three years after *until* (*on* if not given).

    :raises PolicyError: the text is no policy; all its problems, in the order of the file.
    """
    try:
        data = tomllib.loads(text)
        problems = Problems(where, locate(text))
    except RecursionError:
        raise PolicyError([f"{where}: lists stand inside lists without end; write it flat."]) from None
    except ValueError as error:
        raise PolicyError([_syntax(error, text, where)]) from None
    top = Table(data, (), problems)
    name = top.text("name")
    if name and not _CODE.fullmatch(name):
        problems.add(("name",), f"{quoted(name)} is no name; {_NAMED}.")
    quiet = read_quiet_hours(top)
    calendars = read_calendars(top.table("calendar"), problems, Period.around(on, until))
    gates = _rules(top.table("gate"), "gate", problems, _gate, _compiled_gate)
    obligations = _rules(top.table("obligation"), "obligation", problems, _obligation, _compiled_obligation)
    top.close()
    for rule in {each.id for each in gates} & {each.id for each in obligations}:
        problems.add(("obligation", rule), "a gate has this id too; give every rule an id of its own.")
    if not top.table("calendar"):
        _check_elapsed(obligations, problems)
        _check_gates_elapsed(gates, problems)
    if not gates and not obligations and not problems:
        problems.add((), "there is no rule in it; add one, such as [obligation.keep-in-touch].")
    if problems:
        raise PolicyError(problems.sentences())
    policy = Policy(
        format=3,
        name=str(name),
        gates=tuple(gates),
        obligations=tuple(obligations),
        quiet_hours=quiet,
        calendars=tuple(calendars),
    )
    if (size := len(policy.body().encode())) > LARGEST_COMPILED:
        limit = f"at most {LARGEST_COMPILED} are allowed; shorten its texts or leave rules out"
        raise PolicyError([f"{where}: the policy takes {size} bytes when compiled, and {limit}."])
    return policy


def _check_elapsed(rules: list[ObligationRule], problems: Problems) -> None:
    """Note the first span of each rule that would need a calendar, where the file has none."""
    for rule in rules:
        named = {"within": rule.within, "at-least": rule.at_least, "not-before": rule.not_before}
        paths: list[tuple[Path, Span | None]] = [((name,), span) for name, span in named.items()]
        paths += [(("ladder", number, "after"), step.after) for number, step in enumerate(rule.ladder)]
        for path, span in paths:
            if span is not None and span.working:
                problems.add(
                    ("obligation", rule.id, *path),
                    _no_calendar(written(span)),
                )
                break


def _check_gates_elapsed(gates: list[GateRule], problems: Problems) -> None:
    for gate in gates:
        wait = gate.needs.get("no-sooner-than")
        if isinstance(wait, str) and parse_span(wait).working:
            problems.add(("gate", gate.id, "needs", "no-sooner-than"), _no_calendar(wait))


def _no_calendar(text: str) -> str:
    return (
        f'"{text}" is working time, and the file has no calendar; '
        'add [calendar.some-office] with zone = "Europe/London" and hours = "09:00-17:30".'
    )


def _rules(
    rules: Mapping[str, Any],
    sort: str,
    problems: Problems,
    read: Callable[[str, Table], dict[str, Any]],
    compiled: Callable[[dict[str, Any], Table], _R],
) -> list[_R]:
    found = []
    for rule, content in rules.items():
        path: Path = (sort, rule)
        before = len(problems)
        if not isinstance(content, dict):
            problems.add(
                path, f"{sort_of(content)} stands where a rule belongs; begin it with [{sort}.some-id]."
            )
            continue
        if sort != "gate" and not _CODE.fullmatch(rule):
            problems.add(path, f"{quoted(rule)} is no id for a rule; {_NAMED}.")
        table = Table(content, path, problems)
        fields = read(rule, table)
        table.close()
        if len(problems) == before:
            found.append(compiled({"id": rule, **_given(fields)}, table))
    return found


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    # A key that the file leaves out takes the default of the compiled form.
    return {field: value for field, value in fields.items() if value is not None}


def _compiled_gate(fields: dict[str, Any], table: Table) -> GateRule:
    rule = GateRule(**fields)
    check_gate(rule, table.problem)
    return rule


def _compiled_obligation(fields: dict[str, Any], table: Table) -> ObligationRule:
    rule = ObligationRule(**fields)
    check_obligation(rule, table.problem)
    return rule


def _gate(rule: str, table: Table) -> dict[str, Any]:
    needs = table.table("needs")
    if (wrong := unknown_gate(rule)) is not None:
        table.problem((), wrong)
    else:
        check_needs(rule, needs, table.problem)
    return {
        "guards": table.words("guards", COMMANDS, "command"),
        "says": table.text("says"),
        "remedy": table.text("remedy"),
        "because": table.text("because"),
        "needs": {name: tuple(each) if isinstance(each, list) else each for name, each in needs.items()},
        "mode": _choice(table, GateRule, "mode"),
    }


def _obligation(_: str, table: Table) -> dict[str, Any]:
    return {
        "says": table.text("says"),
        "because": table.text("because"),
        "kind": _choice(table, ObligationRule, "kind", required=True),
        "subject": _choice(table, ObligationRule, "subject", required=True),
        "opens_on": _triggers(table, "opens-on", required=True),
        "met_by": _triggers(table, "met-by", required=True),
        "dropped_by": _triggers(table, "dropped-by"),
        "planned": _choice(table, ObligationRule, "planned"),
        "counts_from": _choice(table, ObligationRule, "counts_from"),
        "within": table.span("within", required=True),
        "at_least": table.span("at-least"),
        "not_before": table.span("not-before"),
        "while_placed": _choice(table, ObligationRule, "while_placed"),
        "unless_dormant": table.flag("unless-dormant"),
        "while_paused": _choice(table, ObligationRule, "while_paused"),
        "owner": _choice(table, ObligationRule, "owner"),
        "awaits": _choice(table, ObligationRule, "awaits"),
        "mode": _choice(table, ObligationRule, "mode"),
        "applies": _choice(table, ObligationRule, "applies"),
        "useful_for": table.span("useful-for"),
        "ladder": _ladder(table),
    }


def _choice(table: Table, model: type[BaseModel], field: str, *, required: bool = False) -> str | None:
    fields = {key(each): each for each in texts_of(model, field) or ()}
    chosen = table.word(key(field), fields, required=required)
    return None if chosen is None else fields[chosen]


def _triggers(table: Table, name: str, *, required: bool = False) -> tuple[Trigger, ...] | None:
    found: list[dict[str, Any]] = []
    for number, item in enumerate(table.items(name, required=required)):
        if not isinstance(item, dict):
            event = table.known((name, number), item, EVENTS, "event")
            found.append({"event": event})
            continue
        inner = table.inner((name, number), item)
        trigger: dict[str, Any] = {
            "event": inner.word("event", EVENTS, "event", required=True),
            "where": _where(inner),
        }
        if name != "opens-on":  # what opens an obligation is what gives it its subject
            trigger["about_subject"] = inner.flag("about-subject")
        inner.close()
        found.append(trigger)
    return tuple(Trigger(**_given(each)) for each in found if each["event"]) or None


def _where(table: Table) -> dict[str, str]:
    found = {}
    for name, value in table.table("where").items():
        if "_" in name:
            table.problem(("where", name), f'there is no field {quoted(name)}; did you mean "{key(name)}"?')
        elif isinstance(value, str):
            found[name.replace("-", "_")] = value
        else:
            table.problem(
                ("where", name), f"a field is compared with a text in quotes, not with {sort_of(value)}."
            )
    return found


def _ladder(table: Table) -> tuple[LadderStep, ...]:
    found = []
    for number, item in enumerate(table.items("ladder")):
        if not isinstance(item, dict):
            table.problem(("ladder", number), f"{sort_of(item)} stands where a step belongs; write {_STEP}.")
            continue
        inner = table.inner(("ladder", number), item)
        step: dict[str, Any] = {
            "after": inner.span("after", required=True),
            "do": _choice(inner, LadderStep, "do", required=True),
            "to": _choice(inner, LadderStep, "to", required=True),
            "template": inner.word("template", KNOWN_TEMPLATES, "template", required=True),
        }
        level = inner.number("level")
        inner.close()
        if None not in step.values():
            found.append(
                LadderStep(**step, level=level_of(step["do"], step["to"]) if level is None else level)
            )
    return tuple(found)


def _begins_anew(line: str, message: str) -> bool:
    """Tell whether a value was looked for where the next key stands already."""
    column = re.search(r"column (\d+)\)$", message)
    begins = column is not None and not line[: int(column[1]) - 1].strip()
    return begins and re.match(r"\s*[A-Za-z0-9_-]+\s*=", line) is not None


def _syntax(error: ValueError, text: str, where: str) -> str:
    """Turn a complaint of tomllib into one sentence with its line and a remedy."""
    message = str(error)
    found = _SYNTAX_AT.search(message)
    if found is None:
        return f"{where}: this is no valid TOML ({message})."
    line = int(found[1]) if found[1] else text.rstrip().count("\n") + 1
    remedy = next((says for begin, says in _SYNTAX.items() if message.startswith(begin)), None)
    says = remedy or f"this is no valid TOML ({message[: found.start()]})"
    if text.split("\n")[line - 1].lstrip().startswith("[["):
        says = "a rule begins with single brackets and an id, like [obligation.keep-in-touch]"
    if re.match(r"\s*\[[^\]\"']*:", text.split("\n")[line - 1]):
        says = 'a name with a colon in it stands in quotes, like [gate."needs-check:right-to-work"]'
    if message.startswith("Invalid value") and _begins_anew(text.split("\n")[line - 1], message):
        says = "a list above this line is not closed; end it with ] and put commas between its items"
    shown = plain(text.split("\n")[line - 1].strip())
    return f"{where}, line {line} ({shown}): {says}."
