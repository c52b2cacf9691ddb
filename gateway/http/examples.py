"""An example of every command's body, made from its model, so that a new command has one too.

Each must be one that its own reader takes: a test gives them all to it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from events.commands import Command

# What a field is called says what a sensible value is; a command's own go before those of all.
_FIELDS: Final[dict[str, Any]] = {
    "by": "r-1",
    "owner": "r-1",
    "recruiter": "r-1",
    "person": "r-1",
    "person_id": "r-1",
    "cover": "r-2",
    "previous": ["r-2"],
    "job_order_id": "jo-1",
    "job_order_owner": "r-2",
    "submission_id": "s-1",
    "interview_id": "i-1",
    "application_id": "a-1",
    "engagement_id": "e-1",
    "candidate_id": "c-1",
    "candidate_name": "Candidate One",
    "email": "candidate@example.test",
    "channel": "phone",
    "office": "london",
    "zone": "Europe/London",
    "quiet_hours": "21:00-09:00",
    "reason": "other",
    "absence_id": "a-1",
    "words": "As we said on the phone.",
    "policy_name": "starter",
    "digest": "0" * 64,
    "openings": 1,
    "fit": 80,
}
_OWN: Final[dict[str, dict[str, Any]]] = {
    "open-engagement": {"candidate_name": "Candidate One", "email": "candidate@example.test", "owner": "r-1"},
    "record-interview-result": {"interview_id": "i-1", "result": "advance"},
    "record-contact": {"channel": "phone", "by": "r-1", "note": "Two hours; wants to lead a team one day."},
    "open-job-order": {"client_id": "client-1", "openings": 1, "owner": "r-2"},
}
_TIMES: Final = {
    "starts_at": "2030-01-07T10:00:00Z",
    "ends_at": "2030-01-07T11:00:00Z",
    "until": "2030-02-01T00:00:00Z",
}
_TIME: Final = "2030-01-07T09:00:00Z"


def example_of(model: type[Command], *, leaving_out: Sequence[str] = ()) -> dict[str, Any]:
    """Give an example of a command's body: what it must hold, and where that is nothing, nothing."""
    name = model.model_fields["name"].default
    needed = {
        each: _value(each, about)
        for each, about in model.model_fields.items()
        if about.is_required() and each not in leaving_out
    }
    return {**needed, **_OWN.get(name, {})}


def _value(name: str, about: FieldInfo) -> Any:
    kind = about.annotation
    if (chosen := _choice(kind)) is not None and name not in _FIELDS:
        return chosen
    if name in _FIELDS:
        return _FIELDS[name] if chosen is None or _FIELDS[name] in _choices(kind) else chosen
    text = str(kind)
    if "datetime" in text:
        return _TIMES.get(name, _TIME)
    if "UUID" in text:
        return "00000000-0000-5000-8000-000000000001"
    if "int" in text.split("[")[0] or kind is int:
        return 1
    if get_origin(kind) is tuple:
        return []
    return f"{name.removesuffix('_id').replace('_', '-')}-1"


def _choice(kind: Any) -> Any:
    return next(iter(_choices(kind)), None)


def _choices(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) is Literal:
        return get_args(kind)
    return next((found for each in get_args(kind) if (found := _choices(each))), ())


def example_in(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """Give an example of a schema, from those that its fields have; *schemas* are what it may refer to."""
    if "$ref" in schema:
        return example_in(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "examples" in schema:
        return schema["examples"][0]
    for name in ("anyOf", "allOf"):
        if name in schema:
            return example_in(schema[name][0], schemas)
    if "enum" in schema:
        return schema["enum"][0]
    if "default" in schema:
        return schema["default"]
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            return {name: example_in(each, schemas) for name, each in fields.items()}
        case "array":
            return [example_in(schema["items"], schemas)] if "items" in schema else []
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "string" if schema.get("format") == "date-time":
            return _TIME
        case "string":
            return "text"
    return None
