"""Reads what a request brings: its JSON, its ``Idempotency-Key`` and its ``If-Match``.

Who acts, and through which door, is never read from a body: whoever sends it could claim anything.
"""

import json
import math
import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, Final
from uuid import uuid4

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request

from events.kinds import CommandId
from events.orders import LARGEST_MESSAGE, RESERVED, check_command_id
from gateway.http.problems import Problem

_NOT_OURS: Final = frozenset({*RESERVED, "name"}) - {"at"}
# The ids that the webhooks' inbox gives its commands: taking one would take a message's place.
_INBOX_IDS: Final = "hook:"
# Where what a body may not hold belongs.
_WHERE: Final = {
    "actor": "who acts is whoever the credential belongs to",
    "source": "it is 'http'; leave it out",
    "command_id": "send it as the header Idempotency-Key",
    "expected_version": "send it as the header If-Match",
    "name": "the command's name stands in the address",
}
_NOWHERE: Final = "leave it out"
# Strong only: a weak one promises less than what is done with it.
_VERSION: Final = re.compile(r'"([0-9]{1,15})"')
NOTHING_MORE: Final[Mapping[str, str]] = {}
_COMMAND_ID: Final[TypeAdapter[str]] = TypeAdapter(CommandId)


async def body_of(request: Request, *, largest: int = LARGEST_MESSAGE) -> dict[str, Any]:
    """Read a request's JSON object; nothing at all is an empty one.

    :raises Problem: it is none, or too large.
    """
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise Problem(415, "not-json", "send the body as JSON, with 'Content-Type: application/json'")
    content = await request.body()
    if len(content) > largest:
        raise Problem(413, "too-large", f"the body is larger than {largest // 1024} KiB; send less")
    if not content.strip():
        return {}
    try:
        data = json.loads(content, parse_constant=_no_number, parse_float=_number)
    except (ValueError, RecursionError):
        raise Problem(400, "malformed-json", "the body is not JSON; send one JSON object") from None
    if not isinstance(data, dict):
        raise Problem(400, "malformed-json", "the body is JSON of another kind; send one JSON object")
    return data


async def fields_of(
    request: Request,
    name: str,
    own: Collection[str],
    *,
    largest: int = LARGEST_MESSAGE,
    where: Mapping[str, str] = NOTHING_MORE,
) -> dict[str, Any]:
    """Read a command's body, which may hold its *own* fields.

    *where* says of further names what belongs in their place.

    :raises Problem: the body says who acts, or what stands elsewhere, or what the command does not know.
    """
    data = await body_of(request, largest=largest)
    hints = {**_WHERE, **where}
    for each in data:
        if each in own:
            continue
        if each in _NOT_OURS or each in hints:
            says = f"a body may not hold '{each}'; {hints.get(each, _NOWHERE)}"
            raise Problem(422, "reserved-field", says)
        # Of a long text nothing is looked for.
        near = get_close_matches(each, own, n=1) if shown(each) == each else []
        remedy = f"did you mean '{near[0]}'?" if near else f"its fields are {', '.join(own)}"
        raise Problem(422, "invalid-command", f"{name} has no field '{shown(each)}'; {remedy}")
    return data


def own_fields(model: type[BaseModel], *beside: str) -> tuple[str, ...]:
    """Name what a command's body may hold: its fields, what its door takes *beside* them, and ``at``."""
    return (*(each for each in model.model_fields if each != "name"), *beside, "at")


def shown(name: str) -> str:
    """Give a name as a sentence may hold it; what somebody typed in place of one may be a value."""
    return name if name.replace("_", "").replace("-", "").isalnum() and len(name) < 40 else "?"


def command_id_of(request: Request) -> str:
    """Give the command's id: the caller's ``Idempotency-Key``, else a new one.

    :raises Problem: it is no id, or one that others give.
    """
    given = request.headers.get("idempotency-key")
    if given is None:
        return str(uuid4())
    # A structured header is a quoted text, as its draft standard has it; a bare one is as good.
    given = given[1:-1] if len(given) > 1 and given[0] == given[-1] == '"' else given
    try:
        _COMMAND_ID.validate_python(given)
    except ValidationError:
        says = "Idempotency-Key must be 1 to 200 letters, digits and . _ : ~ / + = -, a letter or digit first"
        raise Problem(422, "invalid-idempotency-key", says) from None
    check_command_id(given)
    if given.startswith(_INBOX_IDS):
        says = f"Idempotency-Key may not begin with {_INBOX_IDS}, which webhooks use; give another"
        raise Problem(422, "invalid-idempotency-key", says)
    return given


def expected_version_of(request: Request) -> int | None:
    """Read the version that ``If-Match`` names, as an ``ETag`` is written; None: any will do.

    :raises Problem: it names none.
    """
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    found = _VERSION.fullmatch(given.strip())
    if found is None:
        says = 'If-Match must be one version in double quotes, as an ETag gave it, such as "12", or *'
        raise Problem(422, "invalid-if-match", says)
    return int(found[1])


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number beyond all")
    return number


def _no_number(_: str) -> float:
    raise ValueError("not a number of JSON")
