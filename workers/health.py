"""Whether the servers that a process needs answer now, in one sentence each where they do not.

Asked by whoever routes requests here: it must be quick, and may say nothing that only an operator may know.
"""

import asyncio
from datetime import timedelta
from typing import Final

import asyncpg
from temporalio.client import Client

from events.log.connect import LOST
from events.log.migrate import migration_level, needed_level

PATIENCE: Final = timedelta(seconds=3)


async def what_is_missing(database_url: str, client: Client) -> dict[str, str]:
    """Name each server that does not serve as this code needs it, and say what it lacks."""
    database, temporal = await asyncio.gather(_database(database_url), _temporal(client))
    found = {"database": database, "temporal": temporal}
    return {name: says for name, says in found.items() if says is not None}


async def _database(database_url: str) -> str | None:
    seconds = PATIENCE.total_seconds()
    try:
        async with asyncio.timeout(seconds):
            connection = await asyncpg.connect(database_url, timeout=seconds)
            try:
                level = await migration_level(connection)
            finally:
                connection.terminate()
    except (*LOST, asyncpg.PostgresError, TimeoutError):
        return "the database does not answer"
    if level is None or level < needed_level():
        return "the database is not at the level this version needs; run 'rapport migrate'"
    return None


async def _temporal(client: Client) -> str | None:
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            healthy = await client.service_client.check_health(timeout=PATIENCE)
    except Exception:  # the bridge raises bare RuntimeErrors where it cannot connect
        healthy = False
    return None if healthy else "Temporal does not answer"
