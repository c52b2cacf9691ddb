"""Records what became of a letter, however long the database is away.

Whoever gives up here makes a known outcome an unknown one, and the letter goes out again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from events.log.connect import LOST

_AGAIN: Final = 0.25


async def until_recorded(write: Callable[[], Awaitable[object]]) -> None:
    """Write, and write again where the connection was lost; *write* must be safe to repeat."""
    while True:
        try:
            await write()
            return
        except LOST:
            await asyncio.sleep(_AGAIN)
