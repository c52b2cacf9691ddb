"""What routes say of themselves for the OpenAPI document: how a request may end, headers, commands.

How a request may end is said here once: a route names its statuses, and no route words them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel, Field

from events.commands import Command
from gateway.http.problems import MEDIA_TYPE
from workers.inbox.external import Learnt

Plain = dict[str, Any]
SAYS: Final = {
    400: "The body cannot be read, or is not JSON.",
    401: "No credential, or one that does not hold.",
    403: "The role does not allow it.",
    404: "There is nothing of that id in the agency.",
    409: "It contradicts what has happened, a gate refuses it (`gate`, `remedy`), or the id was used before.",
    412: "The stream is at another version than `If-Match` names.",
    413: "The body is too large.",
    415: "The body is not sent as JSON.",
    422: "The request is malformed: the sentence names the field.",
    425: "The stream has not reached `min_version` in time.",
    429: "Too many requests, or too many commands to one engagement at once.",
    503: "A server is away, or too busy; nothing is half done. The same request again is harmless.",
}
# The framework leaves null out of an example; as a text it is none of its concern.
TEXT: Final = "x-example"
_LATER: Final[Plain] = {
    "Retry-After": {"description": "After so many seconds.", "schema": {"type": "integer", "minimum": 0}}
}
ALWAYS: Final = (401, 403, 422, 429, 503)


class ProblemDetails(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str = Field(description="one sentence for people")
    code: str = Field(description="its kind, for programs")
    gate: str | None = Field(default=None, description="of a refusal: the policy's rule")
    remedy: str | None = Field(default=None, description="of a refusal: what would help")


class Done(BaseModel):
    """What a command came to."""

    stream: str
    command_id: str
    outcome: str = Field(description="accepted, or nothing-to-do where the record says so already")
    version: int
    events: list[str] = Field(description="the types of the events that it led to")
    external: list[Learnt] | None = Field(
        default=None, description="what became of the other systems' ids that were said with it"
    )


COMMAND_HEADERS: Final[Plain] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "The command's id; one is made up where none is sent.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._:~/+=-]{0,199}$"},
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": 'The version at which it is to be done, in quotes as an ETag is: "12"; else 412. '
        "`*`: at any; a weak or bare one is refused (422).",
        "schema": {"type": "string", "pattern": '^("[0-9]{1,15}"|[*])$'},
    },
}
HEADERS: Final[list[Plain]] = [{"$ref": f"#/components/parameters/{each}"} for each in COMMAND_HEADERS]


@dataclass(frozen=True, slots=True)
class Commanded:
    """Commands of one kind of stream, and where they are given."""

    path: str
    """With ``{name}`` in it."""
    tag: str
    commands: Mapping[str, type[Command]]
    parameters: Mapping[str, str]
    """What stands in the path, with an example."""
    optional: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Fields that the door makes up where a body leaves them out, by command."""
    beside: Mapping[str, Plain] = field(default_factory=dict)
    """Whole schemas of bodies that are not a command's own fields, by command."""
    answers: Mapping[str, Plain] = field(default_factory=dict)
    """What those are answered with, by command and status."""


COMMANDED: Final[list[Commanded]] = []


def problems(*statuses: int) -> dict[int | str, Plain]:
    """Describe problems as the framework takes them."""
    return {each: ending(each) for each in statuses}


def reads(*more: int, example: Any) -> dict[int | str, Plain]:
    """Describe how a read for somebody known may end."""
    shown: dict[int | str, Plain] = {200: {"content": {"application/json": {TEXT: json.dumps(example)}}}}
    return {**shown, **problems(*sorted({*ALWAYS, *more}))}


def ending(status: int) -> Plain:
    """Describe one problem."""
    said = {
        "type": "urn:rapport:problem:example",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": f"{SAYS[status][:1].lower()}{SAYS[status][1:].rstrip('.')}",
        "code": "example",
    }
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {
        "description": SAYS[status],
        **({"headers": _LATER} if status in (425, 429, 503) else {}),
        "content": {MEDIA_TYPE: {"schema": schema, "example": said}},
    }
