"""``POST /v1/engagements/{id}/commands/{name}``: one operation for each public command.

One route serves them all: what each takes is told by its model, which is also what reads it.
"""

from difflib import get_close_matches

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from events.orders import COMMANDS, PUBLIC
from gateway.http.asking import Asking, must_be_id
from gateway.http.bodies import fields_of, own_fields
from gateway.http.describing import COMMANDED, Commanded
from gateway.http.giving import done, to_engagement
from gateway.http.problems import Problem
from workers.inbox.external import FIELD, SAID_WITH

router = APIRouter()
_STANDS = "the engagement's id stands in the address"
_MEANT = {
    "engagement": _STANDS,
    "engagement_id": _STANDS,
    FIELD: "this command makes nothing known that other systems would have ids of",
}
PATH = "/v1/engagements/{engagement_id}/commands/{name}"
COMMANDED.append(
    Commanded(
        PATH,
        "engagements",
        {name: model for name, model in COMMANDS.items() if name in PUBLIC and name != "open-engagement"},
        {"engagement_id": "e-1"},
    )
)


@router.post(PATH, include_in_schema=False)
async def give(request: Request, engagement_id: str, name: str, asking: Asking) -> Response:
    """Give a command."""
    must_be_command(name, PUBLIC - {"open-engagement"})
    must_be_id(engagement_id, "engagement")
    own = own_fields(COMMANDS[name], *((FIELD,) if name in SAID_WITH else ()))
    fields = await fields_of(request, name, own, where=_MEANT)
    return done(await to_engagement(asking, engagement_id, name, fields))


def must_be_command(name: str, known: frozenset[str]) -> None:
    """Make sure that there is such a command.

    :raises Problem: 404, with the one that was probably meant.
    """
    if name in known:
        return
    near = get_close_matches(name, sorted(known), n=1)
    remedy = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(sorted(known))}"
    raise Problem(404, "unknown-command", f"there is no such command here; {remedy}")
