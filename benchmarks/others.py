"""Another event store, in a virtual environment of its own: no dependency of Rapport's, ever.

Without a package registry there is nothing to compare with; that is a sentence, not a failure.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from benchmarks.figures import SKIPPED
from benchmarks.ground import Ground

PINNED: Final = ("eventsourcing[postgres]==9.5.6", "psycopg[binary]==3.3.9")
NAME: Final = "pyeventsourcing 9.5.6"
DATABASE: Final = "bench_others"
PROGRAM: Final = Path(__file__).with_name("pyeventsourcing_program.py")
PATIENCE: Final = 180.0


@dataclass(frozen=True)
class Others:
    """A rival at the ready."""

    python: Path
    url: str = field(repr=False)
    name: str = NAME

    async def rate(self, callers: int, share: int) -> float:
        """This will run its own program once and return its appends a second."""
        code, said = await _run(
            [str(self.python), str(PROGRAM)],
            {"BENCH_URL": self.url, "BENCH_CALLERS": str(callers), "BENCH_SHARE": str(share)},
        )
        if code != 0:
            raise RuntimeError(f"the program of {self.name} failed: {said[-500:]}")
        return float(json.loads(said.splitlines()[-1])["rate"])


@asynccontextmanager
async def others(ground: Ground) -> AsyncIterator[Others | None]:
    """This will install the rival and make it a database, or say in ``SKIPPED`` why not."""
    place = Path(tempfile.mkdtemp(prefix="rapport-bench-others-"))
    try:
        python = place / "bin" / "python"
        code, _ = await _run([sys.executable, "-m", "venv", str(place)])
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PINNED]
        if code != 0 or (await _run(pip))[0] != 0:
            SKIPPED.append(f"{NAME} is not compared: it cannot be installed here (no package registry?).")
            yield None
            return
        connection = await asyncpg.connect(ground.database_url)
        try:
            await connection.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
            await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()
        yield Others(python, urlunsplit(urlsplit(ground.database_url)._replace(path=f"/{DATABASE}")))
    finally:
        shutil.rmtree(place, ignore_errors=True)


async def _run(argv: list[str], more: dict[str, str] | None = None) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": "", **(more or {})},
    )
    try:
        async with asyncio.timeout(PATIENCE):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return 1, "it took too long"
    return process.returncode or 0, said.decode(errors="replace")
