"""The crash soak: plays scenarios while worker, Temporal and PostgreSQL are killed, and then verifies all.

It is a program and no test: it runs by the clock, for twenty minutes, and proves promises rather than speed.
So it lies beside the crash tests, and neither ``make test`` nor ``make bench`` runs it whole.  The same seed
kills the same things after the same pauses; what the processes are doing just then is up to them.
"""

import argparse
import random
from typing import Final

from gateway.demo.run import SECONDS_A_DAY
from tests.crash.program import end_with, play, say
from tests.crash.soak.ground import make_place
from tests.crash.soak.run import Options, soak

# Half the demo's: a crash stops a story for ten or twenty seconds, and few promises last that many days.
DAYS_A_SECOND: Final = 0.5


def main() -> int:
    """Run one soak: 0 if all promises hold, 1 if not, 130 if it was stopped."""
    options = _options()
    say(f"seed {options.seed}, {options.minutes:g} minutes; again with: make soak SEED={options.seed}")
    place = make_place()
    return play(soak(options, place, say), place, options.seed)


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--days-a-second", type=float, default=DAYS_A_SECOND, help="of the stories' clock")
    parser.add_argument(
        "--small", action="store_true", help="one round at a time, of the two shortest stories"
    )
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    return Options(seed, given.minutes, given.days_a_second * SECONDS_A_DAY, given.small)


if __name__ == "__main__":
    end_with(main)
