"""Opaque ids for the ids of a foreign log, which may be people's names.

Same key, same ids: whoever loses the key can never link an id to its source again.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from events.sources.errors import SourceError

SHORTEST_KEY: Final = 16
PERSON: Final = "recruiter"
# 80 bits: two of a million ids collide with a chance of one in 2e12.
_DIGITS: Final = 20
# An event names again what the one before it named.
_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Turns a foreign id into one of ours: ``prefix-`` and twenty hex digits."""

    key: bytes = field(repr=False)
    people: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Who of the agency stands for whom of the source: known ids instead of derived ones."""
    _known: dict[tuple[str, ...], str] = field(default_factory=dict, repr=False, compare=False, init=False)

    def __post_init__(self) -> None:
        if len(self.key) < SHORTEST_KEY:
            raise SourceError(f"the pseudonym key is too short: it needs at least {SHORTEST_KEY} bytes")

    def standing_in(self, people: Mapping[str, str]) -> "Pseudonyms":
        """Give pseudonyms that know some people of the agency."""
        return replace(self, people=people)

    def of(self, *named: str) -> str:
        """Derive the id of what is *named*: a prefix, which keeps kinds apart, and the foreign id's parts."""
        found = self._known.get(named)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[named] = self._derived(*named)
        return found

    def _derived(self, prefix: str, *parts: str) -> str:
        if prefix == PERSON and (known := self.people.get(parts[0])) is not None:
            return known
        text = "".join(f"{len(part)}:{part}" for part in (prefix, *parts))
        return f"{prefix}-{hmac.digest(self.key, text.encode(), 'sha256').hex()[:_DIGITS]}"
