"""Opaque ids for the ids of a foreign log, which may be people's names.

Same key, same ids: whoever loses the key can never link an id to its source again.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from events.sources.errors import SourceError

SHORTEST_KEY: Final = 16
PERSON: Final = "recruiter"
# 80 bits: two of a million ids collide with a chance of one in 2e12.
_DIGITS: Final = 20


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Turns a foreign id into one of ours: ``prefix-`` and twenty hex digits."""

    key: bytes = field(repr=False)
    people: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Who of the agency stands for whom of the source: known ids instead of derived ones."""

    def __post_init__(self) -> None:
        if len(self.key) < SHORTEST_KEY:
            raise SourceError(f"the pseudonym key is too short: it needs at least {SHORTEST_KEY} bytes")

    def standing_in(self, people: Mapping[str, str]) -> "Pseudonyms":
        """Give pseudonyms that know some people of the agency."""
        return replace(self, people=people)

    def of(self, prefix: str, *parts: str) -> str:
        """Derive the id of what *parts* name; the prefix keeps kinds apart."""
        if prefix == PERSON and (known := self.people.get(parts[0])) is not None:
            return known
        text = "".join(f"{len(part)}:{part}" for part in (prefix, *parts))
        return f"{prefix}-{hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()[:_DIGITS]}"
