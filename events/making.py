"""Makes events and rungs of values that were checked before, at a fraction of what checking them again costs.

Only for what the engine itself concludes from checked events and rules; what comes from outside is validated.
"""

from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel

from events.catalogue import Rung
from events.kinds import Recipient, RungAction

M = TypeVar("M", bound=BaseModel)

_new, _set = object.__new__, object.__setattr__


def made(kind: type[M], /, **values: Any) -> M:
    """Make what ``kind(**values)`` would, of values that are right already."""
    model = _new(kind)
    _set(model, "__dict__", {**_blank(kind), **values})
    _set(model, "__pydantic_fields_set__", set(values))
    _set(model, "__pydantic_extra__", None)
    _set(model, "__pydantic_private__", None)
    return model


def made_rung(
    number: int,
    at: datetime,
    do: RungAction,
    level: int,
    to: Recipient | None = None,
    template: str | None = None,
) -> Rung:
    """Make what ``Rung(...)`` would, of values that are right already."""
    rung = _new(Rung)
    _set(rung, "number", number)
    _set(rung, "at", at)
    _set(rung, "do", do)
    _set(rung, "level", level)
    _set(rung, "to", to)
    _set(rung, "template", template)
    return rung


@cache
def _blank(kind: type[BaseModel]) -> dict[str, Any]:
    # All fields in their order.  A default that is made anew each time would be shared: none here has one.
    fields = kind.model_fields.items()
    return {name: None if field.is_required() else field.default for name, field in fields}
