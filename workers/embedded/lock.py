"""One stack per data directory: the lock, who holds it, and what an earlier stack left running.

The lock is an open file description shared with the watchdog, so it is held until both are gone;
the words in the file only serve the message.
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from workers.embedded.errors import EmbeddedError

PATIENCE = 15.0  # seconds: a dead stack's watchdog ends its servers in less
CLOCK_DRIFT = 2.0  # seconds: births are computed from the time of boot, which a clock correction moves


@dataclass(frozen=True)
class Holder:
    """Who holds a data directory, as written in its lock file."""

    pid: int
    command: str
    since: str
    born: float

    @classmethod
    def me(cls) -> "Holder":
        """This will describe the calling process."""
        process = psutil.Process()
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        command = " ".join(" ".join(process.cmdline()).split())
        return cls(process.pid, command[:100], since, process.create_time())

    @property
    def lives(self) -> bool:
        """This will be true while that very process runs; another with its number does not count."""
        return _is(self.pid, self.born)


class DirectoryLock:
    """The exclusive right to run servers on a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / "lock"
        self.fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)

    def take(self) -> None:
        """This will take the lock, waiting while the servers of a dead holder are being stopped.

        :raises EmbeddedError: a living process holds it.
        """
        import fcntl  # there is none on Windows, where the binaries' absence is what must be reported

        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                holder = self._holder()
                if time.monotonic() > deadline or (holder is not None and holder.lives):
                    raise EmbeddedError(self._sentence(holder)) from error
                time.sleep(0.05)
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, json.dumps(asdict(Holder.me())).encode(), 0)

    def release(self) -> None:
        """This will give up our share; the lock is free when the watchdog has gone too."""
        os.close(self.fd)

    def _holder(self) -> Holder | None:
        try:
            return Holder(**json.loads(os.pread(self.fd, 65536, 0)))
        except (ValueError, TypeError):
            return None  # it is just being written

    def _sentence(self, holder: Holder | None) -> str:
        if holder is None:
            return f"{self._directory} is in use by another process; choose another directory with --data."
        return (
            f"{self._directory} is in use by process {holder.pid} ({holder.command}) since {holder.since}; "
            "stop it, or choose another directory with --data."
        )


def record_children(directory: Path, pids: Mapping[str, int]) -> None:
    """This will note which servers run for *directory*, so that the next start can recognise them."""
    children = []
    for pid in pids.values():
        with contextlib.suppress(psutil.Error):
            children.append([pid, psutil.Process(pid).create_time()])
    waiting = directory / "children.json.tmp"
    waiting.write_text(json.dumps(children))
    waiting.rename(directory / "children.json")


def end_orphans(directory: Path, patience: float = 8.0) -> None:
    """This will end servers that an earlier stack's watchdog could not end, and no other process.

    Needed where the watchdog itself was killed: Linux signals its children then, other systems do not.
    A process is ours only if number and birth both are as recorded.
    """
    try:
        recorded: list[tuple[int, float]] = json.loads((directory / "children.json").read_text())
    except (OSError, ValueError):
        return
    orphans = [psutil.Process(pid) for pid, born in recorded if _is(pid, born)]
    for orphan in orphans:
        with contextlib.suppress(psutil.Error):
            orphan.send_signal(signal.SIGINT)
    _, left = psutil.wait_procs(orphans, timeout=patience)
    for orphan in left:
        with contextlib.suppress(psutil.Error):
            orphan.kill()
    psutil.wait_procs(left, timeout=2)


def _is(pid: int, born: float) -> bool:
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - born) < CLOCK_DRIFT
        return same and bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
