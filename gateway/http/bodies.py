"""Reads what a request brings: its JSON, its ``Idempotency-Key`` and its ``If-Match``.

Who acts, and through which door, is never read from a body: whoever sends it could claim anything.
"""

import json
import math
from typing import Any, Final
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from events.kinds import CommandId
from events.orders import LARGEST_MESSAGE, RESERVED, check_command_id
from gateway.http.problems import Problem

# What a body may say beside a command's own fields.
_ALLOWED: Final = frozenset({"at"})
_NOT_OURS: Final = frozenset({*RESERVED, "name"}) - _ALLOWED
# The ids that the webhooks' inbox gives its commands: taking one would take a message's place.
_INBOX_IDS: Final = "hook:"
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


async def fields_of(request: Request, *, largest: int = LARGEST_MESSAGE) -> dict[str, Any]:
    """Read a command's own fields, and ``at`` beside them.

    :raises Problem: the body says who acts, or what only a header may say.
    """
    data = await body_of(request, largest=largest)
    for name in sorted(_NOT_OURS & data.keys()):
        raise Problem(422, "reserved-field", f"a body may not hold '{name}'; {_WHERE.get(name, _NOWHERE)}")
    return data


_NOWHERE: Final = "leave it out"
_WHERE: Final = {
    "actor": "who acts is whoever the credential belongs to",
    "source": "it is 'http'; leave it out",
    "command_id": "send it as the header Idempotency-Key",
    "expected_version": "send it as the header If-Match",
    "name": "the command's name stands in the address",
}


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
    """Read the version that ``If-Match`` names; None: any will do.

    :raises Problem: it names none.
    """
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    text = given.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        says = 'If-Match must be one version as an ETag gave it, such as "12"'
        raise Problem(422, "invalid-if-match", says)
    return int(text)


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number beyond all")
    return number


def _no_number(_: str) -> float:
    raise ValueError("not a number of JSON")
