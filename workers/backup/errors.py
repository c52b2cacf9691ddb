"""The one error of backup and restore: a sentence that says what is in the way, and what to do."""

from typing import Final

OWN_DATABASE: Final = (
    "DATABASE_URL names a database of your own: use its own tools (pg_dump and pg_restore, or its provider's "
    "snapshots), keep RAPPORT_KEY_ENCRYPTION_KEYS apart from them, and run 'rapport verify --all' afterwards."
)


class BackupError(Exception):
    """Nothing was written, or nothing was changed.  The message is one sentence, fit to be printed."""
