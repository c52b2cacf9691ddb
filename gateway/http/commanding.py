"""With which fields a command may go to its engagement, by whoever gives it.

A caller's body never says who they are; a candidate's command goes in with the evidence that it was theirs.
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request

from gateway.access.candidates import in_their_name
from gateway.access.codes import CodeRefused
from gateway.access.roles import NEEDS_EVIDENCE, lacks_evidence, lends_anothers_word
from gateway.access.who import Who
from gateway.http.identify import access_of
from gateway.http.problems import Problem

CODE: Final = "rapport-code"


async def in_their_own_words(
    request: Request, who: Who, name: str, fields: Mapping[str, Any], *, command_id: str
) -> dict[str, Any]:
    """Give a command's fields as they may go into an engagement, once the caller's role allows the command.

    The same *command_id* again may show the same code again: the first answer may have been lost.

    :raises Problem: 403, it is another's word, or comes without the evidence or the code that it needs.
    """
    if who.role != "candidate":
        if lacks_evidence(name, fields):
            says = f"{name} comes from the candidate or with evidence: give evidence and evidence_ref"
            raise Problem(403, "needs-evidence", says)
        if lends_anothers_word(who, name, fields):
            says = f"{name}: a lead's word is given by the lead; leave the name out"
            raise Problem(403, "not-allowed", says)
        return dict(fields)
    evidence = f"link-{who.credential}"
    if name in NEEDS_EVIDENCE:
        evidence = await with_code(request, who, f"{name}:{command_id}")
    return in_their_name(name, fields, evidence)


async def with_code(request: Request, who: Who, purpose: str) -> str:
    """Take the code that a candidate sends as the header ``Rapport-Code``, and name the evidence that it is.

    :raises Problem: 403, it is missing or does not serve.
    """
    try:
        return await access_of(request).codes.use(who, request.headers.get(CODE), purpose)
    except CodeRefused:
        says = "this needs a code: ask for one with POST /v1/codes and send it as the header Rapport-Code"
        raise Problem(403, "code-needed", says) from None
