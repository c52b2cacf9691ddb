"""What the OpenAPI document says beyond what the framework sees: problems, headers, and a page a command.

Each public command is one operation, made from its model: nothing about a command is written down twice.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field

from events.commands import Command
from gateway.http.examples import example_in, example_of
from gateway.http.problems import MEDIA_TYPE
from gateway.http.schemas import external_schema, input_schema
from workers.inbox.external import FIELD, SAID_WITH, Learnt

Plain = dict[str, Any]
BEARER: Final = "bearer"
DESCRIPTION: Final = (
    "Rapport keeps a recruiting agency's promises to its candidates. All that is done here is done for the "
    "agency that the credential belongs to.\n\n"
    "A command is one request: its name in the address, its fields in the body, its id in `Idempotency-Key`. "
    "Sent again under the same id with the same body, it is done once and answered alike; with another body "
    "it is refused. A write answers with the stream's `version`, also as `ETag`; sent with `If-Match`, it is "
    "done at that version or not at all. What goes wrong is told as a problem (RFC 9457): one sentence in "
    "`detail`, a `code` for programs."
)
_SAYS: Final = {
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
_TEXT: Final = "x-example"
_LATER: Final[Plain] = {
    "Retry-After": {"description": "After so many seconds.", "schema": {"type": "integer", "minimum": 0}}
}
_ALWAYS: Final = (401, 403, 422, 429, 503)
_BODIES: Final = (400, 413)
_WRITES: Final = (400, 404, 409, 412, 413, 415)


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
    return {each: _problem(each) for each in statuses}


def reads(*more: int, example: Any) -> dict[int | str, Plain]:
    """Describe how a read for somebody known may end."""
    shown: dict[int | str, Plain] = {200: {"content": {"application/json": {_TEXT: json.dumps(example)}}}}
    return {**shown, **problems(*sorted({*_ALWAYS, *more}))}


def _problem(status: int) -> Plain:
    said = {
        "type": "urn:rapport:problem:example",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": f"{_SAYS[status][:1].lower()}{_SAYS[status][1:].rstrip('.')}",
        "code": "example",
    }
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {
        "description": _SAYS[status],
        **({"headers": _LATER} if status in (425, 429, 503) else {}),
        "content": {MEDIA_TYPE: {"schema": schema, "example": said}},
    }


def describe(app: FastAPI, prefix: str) -> None:
    """Let the application describe itself so; *prefix* is what stands before its paths."""

    def openapi() -> Plain:
        if app.openapi_schema is None:
            app.openapi_schema = {**_described(app), **({"servers": [{"url": prefix}]} if prefix else {})}
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way the framework's documentation names


def _described(app: FastAPI) -> Plain:
    document = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=app.routes,
    )
    schemas: Plain = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for shape in (ProblemDetails, Done):
        schema = shape.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[shape.__name__] = schema
    for each in COMMANDED:
        for name, model in sorted(each.commands.items()):
            path = each.path.replace("{name}", name)
            document["paths"].setdefault(path, {})["post"] = _operation(each, name, model, schemas)
    document["components"]["responses"] = {f"Problem{each}": _problem(each) for each in _SAYS}
    document["components"]["parameters"] = COMMAND_HEADERS
    document["components"]["securitySchemes"] = {BEARER: {"type": "http", "scheme": "bearer"}}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "post":
                # Whether or not it takes one, a body may be too large.
                operation["responses"].setdefault("413", _ref("responses", "Problem413"))
            if path.startswith("/v1/"):
                operation.setdefault("security", [{BEARER: []}])
                _complete(operation, schemas)
            for status, said in operation["responses"].items():
                if "HTTPValidationError" in json.dumps(said):
                    # Ours are problems, whoever found them.
                    said = operation["responses"][status] = _problem(422)
                shown = said.get("content", {}).get("application/json", {})
                if _TEXT in shown:
                    shown["example"] = json.loads(shown.pop(_TEXT))
                if MEDIA_TYPE in said.get("content", ()):
                    operation["responses"][status] = _ref("responses", f"Problem{status}")
    return document


def _complete(operation: Plain, schemas: Plain) -> None:
    """Add what every route under /v1 has in common, where it does not say so itself."""
    answers: Plain = operation["responses"]
    for status in (*_ALWAYS, *(_BODIES if "requestBody" in operation else ())):
        said = answers.get(str(status), {})
        if MEDIA_TYPE not in said.get("content", ()) and "$ref" not in said:
            answers[str(status)] = _ref("responses", f"Problem{status}")
    bodies = [operation.get("requestBody", {}), *(said for code, said in answers.items() if code < "3")]
    for body in bodies:
        shown = body.get("content", {}).get("application/json")
        if shown is not None and not {"example", _TEXT} & shown.keys():
            shown["example"] = example_in(shown.get("schema", {}), schemas)


def _operation(of: Commanded, name: str, model: type[Command], schemas: Plain) -> Plain:
    summary, _, more = " ".join((model.__doc__ or name).split()).partition(". ")
    schema = of.beside.get(name) or input_schema(model, schemas, optional=of.optional.get(name, ()))
    if of.tag == "engagements" and name in SAID_WITH:
        schema["properties"][FIELD] = external_schema(SAID_WITH[name])
    example = schema.get("example") or example_of(model, leaving_out=of.optional.get(name, ()))
    return {
        "tags": [of.tag],
        "summary": summary.rstrip("."),
        **({"description": more} if more else {}),
        "operationId": f"{of.tag}-{name}".replace(" ", "-"),
        "parameters": [*_path_parameters(of.parameters), *HEADERS],
        "requestBody": {
            "required": any(True for _ in schema.get("required", ())),
            "content": {"application/json": {"schema": schema, "example": example}},
        },
        "responses": _responses(of, name),
    }


def _responses(of: Commanded, name: str) -> Plain:
    stream = "e-1" if of.tag == "engagements" else "jo-1"
    done = {
        "stream": f"{'engagement' if of.tag == 'engagements' else 'job-order'}:{stream}",
        "command_id": "7d0b5c1e-3f3c-4c6f-8f57-5f6f0f3f1c11",
        "outcome": "accepted",
        "version": 12,
        "events": [f"{name}-happened"],
    }
    found: Plain = dict(of.answers.get(name, ())) or {
        "200": {
            "description": "Done, or known already.",
            "headers": {"ETag": {"schema": {"type": "string"}, "description": "The stream's version."}},
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Done"}, "example": done}
            },
        }
    }
    for status in sorted({*_ALWAYS, *_WRITES}):
        found[str(status)] = _ref("responses", f"Problem{status}")
    return found


def _ref(kind: str, name: str) -> Plain:
    return {"$ref": f"#/components/{kind}/{name}"}


def _path_parameters(of: Mapping[str, str]) -> Iterable[Plain]:
    for name, example in of.items():
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
            "example": example,
        }
