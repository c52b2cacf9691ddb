"""Connections to PostgreSQL in one of Rapport's roles, and transactions that see one agency only.

Every read goes through :meth:`Connections.scoped`: without it row-level security shows no rows at all.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias, TypeVar

import asyncpg
from asyncpg.exceptions import InternalClientError

# What a lost connection looks like; the driver calls one that died while idle a client error of its own.
LOST: Final = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    InternalClientError,
)

# Generic for the type checker only.
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


T = TypeVar("T")


class ConnectionsClosed(Exception):
    """This adapter was closed; make a new one."""


class Connections:
    """A small pool for one role, opened when first used, and single connections beside it."""

    def __init__(self, dsn: str, *, role: str, size: int = 4, command_timeout: float = 60.0) -> None:
        self._dsn = dsn
        self._size = size
        # jit: it only ever slows statements as short as these, the driver's own included.
        self._options: dict[str, Any] = {
            "server_settings": {"role": role, "jit": "off", "application_name": f"rapport {role}"},
            "command_timeout": command_timeout,
        }
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._opening = asyncio.Lock()
        self._closed = False

    async def connect(self) -> Connection:
        """Open a connection that the caller keeps and closes.

        :raises ConnectionsClosed: after :meth:`close`.
        """
        self._check()
        return await whole(asyncpg.connect(self._dsn, timeout=10, **self._options), hang_up)

    @asynccontextmanager
    async def borrow(self) -> AsyncIterator[Any]:
        """Lend a connection of the pool."""
        pool = self._pool or await self._open()
        connection = await whole(pool.acquire(), pool.release)
        try:
            yield connection
        finally:
            await pool.release(connection)

    @asynccontextmanager
    async def scoped(self, agency: str) -> AsyncIterator[Any]:
        """Lend a connection inside a transaction that sees this agency's rows and no others."""
        async with self.borrow() as connection:
            try:
                await connection.execute(_begin(agency))
                yield connection
            except BaseException:
                # Where the line is gone, so is the transaction: what went wrong is what the caller hears of.
                with contextlib.suppress(*LOST):
                    await connection.execute("ROLLBACK")
                raise
            await connection.execute("COMMIT")

    async def close(self) -> None:
        """Close the pool for good; connections that callers keep are theirs to close."""
        self._closed = True
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    def _check(self) -> None:
        if self._closed:
            raise ConnectionsClosed("the connection to the database was closed in this process")

    async def _open(self) -> "asyncpg.Pool[asyncpg.Record]":
        async with self._opening:
            self._check()
            if self._pool is None:
                # No session state outlives a transaction here, so the pool's reset is a wasted round trip.
                self._pool = await asyncpg.create_pool(
                    self._dsn, min_size=0, max_size=self._size, reset=_nothing, **self._options
                )
            return self._pool


async def whole(work: Awaitable[T], undo: Callable[[T], Awaitable[object]]) -> T:
    """Do work that must not stop halfway: if its caller is cancelled meanwhile, it is finished and undone.

    The driver leaks a connection that is cancelled while it opens.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            # Cancelled once more, as where the caller's caller gathers what it has cancelled: it stays.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        if not task.cancelled() and task.exception() is None:
            await undo(task.result())
        raise


async def hang_up(connection: Connection) -> None:
    """Close a connection, also one whose server is gone."""
    try:
        await connection.close(timeout=5)
    except LOST:
        connection.terminate()


def count(status: str) -> int:
    """Read how many rows a statement touched from what the driver answers, e.g. ``UPDATE 3``."""
    return int(status.rpartition(" ")[2])


def _begin(agency: str) -> str:
    """Begin and say for whom in one trip, which takes no arguments: so the name goes in as hex."""
    name = agency.encode().hex()
    return f"BEGIN; SELECT set_config('rapport.agency', convert_from(decode('{name}', 'hex'), 'UTF8'), true)"


async def _nothing(connection: Any) -> None:
    """Leave the connection as it is."""
