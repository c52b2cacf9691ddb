"""Follows an agency's log: told by a notification, and looking by itself in any case.

A notification is a hint only.  What counts is the position reached, so a lost connection loses nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import Any, Final

from events.envelope import Stored
from events.log.connect import LOST, Connection, Connections, hang_up
from events.log.port import EventLog
from events.log.telling import CHANNEL

_PAGE: Final = 1000
# Seconds to let more gather after a wake: under load one read takes what would have been dozens.
_GATHER: Final = 0.03


async def follow(
    log: EventLog,
    connections: Connections,
    agency: str,
    after: int,
    category: str | None,
    poll_interval: float,
) -> AsyncGenerator[Sequence[Stored], None]:
    """Yield batches for ever; a lost connection is opened again after *poll_interval* seconds."""
    wake = asyncio.Event()
    listener: Connection | None = None
    try:
        while True:
            try:
                if listener is None:
                    listener = await connections.connect()
                    await _listen(listener, wake)
                if listener.is_closed():
                    raise ConnectionResetError("the notifications' connection is lost")
                # Cleared before reading: what is committed while we read wakes us again.
                wake.clear()
                reached = (await log.log_head(agency)).position
                page = await log.read_all(agency, after=after, limit=_PAGE, category=category)
            except LOST:
                if listener is not None:
                    listener.terminate()
                    listener = None
                await asyncio.sleep(poll_interval)
                continue
            if page:
                yield page
            # A short page reached the head, also where the last events are of another category.
            after = page[-1].position if len(page) == _PAGE else max(after, reached, *_last(page))
            if len(page) < _PAGE:
                # Not wait_for: before Python 3.12 it can swallow the cancellation of its caller.
                with suppress(TimeoutError):
                    async with asyncio.timeout(poll_interval):
                        await wake.wait()
                await asyncio.sleep(_GATHER)
    finally:
        if listener is not None:
            await hang_up(listener)


def _last(page: Sequence[Stored]) -> tuple[int, ...]:
    return (page[-1].position,) if page else ()


async def _listen(connection: Connection, wake: asyncio.Event) -> None:
    def woken(*_: Any) -> None:
        wake.set()

    await connection.add_listener(CHANNEL, woken)
    connection.add_termination_listener(woken)
