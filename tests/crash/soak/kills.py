"""What is killed, when, and for how long it stays away: drawn from the seed alone.

The plan must not look at the run, or the same seed would not kill the same things at the same times.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

WORKER, TEMPORAL, POSTGRES = "worker", "temporal", "postgres"

# How often each is killed, out of ten: the worker most, since it alone can be caught inside DATA.
_TARGETS: Final = (
    *[(WORKER,)] * 4,
    *[(TEMPORAL,)] * 2,
    *[(POSTGRES,)] * 2,
    (WORKER, TEMPORAL),
    (WORKER, POSTGRES),
    (TEMPORAL, POSTGRES),
)
# Seconds between two kills.  Temporal takes ten to give up a dead worker: some come sooner, most do not.
_GAPS: Final = (4.0, 24.0)
_AWAY: Final = (0.0, 4.0)


@dataclass(frozen=True)
class Blow:
    """One planned kill: after so many seconds, these, each away for so long."""

    after: float
    targets: tuple[str, ...]
    away: tuple[float, ...]


@dataclass(frozen=True)
class Kill:
    """One that was done; *at* is of ``time.monotonic``."""

    at: float
    target: str
    together: bool


def planned(seed: int) -> Iterator[Blow]:
    """Yield the blows of a seed, for ever."""
    chance = random.Random(f"kills {seed}")
    while True:
        targets = chance.choice(_TARGETS)
        yield Blow(chance.uniform(*_GAPS), targets, tuple(chance.uniform(*_AWAY) for _ in targets))


def done(target: str, *, together: bool) -> Kill:
    """Note a kill that is being done now."""
    return Kill(time.monotonic(), target, together)
