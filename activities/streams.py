"""The categories of streams without a workflow: how each is decided, and how its commands are read.

No sentence may quote a value: values can be personal, names of fields cannot.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final

from pydantic import ValidationError

from activities.types import StreamCommand
from events import agency as agencies
from events import job_order, job_order_decisions, job_order_state
from events.catalogue import Event
from events.codec import Registry
from events.commands import Command
from events.envelope import Actor
from events.errors import InvalidCommand
from events.kinds import Moment
from events.orders import LARGEST_MESSAGE, RESERVED, check_actor, check_command_id, check_size, check_unsealed


@dataclass(frozen=True, slots=True)
class StreamKind:
    """One category's decider, as its module in ``events`` tells it."""

    commands: Mapping[str, type[Command]]
    registry: Registry
    initial: Callable[[str], Any]
    evolve: Callable[[Any, Any], Any]
    decide: Callable[[Any, Any, datetime], Sequence[Event]]
    closes: Callable[[Any], bool]
    opens_personal: bool = False
    largest: int = LARGEST_MESSAGE
    """Bytes of a command's JSON."""


KINDS: Final[dict[str, StreamKind]] = {
    "job-order": StreamKind(
        job_order.COMMANDS,
        job_order.EVENTS,
        job_order_state.initial,
        job_order_state.evolve,
        job_order_decisions.decide,
        job_order_decisions.closes,
    ),
    # Opened, because only then can it be seen whether a name or an address has changed.  One command
    # names everybody who works there, so it may be larger.
    "agency": StreamKind(
        agencies.COMMANDS,
        agencies.EVENTS,
        agencies.initial,
        agencies.evolve,
        agencies.decide,
        agencies.closes,
        opens_personal=True,
        largest=8 * LARGEST_MESSAGE,
    ),
}


def kind_of(stream: str) -> StreamKind:
    """Find the decider of a stream's category.

    :raises InvalidCommand: streams of this category are not written here.
    """
    category, _, identity = stream.partition(":")
    if category not in KINDS or not identity:
        raise InvalidCommand(f"this is no stream of the kinds {', '.join(KINDS)}; write e.g. job-order:j-1")
    return KINDS[category]


def read_order(
    agency: str,
    stream: str,
    name: str,
    data: Mapping[str, Any],
    *,
    command_id: str,
    actor_default: Actor,
    source: str,
    decided_at: Moment | None = None,
) -> StreamCommand:
    """Read flat data as it arrives from a door: a command's own fields beside the reserved ones.

    :raises InvalidCommand: one sentence that names the field, or says that the id or the size is not allowed.
    """
    meta = {key: data[key] for key in RESERVED if data.get(key) is not None}
    meta = {"command_id": command_id, "source": source, "actor": actor_default.model_dump(), **meta}
    own = {key: value for key, value in data.items() if key not in RESERVED and key != "name"}
    parse(stream, name, own)
    whole = {**meta, "agency": agency, "stream": stream, "name": name, "data": own, "decided_at": decided_at}
    try:
        order = StreamCommand.model_validate_json(json.dumps(whole, default=str))
    except ValidationError as error:
        raise InvalidCommand(_sentence(name, StreamCommand, error)) from None
    check_command_id(order.command_id)
    check_actor(name, order.actor)
    return order


def parse(stream: str, name: str, data: Mapping[str, Any]) -> Command:
    """Read a command to a stream from plain data.

    :raises InvalidCommand: one sentence that names the field, or says that it is too large.
    """
    kind = kind_of(stream)
    model = kind.commands.get(name)
    if model is None:
        raise InvalidCommand(_unknown(stream, name, sorted(kind.commands)))
    # Through JSON, because that is how it would have come.
    content = json.dumps({**data, "name": name}, default=str)
    check_size(len(content), kind.largest)
    try:
        command = model.model_validate_json(content)
    except ValidationError as error:
        raise InvalidCommand(_sentence(name, model, error)) from None
    check_unsealed(command)
    return command


def _unknown(stream: str, name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    remedy = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}"
    return f"that is no command of a {stream.partition(':')[0]}; {remedy}"


def _sentence(name: str, model: type[Command] | type[StreamCommand], error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"] if part not in ("str", "Erased"))
    if first["type"] == "missing":
        return f"{name} needs the field '{place}'; add it"
    if first["type"] == "extra_forbidden":
        known = sorted(set(model.model_fields) - {"name"})
        return f"{name} has an unknown field; its fields are {', '.join(known) or 'none'}"
    says = first["msg"].removeprefix("Value error, ")
    return f"{name}: the field '{place}' is malformed: {says[:1].lower()}{says[1:]}"
