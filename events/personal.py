"""What belongs to a person, and what is left when the key to it is gone.

Only top-level fields of an event may be personal, and no decision may depend on their value.
"""

from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")


class Erased(BaseModel):
    """A personal value that was not opened: its key is destroyed, or the reader has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sealed: str


class PersonalMark:
    """Marks a field whose value is stored encrypted, apart from the event's body."""


PERSONAL: Final = PersonalMark()
Personal = Annotated[T | Erased, PERSONAL]


def personal_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """Name the fields of a model that are personal, sorted."""
    return tuple(sorted(name for name, field in model.model_fields.items() if PERSONAL in field.metadata))


def sealed_field(given: BaseModel) -> str | None:
    """Name the first field, at any depth, that holds a sealed value instead of a text."""
    for name in type(given).model_fields:
        value = getattr(given, name)
        if isinstance(value, Erased):
            return name
        for inner in value if isinstance(value, tuple) else (value,):
            if isinstance(inner, BaseModel) and (found := sealed_field(inner)):
                return found
    return None


def reveal(value: Any, otherwise: str = "(erased)") -> str:
    """Show a personal value to somebody who may see it, or say that it is gone."""
    if isinstance(value, Erased):
        return otherwise
    return "" if value is None else str(value)
