"""One message of an integration, as its provider's file has read it and before anybody knows its meaning.

Pure: it holds what came, not what it means; its body may be personal and is never logged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

MALFORMED: Final = "malformed"
"""The event of a signed delivery that cannot be read; the header of that name says why, in one sentence."""


@dataclass(frozen=True, slots=True)
class Received:
    """A verified delivery, before it is kept."""

    dedupe: str
    """The provider's own key for it, the same in each of its deliveries; at most 200 characters."""
    event: str
    """The provider's name for what happened."""
    occurred_at: datetime | None
    """When it happened, by the source's clock; None where the source does not say."""
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Those a mapping may need, their names in lower case."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was kept, opened to be understood."""

    event: str
    occurred_at: datetime
    """By the source's clock; where it does not say, when it was received."""
    body: Any = field(repr=False)
    """Its JSON; None where it has none."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    fetched: Any = field(default=None, repr=False)
    """What the provider's API said when it was asked; None: nobody has asked."""
