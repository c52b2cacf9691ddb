"""Run the benchmarks: ``python -m benchmarks [--quick] [--only NAME ...] [--json]``.

The last line of the output is JSON; with ``--json`` it is the only one.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.adopting import adopting
from benchmarks.appends import appends
from benchmarks.backtesting import backtest
from benchmarks.cold import cold
from benchmarks.doors import doors
from benchmarks.due import due
from benchmarks.figures import FAILED, SKIPPED, Figure, last_line, machine, table
from benchmarks.folding import folding
from benchmarks.ground import Ground, ground
from benchmarks.histories import history
from benchmarks.memory import memory
from benchmarks.rate import commands
from benchmarks.rebuild import rebuild
from benchmarks.recovery import recovery
from benchmarks.rehydrating import rehydrating
from benchmarks.sizes import QUICK, Sizes
from workers.ending import end_process
from workers.up import in_foreground

Benchmark = Callable[[Ground, Sizes], Awaitable[list[Figure]]]

# First who takes Temporal's data away: nothing of the others must be there yet.
BENCHMARKS: dict[str, Benchmark] = {
    "rehydrating": rehydrating,
    "commands": commands,
    "doors": doors,
    "history": history,
    "appends": appends,
    "fold": folding,
    "memory": memory,
    "cold": cold,
    "due": due,
    "recovery": recovery,
    "adopting": adopting,
    "backtest": backtest,
    "rebuild": rebuild,
}


def main() -> None:
    """Read the command line, measure, print; the exit code is 1 where a target is not met."""
    options = _options()
    sizes = QUICK if options.quick else Sizes()
    names = ("rounds", "seconds", "due", "lost", "open", "cached", "rebuilt", "load")
    given = {name: getattr(options, name) for name in names}
    sizes = replace(sizes, **{name: value for name, value in given.items() if value is not None})
    where, figures = _measured(sizes, options.only or list(BENCHMARKS), quick=options.quick)
    line = last_line(where, figures, SKIPPED + FAILED)
    if options.out is not None:
        Path(options.out).write_text(f"{line}\n", encoding="utf-8")
    if not options.json:
        print(table(where, figures, SKIPPED + FAILED))
    print(line)
    # A quick run is too short to be judged by its figures.
    wanting = bool(FAILED) or (not options.quick and any(each.met is False for each in figures))
    end_process(int(wanting))


def _measured(sizes: Sizes, names: list[str], *, quick: bool) -> tuple[dict[str, Any], list[Figure]]:
    # Told to stop, it takes its servers and workers down first.
    done = asyncio.run(in_foreground(_run(sizes, names, quick=quick)))
    if done is None:
        end_process(130)
    return done


async def _run(sizes: Sizes, names: list[str], *, quick: bool) -> tuple[dict[str, Any], list[Figure]]:
    where, figures = {**machine(), "quick": quick}, list[Figure]()
    async with ground() as place:
        for name in names:
            began = time.perf_counter()
            try:
                figures += await BENCHMARKS[name](place, sizes)
            except Exception as error:
                # What the others found is worth having all the same.
                FAILED.append(f"{name} is not measured: {type(error).__name__}: {error}.")
            print(f"{name}: done after {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    where["load_after"] = round(os.getloadavg()[0], 2)
    return where, figures


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: all ends in two minutes")
    parser.add_argument("--only", action="append", choices=list(BENCHMARKS), help="may be repeated")
    parser.add_argument("--json", action="store_true", help="print the line of JSON and nothing else")
    parser.add_argument("--out", metavar="FILE", help="write the line of JSON to a file as well")
    parser.add_argument("--rounds", type=int, help="how many paired rounds")
    parser.add_argument("--seconds", type=float, help="how long a round of commands lasts")
    parser.add_argument("--due", type=int, help="how many promises fall due at one moment")
    parser.add_argument("--lost", type=int, help="how many engagements are open when Temporal loses its data")
    parser.add_argument("--open", type=int, help="how many engagements are open when the worker is killed")
    parser.add_argument("--cached", type=int, help="over how many engagements memory is measured")
    parser.add_argument("--rebuilt", type=int, help="over how many events projections are rebuilt")
    parser.add_argument("--load", type=float, help="for how many seconds the doors are held under load")
    return parser.parse_args()


if __name__ == "__main__":
    main()
