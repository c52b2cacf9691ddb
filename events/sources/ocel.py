"""OCEL 1.0 JSON, read and checked whole before anything is made of it.

Events that share a moment keep the file's order: it is the only thing that tells them apart.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, NoReturn

from events.sources.errors import SourceError

EVENTS = "ocel:events"
OBJECTS = "ocel:objects"
NO_OCEL = (
    f"this JSON is no OCEL 1.0 log: it has no '{EVENTS}' and '{OBJECTS}' at its top; "
    "export the log as OCEL 1.0 JSON (.jsonocel)"
)
NO_EVENT = "the log holds no event"
TWICE = "the log gives the same id or key twice in one place; each must be unique"


class SourceEvent(NamedTuple):
    """One event of a foreign log; *place* counts from 1 in the file's own order."""

    place: int
    activity: str
    at: datetime
    objects: Mapping[str, tuple[str, ...]]

    def named(self, kind: str) -> tuple[str, ...]:
        """Give the objects of a kind that the event names, in its own order."""
        return self.objects.get(kind, ())


@dataclass(frozen=True, slots=True)
class SourceLog:
    """A foreign log, its events in order of time."""

    events: tuple[SourceEvent, ...]
    kinds: frozenset[str]

    @property
    def until(self) -> datetime:
        """Give the last moment that the file speaks of."""
        return self.events[-1].at


def read_ocel(content: bytes) -> SourceLog:
    """Read an OCEL 1.0 log, or say in one sentence why it is none.

    :raises SourceError: not JSON, cut off, no such log, or contradicting itself.
    """
    document = _parse(content)
    if not isinstance(document, dict) or EVENTS not in document or OBJECTS not in document:
        raise SourceError(NO_OCEL)
    kinds = _kinds(document[OBJECTS])
    events = document[EVENTS]
    if not isinstance(events, dict):
        raise SourceError(f"'{EVENTS}' is not an object that maps ids to events, as OCEL 1.0 asks")
    if not events:
        raise SourceError(NO_EVENT)
    read = [read_event(place, event, kinds.get) for place, event in enumerate(events.values(), start=1)]
    read.sort(key=lambda event: event.at)
    return SourceLog(events=tuple(read), kinds=frozenset(kinds.values()))


def _parse(content: bytes) -> Any:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(
            f"the file is not UTF-8 text (byte {error.start + 1}), so it is no JSON log"
        ) from None
    try:
        return json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        if not text.strip():
            raise SourceError("the file is empty") from None
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
            raise SourceError(
                f"the file is cut off: its JSON breaks off in line {error.lineno}; copy it again whole"
            ) from None
        raise SourceError(
            f"the file is not JSON: {error.msg[0].lower()}{error.msg[1:]} in line {error.lineno}, "
            f"column {error.colno}"
        ) from None
    except RecursionError:
        raise SourceError("the file is no OCEL 1.0 log: its JSON is nested too deeply") from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # json keeps the last of two equal keys: an event would vanish without a word.
    found = dict(pairs)
    if len(found) != len(pairs):
        raise SourceError(TWICE)
    return found


def _no_constant(name: str) -> Any:
    raise SourceError(f"the file is not JSON: '{name}' is no JSON value")


def _kinds(objects: Any) -> dict[str, str]:
    if not isinstance(objects, dict):
        raise SourceError(f"'{OBJECTS}' is not an object that maps ids to objects, as OCEL 1.0 asks")
    kinds: dict[str, str] = {}
    for place, (name, found) in enumerate(objects.items(), start=1):
        kinds[name] = read_kind(place, found)
    return kinds


def read_kind(place: int, found: Any) -> str:
    """Read an object's type.

    :raises SourceError: it has none.
    """
    kind = found.get("ocel:type") if isinstance(found, dict) else None
    if not isinstance(kind, str) or not kind:
        raise SourceError(f"object {place} of the log has no 'ocel:type'")
    return kind


def read_event(place: int, event: Any, kind_of: Callable[[str], str | None]) -> SourceEvent:
    """Read one event; *kind_of* gives the type of an object of the log.

    :raises SourceError: it is no such event, or names what the log does not hold.
    """
    if not isinstance(event, dict):
        raise SourceError(f"event {place} of the log is not an object")
    activity = event.get("ocel:activity")
    if not isinstance(activity, str) or not activity:
        raise SourceError(f"event {place} of the log has no 'ocel:activity'")
    return SourceEvent(
        place=place,
        activity=activity,
        at=_moment(place, event.get("ocel:timestamp")),
        objects=_objects(place, event.get("ocel:omap"), kind_of),
    )


def _moment(place: int, text: Any) -> datetime:
    if not isinstance(text, str):
        raise SourceError(f"event {place} of the log has no 'ocel:timestamp'")
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else _no_zone(place)
    except (ValueError, OverflowError):
        raise SourceError(
            f"event {place} of the log has a timestamp that is no ISO 8601 date and time"
        ) from None


def _no_zone(place: int) -> NoReturn:
    raise SourceError(f"event {place} of the log has a timestamp without a zone; give it an offset such as Z")


def _no_objects(place: int) -> NoReturn:
    raise SourceError(f"event {place} of the log has no 'ocel:omap', the list of the objects it concerns")


def _objects(place: int, named: Any, kind_of: Callable[[str], str | None]) -> dict[str, tuple[str, ...]]:
    if not isinstance(named, list):
        _no_objects(place)
    found: dict[str, tuple[str, ...]] = {}
    for number, name in enumerate(named, start=1):
        kind = kind_of(name) if isinstance(name, str) else _no_objects(place)
        if kind is None:
            raise SourceError(
                f"event {place} of the log names an object (its {number}.) that the log does not hold"
            )
        found[kind] = (*found[kind], name) if kind in found else (name,)
    return found
