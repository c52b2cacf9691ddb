"""The gateway's process: killed at any moment, and by each chosen message before its acknowledgement.

Whoever supervises it starts it again at once; its port stays the same, as a provider knows only one address.
"""

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

# Of so many messages one ends the gateway between keeping it and acknowledging it; and after so many more
# it is killed at any moment.
ONE_IN: Final = 100
STRUCK_ONE_IN: Final = 125
LEAST: Final = 1


@dataclass
class Door:
    """Where deliveries are sent to; *strikes* are the counts of acknowledgements at which it is killed."""

    url: str
    markers: Path
    strikes: frozenset[int]
    _gateway: ProcessKeeper
    struck: int = 0

    def died(self) -> frozenset[str]:
        """Name the messages that were kept and not acknowledged, because the gateway died of them."""
        return frozenset(each.name for each in self.markers.iterdir())

    def acknowledged(self, count: int) -> None:
        """Kill it at its time; by the clock it would be killed before it serves, on a busy machine."""
        if count in self.strikes:
            self.struck += 1
            self._gateway.kill(0.0)


@asynccontextmanager
async def opened(
    at: Ground, place: Path, told: Sequence[Told], deliveries: int, chance: random.Random
) -> AsyncIterator[Door]:
    """This will keep a gateway beside the ground's servers."""
    markers = place / "died"
    markers.mkdir()
    chosen = chance.sample([each.id for each in told], max(LEAST, len(told) // ONE_IN))
    strikes = chance.sample(range(1, deliveries), max(1, len(told) // STRUCK_ONE_IN))
    port = _free_port()
    arguments = ["gateway", "--host", HOST, "--port", str(port), "--leash", "--data", str(place)]
    content = json.dumps({"chosen": chosen, "markers": str(markers), "arguments": arguments})
    # All deliveries come from one address, as a provider's do; how many it may send is another test's affair.
    environment = at.worker.environment | {"RAPPORT_RATE_PER_ADDRESS": "1000000"}
    program = ("tests.crash.deliveries.gateway", content)
    gateway = ProcessKeeper(program, environment, at.stack.data_dir / "logs" / "gateway.log", pause=0.0)
    gateway.start()
    try:
        yield Door(f"http://{HOST}:{port}", markers, frozenset(strikes), gateway)
    finally:
        await gateway.stop()


def _free_port() -> int:
    with listen(HOST, 0) as taken:
        port: int = taken.getsockname()[1]
    return port
