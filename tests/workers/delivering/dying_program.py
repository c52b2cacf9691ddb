"""A worker's loop in a process of its own that dies once a message has left and before anybody notes it."""

import asyncio
import os
import sys
from typing import Any

from events.log.keys import Keyring, development_kek
from events.log.keys_postgres import PostgresKeys
from events.log.postgres import PostgresLog
from workers.delivering.addresses import Rules
from workers.delivering.deliverer import Deliverer
from workers.delivering.deliveries import Deliveries
from workers.delivering.schedule import Answer
from workers.delivering.sending import Sender
from workers.delivering.subscriptions import Subscriptions


class Dying(Sender):
    """Sends, and is gone."""

    async def send(self, *arguments: Any, **more: Any) -> Answer:
        """Post one message and die as kill -9 does."""
        answer = await super().send(*arguments, **more)
        assert answer.verdict == "delivered", answer.says
        os._exit(9)


async def main(url: str) -> None:
    """Deliver what is due."""
    keys = PostgresKeys(url, Keyring([development_kek("test")]))
    async with PostgresLog(url, keys) as log:
        sender = Dying(Rules(allow_http=True, allow_private=True))
        await Deliverer(log, Subscriptions(url, keys), Deliveries(url), sender).once()


asyncio.run(main(sys.argv[1]))
