"""Reads what arrives at an engagement's door: a command's name and raw payloads become a letter.

Reading never raises anything but ``CallerError``: what a stranger sends must not stop a workflow.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from temporalio.common import RawValue

from events.canonical import canonical
from events.commands import Order, RefuseMessage
from events.envelope import ENGINE, Actor, derived_id
from events.errors import CallerError, InvalidCommand
from events.orders import COMMANDS, check_size, parse_order, personal_content
from events.receipts import GO_LIVE_ID
from workflows.types import DIGEST_MARK, ENCRYPTED_MARK, Letter

# Whoever reaches the workflow through Temporal itself and does not say who acts.
STRANGER: Final = Actor(kind="integration", id="temporal")
SOURCE: Final = "temporal"
_READABLE: Final = (b"json/plain", b"json/protobuf")


class Unencrypted(CallerError):
    """Personal content came without encryption; send it with Rapport's codec, as ``rapport up`` prints."""

    code = "unencrypted-personal-content"


def read_letter(name: str, payloads: Sequence[RawValue], *, command_id: str | None, derived: str) -> Letter:
    """Read a command; *command_id* names it where its own ``command_id`` field does not.

    :raises CallerError: it is no command, is too large or malformed, or carries personal content in clear.
    """
    data, encrypted = _content(payloads)
    given = data.get("command_id")
    given = given if isinstance(given, str) and given else command_id or derived
    # An import speaks for the engine: under its own id, and with the codec's key, which no stranger has.
    own = encrypted and (name, given) == ("go-live", GO_LIVE_ID)
    order = parse_order(name, data, command_id=given, actor_default=STRANGER, source=SOURCE, internal=own)
    if not encrypted and personal_content(name, data):
        raise Unencrypted(
            f"'{name}' carries personal content and came unencrypted; send it with Rapport's codec"
        )
    return Letter(order=order, digest=reply_digest(name, digest_of(payloads)), derived_id=derived)


def refusal_of(name: str, error: CallerError, derived: str) -> Letter:
    """Make the letter that records a message as refused, without its content."""
    known = name if name in COMMANDS else "?"
    command = RefuseMessage(message=known, reason=error.code, says=str(error))
    order = Order(command_id=derived, command=command, actor=ENGINE, source="rapport")
    return Letter(order=order, derived_id=derived)


def derived_command_id(first_run_id: str, counter: int, payloads: Sequence[RawValue]) -> str:
    """Name a signal that brought no id: by its place in this chain of runs and a keyed digest of it."""
    return str(derived_id("signal", first_run_id, str(counter), digest_of(payloads)))


def digest_of(payloads: Sequence[RawValue]) -> str:
    """Join the digests that the codec put on the payloads; empty where there is no codec."""
    return "".join(raw.payload.metadata.get(DIGEST_MARK, b"").decode() for raw in payloads)


def reply_digest(name: str, digest: str) -> str:
    """Name a whole message, so that its sender can tell a reply to it from a reply to another."""
    return f"{name}:{digest}" if digest else ""


def flat(order: Order) -> str:
    """Write an order as the canonical flat JSON that :func:`read_letter` reads."""
    envelope = order.model_dump(mode="json", exclude={"command", "command_id"}, exclude_none=True)
    fields = order.command.model_dump(mode="json", exclude={"name"}, exclude_unset=True)
    return canonical({**fields, **envelope})


def _content(payloads: Sequence[RawValue]) -> tuple[dict[str, Any], bool]:
    if not payloads:
        return {}, False
    if len(payloads) > 1:
        raise InvalidCommand("a command takes one JSON object and nothing beside it")
    payload = payloads[0].payload
    check_size(len(payload.data))
    encoding = payload.metadata.get("encoding")
    encrypted = payload.metadata.get(ENCRYPTED_MARK) == b"1"
    if encoding == b"binary/null":
        return {}, encrypted
    if encoding not in _READABLE:
        raise InvalidCommand("the message cannot be read: its content must be one JSON object")
    try:
        data = json.loads(payload.data)
    except (ValueError, RecursionError):
        raise InvalidCommand("the message is not JSON: its content must be one JSON object") from None
    if data is None:
        return {}, encrypted
    if not isinstance(data, dict):
        raise InvalidCommand("the message is JSON of another kind: its content must be one JSON object")
    return data, encrypted
