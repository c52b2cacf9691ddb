"""A command's model as the schema of a body: what a caller may send, and nothing that only we write.

A sealed value never comes from outside, and the command's name stands in the address.
"""

from collections.abc import Sequence
from typing import Any, Final

from events.commands import Command
from workers.inbox.external import External

Plain = dict[str, Any]
_TEMPLATE: Final = "#/components/schemas/{model}"
_SEALED: Final = _TEMPLATE.format(model="Erased")
_AT: Final[Plain] = {
    "type": "string",
    "format": "date-time",
    "description": "When it happened, with a zone; now if left out.",
}


def input_schema(model: type[Command], schemas: Plain, *, optional: Sequence[str] = ()) -> Plain:
    """Give a body's schema; what it refers to is added to *schemas*."""
    schema = model.model_json_schema(ref_template=_TEMPLATE)
    for name, each in schema.pop("$defs", {}).items():
        if name != "Erased":
            schemas[name] = _unsealed(each)
    schema = dict(_unsealed(schema))
    properties: Plain = schema["properties"]
    properties.pop("name")
    properties["at"] = _AT
    needed = [each for each in schema.pop("required", []) if each not in optional]
    if needed:
        schema["required"] = needed
    schema.pop("title", None)
    schema.pop("description", None)
    return schema


def external_schema(kinds: Sequence[str]) -> Plain:
    """Give the schema of what other systems call that which a command makes known."""
    item = External.model_json_schema()
    item["properties"]["kind"].update(enum=list(kinds), default=kinds[0])
    item["properties"]["id"]["type"] = ["string", "integer"]
    item["required"] = ["connection", "id"] if kinds[0] == "application" else ["connection", "kind", "id"]
    item.pop("title", None)
    says = "Under which ids other systems know it; learnt once the command is accepted."
    shown = [{"connection": "client-1", "kind": kinds[0], "id": "265277"}]
    return {"type": "array", "maxItems": 10, "items": item, "description": says, "examples": [shown]}


def _unsealed(schema: Any) -> Any:
    """Leave out, at any depth, that a value may be a sealed one."""
    if isinstance(schema, list):
        return [_unsealed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _unsealed(each) for key, each in schema.items()}
    if "anyOf" in found:
        kept = [each for each in found["anyOf"] if each != {"$ref": _SEALED}]
        if len(kept) == 1:
            del found["anyOf"]
            found.update(kept[0])
        else:
            found["anyOf"] = kept
    return found
