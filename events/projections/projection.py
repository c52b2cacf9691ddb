"""What a projection is: how one stream's events become rows of one table, and nothing else.

Pure: no clock, nothing personal.  Rows depend on their own stream alone, or a rebuild would differ.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol
from uuid import UUID

from events.catalogue import Event
from events.envelope import Category, Stored


class Told(NamedTuple):
    """An event as the projector reads it: without its ciphertexts, so nothing personal can be opened."""

    position: int
    stream: str
    version: int
    event_id: UUID
    type: str
    schema_version: int
    causation_id: UUID | None
    origin: str
    actor_kind: str
    actor_id: str
    occurred_at: datetime
    decided_at: datetime
    recorded_at: datetime
    body: str
    opened: Mapping[str, str] = MappingProxyType({})
    """Nothing, ever."""


def told_of(stored: Stored) -> Told:
    """This will read an event as the projector does."""
    return Told(
        stored.position,
        stored.stream,
        stored.version,
        stored.event_id,
        stored.type,
        stored.schema_version,
        stored.causation_id,
        stored.origin,
        stored.actor.kind,
        stored.actor.id,
        stored.occurred_at,
        stored.decided_at,
        stored.recorded_at,
        stored.body,
    )


class Stream(Protocol):
    """A stream as far as it is folded."""

    stream: str
    version: int
    position: int
    decided_at: datetime | None
    state: Any
    """Of an engagement, its :class:`events.projections.life.Life`."""


@dataclass(frozen=True, slots=True)
class Projection:
    """One table of schema ``rapport_read``; raise *edition* when its rows mean or hold something else.

    An account is whatever the projection keeps about one stream.  Its items are what the rows are made
    from, by key: replaced when they change, never altered, so that what is the same need not be written.
    """

    name: str
    edition: int
    category: Category
    columns: tuple[str, ...]
    """After agency and stream; the first is the key, where a stream has more than one row."""
    items: Callable[[Any, Stream], Mapping[Any, Any]]
    """Takes the account and the stream it is of."""
    row: Callable[[str, Any], tuple[Any, ...]]
    """Takes the stream's id and an item."""
    on: frozenset[str] = frozenset()
    """The types of events that the account takes; none where the stream's state says it all."""
    apply: Callable[[Any, Any, Told, Any], None] = lambda account, event, told, state: None
    """Takes account, event, envelope and the stream's state after it."""
    begin: Callable[[], Any] = dict
    """Makes an account."""
    key_type: Literal["text", "uuid"] | None = "text"
    """None: one row a stream, under the key None."""


def types(*events: type[Event]) -> frozenset[str]:
    """This will name the types of events."""
    return frozenset(each.model_fields["type"].default for each in events)


def itself(account: Mapping[Any, Any], _stream: Stream) -> Mapping[Any, Any]:
    """This will give the items of an account that holds them by their keys."""
    return account


def as_it_is(_key: str, item: tuple[Any, ...]) -> tuple[Any, ...]:
    """This will give the row of an item that is one."""
    return item
