"""What a rule of a mapping may say, and which rules stand in each other's way.

Every check ends in what would be right; a rule that passes fails only by what messages hold.
"""

import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

from pydantic import TypeAdapter, ValidationError

from events.integrations.checking import unfit
from events.integrations.paths import of_fetched, of_item
from events.integrations.rules import EVERY, Ref, Rule, RuleCommand, Value
from events.integrations.vocabulary import (
    GIVE,
    MADE,
    REPORTS,
    STREAMS,
    fields_of,
    sort_of_field,
    stream_of,
)
from events.policy_checks import texts_of
from events.policy_table import article, quoted, suggestion
from events.toml_lines import Path

Note = Callable[[Path, str], None]
# Without an id of ours, each delivery about one and the same thing would make another one.
_MAKES: Final = {
    "request-interview": "interview_id",
    "record-interview-scheduled": "interview_id",
    "record-offer": "offer_id",
    "record-submission": "submission_id",
}
_STREAM_REF: Final = {"engagement": "engagement", "job-order": "job_order"}


def check_rule(rule: Rule, note: Note) -> None:
    """Check one rule by itself."""
    if (rule.ignore is None) == (not rule.command):
        note((), 'a rule has either commands, each begun by [[rule.command]], or ignore = "why".')
    if rule.each is not None and of_item(rule.each):
        note(("each",), "a list of items is not itself in an item; begin with body or fetched.")
    for path in rule.when:
        if of_item(path):
            note(("when", path), "a condition on an item stands in the when of a command.")
    for place, path in _paths(rule):
        if of_item(path) and rule.each is None:
            note(place, 'there are no items here; say where they are, each = "body.…".')
        if of_fetched(path) and rule.fetch is None:
            note(place, "nothing is fetched for this rule; say what is, with fetch.")
    for number, command in enumerate(rule.command):
        _check_command(command, lambda path, says, n=number: note(("command", n, *path), says))  # type: ignore[misc]


def check_rules(rules: Sequence[Rule], note: Note) -> None:
    """Check that every rule can be reached by every event it names, and that none is said twice."""
    for later, rule in enumerate(rules):
        for earlier, other in enumerate(rules[:later]):
            if (says := _in_the_way(rule, other, earlier + 1)) is not None:
                note(("rule", later), says)
                break
            if rule.fetch and other.fetch not in (None, rule.fetch) and _meet(rule, other):
                says = f"rule {earlier + 1} fetches {quoted(str(other.fetch))} for some of these messages"
                note(("rule", later, "fetch"), f"{says}; one thing is fetched for a message.")


def _in_the_way(rule: Rule, other: Rule, number: int) -> str | None:
    for event in rule.events:
        if other.names(event) and not other.when:
            taken = "message" if event == EVERY else quoted(event)
            return (
                f"it is never reached by {taken if event != EVERY else 'any message'}: "
                f"rule {number} takes every {taken} before it; put this one first, or give that one a when."
            )
        if event in other.events and other.when == rule.when:
            return f"rule {number} has the same event and conditions; keep one of the two."
    return None


def _meet(rule: Rule, other: Rule) -> bool:
    return EVERY in (*rule.events, *other.events) or bool(set(rule.events) & set(other.events))


def _paths(rule: Rule) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = [(("when", path), path) for path in rule.when if not of_item(path)]
    if rule.each is not None:
        found.append((("each",), rule.each))
    for number, command in enumerate(rule.command):
        here: Path = ("command", number)
        found += [((*here, "when", path), path) for path in command.when]
        if command.at is not None:
            found.append(((*here, "at"), command.at))
        for key, ref in command.refs.items():
            found.append(((*here, "refs", key), ref.path))
            if ref.also is not None:
                found.append(((*here, "refs", key, "also"), ref.also))
        found += [((*here, "fields", key), value.path) for key, value in command.fields.items() if value.path]
    return found


def _check_command(command: RuleCommand, note: Note) -> None:
    name = command.name
    if (wrong := unfit(name)) is not None:
        note(("name",), wrong)
        return
    if name == "open-engagement":
        note(("name",), "a person opens an engagement, and then links the foreign ids to it.")
        return
    fields, own = fields_of(name), _STREAM_REF[stream_of(name)]
    for key, ref in command.refs.items():
        _check_ref(name, key, ref, own, note)
        if key in command.fields:
            note(("fields", key), f"{quoted(key)} stands under refs too; keep one of them.")
    for key, value in command.fields.items():
        if key not in fields:
            note(("fields", key), f"{name} has no field {quoted(key)}; {_fields_hint(key, fields)}")
        else:
            _check_value(name, key, value, note)
    missing = [
        key
        for key, info in fields.items()
        if info.is_required() and key not in command.fields and key not in command.refs
    ]
    for key in missing:
        where = f"refs, of kind {quoted(GIVE[key][0])}" if key in GIVE else "fields"
        note((), f"{name} needs {quoted(key)}; fill it under {where}.")
    if (made := _MAKES.get(name)) is not None and made not in command.refs:
        note((), f"every delivery would make another one; name it by refs.{made} with new = true.")
    if not set(missing) & set(GIVE):
        _check_stream(command, own, note)


def _check_ref(name: str, key: str, ref: Ref, own: str, note: Note) -> None:
    known = [each for each in GIVE if each == own or each in fields_of(name)]
    if key not in known:
        note(("refs", key), f"{name} takes no foreign id as {quoted(key)}; {suggestion(key, known)}")
    elif ref.kind not in GIVE[key]:
        kinds = " or ".join(map(quoted, GIVE[key]))
        note(("refs", key, "kind"), f"{article(ref.kind)} gives no {quoted(key)}; its kind is {kinds}.")
    elif ref.new and key not in MADE:
        note(("refs", key, "new"), f"no message can make {quoted(key)} anew; leave new out.")


def _check_stream(command: RuleCommand, own: str, note: Note) -> None:
    stream = stream_of(command.name)
    if any(ref.kind in STREAMS[stream] and not ref.new for ref in command.refs.values()):
        return
    kinds = " or ".join(map(quoted, STREAMS[stream]))
    note((), f"nothing says whose it is; add refs.{own} of kind {kinds}.")


def _check_value(name: str, key: str, value: Value, note: Note) -> None:
    sort = sort_of_field(name, key)
    if value.path is not None and value.values is None and sort in ("id", "code"):
        what = "an id" if sort == "id" else "a code"
        says = f"{quoted(key)} is {what} of ours, and no foreign text can be one; give values or a constant."
        note(("fields", key), says)
    if sort != "time" and (value.zone is not None or value.date != "year-month-day"):
        note(("fields", key), f"{quoted(key)} is no time, so zone and date say nothing; leave them out.")
    constants: list[tuple[Path, Any]] = [
        (("fields", key, "value"), value.value),
        (("fields", key, "otherwise"), value.otherwise),
    ]
    constants += [(("fields", key, "values", word), each) for word, each in (value.values or {}).items()]
    for path, constant in constants:
        if constant is not None and not _fits(name, key, constant):
            note(path, f"this can be no {quoted(key)} of {name}{_words_hint(name, key, constant)}")


def _fits(name: str, key: str, constant: Any) -> bool:
    info = fields_of(name)[key]
    try:
        form: Any = Annotated[info.annotation, info]
        TypeAdapter(form).validate_json(json.dumps(constant))
    except ValidationError:
        return False
    return True


def _words_hint(name: str, key: str, constant: Any) -> str:
    words = texts_of(REPORTS[name], key)
    return f"; {suggestion(str(constant), words)}" if words else "; look its form up in events/CATALOGUE.md."


def _fields_hint(key: str, fields: Any) -> str:
    return suggestion(key, fields) if fields else "it has none."
