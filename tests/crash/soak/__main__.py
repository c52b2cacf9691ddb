"""The crash soak: plays scenarios while worker, Temporal and PostgreSQL are killed, and then verifies all.

It is a program and no test: it runs by the clock, for twenty minutes, and proves promises rather than speed.
So it lies beside the crash tests, and neither ``make test`` nor ``make bench`` runs it whole.  The same seed
kills the same things after the same pauses; what the processes are doing just then is up to them.
"""

import argparse
import asyncio
import random
import sys
from typing import Final

from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from gateway.demo.run import SECONDS_A_DAY
from tests.crash.soak.ground import make_place, remove_place
from tests.crash.soak.run import Options, soak
from workers.ending import end_process
from workers.up import in_foreground

# Half the demo's: a crash stops a story for ten or twenty seconds, and few promises last that many days.
DAYS_A_SECOND: Final = 0.5


def main() -> int:
    """Run one soak: 0 if all promises hold, 1 if not, 130 if it was stopped."""
    options = _options()
    # Our own client tries until it gets through; that it has to is no news here.
    quiet = LoggingConfig(TelemetryFilter(core_level="ERROR", other_level="ERROR"))
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=quiet)))
    _say(f"seed {options.seed}, {options.minutes:g} minutes; again with: make soak SEED={options.seed}")
    place = make_place()
    keep = False
    try:
        figures = asyncio.run(in_foreground(soak(options, place, _say)))
        keep = figures is not None and not figures.holds
    except BaseException:
        keep = True
        raise
    finally:
        if keep:
            _say(f"everything is kept for a look in {place}")
        else:
            remove_place(place)
    if figures is None:
        _say(f"stopped; the seed was {options.seed}")
        return 130
    for sentence in figures.sentences():
        _say(sentence)
    _say(figures.line())
    return 0 if figures.holds else 1


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


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    try:
        code = main()
    except SystemExit:  # argparse has told: its help, or what is wrong
        raise
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 2
    end_process(code)
