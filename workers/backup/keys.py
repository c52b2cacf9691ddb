"""Which key-encryption keys a backup needs, and whether those at hand are they.

An id alone proves nothing: every data directory calls its first key ``local-1``.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag

from events.log.keys import Kek, Keyring, UnknownKek
from workers.backup.archive import NeededKey
from workers.backup.errors import BackupError
from workers.settings import KEYS_FILE, KeyEncryptionKey, Settings, read_keys


def at_hand(settings: Settings, file: Path | None = None) -> tuple[KeyEncryptionKey, ...]:
    """This will read the keys of *file*, of the environment, or of the data directory; it makes none.

    :raises SettingsError: what is there is no key.
    :raises BackupError: *file* cannot be read.
    """
    if file is None:
        if settings.key_encryption_keys:
            return settings.key_encryption_keys
        kept = settings.data_dir / KEYS_FILE
        return read_keys(kept) if kept.exists() else ()
    try:
        return read_keys(file)
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise BackupError(
            f"{file} cannot be read ({why}); give the file with the key-encryption keys"
        ) from None


def whence(settings: Settings, file: Path | None = None) -> str:
    """This will name the place where :func:`at_hand` looks."""
    if file is not None:
        return str(file)
    return (
        "RAPPORT_KEY_ENCRYPTION_KEYS" if settings.key_encryption_keys else str(settings.data_dir / KEYS_FILE)
    )


def lacking(needed: Iterable[NeededKey], keys: Sequence[KeyEncryptionKey]) -> list[str]:
    """This will name the needed keys, in order, that are not among *keys*, or have only their id there."""
    if not keys:
        return list(dict.fromkeys(each.id for each in needed))
    ring = Keyring([Kek(each.id, each.secret.get_secret_value()) for each in keys])
    return list(dict.fromkeys(each.id for each in needed if not _opens(ring, each)))


def _opens(ring: Keyring, touchstone: NeededKey) -> bool:
    try:
        ring.unwrap(
            touchstone.agency, touchstone.subject, touchstone.key_id, touchstone.id, touchstone.wrapped
        )
    except (UnknownKek, InvalidTag, ValueError):
        return False
    return True
