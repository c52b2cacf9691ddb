"""The OpenAPI document: what the framework makes of the routes, and one operation for each public command.

An operation is made from its command's model: nothing about a command is written down twice.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from events.commands import Command
from gateway.http.describing import (
    ALWAYS,
    COMMAND_HEADERS,
    COMMANDED,
    HEADERS,
    SAYS,
    TEXT,
    Commanded,
    Done,
    Plain,
    ProblemDetails,
    ending,
)
from gateway.http.examples import example_in, example_of
from gateway.http.problems import MEDIA_TYPE
from gateway.http.schemas import external_schema, input_schema
from workers.inbox.external import FIELD, SAID_WITH

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
_BODIES: Final = (400, 413)
_WRITES: Final = (400, 404, 409, 412, 413, 415)


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
    document["components"]["responses"] = {f"Problem{each}": ending(each) for each in SAYS}
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
                    said = operation["responses"][status] = ending(422)
                shown = said.get("content", {}).get("application/json", {})
                if TEXT in shown:
                    shown["example"] = json.loads(shown.pop(TEXT))
                if MEDIA_TYPE in said.get("content", ()):
                    operation["responses"][status] = _ref("responses", f"Problem{status}")
    return document


def _complete(operation: Plain, schemas: Plain) -> None:
    """Add what every route under /v1 has in common, where it does not say so itself."""
    answers: Plain = operation["responses"]
    for status in (*ALWAYS, *(_BODIES if "requestBody" in operation else ())):
        said = answers.get(str(status), {})
        if MEDIA_TYPE not in said.get("content", ()) and "$ref" not in said:
            answers[str(status)] = _ref("responses", f"Problem{status}")
    bodies = [operation.get("requestBody", {}), *(said for code, said in answers.items() if code < "3")]
    for body in bodies:
        shown = body.get("content", {}).get("application/json")
        if shown is not None and not {"example", TEXT} & shown.keys():
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
    for status in sorted({*ALWAYS, *_WRITES}):
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
