"""The events of ``tail`` as rows and lines, and which of them are asked for.

A row holds no personal value: what is sealed is left out of its words.
"""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from events.codec import UnknownEvent, decode
from events.envelope import Stored, category_of
from gateway import words
from gateway.cli.errors import Wrong
from gateway.cli.telling import TOLD

Row = dict[str, Any]
FIELDS: Final = ("type", "stream", "rule")


def matching(filters: Sequence[str]) -> Callable[[Row], bool]:
    """Make the test that a row must pass: every filter, each by a field or by the words of its line.

    A field takes ``*`` for anything; a stream may be named by its id alone.
    """
    tests = [_test(each) for each in filters]
    return lambda row: all(test(row) for test in tests)


def row_of(stored: Stored) -> Row:
    """Give an event's row, told in plain words without anybody's own."""
    tell, registry = TOLD.get(category_of(stored.stream), (None, {}))
    rule: str | None = None
    try:
        event = decode(stored, registry)
    except UnknownEvent:
        says = "an event of a newer version of Rapport"
    else:
        says = tell(event, erased="")
        rule = getattr(event, "gate", None) or getattr(event, "rule", None)
    return {
        "position": stored.position,
        "at": stored.occurred_at,
        "recorded_at": stored.recorded_at,
        "stream": stored.stream,
        "version": stored.version,
        "type": stored.type,
        "rule": rule,
        "says": says,
        "actor": stored.actor.model_dump(),
        "source": stored.source,
        "origin": stored.origin,
        "command_id": stored.command_id,
        "event_id": stored.event_id,
    }


def text_of(row: Row) -> str:
    """Write a row as one line."""
    who = f"{row['actor']['kind']} {row['actor']['id']}"
    place = f"{row['stream']}@{row['version']}"
    return f"{row['position']:>6}  {words.moment(row['at'])}  {place}  {row['type']}  {row['says']}  ({who})"


def _test(text: str) -> Callable[[Row], bool]:
    name, equals, pattern = text.partition("=")
    if not equals or " " in name:
        return lambda row: text.casefold() in text_of(row).casefold()
    if name not in FIELDS:
        raise Wrong(f"--filter knows {', '.join(f'{each}=…' for each in FIELDS)}, or words to look for")
    if not pattern:
        raise Wrong(f"--filter {name}= asks for nothing; give it a value, such as {name}=*")

    def holds(row: Row) -> bool:
        value = row[name] or ""
        names = (value, value.partition(":")[2]) if name == "stream" else (value,)
        return any(each and fnmatchcase(each, pattern) for each in names)

    return holds
