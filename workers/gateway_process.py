"""The HTTP gateway beside a stack: a process started by its command, for this package never imports it.

It hangs on a pipe that we hold, so it ends with us however we end; that it ends before is a failure.
"""

import asyncio
import json
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workers.embedded.errors import EmbeddedError

STARTS_WITHIN: Final = 60.0
# Its own grace for what is under way, and a moment to close its connections.
ENDS_WITHIN: Final = 13.0


@dataclass(frozen=True, slots=True)
class GatewayProcess:
    """A gateway that serves."""

    url: str
    process: Process

    async def ended(self) -> str:
        """Wait until it ends by itself, and say so."""
        code = await self.process.wait()
        return f"The HTTP gateway ended by itself (code {code}); what it wrote to the log says why."


@asynccontextmanager
async def gateway_beside(data_dir: Path) -> AsyncIterator[GatewayProcess]:
    """Run a gateway beside the stack on a data directory.

    :raises EmbeddedError: it does not come up; one sentence.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "gateway", "--leash", "--json", "--data", str(data_dir)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # A terminal's Ctrl-C is ours to pass on.
        start_new_session=True,
    )
    try:
        yield GatewayProcess(await _url(process), process)
    finally:
        await _end(process)


async def _url(process: Process) -> str:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(STARTS_WITHIN):
            said = json.loads(await process.stdout.readline())
    except TimeoutError:
        raise EmbeddedError("The HTTP gateway does not come up; its log says more.") from None
    except ValueError:
        raise EmbeddedError("The HTTP gateway ended before it served; its log says why.") from None
    if "url" not in said:
        raise EmbeddedError(f"The HTTP gateway does not come up: {said.get('message', 'its log says why')}")
    url: str = said["url"]
    return url


async def _end(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(ENDS_WITHIN):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
