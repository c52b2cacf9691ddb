"""Webhooks, three times each and shuffled, while the gateway is killed and Temporal stopped; then verified.

It is a program and no test, and takes minutes; a small run of it is among the crash tests.  The same seed
tells the same messages in the same order of delivery; what the processes do just then is up to them.
"""

import argparse
import asyncio
import random
import sys

from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from tests.crash.deliveries.run import Options, deliver
from tests.crash.soak.ground import make_place, remove_place
from workers.ending import end_process
from workers.up import in_foreground


def main() -> int:
    """Run once: 0 if all promises hold, 1 if not, 130 if it was stopped."""
    options = _options()
    quiet = LoggingConfig(TelemetryFilter(core_level="ERROR", other_level="ERROR"))
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=quiet)))
    _say(f"seed {options.seed}; again with: make deliveries SEED={options.seed}")
    place = make_place("deliveries")
    keep = True
    try:
        figures = asyncio.run(in_foreground(deliver(options, place, _say)))
        keep = figures is not None and not figures.holds
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
