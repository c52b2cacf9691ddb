"""Records what became of a letter, however long the database is away or too busy to take it.

Whoever gives up here makes a known outcome an unknown one, and the letter goes out again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from activities.errors import is_passing
from events.log.connect import LOST

_AGAIN: Final = 0.25


async def until_recorded(write: Callable[[], Awaitable[object]]) -> None:
    """Write, and again while the database is lost or gives up for now; *write* must be safe to repeat."""
    while True:
        try:
            await write()
            return
        except Exception as error:
            if not _may_work_later(error):
                raise
            await asyncio.sleep(_AGAIN)


def _may_work_later(error: Exception) -> bool:
    # A server that has just come back has no connection free, or only reads; a deadlock has one victim.
    return isinstance(error, LOST) or (hasattr(error, "sqlstate") and is_passing(error))
