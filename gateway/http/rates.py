"""How often somebody may ask: so many times within a minute, for each credential and each address.

A credential is counted by a digest of all that was shown: who knows its id alone uses nothing of it up.
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

PER_CREDENTIAL: Final = 1200
PER_ADDRESS: Final = 3000


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass, and the headers that say how many more may."""

    wait: int
    """Seconds; 0: it passes."""
    headers: Mapping[str, str]


class Rates:
    """Counts requests; one for a process, so that so many processes let in so many times as much."""

    def __init__(self, *, per_credential: int = PER_CREDENTIAL, per_address: int = PER_ADDRESS) -> None:
        # Two counters for each who asks, however often: a window that keeps every time costs more each time.
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._credential, self._address = (
            RateLimitItemPerMinute(per_credential),
            RateLimitItemPerMinute(per_address),
        )

    def hit(self, address: str, shown: str | None) -> Verdict:
        """Count a request; the narrower of its limits is what the headers tell."""
        counted = [("address", self._address, address)]
        if shown is not None:
            # As the door reads it: blanks and case would make one credential many.
            kind, _, text = shown.strip().partition(" ")
            digest = hashlib.sha256(f"{kind.lower()} {text.strip()}".encode()).hexdigest()
            counted.append(("credential", self._credential, digest))
        passes = [self._limiter.hit(item, name, key) for name, item, key in counted]
        told = [(*self._left(item, name, key), name, item) for name, item, key in counted]
        left, resets, name, _ = min(told, key=lambda each: each[0] / each[3].amount)
        headers = {
            "RateLimit-Policy": ", ".join(f'"{n}";q={i.amount};w={i.get_expiry()}' for n, i, _ in counted),
            "RateLimit": f'"{name}";r={left};t={resets}',
        }
        refused = [each[1] for each, passed in zip(told, passes, strict=True) if not passed]
        return Verdict(max(refused, default=0), headers)

    def _left(self, item: RateLimitItem, name: str, key: str) -> tuple[int, int]:
        stats = self._limiter.get_window_stats(item, name, key)
        return max(0, stats.remaining), max(1, ceil(stats.reset_time - time.time()))
