"""The file of a backup: a ZIP of ``database.dump`` (pg_dump's custom format) and ``manifest.json``.

A stored format: a field is added with a default, never renamed.  No key-encryption key is ever in it.
"""

import contextlib
import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Final, Self
from uuid import UUID

from pydantic import Base64Bytes, BaseModel, ConfigDict, ValidationError

from workers.backup.errors import BackupError

FORMAT: Final = 1
DUMP: Final = "database.dump"
MANIFEST: Final = "manifest.json"
CHUNK: Final = 1 << 20
_SUFFIX: Final = ".part"
_DAMAGED: Final = (zipfile.BadZipFile, KeyError, EOFError, zlib.error, NotImplementedError, RuntimeError)


class AgencyHead(BaseModel):
    """Where an agency's log stood: what a restore must arrive at, to the hash."""

    model_config = ConfigDict(frozen=True)

    agency: str
    position: int
    head_hash: str


class NeededKey(BaseModel):
    """A key-encryption key that opens what is personal, and one key wrapped by it as a touchstone."""

    model_config = ConfigDict(frozen=True)

    id: str
    wraps: int
    agency: str
    subject: str
    key_id: UUID
    wrapped: Base64Bytes


class Facts(BaseModel):
    """What a database held at the moment of its snapshot."""

    model_config = ConfigDict(frozen=True)

    created_at: datetime
    postgres: str
    level: str
    agencies: tuple[AgencyHead, ...]
    key_encryption_keys: tuple[NeededKey, ...]

    @property
    def events(self) -> int:
        """This will count the events of all agencies."""
        return sum(each.position for each in self.agencies)


class Manifest(Facts):
    """Those facts, and what the dump beside them must be."""

    format: int = FORMAT
    dump_bytes: int
    dump_sha256: str


class Writer:
    """A backup being written: under its name only when it is whole."""

    def __init__(self, path: Path) -> None:
        self._path, self._part = path, path.with_name(path.name + _SUFFIX)
        self._bytes, self._hash = 0, hashlib.sha256()

    def __enter__(self) -> Self:
        """This will open the file.

        :raises BackupError: it is there already, or cannot be made.
        """
        if self._path.exists():
            raise BackupError(f"{self._path} is there already; give the name of a new file")
        try:
            self._part.unlink(missing_ok=True)
            descriptor = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise self._unwritable(error) from None
        self._file = os.fdopen(descriptor, "w+b")
        self._zip = zipfile.ZipFile(self._file, "w")
        # Not deflated: pg_dump has done that.
        self._dump: IO[bytes] = self._zip.open(DUMP, "w", force_zip64=True)
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._dump, self._zip, self._file):
            # They finish what was begun, into a file that goes.
            with contextlib.suppress(OSError):
                each.close()
        self._part.unlink(missing_ok=True)

    def write(self, chunk: bytes) -> None:
        """This will add to the dump."""
        self._bytes += len(chunk)
        self._hash.update(chunk)
        try:
            self._dump.write(chunk)
        except OSError as error:
            raise self._unwritable(error) from None

    def complete(self, facts: Facts) -> Manifest:
        """This will add the manifest, wait for the disk, and give the file its name."""
        manifest = Manifest(
            **dict(facts), dump_bytes=self._bytes, dump_sha256=self._hash.hexdigest(), format=FORMAT
        )
        try:
            self._dump.close()
            self._zip.writestr(MANIFEST, manifest.model_dump_json(indent=1))
            self._zip.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._part.rename(self._path)
        except OSError as error:
            raise self._unwritable(error) from None
        return manifest

    def _unwritable(self, error: OSError) -> BackupError:
        why = (error.strerror or type(error).__name__).lower()
        return BackupError(f"{self._path} cannot be written ({why}); give another place for the backup")


def check(path: Path) -> Manifest:
    """This will read a whole backup and return its manifest; the dump is what was written, byte for byte.

    :raises BackupError: it is no backup, damaged, or of a newer format.
    """
    digest, size = hashlib.sha256(), 0
    manifest = _manifest(path)
    for chunk in dump(path):
        digest.update(chunk)
        size += len(chunk)
    if (size, digest.hexdigest()) != (manifest.dump_bytes, manifest.dump_sha256):
        raise _damaged(path)
    return manifest


def dump(path: Path) -> Iterator[bytes]:
    """This will yield the dump in pieces.

    :raises BackupError: the file is damaged, or cannot be read any more.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open(DUMP) as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except OSError as error:
        raise _unreadable(path, error) from None
    except _DAMAGED:
        raise _damaged(path) from None


def _manifest(path: Path) -> Manifest:
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = Manifest.model_validate_json(archive.read(MANIFEST))
    except OSError as error:
        raise _unreadable(path, error) from None
    except (*_DAMAGED, ValidationError):
        raise _damaged(path) from None
    if manifest.format != FORMAT:
        raise BackupError(
            f"{path} has format {manifest.format} and this version reads {FORMAT}; use the one that wrote it"
        )
    return manifest


def _unreadable(path: Path, error: OSError) -> BackupError:
    why = (error.strerror or type(error).__name__).lower()
    return BackupError(f"{path} cannot be read ({why}); give the file that 'rapport backup' wrote")


def _damaged(path: Path) -> BackupError:
    return BackupError(f"{path} is no backup of Rapport, or it is damaged or cut off; take another one")
