"""One byte-exact way to write JSON, for bodies, hashes and digests.

Stored bytes are hashed and never re-serialised: a change here breaks every chain that exists.
"""

import json
import json.encoder
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID


def instant(moment: datetime) -> str:
    """Write a moment in UTC with exactly six decimals, e.g. ``2026-01-05T09:00:00.000000Z``.

    :raises ValueError: the moment has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone cannot be stored; give it an offset such as +00:00 or Z")
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    if moment.year < 1000:
        # The years that the two ways write differently; what was stored stays as it is.
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    # Without an argument, isoformat takes half the time.
    text = moment.isoformat()
    return f"{text[:26]}Z" if moment.microsecond else f"{text[:19]}.000000Z"


def parse_instant(text: str) -> datetime:
    """Read back what :func:`instant` wrote, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def canonical(value: Any) -> str:
    """Write plain data as JSON with sorted keys and no spaces; moments as :func:`instant` does.

    :raises TypeError: the value holds something that is not plain data.
    """
    return _encode(value)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not plain data and has no canonical form")


def _encoding() -> Callable[[Any], str]:
    """Make the one encoder: json.dumps would make another at every call, and JSONEncoder half of one."""
    whole = json.JSONEncoder(
        sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain
    ).encode
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return whole
    # In the order of its parameters: no look-out for circles, which plain data cannot have, how to write the
    # rest, no indent, the two separators, sorted keys, none skipped, no NaN.
    parts = make(None, _plain, json.encoder.encode_basestring, None, ":", ",", True, False, False)
    together = "".join
    return lambda value: together(parts(value, 0))


_encode: Final = _encoding()
