"""What all contents have in common: JSON that may be anything, a name, a time, a key.

No complaint may repeat a value: it may be a name.  A time without a zone is none: nobody guesses one.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from gateway.webhooks.provider import Malformed

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/ -]{0,119}")
_OPAQUE: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")


def parsed(body: bytes) -> dict[str, Any]:
    """Read a body as one JSON object.

    :raises Malformed: it is none.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("the body is no JSON") from None
    if not isinstance(found, dict):
        raise Malformed("the body is no JSON object")
    return found


def event_name(value: object, where: str) -> str:
    """Check the name of an event.

    :raises Malformed: there is none at *where*.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise Malformed(f"{where} names no event")
    return value


def find(content: object, path: str) -> Any:
    """Follow a path of names; None where it leads nowhere."""
    for name in path.split("."):
        if not isinstance(content, dict):
            return None
        content = content.get(name)
    return content


def first_time(content: object, paths: Sequence[str]) -> datetime | None:
    """Give the first time that one of the paths leads to."""
    return next((at for path in paths if (at := moment(find(content, path))) is not None), None)


def moment(value: object) -> datetime | None:
    """Read a time with its zone; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return None if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def key(*parts: str) -> str:
    """Make a dedupe key: one short opaque token as it is, else a digest, since an id may be a name."""
    if len(parts) == 1 and _OPAQUE.fullmatch(parts[0]):
        return parts[0]
    # The lengths keep ("a", "bc") and ("ab", "c") apart.
    framed = b"".join(
        b"%d:%s" % (len(each), each) for each in (part.encode(errors="backslashreplace") for part in parts)
    )
    return f"sha256:{hashlib.sha256(framed).hexdigest()}"


def body_key(body: bytes) -> str:
    """Make the dedupe key of a delivery that has no other."""
    return f"body:{hashlib.sha256(body).hexdigest()}"
