"""Whether a command may be given, and with which fields: asked before it goes to its stream.

A caller's body never says who they are; a candidate's command goes in with the evidence that it was theirs.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import Request

from gateway.access.candidates import in_their_name
from gateway.access.codes import CodeRefused, Refusal
from gateway.access.refusals import may_not, refusal
from gateway.access.roles import (
    AGENCY_ACTIONS,
    NEEDS_EVIDENCE,
    Action,
    Target,
    engagement_action,
    job_order_action,
    lends_anothers_word,
    may,
    may_stand_as,
    scope,
)
from gateway.access.who import Who
from gateway.http.identify import access_of, allowed
from gateway.http.problems import Problem

CODE: Final = "rapport-code"
_NEW: Final = "ask for a new one with POST /v1/codes"
_CODES: Final[Mapping[Refusal, tuple[str, str]]] = {
    "none": (
        "code-needed",
        "this needs a code: ask for one with POST /v1/codes and send it as the header Rapport-Code",
    ),
    "wrong": ("code-wrong", f"the code is wrong, over, or not the last that was sent; look again or {_NEW}"),
    "spent": ("code-spent", f"the code has served already, for something else; {_NEW}"),
    "locked": ("code-locked", f"too many wrong codes: this one serves no longer; {_NEW}"),
}


async def engagement_command(
    request: Request, who: Who, engagement: str, name: str, fields: Mapping[str, Any], *, command_id: str
) -> dict[str, Any]:
    """Make sure that the caller may give a command to an engagement, and give its fields as they may go in.

    The same *command_id* again may show the same code again, or a new one: the first answer may have been
    lost, and the code is no part of what was said.

    :raises Problem: 403, 404, or a code is missing.
    """
    action = engagement_action(who.role, name, fields)
    if action == "open-engagement":
        team = tuple(each for each in fields.get("team") or () if isinstance(each, str))
        target = await access_of(request).targets.owned(who, _text(fields.get("owner")), team)
        await allowed(request, who, action, target=target)
        return dict(fields)
    if action == "agree" and who.role != "candidate":
        # The role may tell it with evidence: say so, rather than that it may not.
        await allowed(request, who, "vouch", engagement=engagement)
        says = f"{refusal(who.role, action)}; give evidence and evidence_ref"
        raise Problem(403, "needs-evidence", says)
    await allowed(request, who, action, engagement=engagement)
    if lends_anothers_word(who, name, fields):
        says = may_not(who.role, "give a lead's word in another's name; leave the name out")
        raise Problem(403, "not-allowed", says)
    if who.role != "candidate":
        return dict(fields)
    evidence = f"link-{who.credential}"
    if name in NEEDS_EVIDENCE:
        evidence = await with_code(request, who, f"{name}:{command_id}")
    return in_their_name(name, fields, evidence)


async def job_order_command(
    request: Request, who: Who, job_order: str, name: str, fields: Mapping[str, Any]
) -> None:
    """Make sure that the caller may give a command to a job order; opening one names whose it will be.

    :raises Problem: 403 or 404.
    """
    if name == "open-job-order":
        target = await access_of(request).targets.owned(who, _text(fields.get("owner")))
        await allowed(request, who, job_order_action(name), target=target)
        return
    await allowed(request, who, job_order_action(name), job_order=job_order)


async def agency_command(request: Request, who: Who, name: str, fields: Mapping[str, Any]) -> None:
    """Make sure that the caller may give a command to their agency.

    :raises Problem: 403, or 404 for what is no command of this door.
    """
    action = AGENCY_ACTIONS.get(name)
    if action is None:
        raise Problem(404, "unknown-command", "there is no such command here")
    target, access = Target(), access_of(request)
    person = _text(fields.get("person_id"))
    if name == "end-absence":
        absences = (await access.directory.recent(who.agency)).absences
        found = absences.get(_text(fields.get("absence_id")) or "")
        person = found.person_id if found is not None else None
    if action == "record-absence" and person is not None:
        target = await access.targets.owned(who, person)
    await allowed(request, who, action, target=target)
    if action == "record-absence" and person not in (None, who.person_id):
        await _must_not_be_above(request, who, action, target)


async def _must_not_be_above(request: Request, who: Who, action: Action, target: Target) -> None:
    """Make sure that nobody sends a superior away: whoever stands in for them has their rights.

    :raises Problem: 403.
    """
    access = access_of(request)
    entry = (await access.directory.recent(who.agency)).people.get(target.person or "")
    hats = await access.targets.hats(who, datetime.now(UTC))
    if entry is not None and not any(
        scope(hat.role, action) == "all"
        or hat.person_id == entry.person_id
        or (may(hat, action, target) and may_stand_as(hat.role, entry.role))
        for hat in hats
    ):
        says = may_not(who.role, "record the absence of somebody above them")
        raise Problem(403, "not-allowed", says)


async def with_code(request: Request, who: Who, purpose: str) -> str:
    """Take the code that a candidate sends as the header ``Rapport-Code``, and name the evidence that it is.

    :raises Problem: 403, it is missing or does not serve.
    """
    try:
        return await access_of(request).codes.use(who, request.headers.get(CODE), purpose)
    except CodeRefused as refused:
        code, says = _CODES[refused.why]
        raise Problem(403, code, says) from None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
