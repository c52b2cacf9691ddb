"""Makes events and rungs of values that were checked before, at a fraction of what checking them again costs.

Only for what the engine itself concludes from checked events and rules; what comes from outside is validated.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel

from events.catalogue import Rung
from events.kinds import Recipient, RungAction

M = TypeVar("M", bound=BaseModel)

_new = object.__new__
# What a frozen class's own setters refuse, its slots take.
_slots: Any = vars(BaseModel)
_put_values, _put_given, _put_extra, _put_private = (
    _slots[name].__set__
    for name in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)
_put_number, _put_at, _put_do, _put_level, _put_to, _put_template = (
    getattr(Rung, name).__set__ for name in ("number", "at", "do", "level", "to", "template")
)


def made(kind: type[M], /, **values: Any) -> M:
    """Make what ``kind(**values)`` would, of values that are right already."""
    model = _new(kind)
    _put_values(model, {**_blank(kind), **values})
    _put_given(model, set(values))
    _put_extra(model, None)
    _put_private(model, None)
    return model


def filled(pattern: M, values: Mapping[str, Any]) -> M:
    """Make a copy with other values, right already, for some fields of those that the pattern was given."""
    model = _new(type(pattern))
    _put_values(model, {**pattern.__dict__, **values})
    # One set for all: a frozen model never adds to its own.
    _put_given(model, pattern.__pydantic_fields_set__)
    _put_extra(model, None)
    _put_private(model, None)
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
    _put_number(rung, number)
    _put_at(rung, at)
    _put_do(rung, do)
    _put_level(rung, level)
    _put_to(rung, to)
    _put_template(rung, template)
    return rung


@cache
def _blank(kind: type[BaseModel]) -> dict[str, Any]:
    # All fields in their order.  A default that is made anew each time would be shared: none here has one.
    fields = kind.model_fields.items()
    return {name: None if field.is_required() else field.default for name, field in fields}
