"""The gateway's process: killed at any moment, and by each chosen message before its acknowledgement.

Whoever supervises it starts it again at once; its port stays the same, as a provider knows only one address.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.http.serving import HOST, listen
from tests.crash.deliveries.lives import Told
from tests.crash.soak.ground import Ground, ProcessKeeper

# Of so many messages one ends the gateway between keeping it and acknowledging it.
ONE_IN: Final = 40
LEAST: Final = 2
# Seconds between two kills at any other moment.
_GAPS: Final = (5.0, 20.0)


@dataclass
class Door:
    """Where deliveries are sent to."""

    url: str
    markers: Path
    struck: int
    _gateway: ProcessKeeper
    _chance: random.Random

    def died(self) -> frozenset[str]:
        """Name the messages that were kept and not acknowledged, because the gateway died of them."""
        return frozenset(each.name for each in self.markers.iterdir())

    @asynccontextmanager
    async def struck_meanwhile(self) -> AsyncIterator[None]:
        """Kill the gateway now and then, until left."""
        task = asyncio.create_task(self._strike())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _strike(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(*_GAPS))
            self.struck += 1
            self._gateway.kill(0.0)


@asynccontextmanager
async def opened(at: Ground, place: Path, told: Sequence[Told], chance: random.Random) -> AsyncIterator[Door]:
    """This will keep a gateway beside the ground's servers."""
    markers = place / "died"
    markers.mkdir()
    chosen = chance.sample([each.id for each in told], max(LEAST, len(told) // ONE_IN))
    port = _free_port()
    arguments = ["gateway", "--host", HOST, "--port", str(port), "--leash", "--data", str(place)]
    content = json.dumps({"chosen": chosen, "markers": str(markers), "arguments": arguments})
    # All deliveries come from one address, as a provider's do; how many it may send is another test's affair.
    environment = at.worker.environment | {"RAPPORT_RATE_PER_ADDRESS": "1000000"}
    program = ("tests.crash.deliveries.gateway", content)
    gateway = ProcessKeeper(program, environment, at.stack.data_dir / "logs" / "gateway.log", pause=0.0)
    gateway.start()
    try:
        yield Door(f"http://{HOST}:{port}", markers, 0, gateway, chance)
    finally:
        await gateway.stop()


def _free_port() -> int:
    with listen(HOST, 0) as taken:
        port: int = taken.getsockname()[1]
    return port
