"""What a batch of events changes in one table: rows that go, and rows that come in their place.

A stream is compared with what was last written of it; one that is not remembered is written anew as a whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from events.projections.folding import Folded, items_of
from events.projections.projection import Projection


@dataclass(slots=True)
class Changes:
    """Of one agency and one projection."""

    projection: Projection
    anew: list[str] = field(default_factory=list)
    """Streams all of whose rows go."""
    gone: list[tuple[str, Any]] = field(default_factory=list)
    """Stream and key of each single row that goes."""
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    """With their stream, without their agency."""

    def __bool__(self) -> bool:
        return bool(self.anew or self.gone or self.rows)

    def take(self, folded: Folded, written: Mapping[Any, Any] | None) -> Mapping[Any, Any]:
        """Add what a stream asks for; returns the items as they are written then."""
        items = dict(items_of(folded, self.projection))
        key, row = folded.stream.partition(":")[2], self.projection.row
        if written is None:
            self.anew.append(folded.stream)
            self.rows += [(folded.stream, *row(key, item)) for item in items.values()]
            return items
        for name, item in items.items():
            before = written.get(name)
            if item is not before and item != before:
                self.rows.append((folded.stream, *row(key, item)))
                if before is not None:
                    self.gone.append((folded.stream, name))
        self.gone += [(folded.stream, name) for name in written if name not in items]
        return items
