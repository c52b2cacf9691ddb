"""How a flat message from any door becomes an order, or one sentence that says why it cannot.

No sentence may quote a value: values can be personal, names of fields cannot.
"""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError

from events.commands import INTERNAL, AnyCommand, Command, Order
from events.envelope import Actor
from events.errors import InvalidCommand
from events.misfits import misfit
from events.personal import personal_fields, sealed_field
from events.receipts import ENGINE_IDS

COMMANDS: Final[dict[str, type[Command]]] = {
    each.model_fields["name"].default: each for each in get_args(get_args(AnyCommand)[0])
}
PUBLIC: Final = frozenset(COMMANDS) - INTERNAL
# In bytes of JSON: Temporal takes two MiB at once, in which a text travels three times, escaped.
LARGEST_MESSAGE: Final = 128 * 1024
RESERVED: Final = (
    "command_id",
    "at",
    "actor",
    "source",
    "causation_id",
    "correlation_id",
    "expected_version",
)


def parse_order(
    name: str,
    data: Mapping[str, Any],
    *,
    command_id: str,
    actor_default: Actor,
    source: str,
    internal: bool = False,
) -> Order:
    """Read a command's own fields and the reserved ones beside them.

    :raises InvalidCommand: the name is unknown, a field is missing, unknown or malformed.
    """
    model = COMMANDS.get(name)
    if model is None or (name in INTERNAL and not internal):
        raise InvalidCommand(_unknown_name(name))
    if not internal:
        check_command_id(command_id)
    meta = {key: data[key] for key in RESERVED if data.get(key) is not None}
    meta.setdefault("actor", actor_default.model_dump())
    meta.setdefault("source", source)
    meta["command_id"] = command_id
    own = {key: value for key, value in data.items() if key not in RESERVED and key != "name"}
    try:
        # Through JSON, because that is how it would have come: "2026-01-05T09:00:00Z" is a time there.
        command = model.model_validate_json(json.dumps({**own, "name": name}, default=str))
        check_unsealed(command)
        order = Order.model_validate_json(
            json.dumps({**meta, "command": command.model_dump(mode="json")}, default=str)
        )
    except ValidationError as error:
        raise InvalidCommand(_sentence(name, model, error)) from None
    if not internal:
        check_actor(name, order.actor)
    return order


def check_command_id(command_id: str) -> None:
    """Refuse the ids that the engine gives its own commands: whoever took one would take the engine's turn.

    :raises InvalidCommand: the id is one of those.
    """
    if command_id.startswith(ENGINE_IDS):
        raise InvalidCommand(
            f"a command id may not begin with {', '.join(ENGINE_IDS)}: those are the engine's; give another"
        )


def check_unsealed(command: Command) -> None:
    """Refuse a "sealed" value from outside: only the log seals, so it would stand for words nobody wrote.

    :raises InvalidCommand: a personal field holds one.
    """
    if (field := sealed_field(command)) is not None:
        raise InvalidCommand(f"{type(command).model_fields['name'].default}: '{field}' must be a text")


def check_size(size: int, largest: int = LARGEST_MESSAGE) -> None:
    """Refuse a message that would not fit through the engine with what it leads to.

    :raises InvalidCommand: its JSON, of *size* bytes, is larger than *largest*.
    """
    if size > largest:
        raise InvalidCommand(
            f"the message is larger than {largest // 1024} KiB of JSON; send less, or say where the text lies"
        )


def check_actor(name: str, actor: Actor) -> None:
    """Refuse whoever claims to be the engine.

    :raises InvalidCommand: the actor is of kind ``engine``.
    """
    if actor.kind == "engine":
        raise InvalidCommand(f"{name}: only the engine itself acts as 'engine'; say who does this")


def personal_content(name: str, data: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the personal fields that a message fills in; null fills nothing in."""
    model = COMMANDS.get(name)
    if model is None:
        return ()
    return tuple(each for each in personal_fields(model) if data.get(each) is not None)


def _unknown_name(name: str) -> str:
    shown = name if name.replace("-", "").isalnum() and len(name) < 60 else "?"
    near = get_close_matches(name, sorted(PUBLIC), n=1)
    remedy = f"did you mean '{near[0]}'?" if near else f"the commands are {', '.join(sorted(PUBLIC))}"
    return f"there is no command '{shown}'; {remedy}"


def _misspelt(error: ValidationError, missing: str) -> str | None:
    """Name the field that was probably meant to be the missing one."""
    every = error.errors(include_url=False, include_input=False)
    extra = [str(each["loc"][-1]) for each in every if each["type"] == "extra_forbidden"]
    near = get_close_matches(missing, [each for each in extra if _is_shown(each)], n=1)
    return near[0] if near else None


def _is_shown(field: str) -> bool:
    # Names are no values; but what somebody typed in place of one may be.
    return field.replace("_", "").replace("-", "").isalnum() and len(field) < 40


def _sentence(name: str, model: type[BaseModel], error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    # Of a field that may be this or that, the branch that failed says nothing to a caller.
    inner = first["loc"][: 1 if first["loc"][:1] != ("actor",) else 2]
    path = ".".join(str(part) for part in inner if part != name) or "its content"
    if first["type"] == "missing":
        if (wrong := _misspelt(error, path)) is not None:
            return f"{name} has no field '{wrong}'; did you mean '{path}'?"
        return f"{name} needs the field '{path}'; add it"
    if first["type"] == "extra_forbidden":
        known = [each for each in model.model_fields if each != "name"] + list(RESERVED)
        safe = path if _is_shown(path) else "?"
        near = get_close_matches(path, known, n=1)
        remedy = f"did you mean '{near[0]}'?" if near else f"its fields are {', '.join(known)}"
        return f"{name} has no field '{safe}'; {remedy}"
    if "without a zone" in first["msg"]:
        return f"{name}: '{path}' is a time without a zone; add an offset such as +01:00 or Z"
    if first["type"].startswith("datetime") or "moment" in first["msg"]:
        return f"{name}: '{path}' is no time; write one like 2026-01-05T09:00:00+01:00"
    if first["type"] == "literal_error":
        return f"{name}: '{path}' must be one of {first['ctx']['expected']}"
    if first["type"] == "uuid_parsing":
        # The library's own words quote a character of the value.
        return f"{name}: '{path}' must be an id like 00000000-0000-0000-0000-000000000000"
    if first["type"] == "string_pattern_mismatch" and path.endswith("quiet_hours"):
        return f"{name}: '{path}' must be two times of day like 21:00-09:00"
    if first["type"] == "string_pattern_mismatch":
        return f"{name}: '{path}' must be an id or code of letters, digits, '-', '_' and '.', without spaces"
    return f"{name}: '{path}' {misfit(first)}"
