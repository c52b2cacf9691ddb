"""What the doors ask of one engagement's stream, each folded once and then by what is new.

All of it is folded from sealed events: a personal value is opened for one reader at a time, and never kept.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from events.envelope import Stored
from events.fold import annulled_ids, fold
from events.log.port import EventLog
from events.projections import obligations
from events.projections.folding import advance, begin, fold_stream, items_of
from events.projections.projection import told_of
from events.state import Engagement
from gateway.cli.output import written
from gateway.looks import EVENTS, STREAMS, Looks, fold_in
from gateway.places import Places

_PROMISES = obligations.PROJECTION


class Folds:
    """The engagements of one process's callers; every question names the agency."""

    def __init__(self, log: EventLog, *, streams: int = STREAMS, events: int = EVENTS) -> None:
        self._log = log
        limits = {"streams": streams, "events": events}
        # Apart, because few callers ask for all three, and each costs time and room.
        self._states = Looks(log, _State, **limits)
        self._promises = Looks(log, _Promises, **limits)
        self._places = Looks(log, _Places, **limits)

    async def state(self, agency: str, stream: str) -> Engagement:
        """Fold an engagement as it is now; at version 0 there is none."""
        _, state = await self._states.look(agency, stream)
        return state

    async def state_at(self, agency: str, stream: str, version: int) -> tuple[int, Engagement]:
        """Give an engagement's version, and its state after its first *version* events or all that it has."""
        head = await self._log.head(agency, stream)
        if head is not None and version < head.version:
            events = await self._log.read_stream(agency, stream, limit=version)
            folded = _State(stream, events)
            await fold_in(folded, events)
            return head.version, folded.shown()
        state = await self.state(agency, stream)
        if version < state.version:
            # It has grown between the two readings.
            return await self.state_at(agency, stream, version)
        return state.version, state

    async def promises(self, agency: str, stream: str) -> tuple[int, list[str]]:
        """Give an engagement's version and each promise in it as JSON: the row that the tables have."""
        return await self._promises.look(agency, stream)

    async def places(self, agency: str, stream: str) -> tuple[int, Places]:
        """Give an engagement's version, and what a page of its events needs to know of the others."""
        return await self._places.look(agency, stream)


class _State:
    def __init__(self, _stream: str, events: Sequence[Stored]) -> None:
        self.annulled = annulled_ids(events)
        self._state = Engagement()

    def more(self, events: Sequence[Stored]) -> None:
        self._state = fold(events, self._state, annulled=self.annulled)

    def shown(self) -> Engagement:
        return self._state


class _Promises:
    def __init__(self, stream: str, events: Sequence[Stored]) -> None:
        self.annulled: frozenset[UUID] = frozenset()
        self._written: dict[Any, tuple[Any, str]] = {}
        try:
            self.annulled = annulled_ids(events)
            self._folded = begin(stream, [_PROMISES], self.annulled)
        except Exception:
            # An annulment that cannot be read breaks the stream, for the tables as well.
            self._folded = fold_stream([told_of(each) for each in events], [_PROMISES])

    def more(self, events: Sequence[Stored]) -> None:
        advance(self._folded, [told_of(each) for each in events], self.annulled)

    def shown(self) -> list[str]:
        items = items_of(self._folded, _PROMISES)
        for key, item in items.items():
            # Most promises have ended and stay as they are: an item is replaced when it changes.
            if key not in self._written or self._written[key][0] is not item:
                self._written[key] = (item, self._row(item))
        return [self._written[key][1] for key in items]

    def _row(self, item: Any) -> str:
        row = _PROMISES.row(self._folded.stream.partition(":")[2], item)
        return written(dict(zip(_PROMISES.columns, row, strict=True)))


class _Places:
    def __init__(self, _stream: str, events: Sequence[Stored]) -> None:
        self._places = Places(annulled_ids(events))

    @property
    def annulled(self) -> frozenset[UUID]:
        return self._places.annulled

    def more(self, events: Sequence[Stored]) -> None:
        self._places.add(events)

    def shown(self) -> Places:
        # It grows by events that no page before them looks for.
        return self._places
