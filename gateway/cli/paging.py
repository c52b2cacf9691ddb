"""Long text for people goes through their own pager, on terminals only.

A pipe must get the same bytes as ever, and a pager that fails must cost nobody the text.
"""

import io
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import Final

# What git asks of less: colours pass, and it leaves what it showed on the screen.
_LESS: Final = "FRX"


class _Screen(io.StringIO):
    """Collects what would go to a terminal, colours included."""

    def isatty(self) -> bool:
        """Say what stdout would say."""
        return True


@contextmanager
def paged() -> Iterator[None]:
    """Let what is printed within go through ``$PAGER`` if it is longer than the terminal is high."""
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        yield
        return
    screen = _Screen()
    try:
        with redirect_stdout(screen):
            yield
    finally:
        show(screen.getvalue())


def show(text: str) -> None:
    """Show a text, page by page where it is long and there is a pager."""
    command = _pager()
    if command is None or text.count("\n") < shutil.get_terminal_size().lines:
        print(text, end="", flush=True)
        return
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, env={"LESS": _LESS, **os.environ}, text=True, encoding="utf-8"
        )
    except OSError:
        print(text, end="", flush=True)
        return
    _feed(process, text)


def _feed(process: "subprocess.Popen[str]", text: str) -> None:
    # Ctrl-C is the pager's own affair while it shows something.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        # Whoever leaves the pager early has read enough.
        with suppress(BrokenPipeError), process:
            process.communicate(text)
    finally:
        signal.signal(signal.SIGINT, before)


def _pager() -> list[str] | None:
    named = os.environ.get("PAGER")
    if named is not None:
        return shlex.split(named) or None
    found = shutil.which("less") or shutil.which("more")
    return None if found is None else [found]
