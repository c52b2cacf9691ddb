"""What goes wrong at the HTTP door, as Problem Details (RFC 9457): one sentence, and what would help.

No sentence may quote a value that came in: it may be personal.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """Ends a request: *detail* is one sentence, *code* names its kind for programs, *extra* goes beside."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = extra


def unknown(what: str) -> Problem:
    """Say that there is no such thing, be it nowhere or in another agency; *what* is e.g. ``job-order``."""
    return Problem(404, f"unknown-{what}", f"there is no such {what.replace('-', ' ')} here")


def answer(problem: Problem) -> JSONResponse:
    """Write a problem down as a response."""
    content = {
        "type": f"urn:rapport:problem:{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        **problem.extra,
    }
    return JSONResponse(content, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)
