"""A mapping in plain words: rule by rule, what a message is taken for.

It tells what the mapping says and nothing else: what a provider sends, only its messages show.
"""

from collections.abc import Iterator
from typing import Any

from events.canonical import canonical
from events.integrations.rules import EVERY, Conditions, Mapping, Ref, Rule, RuleCommand, Value
from events.integrations.vocabulary import MADE, REPORTS


def explain(mapping: Mapping) -> Iterator[str]:
    """Tell a mapping, line by line."""
    yield f"What {mapping.provider} tells, in words. What no rule reads waits; nothing is guessed."
    for whose in mapping.whose:
        yield ""
        yield f"{_listed(whose.events)}: about the {whose.kind} at {whose.path}."
        yield "   Where nobody has linked it, the message waits for that, and for nothing else."
    for number, rule in enumerate(mapping.rule, start=1):
        yield ""
        yield from _rule(rule, number)


def _rule(rule: Rule, number: int) -> Iterator[str]:
    where = f", where {_conditions(rule.when)}" if rule.when else ""
    says = f" ({rule.says})" if rule.says else ""
    yield f"{number}. {_listed(rule.events)}{where}{says}"
    if rule.fetch is not None:
        yield f"   The provider is asked for its {rule.fetch} first."
    if rule.ignore is not None:
        yield f"   Nothing is done: {rule.ignore}."
    if rule.each is not None:
        yield f"   For each item at {rule.each}:"
    for command in rule.command:
        yield from _command(command)


def _command(command: RuleCommand) -> Iterator[str]:
    where = f", where {_conditions(command.when)}" if command.when else ""
    yield f"   {command.name}{where}: {_meaning(command.name)}"
    yield f"     happened: {f'as {command.at} says, else ' if command.at else ''}when the message says"
    for key, ref in command.refs.items():
        yield f"     {key}: {_ref(key, ref)}"
    for key, value in command.fields.items():
        yield f"     {key}: {_value(value)}"


def _meaning(name: str) -> str:
    return (REPORTS[name].__doc__ or "").strip().split("\n")[0].replace("``", "")


def _ref(key: str, ref: Ref) -> str:
    linked = f"what the {ref.kind} at {ref.path} is linked to"
    made = f", or a new id ({MADE[key]}…) that it is known by from then on" if ref.new else ""
    also = f"; known by {ref.also} as well from then on" if ref.also is not None else ""
    return linked + made + also


def _value(value: Value) -> str:
    if value.path is None:
        return _word(value.value)
    if value.values is None:
        found = f"what stands at {value.path}"
    else:
        pairs = ", ".join(f"{_word(ours)} for {_word(theirs)}" for theirs, ours in value.values.items())
        found = f"by what stands at {value.path}: {pairs}"
    zone = f", in the zone {value.zone}" if value.zone is not None else ""
    return found + zone + (f", otherwise {_word(value.otherwise)}" if value.otherwise is not None else "")


def _conditions(conditions: Conditions) -> str:
    return " and ".join(
        f"{path} is {'there' if wanted else 'empty'}"
        if isinstance(wanted, bool)
        else f"{path} is {' or '.join(map(_word, wanted))}"
        for path, wanted in conditions.items()
    )


def _listed(events: tuple[str, ...]) -> str:
    return "Any other message" if events == (EVERY,) else ", ".join(events)


def _word(value: Any) -> str:
    return canonical(value)
