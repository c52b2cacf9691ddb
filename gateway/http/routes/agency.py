"""The agency itself: its people, the policy in force, whether messages are held; and commands to it.

Adopting a policy reaches every open engagement, so it may take several requests: each goes on.
"""

import asyncio
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from activities.addresses import is_address
from activities.agency_load import check_offices
from events.agency import COMMANDS, Agency, LoadPeople
from events.envelope import derived_id
from events.errors import InvalidCommand, WrongState
from events.policy import Policy, read_policy
from events.policy_file import load_policy
from gateway import adopting
from gateway.cli.absences import absence_rows
from gateway.cli.agency import person_row
from gateway.http.asking import Asker, Asking
from gateway.http.bodies import command_id_of, fields_of, own_fields
from gateway.http.describing import COMMANDED, Commanded, reads
from gateway.http.giving import SOURCE, done, to_stream
from gateway.http.problems import Problem
from gateway.http.replies import reply
from gateway.http.routes.commands import must_be_command
from workers.adopting import NobodyAnswers, Superseded
from workers.shipped import UnreadablePolicy, deploy_policy

router = APIRouter(prefix="/v1/agency", tags=["agency"])
PUBLIC = frozenset(
    {"record-absence", "end-absence", "hold-outreach", "release-outreach", "load-people", "adopt-policy"}
)
# Everybody of a large agency comes in one body.
LARGEST: Final = 1024 * 1024
# A policy reaches some fifty engagements a second; what is left is left to the same request, sent again.
ADOPTS_FOR: Final = 20.0
_ADOPTS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "policy": {"type": "string", "description": "The name of a policy that ships with Rapport."},
        "toml": {"type": "string", "description": "The text of a policy file; instead of a name."},
        "keep_modes": {"type": "boolean", "description": "Promises that are open keep their mode."},
    },
    "example": {"policy": "starter"},
}
_COUNT: dict[str, Any] = {"type": "integer"}
_ACCOUNT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "agency": {"type": "string"},
        "policy": {"type": "string"},
        "digest": {"type": "string"},
        "agency_outcome": {"type": "string"},
        "adopted": _COUNT,
        "had_it": _COUNT,
        "closed": _COUNT,
        "importing": _COUNT,
        "refused": {"type": "object", "description": "why, by engagement"},
        "unanswered": {"type": "array", "items": {"type": "string"}},
        "whole": {"type": "boolean", "description": "false: send the same again, and it goes on"},
    },
    "required": ["agency", "policy", "digest", "agency_outcome", "adopted", "whole"],
}
_TOLD = {
    "agency": "acme",
    "policy": "starter",
    "digest": "0" * 64,
    "agency_outcome": "accepted",
    "adopted": 12,
    "had_it": 0,
    "closed": 3,
    "importing": 0,
    "refused": {},
    "unanswered": [],
    "whole": True,
}


def _answer(says: str, *, whole: bool) -> dict[str, Any]:
    content = {"schema": _ACCOUNT, "example": {**_TOLD, "whole": whole}}
    return {"description": says, "content": {"application/json": content}}


_ADOPTED: dict[str, Any] = {
    "200": _answer("The agency and all that is open follow it.", whole=True),
    "202": _answer("The agency follows it; some engagements are left.", whole=False),
}
COMMANDED.append(
    Commanded(
        "/v1/agency/commands/{name}",
        "agency",
        {name: model for name, model in COMMANDS.items() if name in PUBLIC},
        {},
        optional={"record-absence": ("absence_id",)},
        beside={"adopt-policy": _ADOPTS},
        answers={"adopt-policy": _ADOPTED},
    )
)


class AgencyNow(BaseModel):
    """An agency as it is now."""

    agency: str
    version: int
    policy: dict[str, Any] | None
    outreach_held: dict[str, Any] | None
    people: list[dict[str, Any]]
    absences: list[dict[str, Any]]


_AGENCY: dict[str, Any] = {
    "agency": "acme",
    "version": 4,
    "policy": {"name": "starter", "digest": "0" * 64},
    "outreach_held": None,
    "people": [{"person": "r-1", "name": "Recruiter One", "role": "recruiter", "team": "north"}],
    "absences": [],
}


@router.get(
    "",
    summary="Read the agency: its people, and the policy in force",
    response_model=AgencyNow,
    responses=reads(example=_AGENCY),
)
async def agency(asking: Asking) -> Response:
    """Names are left out for those who may not see them."""
    names = await asking.sees("agency")
    name, having = asking.who.agency, asking.doors.having
    state = await having.directory.agency(name)
    head = await having.log.head(name, f"agency:{name}")
    version, now = head.version if head is not None else 0, datetime.now(UTC)
    people = [person_row(state, each, now) for each in sorted(state.people)]
    if not names:
        people = [{**row, "name": None} for row in people]
    told = {
        "agency": name,
        "version": version,
        "policy": _policy_row(state),
        "outreach_held": state.outreach_held,
        "people": people,
        "absences": absence_rows(state),
    }
    return reply(told, version=version)


def _policy_row(state: Agency) -> dict[str, Any] | None:
    if state.policy_digest is None:
        return None
    return {"name": state.policy_name, "digest": state.policy_digest}


@router.post("/commands/{name}", include_in_schema=False)
async def give(request: Request, name: str, asking: Asking) -> Response:
    """Give a command to the agency's own stream."""
    must_be_command(name, PUBLIC)
    own = tuple(_ADOPTS["properties"]) if name == "adopt-policy" else own_fields(COMMANDS[name])
    fields = await fields_of(request, name, own, largest=LARGEST)
    await asking.doors.permits.agency_command(request, asking.who, name, fields)
    if name == "adopt-policy":
        return await _adopt(asking, fields)
    command_id, of = command_id_of(request), asking.who.agency
    if name == "record-absence" and fields.get("absence_id") is None:
        fields["absence_id"] = f"a-{derived_id(of, 'absence', command_id).hex[:20]}"
    if name == "load-people":
        await _check_people(asking, fields)
    given = await to_stream(asking, f"agency:{of}", name, fields, command_id=command_id)
    return done(given)


async def _check_people(asker: Asker, fields: dict[str, Any]) -> None:
    """Make sure that addresses are some, and that the policy has everybody's office."""
    from activities.streams import parse

    command = parse(f"agency:{asker.who.agency}", "load-people", {"people": fields.get("people", [])})
    assert isinstance(command, LoadPeople)
    for number, each in enumerate(command.people):
        if isinstance(each.email, str) and not is_address(each.email):
            raise InvalidCommand(f"load-people: 'people.{number}.email' must be an e-mail address")
    governing = await _governing(asker)
    if governing is not None:
        check_offices(command.people, governing)


async def _governing(asker: Asker) -> Policy | None:
    having, name = asker.doors.having, asker.who.agency
    digest = await having.directory.policy_digest(name)
    body = await having.log.load_policy(name, digest) if digest is not None else None
    return read_policy(body) if body is not None else None


async def _adopt(asker: Asker, body: dict[str, Any]) -> Response:
    policy, keep = _wanted(body)
    doors, name = asker.doors, asker.who.agency
    outcome, work = await adopting.begin(
        doors.having,
        doors.engagements(name),
        name,
        policy,
        actor=asker.who.actor,
        modes="new" if keep else "open",
        source=SOURCE,
    )
    whole = True
    try:
        async with asyncio.timeout(ADOPTS_FOR):
            await work.run()
    except TimeoutError:
        whole = False
    except Superseded:
        raise WrongState("another policy was adopted meanwhile; adopt the one that is to hold") from None
    except NobodyAnswers:
        says = "the agency has adopted it, and nobody answers for its engagements; send the same again"
        raise Problem(503, "not-answered", says, headers={"Retry-After": "5"}) from None
    account = adopting.account_of(name, policy, outcome, work.account)
    whole = whole and work.account.whole
    return reply({**account, "whole": whole}, 200 if whole else 202)


def _shipped(named: str) -> Policy:
    try:
        return deploy_policy(named)
    except UnreadablePolicy:
        # The library's own sentence repeats the name.
        says = "adopt-policy: 'policy' names none that ships with Rapport; send a file's text as 'toml'"
        raise InvalidCommand(says) from None


def _wanted(body: dict[str, Any]) -> tuple[Policy, bool]:
    unknown = sorted(set(body) - {"policy", "toml", "keep_modes"})
    if unknown:
        raise InvalidCommand("adopt-policy has an unknown field; its fields are policy, toml, keep_modes")
    named, text, keep = body.get("policy"), body.get("toml"), body.get("keep_modes", False)
    if not isinstance(keep, bool):
        raise InvalidCommand("adopt-policy: 'keep_modes' must be true or false")
    if isinstance(named, str) and text is None:
        return _shipped(named), keep
    if isinstance(text, str) and named is None:
        return load_policy(text, where="toml", on=datetime.now(UTC).date()), keep
    raise InvalidCommand(
        "adopt-policy needs one text: 'policy', a shipped one's name, or 'toml', a file's text"
    )
