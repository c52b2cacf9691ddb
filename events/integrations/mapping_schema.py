"""The JSON Schema of a mapping, for editors: run this module with ``--write`` or ``--check``.

It is generated from the vocabulary that the parser checks by; only the parser has the last word.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final, get_args

from events.integrations.rules import DateOrder
from events.integrations.vocabulary import (
    GIVE,
    KINDS,
    PROVIDERS,
    REPORTS,
    fields_of,
    stream_of,
)
from events.policy_checks import texts_of

PAGE: Final = Path(__file__).resolve().parents[2] / "deploy" / "connections" / "mapping.schema.json"
Schema = dict[str, Any]

_PATH: Final = r"^(body|headers|fetched|item)(\.[^.\[\]\s]+|\[[0-9]{1,4}\])*$"
_SCALAR: Final[Schema] = {"type": ["string", "number"]}


def schema() -> Schema:
    """Give the whole schema."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A mapping of Rapport",
        "description": "What the messages of one provider mean here.",
        **_table(
            {
                "format": {"const": 1},
                "provider": {"enum": sorted(PROVIDERS)},
                "says": _text("the mapping in one sentence"),
                "zone": _text("the zone of times that name none, like Europe/London"),
                "whose": _list({"$ref": "#/definitions/whose"}),
                "rule": _list({"$ref": "#/definitions/rule"}),
            },
            "format",
            "provider",
        ),
        "definitions": {
            "path": {"type": "string", "pattern": _PATH, "description": "like body.payload.jobs[0].id"},
            "when": _when(),
            "whose": _whose(),
            "rule": _rule(),
            "ref": _ref(),
            "value": _value(),
            "command": _command(),
        },
    }


def page() -> str:
    """Give the schema as the text of its file."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def _table(properties: Schema, *required: str) -> Schema:
    table = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**table, "required": list(required)} if required else table


def _list(items: Schema, least: int = 0) -> Schema:
    return {"type": "array", "minItems": least, "items": items}


def _text(description: str) -> Schema:
    return {"type": "string", "pattern": r"\S", "description": description}


def _path() -> Schema:
    return {"$ref": "#/definitions/path"}


def _events() -> Schema:
    names = _list(_text(""), 1)
    return {**names, "description": 'the provider\'s names for what happened; "*" catches the rest'}


def _when() -> Schema:
    several = {"type": "array", "minItems": 1, "items": {"type": ["string", "number", "boolean"]}}
    return {
        "type": "object",
        "description": "by path: a list means one of these, true there is something, false there is nothing",
        "propertyNames": {"pattern": _PATH},
        "additionalProperties": {"anyOf": [{"type": "boolean"}, _SCALAR, several]},
    }


def _whose() -> Schema:
    properties = {
        "events": _events(),
        "kind": {"enum": list(KINDS)},
        "path": _path(),
        "shows": _list(_path()),
    }
    return _table(properties, "events", "kind", "path")


def _rule() -> Schema:
    fetched = sorted({each for names in PROVIDERS.values() for each in names})
    return {
        **_table(
            {
                "events": _events(),
                "when": {"$ref": "#/definitions/when"},
                "says": _text("what it means, for people"),
                "fetch": {"enum": fetched, "description": "what the provider's API is asked for first"},
                "each": _path(),
                "ignore": _text("why there is nothing to do"),
                "command": _list({"$ref": "#/definitions/command"}, 1),
            },
            "events",
        ),
        "oneOf": [{"required": ["ignore"]}, {"required": ["command"]}],
    }


def _ref() -> Schema:
    flags = {"new": {"type": "boolean", "description": "this very message makes the thing known"}}
    return _table({"kind": {"enum": list(KINDS)}, "path": _path(), **flags, "also": _path()}, "kind", "path")


def _value() -> Schema:
    properties: Schema = {
        "path": _path(),
        "value": {"description": "a constant"},
        "values": {"type": "object", "description": "ours by theirs"},
        "otherwise": {"description": "for what is not among the values"},
        "zone": _text("the zone of times that name none"),
        "date": {"enum": list(get_args(DateOrder))},
    }
    given = {"oneOf": [{"required": ["path"]}, {"required": ["value"]}]}
    return {"anyOf": [_path(), {**_table(properties), **given}]}


def _command() -> Schema:
    names = [{"const": each, "description": _meaning(each)} for each in sorted(REPORTS)]
    return {
        **_table(
            {
                "name": {"oneOf": names},
                "when": {"$ref": "#/definitions/when"},
                "at": _path(),
                "refs": {"type": "object", "additionalProperties": {"$ref": "#/definitions/ref"}},
                "fields": {"type": "object", "additionalProperties": {"$ref": "#/definitions/value"}},
            },
            "name",
        ),
        "allOf": [
            {"if": {"properties": {"name": {"const": each}}}, "then": {"properties": _filled(each)}}
            for each in sorted(REPORTS)
        ],
    }


def _meaning(name: str) -> str:
    return (REPORTS[name].__doc__ or "").split("\n")[0]


def _filled(name: str) -> Schema:
    """Describe what one command is filled with: whose it is, and its own fields."""
    stream = "job_order" if stream_of(name) == "job-order" else "engagement"
    refs = [key for key in GIVE if key == stream or key in fields_of(name)]
    fields = {key: _hint(name, key) for key in fields_of(name)}
    return {
        "refs": {"propertyNames": {"enum": refs}},
        "fields": {
            "propertyNames": {"enum": list(fields)},
            "properties": {k: v for k, v in fields.items() if v},
        },
    }


def _hint(name: str, key: str) -> Schema:
    """Say which constants a field can hold, where they are few."""
    words = texts_of(REPORTS[name], key)
    return {"properties": {"value": {"enum": sorted(words)}}} if words else {}


def main(arguments: list[str]) -> int:
    """Do what ``--write`` or ``--check`` says; the exit code is 1 where the file is not true any more."""
    if arguments == ["--write"]:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if arguments == ["--check"]:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page():
            return 0
        again = "python -m events.integrations.mapping_schema --write"
        print(f"{PAGE.name} is out of date; run: {again}", file=sys.stderr)
        return 1
    print("say --write or --check", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
