"""Opaque ids for the ids of a foreign log, which may be people's names.

Same key, same ids: whoever loses the key can never link an id to its source again.
"""

import hmac
from dataclasses import dataclass, field
from typing import Final

from events.sources.errors import SourceError

SHORTEST_KEY: Final = 16
# 80 bits: two of a million ids collide with a chance of one in 2e12.
_DIGITS: Final = 20
# An event names again what the one before it named.
_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Turns a foreign id into one of ours: ``prefix-`` and twenty hex digits."""

    key: bytes = field(repr=False)
    _known: dict[tuple[str, ...], str] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.key) < SHORTEST_KEY:
            raise SourceError(f"the pseudonym key is too short: it needs at least {SHORTEST_KEY} bytes")

    def of(self, *named: str) -> str:
        """Derive the id of what is *named*: a prefix, which keeps kinds apart, and the foreign id's parts."""
        found = self._known.get(named)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            text = "".join(f"{len(part)}:{part}" for part in named)
            digest = hmac.digest(self.key, text.encode(), "sha256").hex()
            found = self._known[named] = f"{named[0]}-{digest[:_DIGITS]}"
        return found
