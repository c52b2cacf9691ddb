"""Events to state, from the beginning or from a snapshot.

Annulled events fold as absent: once an annulment arrives, only a fold of the whole stream is right.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from events.catalogue import AnyEvent
from events.codec import decode
from events.copying import replace
from events.envelope import Stored
from events.evolve import evolve
from events.state import REMEMBERED_COMMANDS, Engagement

# Raise this whenever evolve or the state's shape changes: snapshots of another edition are not trusted.
EDITION = 4


def fold(
    events: Iterable[Stored],
    state: Engagement | None = None,
    *,
    annulled: frozenset[UUID] = frozenset(),
) -> Engagement:
    """Fold stored events in, skipping those already folded and those annulled.

    With a *state* to start from, events must not hold an annulment (see :func:`needs_refold`) of anything
    but what is *annulled*, which has been absent from the beginning.
    """
    ordered = list(events)
    annulled |= annulled_ids(ordered)
    state = state or Engagement()
    for stored in ordered:
        if stored.version > state.version:
            event = None if stored.event_id in annulled else decode(stored)
            state = advance(state, event, stored.agency, stored.decided_at, stored.command_id)
    return state


def advance(
    state: Engagement, event: AnyEvent | None, agency: str, decided_at: datetime, command_id: str
) -> Engagement:
    """Count one event and fold it in; None stands for an annulled one."""
    if event is not None:
        state = evolve(state, event)
    recent = state.recent_commands
    if not recent or recent[-1] != command_id:
        recent = (*recent, command_id)[-REMEMBERED_COMMANDS:]
    last = state.decided_at
    return replace(
        state,
        agency=agency,
        version=state.version + 1,
        decided_at=decided_at if last is None or decided_at > last else last,
        recent_commands=recent,
    )


class Correctable(Protocol):
    """What finding annulled events needs of each; a :class:`events.envelope.Stored` has it."""

    @property
    def event_id(self) -> UUID: ...
    @property
    def type(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def causation_id(self) -> UUID | None: ...


def needs_refold(events: Iterable[Correctable]) -> bool:
    """Tell whether these events change what earlier ones meant."""
    return any(stored.type == "event-annulled" for stored in events)


def annulled_ids(events: Sequence[Correctable]) -> frozenset[UUID]:
    """Name the events that a later one declared wrong, and what an excuse that is wrong had excused."""
    return with_excused(
        {UUID(json.loads(each.body)["event_id"]) for each in events if each.type == "event-annulled"}, events
    )


def with_excused(gone: Collection[UUID], events: Sequence[Correctable]) -> frozenset[UUID]:
    """Add to annulled events what the excuses among them had excused: the mark goes with its reason."""
    excuses = {each.event_id for each in events if each.type == "excuse-granted" and each.event_id in gone}
    excused = (
        each.event_id for each in events if each.type == "obligation-excused" and each.causation_id in excuses
    )
    return frozenset((*gone, *excused))
