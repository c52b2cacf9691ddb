"""The connections that only append: each call gets one to itself, made when there is none to spare.

What was lost under way is sent again: an append may be repeated, because receipts recognise it.
"""

from typing import Any

import asyncpg

from events.log.connect import LOST, Connection, Connections, hang_up


class Writers:
    """As many connections as there ever were calls at once; whoever calls bounds that."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._idle: list[Connection] = []

    async def fetch(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """Run a query, once more on a new connection if the old one is lost."""
        connection = self._idle.pop() if self._idle else await self._connections.connect()
        try:
            try:
                return await connection.fetch(query, *arguments)
            except LOST:
                connection.terminate()
                connection = await self._connections.connect()
                return await connection.fetch(query, *arguments)
        finally:
            if not connection.is_closed():
                self._idle.append(connection)

    async def close(self) -> None:
        """Close what is idle, which is everything once the calls are over."""
        while self._idle:
            await hang_up(self._idle.pop())
