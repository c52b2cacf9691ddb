"""How much each benchmark does: the usual sizes, and the quick ones.

A quick run proves that the benchmarks work; only a usual one gives figures to quote.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """One set of sizes; *seconds* is how long a round of commands lasts, *load* the
    whole load on the doors."""

    rounds: int = 5
    seconds: float = 8.0
    engagements: int = 50
    lone: int = 15
    bursts: int = 10
    appends: int = 6000
    others: bool = True
    folded: int = 200
    cached: int = 400
    cold: int = 20
    history: int = 500
    due: int = 1000
    lost: int = 1000
    open: int = 10_000
    adopting: int = 1000
    at_once: int = 100
    backtested: int = 1_000_000
    rebuilt: int = 1_000_000
    load: float = 60.0


QUICK = Sizes(
    rounds=3,
    seconds=1.0,
    lone=5,
    bursts=3,
    appends=600,
    folded=200,
    cached=60,
    cold=3,
    history=120,
    due=60,
    lost=60,
    open=150,
    adopting=40,
    backtested=20_000,
    rebuilt=10_000,
    load=4.0,
)
