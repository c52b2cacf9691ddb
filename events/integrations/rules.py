"""A mapping as data: what the messages of one provider mean here, rule by rule, the first that fits.

Its canonical text is stored with a connection and named by its digest: a default is never changed.
"""

import hashlib
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from events.canonical import canonical
from events.integrations.meaning import Kind

Scalar = str | int | float | bool
DateOrder = Literal["year-month-day", "month/day/year", "day/month/year"]
# By path: one of these, or whether there is anything at all.
Condition = bool | tuple[Scalar, ...]
Conditions = dict[str, Condition]
EVERY = "*"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Whose(_Data):
    """Where such messages say whose they are: what is nobody's of ours need not be understood."""

    events: tuple[str, ...]
    kind: Kind
    path: str
    shows: tuple[str, ...] = ()


class Ref(_Data):
    """A foreign id, and what it stands for here."""

    kind: Kind
    path: str
    new: bool = False
    also: str | None = None


class Value(_Data):
    """What a field holds: what a path finds, turned by a table; or a constant."""

    path: str | None = None
    value: Any = None
    values: dict[str, Any] | None = None
    otherwise: Any = None
    zone: str | None = None
    date: DateOrder = "year-month-day"


class RuleCommand(_Data):
    """One report that a message makes."""

    name: str
    when: Conditions = {}
    at: str | None = None
    refs: dict[str, Ref] = {}
    fields: dict[str, Value] = {}


class Rule(_Data):
    """What some messages mean: commands, or nothing with a reason."""

    events: tuple[str, ...]
    when: Conditions = {}
    says: str | None = None
    fetch: str | None = None
    each: str | None = None
    ignore: str | None = None
    command: tuple[RuleCommand, ...] = ()

    def names(self, event: str) -> bool:
        """Tell whether the rule is about such messages at all."""
        return event in self.events or EVERY in self.events


class Mapping(_Data):
    """A whole mapping, checked."""

    format: Literal[1]
    provider: str
    says: str | None = None
    zone: str | None = None
    whose: tuple[Whose, ...] = ()
    rule: tuple[Rule, ...] = ()

    def body(self) -> str:
        """Write the mapping as the canonical text that is stored."""
        return canonical(self.model_dump(mode="json", exclude_defaults=True))

    def digest(self) -> str:
        """Name the mapping by the SHA-256 of its canonical text."""
        return hashlib.sha256(self.body().encode()).hexdigest()


def of_body(body: str) -> Mapping:
    """Read back what :meth:`Mapping.body` wrote."""
    return Mapping.model_validate_json(body)
