"""Streams as they were looked at last, so that another look costs what is new.

Each answer rests on a reading that began after the question, so none is older than one before it.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID

from events.envelope import Stored
from events.fold import needs_refold
from events.log.port import EventLog

STREAMS: Final = 500
EVENTS: Final = 50_000
# So many are folded in some milliseconds; then others have their turn.
_AT_ONCE: Final = 100

S = TypeVar("S")
Shown = TypeVar("Shown", covariant=True)


class Fold(Protocol[Shown]):
    """A stream so far."""

    @property
    def annulled(self) -> frozenset[UUID]:
        """Name the events that count as absent, of all that were there when it was begun."""

    def more(self, events: Sequence[Stored]) -> None:
        """Fold the next events in; none of them annuls."""

    def shown(self) -> Shown:
        """Give what has come of it; what is given says the same ever after."""


Begin = Callable[[str, Sequence[Stored]], Fold[S]]
"""Begins a stream's fold, given all events that it will begin with; it folds none of them yet."""


@dataclass(eq=False, slots=True)
class _Kept(Generic[S]):
    fold: Fold[S] | None = None
    version: int = 0
    """0: nothing that can be built on."""
    last: tuple[int, bytes] = (0, b"")
    asked: int = 0
    """So many wait for an answer."""
    begun: int = 0
    read: int = 0
    """The number of the last reading that came to its end."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Looks(Generic[S]):
    """Folds streams in one way and keeps those that were looked at last, within limits."""

    def __init__(
        self, log: EventLog, begin: Begin[S], *, streams: int = STREAMS, events: int = EVENTS
    ) -> None:
        self._log, self._begin = log, begin
        self._streams, self._events = streams, events
        self._kept: dict[tuple[str, str], _Kept[S]] = {}

    async def look(self, agency: str, stream: str) -> tuple[int, S]:
        """Give a stream's version and what has come of it; 0: it has no event."""
        key = (agency, stream)
        # Put in at the end: whoever stands first was not asked for longest.
        kept = self._kept.pop(key) if key in self._kept else _Kept[S]()
        self._kept[key] = kept
        before = kept.begun
        kept.asked += 1
        try:
            async with kept.lock:
                # A reading that began after this was asked is as good as one of its own.
                if kept.read <= before:
                    await self._catch_up(kept, agency, stream)
                    self._shed()
                assert kept.fold is not None
                return kept.version, kept.fold.shown()
        finally:
            kept.asked -= 1

    async def _catch_up(self, kept: _Kept[S], agency: str, stream: str) -> None:
        kept.begun += 1
        reading, fold, version = kept.begun, kept.fold if kept.version else None, kept.version
        events = await self._log.read_stream(agency, stream, after=max(version - 1, 0))
        if fold is not None:
            # The hash vouches for all that came before: another log beneath us has another.
            if events and _mark(events[0]) == kept.last and not _unsays(fold, events[1:]):
                events = events[1:]
            else:
                events, fold = await self._log.read_stream(agency, stream), None
        if fold is None:
            fold, version = self._begin(stream, events), 0
        # Whatever ends this half way, the next look begins anew.
        kept.version = kept.read = 0
        await fold_in(fold, events)
        if events:
            version, kept.last = events[-1].version, _mark(events[-1])
        kept.fold, kept.version, kept.read = fold, version, reading

    def _shed(self) -> None:
        held = sum(each.version for each in self._kept.values())
        for key, each in list(self._kept.items()):
            if len(self._kept) <= self._streams and held <= self._events:
                return
            # One that is asked for stays: two of the same stream could answer out of turn.
            if not each.asked:
                del self._kept[key]
                held -= each.version


async def fold_in(fold: Fold[S], events: Sequence[Stored]) -> None:
    """Fold events in, giving others their turn in a long row of them."""
    for number, part in enumerate(_parts(events)):
        if number:
            await asyncio.sleep(0)
        fold.more(part)


def _parts(events: Sequence[Stored]) -> Iterator[Sequence[Stored]]:
    return (events[begin : begin + _AT_ONCE] for begin in range(0, len(events), _AT_ONCE))


def _mark(stored: Stored) -> tuple[int, bytes]:
    return stored.position, stored.chain_hash


def _unsays(fold: Fold[S], events: Sequence[Stored]) -> bool:
    """Tell whether events change what is folded already, or are themselves annulled by it."""
    return needs_refold(events) or any(
        each.event_id in fold.annulled
        or (each.type == "obligation-excused" and each.causation_id in fold.annulled)
        for each in events
    )
