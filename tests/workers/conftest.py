"""Stacks in processes of their own, so that a test may kill what holds them."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

import workers

if TYPE_CHECKING:
    from tests.workers.following_office import Office

ROOT = Path(workers.__file__).parent.parent

HOLD = """
import asyncio, json, signal, sys
from pathlib import Path
from workers.embedded.errors import EmbeddedError
from workers.embedded.stack import EmbeddedStack

async def main(directory, options):
    stack = EmbeddedStack(Path(directory), **options)
    async with stack:
        say({"pids": stack.pids, "data_dir": str(stack.data_dir), "url": stack.database_url})
        say({"died": await stack.died()})

def say(words):
    print(json.dumps(words), flush=True)

# A shell that starts something in the background lets it ignore this, and so would we.
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
except EmbeddedError as error:
    say({"error": str(error)})
"""


@dataclass
class Held:
    """A process that holds a stack, and what it says."""

    process: subprocess.Popen[str]

    def says(self) -> dict[str, Any]:
        """This will wait for the process's next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the process ended without a word"
        said: dict[str, Any] = json.loads(line)
        assert "error" not in said, said["error"]
        return said

    def kill(self) -> None:
        """This will end the process as kill -9 does."""
        self.process.kill()
        self.process.wait()


StartHolder = Callable[..., Held]


@pytest.fixture
def root_env() -> dict[str, str]:
    """This will be an environment in which a new interpreter finds our packages."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}


@pytest.fixture
def hold() -> Iterator[StartHolder]:
    """This will start processes that hold a stack; those left at the end are asked to stop."""
    held: list[Held] = []

    def start(
        directory: Path, *, prefix: Sequence[str] = (), env: dict[str, str] | None = None, **options: Any
    ) -> Held:
        process = subprocess.Popen(
            [*prefix, sys.executable, "-c", HOLD, str(directory), json.dumps(options)],
            env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
            stdout=subprocess.PIPE,
            text=True,
        )
        held.append(Held(process))
        return held[-1]

    yield start
    for one in held:
        if one.process.poll() is None:
            one.process.send_signal(signal.SIGINT)
        one.process.wait(20)
        assert one.process.stdout is not None
        one.process.stdout.close()


@pytest.fixture
def until() -> Callable[[Callable[[], bool], float], None]:
    """This will poll for a condition and fail where it does not come true in time."""

    def poll(condition: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not true within {seconds} seconds"
            time.sleep(0.02)

    return poll


@pytest.fixture
def family() -> Callable[[int], list[psutil.Process]]:
    """This will list a process with all its descendants."""

    def listed(pid: int) -> list[psutil.Process]:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]

    return listed


@pytest.fixture
def open_place() -> Iterator[Path]:
    """This will yield a directory that every user may reach, which pytest's own are not."""
    place = Path(tempfile.mkdtemp(prefix="rapport-test-"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def empty_office() -> "Office":
    """This will be an office in memory where nothing has happened yet."""
    name = "following_office"
    spec = importlib.util.spec_from_file_location(
        f"rapport_tests_{name}", Path(__file__).with_name(f"{name}.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Office = module.Office()
    return made


@pytest.fixture
async def office(empty_office: "Office") -> "Office":
    """This will be an office of agency a-1 with a job order for which two candidates are presented."""
    await empty_office.job_order("a-1", "open-job-order", job_order_id="j-1", client_id="k-1")
    await empty_office.desk.submitted("a-1", "e-1", "s-1")
    await empty_office.desk.submitted("a-1", "e-2", "s-2")
    return empty_office
