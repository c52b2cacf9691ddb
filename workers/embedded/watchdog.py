"""The process that owns the embedded servers and ends them when we are gone.

Standard library only, run by its file path and never imported by the rest of the code: it must
start in milliseconds, and outlive whatever happens to the package around it.

It reads one line of JSON from stdin (programs, grace, remove), then commands, a line each: ``kill NAME``,
``run NAME``, ``keep`` (remove nothing at the end).  End of file on stdin, a new parent or SIGTERM mean:
stop everything.  It answers on stdout with one JSON object a line: ``started`` and ``exited``.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, BinaryIO

PR_SET_PDEATHSIG = 1
IDLE = 0.5  # seconds between two looks at who our parent is


def death_binder() -> Callable[[int], None]:
    """This will return what asks Linux to signal the calling process when the watchdog dies, however it dies.

    It is made before the fork: an unprivileged child may not be able to read Python's own library.
    """
    if not sys.platform.startswith("linux"):
        return lambda _sig: None
    import ctypes

    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda sig: prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0)


class Program:
    """One server: its preparing steps, then the server itself, as direct children."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.name: str = spec["name"]
        self.spec = spec
        self.steps: list[dict[str, Any]] = spec["steps"]
        self.at = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.home = None if spec.get("home") is None else os.open(spec["home"], os.O_RDONLY | os.O_DIRECTORY)

    @property
    def serving(self) -> bool:
        return self.at == len(self.steps) - 1

    @property
    def last_word(self) -> int:
        return int(getattr(signal, self.steps[self.at]["stop"]))

    def start(self) -> None:
        """This will start the current step, with a log of its own, as the user named in the spec."""
        step = self.steps[self.at]
        argv = [self._placed(argument) for argument in step["argv"]]
        # A server that cannot be told twice must not outlive us half-stopped; PostgreSQL's fast
        # shutdown can be trusted alone, and SIGKILL would leave its children to find out by themselves.
        death = getattr(signal, step["death"])
        bind, parent = death_binder(), os.getpid()

        def before_exec() -> None:
            bind(death)
            if os.getppid() != parent:
                os._exit(1)

        with open(step["log"], "wb", opener=private) as log:
            self.process = self._spawned(log, argv, before_exec)
        if self.process is None:
            tell("exited", name=self.name, code=127, serving=self.serving)
        else:
            tell("started", name=self.name, pid=self.process.pid, serving=self.serving)

    def _spawned(
        self, log: BinaryIO, argv: list[str], before_exec: Callable[[], None]
    ) -> subprocess.Popen[bytes] | None:
        user = self.spec.get("user")
        identity: dict[str, Any] = {}
        if user is not None:
            identity = {"user": user[0], "group": user[1], "extra_groups": []}
        try:
            return subprocess.Popen(
                argv,
                env=self.spec["env"],
                cwd=self.spec["cwd"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=() if self.home is None else (self.home,),
                preexec_fn=before_exec,
                process_group=0,
                umask=0o077,
                **identity,
            )
        except (OSError, subprocess.SubprocessError) as error:
            log.write(f"{error}\n".encode())
            return None

    def reap(self) -> None:
        """This will notice an exit: go on to the next step, or report it."""
        if self.process is None or self.process.poll() is None:
            return
        code, self.process = self.process.returncode, None
        if code == 0 and not self.serving and not stopping:
            for source, target in self.steps[self.at].get("rename", []):
                os.rename(source, target)
            for path in self.steps[self.at].get("unlink", []):
                os.unlink(path)
            self.at += 1
            self.start()
        else:
            tell("exited", name=self.name, code=code, serving=self.serving)

    def signal(self, sig: int) -> None:
        """This will signal the server, or kill a preparing step with all it started."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if sig == signal.SIGKILL or not self.serving:
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                os.kill(self.process.pid, self.last_word if sig == signal.SIGINT else sig)

    def _placed(self, argument: str) -> str:
        # An unprivileged user may be barred from a parent directory; a descriptor opened by us is not.
        home = self.spec.get("home") or ""
        place = f"/proc/self/fd/{self.home}" if self.spec.get("by_descriptor") else home
        return argument.replace("{home}", place)


def private(path: str, flags: int) -> int:
    """This will open a file that only its owner may read."""
    return os.open(path, flags, 0o600)


def tell(event: str, **fields: Any) -> None:
    """This will report to our parent, if there still is one."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps({"event": event, **fields}).encode() + b"\n")


stopping = False


def ask_to_stop(_signum: int, _frame: object) -> None:
    """This will make the main loop end at its next look."""
    global stopping
    stopping = True


def read_line() -> tuple[bytes, bytes]:
    """This will read the first line of stdin; nothing at all if our parent died before it spoke."""
    buffer = b""
    while b"\n" not in buffer:
        chunk = os.read(0, 65536)
        if not chunk:
            return b"", b""
        buffer += chunk
    line, _, rest = buffer.partition(b"\n")
    return line, rest


def obey(command: str, spec: dict[str, Any], programs: dict[str, Program]) -> None:
    """This will do one thing our parent asked for."""
    verb, _, name = command.partition(" ")
    if verb == "keep":
        spec["remove"] = []
    elif verb == "kill":
        programs[name].signal(signal.SIGKILL)
    elif verb == "run" and programs[name].process is None:
        programs[name].start()


def watch(spec: dict[str, Any], programs: dict[str, Program], wakeup: int, rest: bytes) -> None:
    """This will keep the programs until we are told to stop or our parent is gone."""
    parent, buffer = os.getppid(), rest
    while not stopping and os.getppid() == parent:
        ready, _, _ = select.select([0, wakeup], [], [], IDLE)
        if wakeup in ready:
            os.read(wakeup, 4096)
        if 0 in ready:
            chunk = os.read(0, 4096)
            if not chunk:
                return
            buffer += chunk
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                obey(line.decode(), spec, programs)
        for program in programs.values():
            program.reap()


def stop(programs: list[Program], wakeup: int, grace: float) -> None:
    """This will end all programs: asked first, then told, then killed, within *grace* seconds."""
    global stopping
    stopping = True
    began = time.monotonic()
    ladder = [(0.0, signal.SIGINT), (grace * 0.7, signal.SIGQUIT), (grace, signal.SIGKILL)]
    while any(program.process is not None for program in programs):
        if ladder and time.monotonic() - began >= ladder[0][0]:
            _, sig = ladder.pop(0)
            for program in programs:
                program.signal(sig)
        if select.select([wakeup], [], [], 0.05)[0]:
            os.read(wakeup, 4096)
        for program in programs:
            program.reap()


def main() -> None:
    """This will run the programs named on stdin and leave nothing of them behind."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    os.set_blocking(reading, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _signum, _frame: None)
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(sig, ask_to_stop)
    line, rest = read_line()
    if not line:
        return
    spec = json.loads(line)
    programs: dict[str, Program] = {}
    try:
        for described in spec["programs"]:
            program = programs[described["name"]] = Program(described)
            program.start()
        watch(spec, programs, reading, rest)
    finally:
        stop(list(programs.values()), reading, spec["grace"])
        if spec["remove"]:
            import shutil

            for path in spec["remove"]:
                shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    main()
