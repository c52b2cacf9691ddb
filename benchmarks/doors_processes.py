"""The processes of the load on the HTTP door, and what each kind of them takes of a core.

They run as deployments run them, told by the same environment: no door of a benchmark's own.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import psutil

from benchmarks.ground import ROOT, Ground, profiled

GATEWAY: Final = ("-m", "gateway", "gateway", "--json", "--port", "0")
PROJECTOR: Final = ("-m", "gateway", "projector")
BARE_DOOR: Final = ("-m", "benchmarks.bare_door")
LOAD: Final = ("-m", "benchmarks.doors_load")
# A line of answers holds every request's time.
_LONGEST_LINE: Final = 2**28
# Of a command line; the first that is found names the kind.
_KINDS: Final = {
    "gateway gateway": "gateway",
    "gateway worker": "worker",
    "gateway projector": "projector",
    "bare_door": "bare door",
    "bare_worker": "bare worker",
    "doors_load": "load",
    "temporal": "Temporal",
    "postgres": "PostgreSQL",
}


@dataclass
class Talking:
    """A process that says lines, and is told some."""

    process: asyncio.subprocess.Process

    async def line(self) -> bytes:
        """This will read what it says next."""
        assert self.process.stdout is not None
        return await self.process.stdout.readline()

    async def ask(self, what: Mapping[str, Any]) -> dict[str, Any]:
        """This will tell it a line of JSON, and read its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{json.dumps(what)}\n".encode())
        answer: dict[str, Any] = json.loads(await self.line())
        return answer


@asynccontextmanager
async def talking(
    ground: Ground, program: tuple[str, ...], environment: Mapping[str, str] | None = None
) -> AsyncIterator[Talking]:
    """This will run a process as a deployment does: it logs what it does, and no caller is one too many."""
    # The one address and the few keys of a benchmark stand for many.
    usual = {
        "RAPPORT_LOG_LEVEL": "INFO",
        "RAPPORT_RATE_PER_ADDRESS": "1000000",
        "RAPPORT_RATE_PER_CREDENTIAL": "1000000",
    }
    with (ground.stack.data_dir / "logs" / "bench-doors.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *profiled(program)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env={**ground.environment, **usual, **(environment or {})},
            cwd=ROOT,
            limit=_LONGEST_LINE,
        )
    try:
        yield Talking(process)
    finally:
        if process.returncode is None:
            process.terminate()
        with suppress(TimeoutError):
            async with asyncio.timeout(15):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()


def spent() -> dict[str, float]:
    """This will sum the seconds of a core that each kind of process below this one has taken so far."""
    sums: dict[str, float] = {}
    for each in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            said = " ".join(each.cmdline()) or each.name()
            kind = next((kind for part, kind in _KINDS.items() if part in said), "others")
            times = each.cpu_times()
            taken = times.user + times.system + times.children_user + times.children_system
            sums[kind] = sums.get(kind, 0.0) + taken
    return sums
