"""What a route answers with: plain data as JSON, a version as ``ETag``, a page with where the next begins.

Replies are written here and not by the framework: times, ids and sealed values look as everywhere else.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from gateway.cli.output import written
from gateway.http.problems import Problem

_PREFIX: Final = "c1:"


def reply(
    data: Any, status: int = 200, *, version: int | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with data; *version* is the stream's, for a later ``If-Match``."""
    return reply_written(written(data), status, version=version, headers=headers)


def reply_written(
    text: str, status: int = 200, *, version: int | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with JSON that is written already."""
    given = {**({"ETag": f'"{version}"'} if version is not None else {}), **(headers or {})}
    return Response(text.encode(), status, given, media_type="application/json")


def cursor_after(place: str) -> str:
    """Say where a page ended, so that nobody is tempted to make one up."""
    return base64.urlsafe_b64encode(f"{_PREFIX}{place}".encode()).decode().rstrip("=")


def place_of(cursor: str | None) -> str | None:
    """Read where a page ended.

    :raises Problem: it is no cursor of ours.
    """
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    if not text.startswith(_PREFIX) or "\x00" in text:
        raise Problem(422, "invalid-cursor", "'cursor' is none of ours; take the one that 'next' gave")
    return text.removeprefix(_PREFIX)
