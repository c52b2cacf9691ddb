"""The key that signs evidence: of the settings, or one that the data directory keeps from the first use on.

Whoever has it can sign in the installation's name; whoever loses it can still check what it has signed.
"""

import base64
import binascii
import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

from events.evidence.signing import SEED_BYTES, SigningKey
from workers import stack_file
from workers.embedded.swap import holds_log
from workers.settings import Settings, SettingsError

KEY_FILE: Final = "evidence-key"


def evidence_key(settings: Settings) -> SigningKey:
    """Give the installation's key.

    :raises SettingsError: what is set or kept is no key, or it can be neither read nor made.
    """
    if settings.evidence_key is not None:
        return _parsed(settings.evidence_key.get_secret_value(), "RAPPORT_EVIDENCE_KEY")
    path = settings.data_dir / KEY_FILE
    try:
        _make(path)
        return _parsed(path.read_text(encoding="ascii", errors="replace"), str(path))
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise SettingsError(
            f"the key that signs evidence, {path}, cannot be used ({why}); set RAPPORT_EVIDENCE_KEY"
        ) from None


def key_to_show(settings: Settings) -> SigningKey:
    """Give the installation's key, made if need be, but only where a stack keeps its data already.

    :raises SettingsError: as :func:`evidence_key`; or there is no key, and the directory is no stack's.
    """
    where = settings.data_dir
    kept = settings.evidence_key is not None or (where / KEY_FILE).exists()
    if not (kept or holds_log(where) or stack_file.read(where) is not None):
        raise SettingsError(
            f"{where} holds neither a key that signs evidence nor a stack's data; name a stack's directory "
            "with --data or RAPPORT_DATA_DIR, start one there with 'rapport up', or set RAPPORT_EVIDENCE_KEY."
        )
    return evidence_key(settings)


def _parsed(text: str, where: str) -> SigningKey:
    try:
        seed = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        seed = b""
    if len(seed) != SEED_BYTES:
        raise SettingsError(
            f"{where} is not usable: a key that signs evidence is {SEED_BYTES} bytes in base64."
        )
    return SigningKey(seed)


def _make(path: Path) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    waiting = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(SEED_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was faster: its key is the one
            os.link(waiting, path)
    finally:
        waiting.unlink()
