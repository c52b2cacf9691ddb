"""Seals bytes under a key so that they open only in their own place.

The parts that name the place are authenticated, not stored: whoever opens must name the same ones.
"""

import hmac
import secrets
from typing import Final
from uuid import UUID

from events.log.keys import DataKey, KeyStore

# The number of the format.
_HEAD: Final = b"\x01"
_HEADER: Final = 1 + 16
_NONCE: Final = 12
_TAG: Final = 16
# By how many bytes a box is longer than what was put in.
OVERHEAD: Final = _HEADER + _NONCE + _TAG


def shut(key: DataKey, plain: bytes, *place: str) -> bytes:
    """Seal bytes for a place, e.g. an agency and a message's id."""
    nonce = secrets.token_bytes(_NONCE)
    return b"".join((_HEAD, key.id.bytes, nonce, key.cipher.encrypt(nonce, plain, _context(place))))


def key_id(box: bytes) -> UUID:
    """Name the key that a box was sealed under."""
    return UUID(bytes=box[1:_HEADER])


def open_box(key: DataKey, box: bytes, *place: str) -> bytes:
    """Open what was sealed for a place.

    :raises cryptography.exceptions.InvalidTag: it was tampered with, or belongs elsewhere.
    """
    nonce, rest = box[_HEADER : _HEADER + _NONCE], box[_HEADER + _NONCE :]
    return key.cipher.decrypt(nonce, rest, _context(place))


async def find_and_open(keys: KeyStore, agency: str, box: bytes, *place: str) -> bytes | None:
    """Open a box with whichever key it names; None: that key is destroyed."""
    key = await keys.find_by_id(agency, key_id(box))
    return None if key is None else open_box(key, box, agency, *place)


def keyed_digest(key: DataKey, *parts: str | bytes) -> bytes:
    """Digest parts, each length-prefixed, so that only the key's holder can guess at them."""
    raw = [part if isinstance(part, bytes) else part.encode() for part in parts]
    return hmac.digest(key.secret, b"".join(b"%d:%b" % (len(part), part) for part in raw), "sha256")


def _context(place: tuple[str, ...]) -> bytes:
    return "|".join(place).encode()
