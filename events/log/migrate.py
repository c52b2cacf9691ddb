"""Brings a database to the level this code needs, by plain SQL files in order.

A file that has been applied anywhere is never edited: its checksum is kept, and a change is refused.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import asyncpg

from events.log.connect import Connection

# Any number, as long as nothing else in the database locks it.
_LOCK: Final = 7_270_747_101
# Everybody who appends waits behind a migration that waits: after so many seconds it steps back for as long.
PATIENCE: Final = 2
TRIES: Final = 10
_BOOTSTRAP: Final = """
    CREATE SCHEMA IF NOT EXISTS rapport;
    CREATE TABLE IF NOT EXISTS rapport.migrations (
        name text PRIMARY KEY,
        checksum text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
"""


class MigrationChanged(Exception):
    """A migration that this database has applied reads differently now; restore it and add a new one."""


class TablesInUse(Exception):
    """The log's tables are in use without end, so nothing was migrated; end what uses them and try again."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One SQL file."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Identify the file's exact text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """List the migrations this code brings, in the order in which they apply."""
    folder = files("events.log").joinpath("migrations")
    found = [
        Migration(entry.name.removesuffix(".sql"), entry.read_text("utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    ]
    return sorted(found, key=lambda migration: migration.name)


def needed_level() -> str:
    """Name the migration that a database must have reached for this code."""
    return migrations()[-1].name


async def migration_level(connection: Connection) -> str | None:
    """Name the last migration a database has, or None if it has none."""
    if await connection.fetchval("SELECT to_regclass('rapport.migrations')") is None:
        return None
    level: str | None = await connection.fetchval("SELECT max(name) FROM rapport.migrations")
    return level


async def migrate(database_url: str) -> list[str]:
    """Apply what is missing, all or nothing, and name it; a second process waits and finds nothing to do.

    :raises MigrationChanged: an applied file was edited.
    :raises TablesInUse: something read or wrote the tables all the time, such as a backup.
    """
    connection = await asyncpg.connect(database_url)
    try:
        for _ in range(TRIES):
            try:
                return await _migrate(connection)
            except asyncpg.LockNotAvailableError:
                await asyncio.sleep(PATIENCE)
        raise TablesInUse(
            "the log's tables are in use without end, so nothing was migrated; end the longest transaction "
            "(a backup is one) and run 'rapport migrate' again"
        )
    finally:
        await connection.close()


async def _migrate(connection: Connection) -> list[str]:
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        if await connection.fetchval("SELECT to_regclass('rapport.migrations')") is None:
            await connection.execute(_BOOTSTRAP)
        rows = await connection.fetch("SELECT name, checksum FROM rapport.migrations")
        applied = {row["name"]: row["checksum"] for row in rows}
        if applied:
            # Else nobody is there yet but others who make a database of this cluster.
            await connection.execute(f"SET LOCAL lock_timeout = '{PATIENCE}s'")
        return [m.name for m in migrations() if await _apply(connection, m, applied.get(m.name))]


async def _apply(connection: Connection, migration: Migration, applied: str | None) -> bool:
    if applied is not None:
        if applied != migration.checksum:
            raise MigrationChanged(
                f"migration {migration.name} was edited after it was applied; restore it and add a new one"
            )
        return False
    await connection.execute(migration.sql)
    await connection.execute(
        "INSERT INTO rapport.migrations (name, checksum) VALUES ($1, $2)", migration.name, migration.checksum
    )
    return True
