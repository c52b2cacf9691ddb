"""Signatures of evidence: Ed25519, by a key of the installation, over everything that stands before it.

A signature says who vouches only to those who know the key: its fingerprint must reach them another way.
"""

import hashlib
import re
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from events.evidence.lines import Fields, written
from events.evidence.records import FORMAT

ALGORITHM: Final = "ed25519"
SEED_BYTES: Final = 32
_PREFIX: Final = f"{FORMAT}\n".encode()
_PUBLIC: Final = re.compile(r"\bed25519:([0-9a-f]{64})\b")
_FINGERPRINT: Final = re.compile(r"^(?:sha256:)?([0-9a-f]{64})$")


class SigningKey:
    """The installation's key, made of 32 secret bytes; it never shows them."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()

    def signature_line(self, content: bytes) -> bytes:
        """Sign what stands before the signature, the end of its last line included."""
        return signature_line(self.public, self._key.sign(_message(content)))

    def told(self) -> str:
        """Write the public key as ``rapport evidence key`` prints it and as a key file holds it."""
        return f"{ALGORITHM}:{self.public.hex()}"


def fingerprint(public: bytes) -> str:
    """Name a public key by its SHA-256."""
    return hashlib.sha256(public).hexdigest()


def signature_line(public: bytes, signature: bytes) -> bytes:
    """Write the last line; there is one way only, since nothing vouches for it but itself."""
    return written(
        {
            "record": "signature",
            "algorithm": ALGORITHM,
            "public_key": public.hex(),
            "fingerprint": fingerprint(public),
            "signature": signature.hex(),
        }
    )


def signer_of(fields: Fields) -> str | None:
    """Give the fingerprint that a signature's line leads to; None if it is not written as it must be."""
    read = _read(fields)
    return fingerprint(read[0]) if read is not None else None


def holds(fields: Fields, content: bytes) -> bool:
    """Tell whether a signature's line fits what stands before it."""
    read = _read(fields)
    if read is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(read[0]).verify(read[1], _message(content))
    except (InvalidSignature, ValueError):
        return False
    return True


def key_named(text: str) -> str | None:
    """Read the fingerprint out of what names a key: the fingerprint itself, or a text with the public key."""
    if (given := _FINGERPRINT.match(text.strip().lower())) is not None:
        return given[1]
    found = set(_PUBLIC.findall(text))
    return fingerprint(bytes.fromhex(found.pop())) if len(found) == 1 else None


def _read(fields: Fields) -> tuple[bytes, bytes] | None:
    try:
        public, signature = (bytes.fromhex(fields[name]) for name in ("public_key", "signature"))
    except (KeyError, TypeError, ValueError):
        return None
    return (public, signature) if written(fields) == signature_line(public, signature) else None


def _message(content: bytes) -> bytes:
    return _PREFIX + hashlib.sha256(content).digest()
