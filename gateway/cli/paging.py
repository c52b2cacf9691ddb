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
from typing import IO, Any, Final

# What git asks of less: colours pass, and it leaves what it showed on the screen.
_LESS: Final = "FRX"


class _Left(Exception):
    """Whoever read has left the pager: they have read enough."""


class _Screen(io.StringIO):
    """Collects what would go to a terminal, colours included, until it no longer fits: a pager gets it."""

    def __init__(self) -> None:
        super().__init__()
        self._terminal = sys.stdout
        self._room = shutil.get_terminal_size().lines
        self._pager: subprocess.Popen[str] | None = None
        self._to: IO[str] | None = None
        self._before: Any = None

    def isatty(self) -> bool:
        """Say what stdout would say."""
        return True

    def write(self, text: str) -> int:
        """Take some text."""
        if self._to is not None:
            self._send(text)
            return len(text)
        super().write(text)
        self._room -= text.count("\n")
        if self._room <= 0:
            self._begin()
        return len(text)

    def end(self) -> None:
        """Show what is left, and wait for whoever still reads."""
        if self._to is None:
            print(self.getvalue(), end="", file=self._terminal, flush=True)
        if self._pager is None:
            return
        try:
            with suppress(BrokenPipeError), self._pager:
                self._pager.communicate()
        finally:
            signal.signal(signal.SIGINT, self._before)

    def _begin(self) -> None:
        self._pager = _started()
        self._to = self._terminal
        if self._pager is not None:
            self._to = self._pager.stdin
            # Ctrl-C is the pager's own affair while it shows something.
            self._before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._send(self.getvalue())

    def _send(self, text: str) -> None:
        assert self._to is not None
        try:
            self._to.write(text)
            self._to.flush()
        except BrokenPipeError:
            raise _Left from None


@contextmanager
def paged(*, text: bool = True) -> Iterator[None]:
    """Let what is printed within go through ``$PAGER`` if it is longer than the terminal is high.

    The pager shows what there is while the rest is still being made.  What is no *text* is left alone.
    """
    if not (text and sys.stdout.isatty() and sys.stdin.isatty()):
        yield
        return
    screen = _Screen()
    try:
        with suppress(_Left), redirect_stdout(screen):
            yield
    finally:
        screen.end()


def _started() -> "subprocess.Popen[str] | None":
    command = _command()
    if command is None:
        return None
    try:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, env={"LESS": _LESS, **os.environ}, text=True, encoding="utf-8"
        )
    except OSError:
        return None


def _command() -> list[str] | None:
    named = os.environ.get("PAGER")
    if named is not None:
        return shlex.split(named) or None
    found = shutil.which("less") or shutil.which("more")
    return None if found is None else [found]
