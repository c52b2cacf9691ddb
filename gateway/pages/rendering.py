"""Writes the candidate's pages: templates that escape whatever they are given, and one style by its hash.

Nothing else may be loaded, run or framed, so a page holds no address but our own: each begins with ``me``.
"""

import base64
import hashlib
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from gateway.pages import texts
from gateway.pages.cookie import PATH

_TEMPLATES: Final = Path(__file__).parents[1] / "templates" / "me"
_STYLE: Final = (_TEMPLATES / "style.css").read_text(encoding="utf-8")
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CSP: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# Ours, and no word of anybody's: it must stay the very bytes of the hash.
_ENVIRONMENT.globals.update(t=texts, style=Markup(_STYLE))


def render(template: str, prefix: str, **values: Any) -> str:
    """Write a page whose addresses have a *prefix* before them."""
    return _ENVIRONMENT.get_template(f"{template}.html").render(me=f"{prefix}{PATH}", **values)


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Answer with a page."""
    return HTMLResponse(render(template, request.app.state.doors.prefix, **values), status)
