"""One stream folded once for all its projections, and what that changes in their tables.

An event that cannot be folded breaks its own stream only: nothing here raises over what the log holds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from events import agency, job_order, job_order_state
from events.catalogue import Event
from events.codec import ENGAGEMENT_EVENTS, Registry, UnknownEvent, decode
from events.envelope import category_of
from events.fold import annulled_ids
from events.ledger import Ledger
from events.projections.life import Life
from events.projections.projection import Projection, Told


@dataclass(frozen=True, slots=True)
class Kind:
    """How the streams of a category fold."""

    registry: Registry
    begin: Callable[[str, frozenset[UUID]], Any]
    take: Callable[[Any, Any, Told], Any]


def _lived(life: Life, event: Any, told: Told) -> Life:
    life.take(event, told)
    return life


KINDS: Final[Mapping[str, Kind]] = {
    "engagement": Kind(ENGAGEMENT_EVENTS, lambda _, annulled: Life(Ledger(annulled)), _lived),
    "job-order": Kind(
        job_order.EVENTS,
        lambda key, _: job_order_state.initial(key),
        lambda state, event, _: job_order_state.evolve(state, event),
    ),
    "agency": Kind(
        agency.EVENTS,
        lambda key, _: agency.initial(key),
        lambda state, event, _: agency.evolve(state, event),
    ),
}


@dataclass(frozen=True, slots=True)
class Broken:
    """Why a stream's rows stay as they were."""

    told: Told
    says: str


@dataclass(slots=True)
class Folded:
    """A stream so far.  It is the fold of its events and nothing else, so it never grows stale."""

    stream: str
    projections: Sequence[Projection]
    version: int = 0
    position: int = 0
    decided_at: datetime | None = None
    state: Any = None
    accounts: dict[str, Any] = field(default_factory=dict)
    last: Told | None = None
    broken: dict[str, Broken] = field(default_factory=dict)
    """By projection."""

    def refused(self, error: Exception) -> Broken:
        """This will say that the rows could not be made or kept."""
        assert self.last is not None
        return broken_by(self.last, error)


def begin(stream: str, projections: Sequence[Projection], annulled: frozenset[UUID] = frozenset()) -> Folded:
    """This will fold nothing yet; *projections* are those of the stream's category."""
    category, _, key = stream.partition(":")
    accounts = {each.name: each.begin() for each in projections}
    return Folded(stream, projections, state=KINDS[category].begin(key, annulled), accounts=accounts)


def fold_stream(events: Sequence[Told], projections: Sequence[Projection]) -> Folded:
    """This will fold a whole stream, annulled events as absent."""
    stream, annulled = events[0].stream, frozenset[UUID]()
    if any(each.type == "event-annulled" for each in events):
        try:
            annulled = annulled_ids(events)
        except Exception as error:
            folded = begin(stream, projections)
            wrong = next(each for each in events if each.type == "event-annulled")
            _break(folded, list(folded.accounts), wrong, error)
            return folded
    folded = begin(stream, projections, annulled)
    advance(folded, events, annulled)
    return folded


def advance(folded: Folded, events: Sequence[Told], annulled: frozenset[UUID] = frozenset()) -> None:
    """This will fold further events of the stream in; an annulment among them asks for a fold of all."""
    kind = KINDS[category_of(folded.stream)]
    for told in events:
        if len(folded.broken) == len(folded.projections):
            return
        if told.event_id not in annulled:
            try:
                event = decode(told, kind.registry)
                folded.state = kind.take(folded.state, event, told)
            except Exception as error:
                _break(folded, [each.name for each in folded.projections], told, error)
                return
            _note(folded, event, told)
        folded.version, folded.position = told.version, told.position
        folded.decided_at, folded.last = told.decided_at, told


def _note(folded: Folded, event: Event, told: Told) -> None:
    for each in folded.projections:
        if told.type in each.on and each.name not in folded.broken:
            try:
                each.apply(folded.accounts[each.name], event, told, folded.state)
            except Exception as error:
                _break(folded, [each.name], told, error)


def _break(folded: Folded, names: Sequence[str], told: Told, error: Exception) -> None:
    why = broken_by(told, error)
    folded.broken = {**dict.fromkeys(names, why), **folded.broken}


def broken_by(told: Told, error: Exception) -> Broken:
    """This will say that a stream is not followed from an event on, without quoting it."""
    if isinstance(error, UnknownEvent):
        return Broken(told, str(error))
    # What an error says may quote the event; its class tells enough.
    what = f"event {told.version} of {told.stream}, a '{told.type}'"
    return Broken(told, f"{what}, cannot be projected ({type(error).__name__}); a mended version goes on")


def items_of(folded: Folded, projection: Projection) -> Mapping[Any, Any]:
    """This will give what a projection's rows of the stream are made from."""
    return projection.items(folded.accounts[projection.name], folded)


def rows_of(folded: Folded, projection: Projection) -> list[tuple[Any, ...]]:
    """This will give the stream's rows, without agency and stream."""
    key = folded.stream.partition(":")[2]
    return [projection.row(key, item) for item in items_of(folded, projection).values()]
