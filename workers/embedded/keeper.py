"""Our end of the watchdog: start it, hear what became of its programs, let it go.

The pipe to it is the promise that its servers end with us, so nothing else may inherit that pipe.
"""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from workers.embedded.errors import EmbeddedError

GRACE = 7.0  # seconds from asking the servers to end to killing them; 10 are promised
WATCHDOG_DIED = 1000  # no exit code of a process
WATCHDOG = Path(__file__).with_name("watchdog.py")


@dataclass(frozen=True)
class Step:
    """One process of a program; the last step is the server, those before prepare its ground.

    *stop* is the first signal when all is stopped, *death* what the system sends if the watchdog dies.
    """

    argv: Sequence[str]
    log: str
    stop: Literal["SIGINT", "SIGKILL"] = "SIGINT"
    death: Literal["SIGINT", "SIGKILL"] = "SIGKILL"
    rename: Sequence[tuple[str, str]] = ()
    unlink: Sequence[str] = ()


@dataclass(frozen=True)
class Program:
    """A server as the watchdog needs to know it; ``{home}`` in an argument stands for *home*."""

    name: str
    steps: Sequence[Step]
    env: dict[str, str]
    cwd: str
    home: str | None = None
    by_descriptor: bool = False
    user: tuple[int, int] | None = None


@dataclass
class _Seen:
    pid: int = 0
    serving: asyncio.Event = field(default_factory=asyncio.Event)
    exited: asyncio.Event = field(default_factory=asyncio.Event)
    code: int | None = None


class Keeper:
    """The watchdog process, as its parent sees it."""

    def __init__(self, programs: Sequence[Program], *, log: Path, remove: Sequence[Path] = ()) -> None:
        self._programs = programs
        self._log = log
        self._remove = [str(path) for path in remove]
        self._seen = {program.name: _Seen() for program in programs}
        self._process: subprocess.Popen[bytes] | None = None
        self._heard = b""

    @property
    def pid(self) -> int:
        """This will be the watchdog's process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def pids(self) -> dict[str, int]:
        """This will name the servers that run, with their process ids."""
        return {
            name: seen.pid
            for name, seen in self._seen.items()
            if seen.serving.is_set() and not seen.exited.is_set()
        }

    def start(self, lock: int) -> None:
        """This will start the watchdog, which starts the programs; it shares the directory's *lock*."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(WATCHDOG)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=(lock,),
                start_new_session=True,
                cwd="/",
                bufsize=0,
            )
        spec = {"programs": [asdict(p) for p in self._programs], "grace": GRACE, "remove": self._remove}
        self._send(json.dumps(spec))
        assert self._process.stdout is not None
        asyncio.get_running_loop().add_reader(self._process.stdout.fileno(), self._hear)

    async def serving(self, name: str) -> None:
        """This will wait until the server itself has been started; it may not answer yet."""
        await self._seen[name].serving.wait()

    async def exited(self, name: str) -> int:
        """This will wait for the end of a program and return its exit code, or WATCHDOG_DIED."""
        await self._seen[name].exited.wait()
        code = self._seen[name].code
        return WATCHDOG_DIED if code is None else code

    async def kill(self, name: str) -> None:
        """This will end one server as a crash does."""
        self._send(f"kill {name}")
        await self._seen[name].exited.wait()

    async def run(self, name: str) -> None:
        """This will start a server again that has ended."""
        self._seen[name] = _Seen()
        self._send(f"run {name}")
        await self.serving(name)

    async def stop(self, *, keep: bool = False) -> None:
        """This will end all programs and the watchdog; returns when nothing of them is left.

        With *keep* what was to be removed stays, for another attempt.
        """
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        if keep:
            self._send("keep")
        process.stdin.close()
        try:
            await asyncio.to_thread(process.wait)
        finally:
            asyncio.get_running_loop().remove_reader(process.stdout.fileno())
            process.stdout.close()
            self._process = None

    def _send(self, line: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            data = line.encode() + b"\n"
            while data:
                data = data[self._process.stdin.write(data) or 0 :]
        except OSError as error:
            raise EmbeddedError(f"The watchdog of the embedded servers died; see {self._log}.") from error

    def _hear(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        chunk = self._process.stdout.read(65536)
        if not chunk:
            asyncio.get_running_loop().remove_reader(self._process.stdout.fileno())
            for seen in self._seen.values():
                seen.exited.set()
            return
        *lines, self._heard = (self._heard + chunk).split(b"\n")
        for line in lines:
            self._note(json.loads(line))

    def _note(self, told: dict[str, Any]) -> None:
        seen = self._seen[told["name"]]
        if told["event"] == "started":
            seen.pid = told["pid"]
            if told["serving"]:
                seen.serving.set()
        else:
            seen.code = told["code"]
            seen.exited.set()


def describe_exit(code: int) -> str:
    """This will say how a process ended, in words."""
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
