"""The cookie by which a browser is known on the candidate's pages, and what of it goes into their forms.

It is sent to these pages alone and no script reads it; under ``/v1`` it means nothing.
"""

import hashlib
import hmac
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response

NAME: Final = "rapport-me"
PATH: Final = "/me"
_AUTHORIZATION: Final = b"authorization"


def is_page(path: str) -> bool:
    """Tell whether an address is one of the candidate's pages."""
    return path == PATH or path.startswith(f"{PATH}/")


def token_of(scope: MutableMapping[str, Any]) -> str | None:
    """Read what the browser is known by."""
    return cookie_parser(Headers(scope=scope).get("cookie", "")).get(NAME) or None


def bearing(scope: MutableMapping[str, Any], token: str | None, **headers: str) -> dict[str, Any]:
    """Copy a request so that it shows a token as the API wants it, and nothing else that it came with."""
    told = {"authorization": f"Bearer {token}"} if token else {}
    given = [(name.encode(), value.encode("utf-8")) for name, value in {**told, **headers}.items()]
    named = {name for name, _ in given} | {_AUTHORIZATION}
    return {**scope, "headers": [each for each in scope["headers"] if each[0] not in named] + given}


def keep(response: Response, token: str, until: datetime, *, prefix: str, secure: bool) -> None:
    """Let the browser be known until the link ends, on the pages alone, wherever it finds them."""
    response.set_cookie(
        NAME,
        token,
        max_age=max(0, int((until - datetime.now(UTC)).total_seconds())),
        path=f"{prefix}{PATH}",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def seal_of(token: str) -> str:
    """Give what a form of these pages must bring along: nobody knows it who does not know the link."""
    return hmac.new(token.encode(), b"a form of the candidate's page", hashlib.sha256).hexdigest()[:32]
