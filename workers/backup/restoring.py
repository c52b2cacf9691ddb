"""Puts a backup into a data directory: beside what is there, verified, and only then in its place.

Until ``swap.commit`` nothing that was there is touched; after it the move is finished, if need be by the next
start.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg

from events.log.migrate import migrate, needed_level
from workers.backup import archive, keys, tools
from workers.backup.archive import Manifest, NeededKey
from workers.backup.errors import OWN_DATABASE, BackupError
from workers.backup.taking import facts_of
from workers.embedded import swap
from workers.embedded.lock import DirectoryLock
from workers.embedded.stack import EmbeddedStack
from workers.settings import KEYS_FILE, KeyEncryptionKey, Settings
from workers.verify import Report, verify_agency
from workers.wiring import shut_log

_ALL_KEYS: Final = """
    SELECT kek_id AS id, 1 AS wraps, agency, subject, key_id, encode(wrapped, 'base64') AS wrapped
    FROM rapport.keys WHERE wrapped IS NOT NULL
"""
# Nobody has folded anything now that Temporal is empty: so the first sweep starts every workflow.
_NOBODY_KNOWS: Final = """
    UPDATE rapport.streams SET acked_version = 0, poked_version = 0, poked_at = NULL, poked_run = NULL
    WHERE category = 'engagement'
"""


@dataclass(frozen=True, slots=True)
class Restored:
    """A log that was restored; *kept* is where the former one lies, if there was one."""

    manifest: Manifest
    reports: tuple[Report, ...]
    kept: Path | None

    @property
    def streams(self) -> int:
        """This will count the streams that were verified."""
        return sum(len(each.engagements) + len(each.others) for each in self.reports)

    @property
    def mismatches(self) -> int:
        """This will count what is not as it should be: it was so in the backup."""
        return sum(each.mismatches for each in self.reports)


async def restore_backup(
    settings: Settings, file: Path, *, replace: bool = False, keys_file: Path | None = None
) -> Restored:
    """This will restore a backup into the settings' data directory and verify all of it.

    *replace* moves a log that is there aside; *keys_file* takes its place together with the log.

    :raises BackupError: nothing was changed; one sentence says why.
    :raises EmbeddedError: a stack runs there, or the database does not start.
    """
    manifest, ring = await _checked(settings, file, keys_file)
    async with _locked(settings.data_dir):
        if swap.holds_log(settings.data_dir) and not replace:
            raise BackupError(
                f"{settings.data_dir} holds a log already; give an empty directory with --data, or "
                "--replace, which keeps the present one beside it"
            )
        staged = await asyncio.to_thread(swap.stage, settings.data_dir, f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        try:
            reports = await _restore(file, manifest, ring, staged)
            if keys_file is not None:
                _place_keys(keys_file, staged)
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, staged, ignore_errors=True)
            raise
        swap.commit(staged)
        return Restored(manifest, reports, swap.finish(settings.data_dir))


async def _checked(
    settings: Settings, file: Path, keys_file: Path | None
) -> tuple[Manifest, tuple[KeyEncryptionKey, ...]]:
    """Read the whole backup, and see that this version and the keys at hand are the ones for it."""
    if settings.database_url is not None:
        raise BackupError(OWN_DATABASE)
    if keys_file is not None and settings.key_encryption_keys:
        raise BackupError(
            "RAPPORT_KEY_ENCRYPTION_KEYS is set and would win over --keys; unset it, or leave --keys out"
        )
    ring = keys.at_hand(settings, keys_file)
    manifest = await asyncio.to_thread(archive.check, file)
    if manifest.level > needed_level():
        raise BackupError(
            f"the backup is at level {manifest.level} and this version knows {needed_level()}; "
            "install the version that wrote it"
        )
    _refuse_without_keys(manifest, ring, keys.whence(settings, keys_file))
    return manifest, ring


async def _restore(
    file: Path, manifest: Manifest, ring: tuple[KeyEncryptionKey, ...], staged: Path
) -> tuple[Report, ...]:
    async with EmbeddedStack(staged, temporal=False, smtp_sink=False) as stack:
        url = stack.database_url
        # Roles belong to the cluster and come with the first migration; the schema comes from the dump.
        await migrate(url)
        await _run(url, "DROP SCHEMA rapport CASCADE", "DROP SCHEMA rapport_read CASCADE")
        await tools.restore(url, archive.dump(file))
        await _compare(url, manifest, ring)
        await migrate(url)
        async with shut_log(url) as log:
            reports = [await verify_agency(log, None, agency) for agency in await log.agencies()]
        await _run(url, _NOBODY_KNOWS, "ANALYZE", "CHECKPOINT")
    return tuple(reports)


async def _compare(url: str, manifest: Manifest, ring: tuple[KeyEncryptionKey, ...]) -> None:
    """Hold the restored database against what was written down when it was backed up."""
    connection = await asyncpg.connect(url)
    try:
        facts = await facts_of(connection)
        wrapped = [NeededKey(**dict(row)) for row in await connection.fetch(_ALL_KEYS)]
    finally:
        await connection.close()
    if facts is None or (facts.level, facts.agencies) != (manifest.level, manifest.agencies):
        raise BackupError("what came out of the backup is not what its manifest names; nothing was changed")
    if closed := keys.lacking(wrapped, ring):
        raise BackupError(
            f"some keys in the backup do not open under '{', '.join(closed)}'; nothing was changed"
        )


async def _run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@asynccontextmanager
async def _locked(data_dir: Path) -> AsyncIterator[None]:
    """Keep every stack away from the directory, and finish a restore that was cut off before."""
    try:
        lock = await asyncio.to_thread(_lock_of, data_dir)
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise BackupError(f"{data_dir} cannot hold a log ({why}); choose another one with --data") from None
    try:
        await asyncio.to_thread(lock.take)
        swap.finish(data_dir)
        yield
    finally:
        lock.release()


def _lock_of(data_dir: Path) -> DirectoryLock:
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return DirectoryLock(data_dir)


def _refuse_without_keys(manifest: Manifest, ring: tuple[KeyEncryptionKey, ...], where: str) -> None:
    lacking = keys.lacking(manifest.key_encryption_keys, ring)
    if not lacking:
        return
    there = {each.id for each in ring}
    same = "another key of that name" if there & set(lacking) else "no such key"
    raise BackupError(
        f"this backup's personal data opens only with key-encryption key '{', '.join(lacking)}', and {where} "
        f"holds {same}; give the key file that was kept apart from the backup with --keys FILE"
    )


def _place_keys(source: Path, staged: Path) -> None:
    descriptor = os.open(staged / KEYS_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(source.read_bytes())
        file.flush()
        os.fsync(file.fileno())
