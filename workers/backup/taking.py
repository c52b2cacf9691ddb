"""Takes a backup of the embedded database: of the one that runs, else of one started for it.

Facts and dump come from one snapshot, so that a restore can be held against the heads that were written down.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg

from events.log.connect import Connection
from events.log.migrate import migration_level
from workers import stack_file
from workers.backup import keys, tools
from workers.backup.archive import AgencyHead, Facts, Manifest, NeededKey, Writer
from workers.backup.errors import OWN_DATABASE, BackupError
from workers.embedded import swap
from workers.embedded.stack import EmbeddedStack
from workers.settings import Settings

_HEADS: Final = "SELECT agency, position, head_hash FROM rapport.log_heads ORDER BY agency"
_KEYS: Final = """
    SELECT DISTINCT ON (kek_id) kek_id AS id, count(*) OVER (PARTITION BY kek_id) AS wraps,
           agency, subject, key_id, encode(wrapped, 'base64') AS wrapped
    FROM rapport.keys WHERE wrapped IS NOT NULL ORDER BY kek_id, agency, subject
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that was taken; *lacking* names key-encryption keys that are not where *keys_in* says."""

    file: Path
    manifest: Manifest
    keys_in: str
    lacking: tuple[str, ...]


async def take_backup(settings: Settings, file: Path) -> Taken:
    """This will write the embedded database to a new file.

    :raises BackupError: there is no log to back up, or the file cannot be written.
    :raises EmbeddedError: the database does not start.
    """
    if settings.database_url is not None:
        raise BackupError(OWN_DATABASE)
    ring = keys.at_hand(settings)
    with Writer(file) as writer:
        async with _database(settings.data_dir) as url:
            facts = await _copy(url, writer, settings.data_dir)
        manifest = writer.complete(facts)
    missing = tuple(keys.lacking(manifest.key_encryption_keys, ring))
    return Taken(file, manifest, keys.whence(settings), missing)


@asynccontextmanager
async def _database(data_dir: Path) -> AsyncIterator[str]:
    running = stack_file.read(data_dir)
    if running is not None:
        if running.database_url is None:
            raise BackupError(OWN_DATABASE)
        yield running.database_url
    elif not swap.holds_log(data_dir):
        raise _no_log(data_dir)
    else:
        async with EmbeddedStack(data_dir, temporal=False, smtp_sink=False) as stack:
            yield stack.database_url


async def _copy(url: str, writer: Writer, data_dir: Path) -> Facts:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
            facts = await facts_of(connection)
            if facts is None:
                raise _no_log(data_dir)
            async with aclosing(tools.dump(url, snapshot)) as chunks:
                async for chunk in chunks:
                    writer.write(chunk)
            return facts
    finally:
        await connection.close()


async def facts_of(connection: Connection) -> Facts | None:
    """This will write down what a database holds, as a superuser sees it; None if it was never migrated."""
    level = await migration_level(connection)
    if level is None:
        return None
    heads = await connection.fetch(_HEADS)
    wrapped = await connection.fetch(_KEYS)
    return Facts(
        created_at=datetime.now(UTC),
        postgres=await connection.fetchval("SHOW server_version"),
        level=level,
        agencies=tuple(
            AgencyHead(agency=row["agency"], position=row["position"], head_hash=row["head_hash"].hex())
            for row in heads
        ),
        key_encryption_keys=tuple(NeededKey(**dict(row)) for row in wrapped),
    )


def _no_log(data_dir: Path) -> BackupError:
    return BackupError(f"there is no log in {data_dir} to back up; name its directory with --data")
