"""What a message of an integration comes to: commands, nothing with a reason, or a wait for something.

No sentence in here quotes a foreign value, unless it is the name of a stage, a status or the like.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

Kind = Literal["candidate", "application", "job", "interview", "offer", "sender"]
Needs = Literal["mapping", "link", "fetch"]


@dataclass(frozen=True, slots=True)
class Ours:
    """What a foreign id stands for here.

    A candidate is an engagement; an application an engagement, a submission and its job order; a job a job
    order; an interview and an offer an engagement and the interview or offer of that id.
    """

    engagement: str | None = None
    ours: str | None = None
    job_order: str | None = None


class Known(Protocol):
    """The foreign ids that a connection has learnt, or that a person has confirmed."""

    def find(self, kind: Kind, external: str) -> Ours | None:
        """Look a foreign id up; None: nobody has said what it is."""

    def keyed(self, text: str) -> str:
        """Give a text's digest in hex, 16 digits or more, always the same under the connection's key."""


@dataclass(frozen=True, slots=True)
class KnownIds:
    """Foreign ids at hand, looked up beforehand: see :func:`events.integrations.reading.mentions`."""

    ids: Mapping[tuple[Kind, str], Ours] = field(repr=False)
    key: Callable[[str], str]

    def find(self, kind: Kind, external: str) -> Ours | None:
        """Look a foreign id up."""
        return self.ids.get((kind, external))

    def keyed(self, text: str) -> str:
        """Give the keyed digest of a text."""
        return self.key(text)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One report to give: to an engagement, or to a job order where there is no engagement."""

    engagement: str | None
    name: str
    fields: Mapping[str, Any] = field(repr=False)
    at: datetime | None
    job_order: str | None = None
    """Only of a command to a job order, and then its stream."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """A foreign id that this very message explains; to be kept together with the message's end."""

    kind: Kind
    external: str = field(repr=False)
    engagement: str
    ours: str | None
    job_order: str | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """Commands, all of them or none."""

    commands: tuple[Wanted, ...]
    learns: tuple[Learnt, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing is to be done, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Waits:
    """It cannot be understood yet, and what it takes."""

    says: str
    needs: Needs
    kind: Kind | None = None
    """Of the foreign id that nobody has linked."""
    external: str | None = field(default=None, repr=False)
    """That id; never shown where people see more than their own."""
    fetch: str | None = None
    """What the provider's API is to be asked for."""


Meaning = Means | Ignored | Waits
