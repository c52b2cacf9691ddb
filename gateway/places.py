"""Where a stream's events stand: what the line about one event needs to know of all the others.

It only grows; once an event is annulled, a new one is made of the whole stream.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from events.envelope import Stored
from events.fold import annulled_ids


class Places:
    """The places of a stream's events so far."""

    __slots__ = ("_first", "_versions", "annulled")

    def __init__(self, annulled: frozenset[UUID]) -> None:
        self.annulled = annulled
        self._versions: dict[UUID, int] = {}
        self._first: dict[str, int] = {}

    def add(self, events: Iterable[Stored]) -> None:
        """Take the next events in."""
        for stored in events:
            self._versions[stored.event_id] = stored.version
            self._first.setdefault(stored.command_id, stored.version)

    def cause(self, stored: Stored) -> int | None:
        """Give the version of the event that an event names as its cause, if it is in the same stream."""
        return self._versions.get(stored.causation_id) if stored.causation_id else None

    def first(self, stored: Stored) -> int:
        """Give the version of the first event of an event's command."""
        return self._first[stored.command_id]


def places_of(events: Sequence[Stored]) -> Places:
    """This will find the places of a whole stream's events."""
    places = Places(annulled_ids(events))
    places.add(events)
    return places
