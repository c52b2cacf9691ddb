"""What all signatures have in common: a digest of raw bytes, compared without telling how near it was.

Every secret is tried against every signature that was given: leaving a loop early would tell which one fits.
"""

import hmac
import secrets as random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from gateway.webhooks.provider import NotVerified

_WRONG = "the signature does not hold under any secret that is valid now"


def hex_digest(secret: str, signed: bytes) -> str:
    """Give the HMAC-SHA256 in hex."""
    return hmac.new(secret.encode(), signed, "sha256").hexdigest()


def check_hex(signed: bytes, given: Sequence[str], secrets: Sequence[str]) -> None:
    """Hold the signatures that were given against the digests under each secret.

    :raises NotVerified: none fits.
    """
    check([hex_digest(secret, signed) for secret in secrets], given)


def check(expected: Iterable[str], given: Iterable[str]) -> None:
    """Compare every expected signature with every given one, letter by letter and to the end.

    :raises NotVerified: no two are equal.
    """
    tried = list(given)
    if not any([hmac.compare_digest(raw(mine), raw(theirs)) for mine in expected for theirs in tried]):
        raise NotVerified(_WRONG)


def check_time(stamp: str, now: datetime, tolerance: timedelta, past: timedelta | None = None) -> None:
    """Check a signed time in whole Unix seconds; *past* where a provider sends again with the old time.

    :raises NotVerified: it is none, or too far from now.
    """
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 11):
        raise NotVerified("the signed time is no number of seconds")
    at = datetime.fromtimestamp(int(stamp), UTC)
    if at - now > tolerance or now - at > (past or tolerance):
        raise NotVerified("the signed time is too far from now; check the clocks, or send it again")


def header(headers: Mapping[str, str], name: str) -> str:
    """Give a header's value, nothing where it is absent."""
    return headers.get(name, "")


def raw(text: str) -> bytes:
    """Give the bytes of a header as they came: the server reads them as Latin-1."""
    return text.encode("latin-1", "backslashreplace")


def random_secret() -> str:
    """Make a secret that nobody has seen, 256 bits in letters that every form takes."""
    return random.token_urlsafe(32)


def plain_complaint(secret: str) -> str | None:
    """Say why a text is no secret that two sides could both hold; None if it is one."""
    if not secret.strip():
        return "the secret is empty"
    if secret != secret.strip() or not secret.isprintable():
        return "the secret begins or ends with a space, or holds a line end; copy it again"
    return None
