"""A stack that ``rapport up`` runs, and the command line beside it, both as processes of their own."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psutil
import pytest

import gateway
from events.envelope import AppendRequest
from events.log.memory import MemoryLog
from gateway.cli import app
from workers.embedded import binaries

if TYPE_CHECKING:
    from tests.events.specification import Life, World

ROOT = Path(gateway.__file__).parent.parent
STARTS_WITHIN = 60.0
_FROM_OUTSIDE = ("DATABASE_URL", "TEMPORAL_ADDRESS", "RAPPORT_AGENCY", "RAPPORT_ACTOR", "RAPPORT_DATA_DIR")


@dataclass(frozen=True)
class Done:
    """What one command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """This will be what it printed, read as JSON."""
        return json.loads(self.out)


@dataclass
class Running:
    """A ``rapport up`` on a directory, and commands given to it from another terminal."""

    process: subprocess.Popen[bytes]
    data: Path
    where: dict[str, Any]
    agency: str | None = None
    """The one that its commands are about; None where it is the only one."""

    def rapport(self, *arguments: str) -> Done:
        """This will run one command; all it needs to know is the directory."""
        done = subprocess.run(
            [sys.executable, "-m", "gateway", *arguments],
            env=environment(RAPPORT_DATA_DIR=str(self.data)),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert "Traceback" not in done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def temporal(self, *arguments: str) -> str:
        """This will run Temporal's own CLI against the stack, without a codec."""
        command = [str(binaries.temporal()), "--address", self.where["temporal_address"], *arguments]
        done = subprocess.run(
            command, env=environment(), capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout

    def family(self) -> list[psutil.Process]:
        """This will list the process and all that descends from it."""
        process = psutil.Process(self.process.pid)
        return [process, *process.children(recursive=True)]

    def stop(self) -> int:
        """This will send SIGTERM and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def logs(self) -> str:
        """This will be everything that the processes wrote down for operators."""
        files = [self.data.parent / "up.out", self.data.parent / "up.err", *(self.data / "logs").rglob("*")]
        return "\n".join(file.read_text(errors="replace") for file in files if file.is_file())


def environment(**more: str) -> dict[str, str]:
    """Give an environment that names no server and finds our packages."""
    kept = {name: value for name, value in os.environ.items() if name not in _FROM_OUTSIDE}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def start(directory: Path, *more: str) -> Running:
    """Start a stack and wait until it says where it is."""
    data = directory / "data"
    out, err = directory / "up.out", directory / "up.err"
    with out.open("wb") as to_out, err.open("wb") as to_err:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "up", "--data", str(data), "--json", *more],
            env=environment(),
            stdout=to_out,
            stderr=to_err,
        )
    deadline = time.monotonic() + STARTS_WITHIN
    while not out.read_text().endswith("\n"):
        assert process.poll() is None, err.read_text()
        assert time.monotonic() < deadline, "it does not come up"
        time.sleep(0.1)
    return Running(process, data, json.loads(out.read_text()))


class InProcess(Running):
    """The same, with commands given in the test's own process: a process of their own costs two seconds."""

    def rapport(self, *arguments: str) -> Done:
        """This will run one command."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            if self.agency is not None:
                patch.setenv("RAPPORT_AGENCY", self.agency)
            code = app.run(arguments)
        return Done(code, out.getvalue(), err.getvalue())


def beside(running: Running, patch: pytest.MonkeyPatch, agency: str | None = None) -> InProcess:
    """Give commands to a stack from the test's own process, whose environment is a terminal's beside it."""
    for name in _FROM_OUTSIDE:
        patch.delenv(name, raising=False)
    patch.setenv("RAPPORT_DATA_DIR", str(running.data))
    patch.setattr("workers.logs.configure_logging", lambda *_: None)  # pytest's own stays
    return InProcess(running.process, running.data, running.where, agency)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> Callable[[Running], InProcess]:
    """This will give commands to a stack of the test's own without a process for each."""
    return lambda running: beside(running, monkeypatch)


@pytest.fixture(scope="module")
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """This will be a stack with an agency ``acme``, shared by a module's tests.

    Where a module says ``AMONG_OTHERS`` it is the stack that all such modules share, with an agency of the
    module's own: its tests may count nothing and stop nothing that is not their agency's.
    """
    if getattr(request.module, "AMONG_OTHERS", False):
        with pytest.MonkeyPatch.context() as patch:
            common = request.getfixturevalue("common")
            yield with_people(beside(common, patch, f"acme-{uuid4().hex[:12]}"))
        return
    # Only where a module asks for it: a process more is seconds of every module's start.
    without = () if getattr(request.module, "WITH_GATEWAY", False) else ("--no-gateway",)
    running = start(tmp_path_factory.mktemp("shared"), *without)
    try:
        with pytest.MonkeyPatch.context() as patch:
            yield with_people(beside(running, patch))
    finally:
        running.stop()


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """This will be a stack for modules that can live side by side: each start costs seconds of all cores."""
    running = start(tmp_path_factory.mktemp("common"), "--no-gateway")
    try:
        yield running
    finally:
        running.stop()


def with_people(terminal: InProcess) -> InProcess:
    """Load the people of the shipped example into the agency that the commands are about."""
    people = str(ROOT / "deploy" / "agencies" / "example.toml")
    loaded = terminal.rapport("agency", "load", people, "--agency", terminal.agency or "acme")
    assert loaded.code == 0, loaded.err
    return terminal


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[[], Running]]:
    """This will start stacks of the test's own; those left at the end are stopped."""
    started: list[Running] = []

    def begin() -> Running:
        started.append(start(tmp_path))
        return started[-1]

    yield begin
    for running in started:
        if running.process.poll() is None:
            running.stop()


@pytest.fixture
def lived(world: "World", lives: ModuleType) -> "Life":
    """This will be a life with a story, a breach, escalations and an event that was annulled."""
    life = world.life()
    lives.live(life, list(lives.STORY))
    life.wait(life.journal[-1][0] + timedelta(days=12))
    wrong = life.id_of("interview-scheduled")
    life.do("annul-event", life.journal[-1][0], event_id=wrong)
    life.do("record-contact", life.journal[-1][0] + timedelta(hours=1), contact_id="contact-late")
    return life


@pytest.fixture
async def kept(lived: "Life") -> MemoryLog:
    """This will be a log that holds that life and its policy."""
    log = MemoryLog()
    version = 0
    for each in lived.groups:
        request = AppendRequest(
            agency="agency-1", stream="engagement:e-1", expected=version, groups=(each.group,)
        )
        await log.append_many([request])
        version += len(each.group.drafts)
    await log.save_policy("agency-1", lived.policy.digest(), lived.policy.body())
    return log
