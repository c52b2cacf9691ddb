"""How often somebody may ask: a moving window for each credential and each address, in this process.

A credential is counted by a digest of all that was shown: who knows its id alone uses nothing of it up.
"""

import hashlib
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Final

PER_CREDENTIAL: Final = 1200
PER_ADDRESS: Final = 3000
MINUTE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass, and the headers that say how many more may."""

    wait: int
    """Seconds; 0: it passes."""
    headers: Mapping[str, str]


@dataclass(slots=True)
class _Window:
    """Who asked when, each kept for as long as it counts."""

    name: str
    most: int
    asked: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)

    def hit(self, key: str, now: float) -> bool:
        """Count a request unless there were too many; whoever asked last stands last."""
        times = self.asked.setdefault(key, deque())
        self.asked.move_to_end(key)
        _forget(times, now)
        if len(times) >= self.most:
            return False
        times.append(now)
        self._forget_others(now)
        return True

    def left(self, key: str, now: float) -> tuple[int, int]:
        """Tell how many more may pass, and the seconds until one more may."""
        times = self.asked.get(key)
        if not times:
            return self.most, ceil(MINUTE)
        return self.most - len(times), max(1, ceil(times[0] + MINUTE - now))

    def _forget_others(self, now: float) -> None:
        # Two at a time: there are never many more than asked within the window, and no request pays for all.
        for _ in range(2):
            oldest = next(iter(self.asked))
            times = self.asked[oldest]
            if times and times[-1] > now - MINUTE:
                return
            del self.asked[oldest]


class Rates:
    """Counts requests; one for a process, so that so many processes let in so many times as much."""

    def __init__(
        self,
        *,
        per_credential: int = PER_CREDENTIAL,
        per_address: int = PER_ADDRESS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address, self._credential = (
            _Window("address", per_address),
            _Window("credential", per_credential),
        )
        self._monotonic = monotonic

    @property
    def remembered(self) -> int:
        """Tell of how many addresses and credentials something is kept."""
        return len(self._address.asked) + len(self._credential.asked)

    def hit(self, address: str, shown: str | None) -> Verdict:
        """Count a request; the narrower of its limits is what the headers tell."""
        now = self._monotonic()
        counted = [(self._address, address)]
        if shown is not None:
            counted.append((self._credential, hashlib.sha256(shown.encode()).hexdigest()))
        passes = [window.hit(key, now) for window, key in counted]
        told = [(*window.left(key, now), window) for window, key in counted]
        left, resets, narrow = min(told, key=lambda each: each[0] / each[2].most)
        headers = {
            "RateLimit-Policy": ", ".join(
                f'"{each.name}";q={each.most};w={MINUTE:.0f}' for each, _ in counted
            ),
            "RateLimit": f'"{narrow.name}";r={left};t={resets}',
        }
        refused = [each[1] for each, passed in zip(told, passes, strict=True) if not passed]
        return Verdict(max(refused, default=0), headers)


def _forget(times: deque[float], now: float) -> None:
    while times and times[0] <= now - MINUTE:
        times.popleft()
