"""The text of keys and links: a kind, an id that may be shown, and a secret that is seen once.

Only the secret's hash is ever kept; the id alone finds it, so an id without its secret opens nothing.
"""

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["rpk", "rpl"]
# Letters and digits only: the id is also an event's opaque actor, which begins with one of them.
_ALPHABET: Final = string.ascii_letters + string.digits
_ID_LENGTH: Final = 16
_FORM: Final = re.compile(r"(rpk|rpl)_([A-Za-z0-9]{16})_([A-Za-z0-9_-]{43})")
# What an unknown id is compared with, so that it takes as long as a wrong secret.
_NOBODY: Final = secrets.token_bytes(32)


@dataclass(frozen=True, slots=True)
class Shown:
    """A credential as its bearer shows it."""

    kind: Kind
    id: str
    secret: str = field(repr=False)


# No id is made like this: it is looked up where nothing usable was shown, so that this takes as long.
BLANK: Final = Shown("rpk", "-" * _ID_LENGTH, "-" * 43)


@dataclass(frozen=True, slots=True)
class Minted:
    """A credential when it is made: the one moment at which its text exists."""

    id: str
    text: str = field(repr=False)
    secret_hash: bytes = field(repr=False)


def mint(kind: Kind) -> Minted:
    """Make a new credential."""
    identity = "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))
    secret = secrets.token_urlsafe(32)
    return Minted(identity, f"{kind}_{identity}_{secret}", hash_of(secret))


def read(text: str) -> Shown | None:
    """Take a credential's text apart; None: it has not the form of one."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    return Shown("rpk" if found[1] == "rpk" else "rpl", found[2], found[3])


def hash_of(secret: str) -> bytes:
    """Hash a secret; its 256 random bits need no slower hash."""
    return hashlib.sha256(secret.encode()).digest()


def holds(shown: Shown, secret_hash: bytes | None) -> bool:
    """Tell whether the secret is the right one, in the same time for a wrong one and an unknown id."""
    same = hmac.compare_digest(hash_of(shown.secret), _NOBODY if secret_hash is None else secret_hash)
    return same and secret_hash is not None
