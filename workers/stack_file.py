"""The file by which other commands find the stack that runs on a data directory.

It holds the database's password: only its owner may read it, and nothing of it is ever logged.
"""

import contextlib
import json
import os
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil

NAME: Final = "stack.json"
CLOCK_DRIFT: Final = 2.0  # seconds: births are computed from the time of boot, which a clock correction moves


@dataclass(frozen=True, slots=True)
class StackFile:
    """A running stack's addresses; None for a server that its environment names instead."""

    pid: int
    born: float
    started: str
    database_url: str | None
    temporal_address: str | None
    temporal_ui_url: str | None
    codec_endpoint: str | None
    smtp_host: str | None
    smtp_port: int | None
    http_url: str | None = None
    """Of the HTTP gateway; None where none runs, or not yet."""

    def __repr__(self) -> str:
        return f"StackFile(pid={self.pid}, started={self.started!r})"

    @property
    def runs(self) -> bool:
        """This will be true while that very process runs; another with its number does not count."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.born) < CLOCK_DRIFT
            return same and bool(process.status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return False


def describe_me(**addresses: Any) -> StackFile:
    """This will describe the calling process as the one that runs the stack."""
    process = psutil.Process()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    return StackFile(pid=process.pid, born=process.create_time(), started=started, **addresses)


def write(directory: Path, stack: StackFile) -> None:
    """This will say where the stack is, whole or not at all."""
    waiting = directory / f"{NAME}.{os.getpid()}.tmp"
    with contextlib.suppress(FileNotFoundError):
        waiting.unlink()
    descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(stack), file)
    waiting.replace(directory / NAME)


def read(directory: Path) -> StackFile | None:
    """This will return the stack that runs on *directory*; None: no file, no sense in it, or a dead one."""
    try:
        found = json.loads((directory / NAME).read_text(encoding="utf-8"))
        stack = StackFile(**{each.name: found[each.name] for each in fields(StackFile)})
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return stack if stack.runs else None


def remove(directory: Path) -> None:
    """This will forget the stack, if the file speaks of the calling process."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        path = directory / NAME
        if json.loads(path.read_text(encoding="utf-8"))["pid"] == os.getpid():
            path.unlink()
