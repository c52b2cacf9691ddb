"""The key under which a foreign log's ids become ours: a file, or one kept in the data directory.

It is made once and never changed: under another key every id of the same log would be another.
"""

import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

from events.sources.errors import SourceError
from events.sources.pseudonyms import SHORTEST_KEY

KEY_FILE: Final = "pseudonym-key"
_BYTES: Final = 32


def pseudonym_key(given: Path | None, data_dir: Path) -> bytes:
    """Read the key from the *given* file, else the one in *data_dir*, which is made when first asked for.

    :raises SourceError: the file cannot be read, or its key is too short.
    """
    path = given or data_dir / KEY_FILE
    if given is None:
        _make(path)
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise SourceError(f"the pseudonym key {path} cannot be read: {reason}") from None
    if len(key) < SHORTEST_KEY:
        raise SourceError(f"the pseudonym key in {path} is too short: it needs at least {SHORTEST_KEY} bytes")
    return key


def _make(path: Path) -> None:
    if path.exists():
        return
    waiting = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{secrets.token_hex(_BYTES)}\n")
        with contextlib.suppress(FileExistsError):  # another process was faster: its key is the one
            os.link(waiting, path)
        waiting.unlink()
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise SourceError(
            f"the pseudonym key {path} cannot be made: {reason}; give --pseudonym-key"
        ) from None
