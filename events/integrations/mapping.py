"""The mapping language: from the TOML that people write to a checked mapping, or what is wrong with it.

A file with any problem is no mapping: a message that half of it explains would be half understood.
"""

import re
import tomllib
from datetime import date, datetime, time
from math import isfinite
from typing import Any, Final, get_args

from events.canonical import instant
from events.integrations.mapping_checks import check_rule, check_rules
from events.integrations.meaning import Kind
from events.integrations.own_words import GENERIC
from events.integrations.paths import ROOTS, is_path, of_fetched, of_item
from events.integrations.rules import (
    DateOrder,
    Mapping,
    Ref,
    Rule,
    RuleCommand,
    Scalar,
    Value,
    Whose,
    of_body,
)
from events.integrations.vocabulary import KINDS, PROVIDERS
from events.policy_table import Problems, Table, plain, quoted, sort_of, suggestion
from events.toml_lines import Path, locate
from events.zones import ZONES

__all__ = ["Mapping", "MappingError", "of_body", "parse"]

_EXAMPLES: Final = {
    "provider": 'provider = "greenhouse"',
    "events": 'events = ["candidate_stage_change"]',
    "name": 'name = "record-interview-result"',
    "kind": 'kind = "application"',
    "path": 'path = "body.payload.application.id"',
}
# What tomllib appends to its complaints.
_SYNTAX_AT: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_DATES: Final[tuple[DateOrder, ...]] = get_args(DateOrder)


class MappingError(Exception):
    """A mapping cannot be used; ``problems`` holds one sentence each, the first of them is the message."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(problems[0])
        self.problems = problems


def parse(text: str, *, where: str = "the mapping") -> Mapping:
    """Read a mapping; *where* is what the messages call it.

    :raises MappingError: the text is no mapping; all its problems, in the order of the file.
    """
    try:
        data = tomllib.loads(text)
        problems = Problems(where, locate(text), place=_place, examples=_EXAMPLES)
    except RecursionError:
        raise MappingError([f"{where}: lists stand inside lists without end; write it flat."]) from None
    except ValueError as error:
        raise MappingError([_syntax(error, text, where)]) from None
    top = Table(data, (), problems)
    provider = top.word("provider", PROVIDERS, "provider", required=True)
    number = top.number("format")
    if number != 1:
        problems.add(("format",), "the first line of a mapping is format = 1; no other format is known.")
    says, zone = _line(top, "says"), _zone(top)
    whose = tuple(each for each in map(_whose, _tables(top, "whose")) if each)
    rules = [_rule(each, str(provider)) for each in _tables(top, "rule")]
    top.close()
    if not problems:
        check_rules([rule for rule in rules if rule is not None], problems.add)
    if not rules and provider != GENERIC and not problems:
        problems.add((), "there is no rule in it; add one that begins with [[rule]].")
    if problems:
        raise MappingError(problems.sentences())
    return Mapping(
        format=1,
        provider=str(provider),
        says=says,
        zone=zone,
        whose=whose,
        rule=tuple(each for each in rules if each),
    )


def _rule(table: Table, provider: str) -> Rule | None:
    events = _events(table)
    given = [_command(each) for each in _tables(table, "command")]
    commands = tuple(each for each in given if each is not None)
    rule = Rule(
        events=events,
        when=_when(table),
        says=_line(table, "says"),
        fetch=_fetch(table, provider),
        each=_path(table, "each"),
        ignore=_line(table, "ignore"),
        command=commands,
    )
    table.close()
    if not events or len(commands) < len(given) or (rule.ignore is None and table.has("ignore")):
        return None
    check_rule(rule, table.problem)
    return rule


def _line(table: Table, key: str) -> str | None:
    """Read a text that may be missing; it becomes part of one sentence, so it is one line."""
    return table.text(key) if table.has(key) else None


def _fetch(table: Table, provider: str) -> str | None:
    known = PROVIDERS.get(provider, ())
    if table.has("fetch") and not known:
        table.problem(("fetch",), f"there is nothing to fetch from {provider}; leave fetch out.")
        return None
    return table.word("fetch", known, f"thing to fetch from {provider}")


def _command(table: Table) -> RuleCommand | None:
    name, at, when = table.text("name"), _path(table, "at"), _when(table)
    refs = {key: _ref(_inner(table, ("refs", key), each)) for key, each in table.table("refs").items()}
    fields = {key: _value(table, key, each) for key, each in table.table("fields").items()}
    table.close()
    whole_refs = {key: each for key, each in refs.items() if each is not None}
    whole_fields = {key: each for key, each in fields.items() if each is not None}
    if name is None or len(whole_refs) < len(refs) or len(whole_fields) < len(fields):
        return None
    return RuleCommand(name=name, when=when, at=at, refs=whole_refs, fields=whole_fields)


def _ref(table: Table | None) -> Ref | None:
    if table is None:
        return None
    kind = _kind(table)
    path, new, also = _path(table, "path", required=True), table.flag("new"), _path(table, "also")
    table.close()
    return None if kind is None or path is None else Ref(kind=kind, path=path, new=bool(new), also=also)


def _kind(table: Table) -> Kind | None:
    word = table.word("kind", KINDS, "kind of foreign id", required=True)
    return next((kind for kind in KINDS if kind == word), None)


def _whose(table: Table) -> Whose | None:
    events, kind, path = _events(table), _kind(table), _path(table, "path", required=True)
    if path is not None and (of_item(path) or of_fetched(path)):
        table.problem(("path",), "a message says by itself whose it is; begin with body or headers.")
    shows = table.items("shows")
    for number, each in enumerate(shows):
        if not isinstance(each, str) or not is_path(each):
            table.problem(("shows", number), _no_path(str(each)))
    table.close()
    if kind is None or path is None:
        return None
    return Whose(events=events, kind=kind, path=path, shows=tuple(map(str, shows)))


def _value(command: Table, key: str, given: Any) -> Value | None:
    path: Path = ("fields", key)
    if isinstance(given, str):
        given = {"path": given}
        if not is_path(given["path"]):
            command.problem(path, _no_path(given["path"]))
            return None
    table = _inner(command, path, given)
    if table is None:
        return None
    values = table.table("values") if table.has("values") else None
    order = table.word("date", _DATES)
    value = Value(
        path=_path(table, "path"),
        value=_constant(given.get("value")),
        values=None if values is None else {name: _constant(each) for name, each in values.items()},
        otherwise=_constant(given.get("otherwise")),
        zone=_zone(table),
        date=next((each for each in _DATES if each == order), "year-month-day"),
    )
    both = table.has("value") and (table.has("path") or values is not None)
    table.has("otherwise")
    table.close()
    if both or not (table.has("path") or table.has("value")):
        command.problem(path, 'write either path = "body.…", or value = and a constant.')
        return None
    return None if table.has("path") and value.path is None else value


def _when(table: Table) -> dict[str, bool | tuple[Scalar, ...]]:
    found: dict[str, bool | tuple[Scalar, ...]] = {}
    for path, given in table.table("when").items():
        place: Path = ("when", path)
        items = given if isinstance(given, list) else [given]
        if not is_path(path):
            table.problem(place, _no_path(path))
        elif isinstance(given, bool):
            found[path] = given
        elif not items or not all(_is_scalar(each) for each in items):
            table.problem(
                place, "a condition is a list of texts or numbers, or true (there) or false (not there)."
            )
        else:
            found[path] = tuple(items)
    return found


def _is_scalar(value: object) -> bool:
    # No JSON holds a number without an end.
    return isinstance(value, str | int) or (isinstance(value, float) and isfinite(value))


def _events(table: Table) -> tuple[str, ...]:
    items = table.items("events", required=True)
    for number, item in enumerate(items):
        if not isinstance(item, str) or not item.strip():
            table.problem(("events", number), f"{sort_of(item)} stands where the name of an event belongs.")
    return tuple(item for item in items if isinstance(item, str))


def _tables(table: Table, key: str) -> list[Table]:
    found = []
    for number, item in enumerate(table.items(key)):
        inner = _inner(table, (key, number), item)
        if inner is not None:
            found.append(inner)
    return found


def _inner(table: Table, path: Path, item: object) -> Table | None:
    if isinstance(item, dict):
        return table.inner(path, item)
    table.problem(path, f"{sort_of(item)} stands where a table belongs.")
    return None


def _path(table: Table, key: str, *, required: bool = False) -> str | None:
    found = table.text(key) if required else table.optional_text(key, "is a path in quotes")
    if found is not None and not is_path(found):
        table.problem((key,), _no_path(found))
        return None
    return found


def _no_path(text: str) -> str:
    return f"{quoted(text)} is no path; one begins with {', '.join(ROOTS)}, like body.payload.jobs[0].id."


def _zone(table: Table) -> str | None:
    zone = table.optional_text("zone", 'is a zone in quotes, like "Europe/London"')
    if zone is not None and zone not in ZONES:
        table.problem(("zone",), f"there is no zone {quoted(zone)}; {suggestion(zone, ZONES)}")
        return None
    return zone


def _constant(value: Any) -> Any:
    """Write a constant as JSON would hold it."""
    match value:
        case datetime():
            return instant(value) if value.tzinfo else value.isoformat()
        case date() | time():
            return value.isoformat()
        case list():
            return [_constant(each) for each in value]
        case dict():
            return {key: _constant(each) for key, each in value.items()}
        case _:
            return value


def _place(path: Path) -> str:
    # rule 3, command 1, fields, starts_at
    parts: list[str] = []
    for each in path:
        if isinstance(each, int):
            parts[-1] += f" {each + 1}"
        else:
            parts.append(each if each.isprintable() and len(each) <= 60 else quoted(each))
    return ", ".join(parts)


def _syntax(error: ValueError, text: str, where: str) -> str:
    message = str(error)
    found = _SYNTAX_AT.search(message)
    line = int(found[1]) if found and found[1] else text.rstrip().count("\n") + 1
    told = message[: found.start()] if found else message
    shown = plain(text.split("\n")[line - 1].strip())
    return (
        f"{where}, line {line} ({shown}): this is no valid TOML ({told}); "
        "put texts in quotes, close what is open, and give each key once."
    )
