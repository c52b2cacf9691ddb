"""Runs a module under a profiler: ``python -m benchmarks.profiled DIRECTORY MODULE ...``.

Our processes end without finalizers, so what was found is written where they end.
"""

import cProfile
import os
import runpy
import sys
from typing import NoReturn

import workers.ending


def main() -> None:
    """This will run the module as if it were the program."""
    place, module, *arguments = sys.argv[1:]
    profile, ends = cProfile.Profile(), workers.ending.end_process

    def end_process(code: int) -> NoReturn:
        profile.disable()
        profile.dump_stats(os.path.join(place, f"{module}-{'-'.join(arguments[:1])}-{os.getpid()}.prof"))
        ends(code)

    workers.ending.end_process = end_process
    sys.argv = [module, *arguments]
    profile.enable()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
