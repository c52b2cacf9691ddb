"""What became of every row of a source: the sum is always what was read.

A sentence about a row names its place and never what stands in it: that may be personal.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from events.sources.plan import LeftAside

Outcome = Literal["imported", "reported", "already-there", "left-aside"]
# A row may speak of several streams; what needs a person wins, then what is new.
_STRONGER: Final[Mapping[Outcome, int]] = {
    "already-there": 0,
    "reported": 1,
    "imported": 2,
    "left-aside": 3,
}


@dataclass
class Account:
    """One outcome a row, by its place."""

    rows: dict[int, Outcome] = field(default_factory=dict)
    _reasons: dict[int, str] = field(default_factory=dict)

    def note(self, places: Iterable[int], outcome: Outcome) -> None:
        """Note what became of rows; a stronger outcome of the same row stays."""
        for place in places:
            known = self.rows.get(place)
            if known is None or _STRONGER[outcome] > _STRONGER[known]:
                self.rows[place] = outcome

    def aside(self, places: Iterable[int], reason: str) -> None:
        """Note rows that are not told, and why; the first reason stays."""
        for place in places:
            self.rows[place] = "left-aside"
            self._reasons.setdefault(place, reason)

    @property
    def left_aside(self) -> tuple[LeftAside, ...]:
        """List the rows left aside, in the source's order."""
        return tuple(LeftAside(place, reason) for place, reason in sorted(self._reasons.items()))

    def counts(self) -> dict[str, int]:
        """Count the rows by what became of them."""
        found = Counter(self.rows.values())
        return {each: found[each] for each in _STRONGER}
