"""Temporal's time-skipping test server, and its clock: one for all workflows, moved by hand.

While nobody moves it, it runs as any clock does; moved, it never skips over a running task or activity.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from google.protobuf.empty_pb2 import Empty
from temporalio.api.testservice.v1 import SleepRequest
from temporalio.client import Client

from workers.embedded import binaries, ports
from workers.embedded.errors import EmbeddedError
from workers.embedded.keeper import Keeper, Program, Step

NAME: Final = "temporal-test-server"
PATIENCE: Final = 30.0
_A_MOMENT: Final = 0.02
# A year of many engagements holds thousands of timers, and every one of them is really taken.
LONGEST_MOVE: Final = timedelta(minutes=10)


@asynccontextmanager
async def time_skipping_server(directory: Path) -> AsyncIterator[str]:
    """Run the server below *directory*, under a watchdog of its own, and yield its address.

    :raises EmbeddedError: there is no binary for this platform, or it does not start.
    """
    port = ports.any_free()
    log = directory / f"{NAME}.log"
    # Without "--enable-time-skipping": its time is locked from the start, and skips only where it is moved.
    argv = [str(binaries.temporal_test_server()), str(port)]
    program = Program(
        name=NAME,
        steps=[Step(argv, str(log), stop="SIGKILL")],
        env={"HOME": str(directory), "PATH": "/usr/bin:/bin"},
        cwd=str(directory),
    )
    keeper = Keeper([program], log=directory / f"{NAME}-watchdog.log")
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        keeper.start(descriptor)
        await _answers(keeper, port, log)
        yield f"{ports.LOOPBACK}:{port}"
    finally:
        await keeper.stop()
        os.close(descriptor)


async def _answers(keeper: Keeper, port: int, log: Path) -> None:
    exited = asyncio.ensure_future(keeper.exited(NAME))
    try:
        async with asyncio.timeout(PATIENCE):
            while not await asyncio.to_thread(ports.answers, port):
                if exited.done():
                    raise EmbeddedError(f"{NAME} ended by itself; see {log}.")
                await asyncio.sleep(_A_MOMENT)
    except TimeoutError:
        raise EmbeddedError(f"{NAME} does not answer after {PATIENCE:.0f} seconds; see {log}.") from None
    finally:
        exited.cancel()


class ServerTime:
    """The clock of a time-skipping server."""

    def __init__(self, client: Client) -> None:
        self._service = client.test_service

    async def now(self) -> datetime:
        """Tell what time it is on the server."""
        response = await self._service.get_current_time(Empty())
        return response.time.ToDatetime(UTC)

    async def move_to(self, moment: datetime) -> None:
        """Let time skip up to a moment, every timer on the way firing; a moment that is past stays past."""
        ahead = moment - await self.now()
        if ahead <= timedelta():
            return
        request = SleepRequest()
        request.duration.FromTimedelta(ahead)
        await self._service.unlock_time_skipping_with_sleep(request, timeout=LONGEST_MOVE)
