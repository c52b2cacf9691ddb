"""What the long programs of kills share: a place kept where something failed, and one number at the end."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol

from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from tests.crash.soak.ground import remove_place
from workers.ending import end_process
from workers.up import in_foreground


class Figures(Protocol):
    """What a program came to."""

    @property
    def holds(self) -> bool:
        """Tell whether all promises hold."""

    def sentences(self) -> Sequence[str]:
        """Say it to people."""

    def line(self) -> str:
        """Say it to programs."""


def say(text: str) -> None:
    """Tell it at once, also through a pipe."""
    print(text, flush=True)


def play(work: Coroutine[Any, Any, Figures], place: Path, seed: int) -> int:
    """Run once: 0 if all promises hold, 1 if not, 130 if it was stopped."""
    # Our own client tries until it gets through; that it has to is no news here.
    quiet = LoggingConfig(TelemetryFilter(core_level="ERROR", other_level="ERROR"))
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=quiet)))
    keep = True
    try:
        figures = asyncio.run(in_foreground(work))
        keep = figures is not None and not figures.holds
    finally:
        if keep:
            say(f"everything is kept for a look in {place}")
        else:
            remove_place(place)
    if figures is None:
        say(f"stopped; the seed was {seed}")
        return 130
    for sentence in figures.sentences():
        say(sentence)
    say(figures.line())
    return 0 if figures.holds else 1


def end_with(main: Callable[[], int]) -> None:
    """End the process by what *main* returns, 2 where it failed."""
    try:
        code = main()
    except SystemExit:  # argparse has told: its help, or what is wrong
        raise
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 2
    end_process(code)
