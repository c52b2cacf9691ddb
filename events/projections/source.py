"""The log as the projector reads it: all agencies, by position or stream by stream, without any ciphertext.

What is read here holds nothing personal in clear, and nothing with which it could be opened.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from events.log.connect import Connections
from events.projections.projection import Told

_TOLD: Final = ", ".join(Told._fields[:-1])


class Source:
    """Reads in a role that sees every agency's rows."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def heads(self) -> dict[str, int]:
        """Give every agency's last position."""
        async with self._connections.borrow() as connection:
            found = await connection.fetch(
                "SELECT agency, position FROM rapport.log_heads WHERE position > 0 ORDER BY agency"
            )
        return {row["agency"]: row["position"] for row in found}

    async def events(self, agency: str, after: int, limit: int) -> list[Told]:
        """Read an agency's events after a position, in commit order."""
        query = f"""
            SELECT {_TOLD} FROM rapport.events WHERE agency = $1 AND position > $2 ORDER BY position LIMIT $3
        """
        async with self._connections.borrow() as connection:
            return [Told(*row) for row in await connection.fetch(query, agency, after, limit)]

    async def stream(self, agency: str, stream: str, upto: int) -> list[Told]:
        """Read a stream up to a position of its agency's log."""
        query = f"""
            SELECT {_TOLD} FROM rapport.events
            WHERE agency = $1 AND stream = $2 AND position <= $3 ORDER BY version
        """
        async with self._connections.borrow() as connection:
            return [Told(*row) for row in await connection.fetch(query, agency, stream, upto)]

    async def streams(self, agency: str, category: str, upto: int, page: int) -> AsyncIterator[list[Told]]:
        """Read an agency's streams of a category one after the other, each whole, up to a position.

        A page is under way while the one before it is worked on.
        """
        query = f"""
            SELECT {_TOLD} FROM rapport.events
            WHERE agency = $1 AND (stream, version) > ($2, $3) AND stream < $4 AND position <= $5
            ORDER BY stream, version LIMIT $6
        """
        async with self._connections.borrow() as connection:
            stream: list[Told] = []
            after: tuple[str, int] = (f"{category}:", 0)
            fetching = asyncio.ensure_future(
                connection.fetch(query, agency, *after, f"{category};", upto, page)
            )
            try:
                while rows := await fetching:
                    after = (rows[-1]["stream"], rows[-1]["version"])
                    fetching = asyncio.ensure_future(
                        connection.fetch(query, agency, *after, f"{category};", upto, page)
                    )
                    for row in rows:
                        told = Told(*row)
                        if stream and stream[0].stream != told.stream:
                            yield stream
                            stream = []
                        stream.append(told)
                if stream:
                    yield stream
            finally:
                fetching.cancel()
                await asyncio.gather(fetching, return_exceptions=True)

    async def whole(self, agency: str, streams: Sequence[str], upto: int) -> dict[str, list[Told]]:
        """Read some streams up to a position of their agency's log, in one question."""
        query = f"""
            SELECT {_TOLD} FROM rapport.events
            WHERE agency = $1 AND stream = ANY($2::text[]) AND position <= $3 ORDER BY stream, version
        """
        found: dict[str, list[Told]] = {}
        async with self._connections.borrow() as connection:
            for row in await connection.fetch(query, agency, streams, upto):
                found.setdefault(row["stream"], []).append(Told(*row))
        return found

    async def touched(self, agency: str, after: int, upto: int) -> list[str]:
        """Name the streams that have events after a position and up to another."""
        query = """
            SELECT DISTINCT stream FROM rapport.events
            WHERE agency = $1 AND position > $2 AND position <= $3 ORDER BY stream
        """
        async with self._connections.borrow() as connection:
            return [row["stream"] for row in await connection.fetch(query, agency, after, upto)]
