"""The gateway's own command, which dies between keeping a chosen message and acknowledging it.

The product has no switch for it: its inbox is wrapped here.  Once a row is committed, its message has killed
and kills no more.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from events.integrations.message import Received
from gateway.__main__ import main
from workers.inbox.store import Inbox


def plant(chosen: frozenset[str], markers: Path) -> None:
    """Let this process end, as kill -9 ends it, as soon as one of the chosen messages is kept."""
    keep = Inbox.receive

    async def receive(self: Inbox, connection: Any, received: Received) -> bool:
        fresh = await keep(self, connection, received)
        if fresh and received.dedupe in chosen:
            (markers / received.dedupe).touch()
            os._exit(9)
        return fresh

    setattr(Inbox, "receive", receive)  # noqa: B010 (a method, replaced from outside)


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    plant(frozenset(told["chosen"]), Path(told["markers"]))
    sys.argv[1:] = told["arguments"]
    main()
