"""Whether a report that was read out of a message is one that could be given: named, complete, well-formed.

It is asked before anything is given, so that of a message's reports none is given where one cannot be.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from events.commands import Command
from events.envelope import Actor
from events.errors import InvalidCommand
from events.integrations.vocabulary import JOB_ORDER_REPORTS, OF_PEOPLE, REPORT_OF_INTENT, REPORTS, fields_of
from events.job_order import COMMANDS as JOB_ORDER_COMMANDS
from events.orders import (
    COMMANDS,
    PUBLIC,
    RESERVED,
    check_size,
    check_unsealed,
    parse_order,
)
from events.policy_table import quoted, suggestion

_NOBODY: Final = Actor(kind="integration", id="connection")


def unfit(name: str) -> str | None:
    """Say why a command is none that a message may give; None: it is one."""
    if name in REPORTS:
        return None
    if (report := REPORT_OF_INTENT.get(name)) is not None:
        return f"{quoted(name)} asks, and a message can only report what happened; use {quoted(report)}."
    if name in JOB_ORDER_COMMANDS or (name in PUBLIC and name not in OF_PEOPLE):
        return f"{quoted(name)} asks, and a message can only report what happened."
    if name in COMMANDS:
        return f"{quoted(name)} is for people of the agency or for Rapport itself; no message can give it."
    return f"there is no command {quoted(name)}; {suggestion(name, REPORTS)}"


def fault(name: str, fields: Mapping[str, Any], at: datetime | None) -> str | None:
    """Say what is wrong with the content of a report; None: nothing. No value is quoted."""
    if beside := sorted(set(RESERVED) & set(fields)):
        return f"{name}: '{beside[0]}' is not a message's to say; leave it out."
    try:
        if name in JOB_ORDER_REPORTS:
            _job_order(JOB_ORDER_REPORTS[name], fields)
            # An order has the same rules for its time, whatever it is given to.
            parse_order("resume", _timed(at), command_id="check", actor_default=_NOBODY, source="check")
        else:
            given = {**fields, **_timed(at)}
            check_size(len(json.dumps(given, default=str)))
            parse_order(name, given, command_id="check", actor_default=_NOBODY, source="check")
    except InvalidCommand as error:
        return sentence(str(error))
    return None


def sentence(text: str) -> str:
    """End a text as a sentence ends."""
    return text if text.endswith((".", "?")) else f"{text}."


def _timed(at: datetime | None) -> dict[str, Any]:
    return {} if at is None else {"at": at}


def _job_order(model: type[Command], fields: Mapping[str, Any]) -> None:
    name = model.model_fields["name"].default
    content = json.dumps({**fields, "name": name}, default=str)
    check_size(len(content))
    try:
        check_unsealed(model.model_validate_json(content))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = str(first["loc"][0]) if first["loc"] and first["loc"][0] in model.model_fields else "a field"
        if first["type"] == "missing":
            raise InvalidCommand(f"{name} needs the field '{place}'; add it") from None
        if first["type"] == "extra_forbidden":
            known = ", ".join(fields_of(name)) or "none"
            raise InvalidCommand(f"{name} has a field that it has not; its fields are {known}") from None
        raise InvalidCommand(f"{name}: '{place}' cannot hold what it was given") from None
