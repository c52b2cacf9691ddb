"""What a form of the candidate's pages brought: that it came from there, and the fields of its command.

A field that the form does not have is refused, not dropped, as the API does.
"""

import hmac
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from gateway.access.roles import CANDIDATES, NEEDS_EVIDENCE
from gateway.http.identify import bearer
from gateway.http.problems import Problem, unknown
from gateway.pages import texts
from gateway.pages.cookie import seal_of
from gateway.pages.times import end_of

COMMANDS: Final = CANDIDATES | NEEDS_EVIDENCE
SEAL: Final = "seal"
_TYPE: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 20
_COMMAND_ID: Final = re.compile(r"me-[0-9a-f]{32}")
_OF_EVERY_FORM: Final = frozenset({SEAL, "command_id", "code", "sure"})
# What a form holds beside its command's own fields.
_SHOWN: Final[Mapping[str, frozenset[str]]] = {
    "set-quiet-hours": frozenset({"from", "to"}),
    "grant-right-to-represent": frozenset({"until", "zone"}),
}
_TAKES: Final[Mapping[str, frozenset[str]]] = {
    "record-message": frozenset({"words"}),
    "request-call": frozenset({"words"}),
    "record-application": frozenset({"job_order_id"}),
    "confirm-profile": frozenset({"facets"}),
    "answer-proposal": frozenset({"job_order_id", "answer", "reason"}),
    "grant-right-to-represent": frozenset({"job_order_id", "pay"}),
    "revoke-right-to-represent": frozenset({"job_order_id", "reason"}),
    "withdraw": frozenset({"submission_id", "reason"}),
    "set-quiet-hours": frozenset({"zone"}),
    "stop-outreach": frozenset(),
    "allow-outreach": frozenset(),
    "accept-offer": frozenset({"offer_id"}),
    "decline-offer": frozenset({"offer_id", "reason"}),
    "settle-submission": frozenset({"submission_id", "choice", "reason"}),
    "raise-concern": frozenset({"placement_id", "words"}),
}


async def sent(request: Request) -> dict[str, str]:
    """Read a form that came from our own page; what was left empty is left out.

    :raises Problem: 403, it came from elsewhere; 400 or 415, it is no form.
    """
    _must_be_ours(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        raise Problem(415, "no-form", "this takes a form")
    try:
        text = (await request.body()).decode("ascii")
        pairs = parse_qsl(text, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Problem(400, "malformed-form", "this is no form") from None
    form = {name: value.replace("\r\n", "\n").strip() for name, value in pairs}
    if len(form) != len(pairs):
        raise Problem(400, "malformed-form", "a field stands twice in the form")
    if not hmac.compare_digest(form.pop(SEAL, "").encode(), seal_of(bearer(request) or "").encode()):
        raise _from_elsewhere()
    return {name: value for name, value in form.items() if value}


def command_id_in(form: Mapping[str, str]) -> str:
    """Give the id that the form's command got when it was shown.

    :raises Problem: 400, it is none of ours.
    """
    found = form.get("command_id", "")
    if _COMMAND_ID.fullmatch(found) is None:
        raise Problem(400, "malformed-form", "the form has lost its command's id")
    return found


def fields_in(name: str, form: Mapping[str, str]) -> dict[str, Any]:
    """Give a command's fields as the API takes them.

    :raises Problem: 404, it is no command of a candidate; 422, it does not hold what it must.
    """
    if name not in COMMANDS:
        raise unknown("command")
    stray = form.keys() - _TAKES[name] - _SHOWN.get(name, frozenset()) - _OF_EVERY_FORM
    if stray:
        raise Problem(422, "invalid-form", "the form holds what it does not have")
    if name in texts.SURE and not (name == "withdraw" and "submission_id" in form) and "sure" not in form:
        raise Problem(422, "not-sure", "the form is not ticked")
    fields: dict[str, Any] = {key: value for key, value in form.items() if key in _TAKES[name]}
    match name:
        case "confirm-profile":
            fields["facets"] = form.get("facets", "").split(",")
        case "record-application":
            fields["application_id"] = f"application-{command_id_in(form)}"
        case "set-quiet-hours":
            fields |= _hours(form)
        case "grant-right-to-represent":
            fields |= {"wording": texts.WORDING, **_until(form)}
    return fields


def _hours(form: Mapping[str, str]) -> dict[str, str]:
    given = [form[each][:5] for each in ("from", "to") if each in form]
    if len(given) == 1:
        raise Problem(422, "half-hours", "one time is missing")
    return {"quiet_hours": "-".join(given)} if given else {}


def _until(form: Mapping[str, str]) -> dict[str, str]:
    if "until" not in form:
        return {}
    try:
        return {"expires_at": end_of(form["until"], form.get("zone", "UTC")).isoformat()}
    except (ValueError, OverflowError):
        raise Problem(422, "no-such-day", "'until' is no day") from None


def _must_be_ours(request: Request) -> None:
    """Refuse what a browser says to come from another site; one that does not say brings the seal."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise _from_elsewhere()
    # A page that sends no referrer has its own forms' origin told as null.
    origin = request.headers.get("origin", "null")
    if origin != "null" and origin not in _origins(request):
        raise _from_elsewhere()


def _origins(request: Request) -> set[str]:
    told = [f"{request.url.scheme}://{request.headers.get('host', '')}", request.app.state.doors.public_url]
    parts = [urlsplit(each) for each in told if each]
    return {f"{each.scheme}://{each.netloc}" for each in parts}


def _from_elsewhere() -> Problem:
    return Problem(403, "from-elsewhere", "this did not come from the page")
