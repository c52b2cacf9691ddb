"""Reads a step's fields as they are meant at their moment: counted times, and things named by what they are.

What has no id before the play (a promise, an escalation, an event) is named by rule or type, never by order.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from events.canonical import instant
from events.durations import DurationError, parse_span
from events.envelope import Stored
from events.fold import fold
from events.state import Engagement

KINDS: Final = ("obligation", "escalation", "event")


class Unnamed(Exception):
    """Nothing is there under that name at this moment of the story."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no {name.removeprefix('$')} now")


def fields_at(given: dict[str, Any], now: datetime, events: Sequence[Stored]) -> dict[str, Any]:
    """Give a command's fields with times counted from *now* and names looked up in its engagement.

    :raises Unnamed: a ``$`` names something that is not there.
    """
    return {key: _read(value, now, events) for key, value in given.items()}


def _read(value: Any, now: datetime, events: Sequence[Stored]) -> Any:
    match value:
        case list():
            return [_read(each, now, events) for each in value]
        case str() if value[:1] in ("+", "-"):
            return _moment(value, now)
        case str() if value.startswith("$"):
            return _named(value, events)
        case _:
            return value


def _moment(value: str, now: datetime) -> str:
    try:
        span = parse_span(value[1:].strip()).delta
    except DurationError:
        return value
    return instant(now + span if value.startswith("+") else now - span)


def _named(value: str, events: Sequence[Stored]) -> str:
    kind, _, name = value.removeprefix("$").partition(":")
    if kind not in KINDS:
        return value
    if kind == "event":
        found = next((each.event_id for each in reversed(events) if each.type == name), None)
    else:
        state = fold(events)
        found = _obligation(state, name) if kind == "obligation" else _escalation(state, name)
    if found is None:
        raise Unnamed(value)
    return str(found)


def _obligation(state: Engagement, rule: str) -> UUID | None:
    """Find the open promise that is due first, else the last one that was broken."""
    still = [(each.due_at, key) for key, each in state.obligations.items() if each.rule == rule]
    if still:
        return min(still)[1]
    broken = [(each.due_at, key) for key, each in state.breaches.items() if each.rule == rule]
    return max(broken)[1] if broken else None


def _escalation(state: Engagement, rule: str) -> UUID | None:
    """Find the open escalation of the highest level."""
    about = {key for key, each in state.obligations.items() if each.rule == rule}
    found = [(each.level, key) for key, each in state.escalations.items() if each.obligation_id in about]
    return max(found)[1] if found else None
