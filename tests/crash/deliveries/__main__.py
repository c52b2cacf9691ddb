"""Webhooks, three times each and shuffled, while the gateway is killed and Temporal stopped; then verified.

It is a program and no test, and takes minutes; a small run of it is among the crash tests.  The same seed
tells the same messages in the same order of delivery; what the processes do just then is up to them.
"""

import argparse
import random

from tests.crash.deliveries.run import Options, deliver
from tests.crash.program import end_with, play, say
from tests.crash.soak.ground import make_place


def main() -> int:
    """Run once: 0 if all promises hold, 1 if not, 130 if it was stopped."""
    options = _options()
    say(f"seed {options.seed}; again with: make deliveries SEED={options.seed}")
    place = make_place("deliveries")
    return play(deliver(options, place, say), place, options.seed)


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="make deliveries", description=__doc__)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--engagements", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--temporal-stopped", type=float, default=60.0, help="for so many seconds")
    parser.add_argument(
        "--while-stopped",
        action="store_true",
        help="deliver all while Temporal is stopped: then nothing may be superseded",
    )
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    return Options(seed, given.messages, given.engagements, given.temporal_stopped, given.while_stopped)


if __name__ == "__main__":
    end_with(main)
