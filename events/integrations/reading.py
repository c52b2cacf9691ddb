"""From one message to its meaning, by a mapping and the foreign ids that are known.

Total: any message comes to commands, to a reason, or to a wait; nothing is guessed, nothing raises.
"""

from typing import Any

from events.integrations import mail_meaning
from events.integrations.filling import Broken, Filling
from events.integrations.meaning import (
    Ignored,
    Kind,
    Known,
    KnownIds,
    Learnt,
    Meaning,
    Means,
    Ours,
    Waits,
    Wanted,
)
from events.integrations.message import MALFORMED, Message
from events.integrations.own_words import GENERIC, PREFIX, read_own
from events.integrations.paths import Source, meets, of_fetched, shown
from events.integrations.rules import Mapping, Rule
from events.policy_table import quoted

__all__ = [
    "Ignored",
    "Kind",
    "Known",
    "KnownIds",
    "Learnt",
    "Meaning",
    "Means",
    "Ours",
    "Waits",
    "Wanted",
    "mentions",
    "read",
]


def read(message: Message, mapping: Mapping, known: Known) -> Meaning:
    """Say what a message means: by the first rule that names its event and whose conditions hold."""
    if message.event == MALFORMED:
        return Waits(f"It cannot be read: {message.headers.get(MALFORMED, 'nobody said why')}.", "mapping")
    if mapping.provider == mail_meaning.MAIL:
        return mail_meaning.mean(message, known)
    if mapping.provider == GENERIC and message.event.startswith(PREFIX):
        return read_own(message)
    source = Source(message)
    for number, rule in enumerate(mapping.rule, start=1):
        if rule.names(message.event) and _holds(rule, source):
            return _by_rule(rule, number, mapping, message, known)
    stranger = _stranger(mapping, message, known)
    return stranger or Waits(_unmapped(mapping, source), "mapping")


def mentions(message: Message, mapping: Mapping) -> frozenset[tuple[Kind, str]]:
    """Give every foreign id that reading this message may look up."""
    if mapping.provider == mail_meaning.MAIL:
        return mail_meaning.senders(message)
    source = Source(message)
    found: set[tuple[Kind, str | None]] = {
        (each.kind, source.external(each.path)) for each in mapping.whose if _told(each.events, message.event)
    }
    for rule in mapping.rule:
        if not rule.names(message.event):
            continue
        for item in _items(rule, source) or [None]:
            within = Source(message, item)
            for ref in (ref for command in rule.command for ref in command.refs.values()):
                found.add((ref.kind, within.external(ref.path)))
                found.add((ref.kind, within.external(ref.also) if ref.also else None))
    return frozenset((kind, external) for kind, external in found if external is not None)


def _by_rule(rule: Rule, number: int, mapping: Mapping, message: Message, known: Known) -> Meaning:
    unasked = rule.fetch is not None and message.fetched is None
    # Whether a rule holds that looks at what is fetched, nobody knows before it is.
    if rule.ignore is not None and not unasked:
        return Ignored(rule.ignore)
    filling = Filling(mapping, rule, number, known)
    try:
        if (stranger := _stranger(mapping, message, known)) is not None:
            return stranger
        if unasked:
            filling.check_links(Source(message))
            return Waits(
                f"{filling.label} asks the provider for its {rule.fetch} first.", "fetch", fetch=rule.fetch
            )
        items = _items(rule, Source(message))
        if items is None:
            return Waits(f"{filling.label} finds no list at {rule.each}.", "mapping")
        sources = [Source(message, item) for item in items]
        # Whose it is comes first: what is nobody's of ours needs no mending of the mapping.
        for each in sources:
            filling.check_links(each)
        commands = [wanted for each in sources for wanted in filling.commands(each)]
    except Broken as broken:
        return broken.waits
    if not commands:
        return Ignored(f"{filling.label} finds nothing in it to report")
    return Means(tuple(commands), tuple(filling.learns))


def _items(rule: Rule, source: Source) -> list[Any] | None:
    if rule.each is None:
        return [None]
    found = source.find(rule.each)
    return found if isinstance(found, list) else None


def _holds(rule: Rule, source: Source) -> bool:
    """Tell whether the message is one of the rule's; what has not been fetched yet may still hold."""
    for path, condition in rule.when.items():
        open_yet = of_fetched(path) and source.message.fetched is None and rule.fetch is not None
        if not open_yet and not meets(source.find(path), condition):
            return False
    return True


def _stranger(mapping: Mapping, message: Message, known: Known) -> Waits | None:
    """Tell whether the message names somebody of whom nobody has said that they are ours."""
    for each in mapping.whose:
        if not _told(each.events, message.event):
            continue
        external = Source(message).external(each.path)
        if external is not None and known.find(each.kind, external) is None:
            says = f"nobody has linked the {each.kind} at {each.path}; it may be none of ours."
            return Waits(says, "link", each.kind, external)
    return None


def _told(events: tuple[str, ...], event: str) -> bool:
    return event in events or "*" in events


def _unmapped(mapping: Mapping, source: Source) -> str:
    event = source.message.event
    shows = [path for each in mapping.whose if _told(each.events, event) for path in each.shows]
    rules = [rule for rule in mapping.rule if rule.names(event)]
    paths = dict.fromkeys([*shows, *(path for rule in rules for path in rule.when)])
    found = {path: source.find(path) for path in paths}
    told = [f"{path} is {_told_value(path, each)}" for path, each in found.items() if each is not None]
    told = told or [f"{path} is empty" for path in found]
    if not told:
        return f"the mapping of {mapping.provider} says nothing about {quoted(event)}; add a rule for it."
    return (
        f"the mapping of {mapping.provider} has no rule for a {quoted(event)} "
        f"whose {' and '.join(told)}; add one that says what it means."
    )


def _told_value(path: str, value: Any) -> str:
    return shown(path, value) or "something else"
