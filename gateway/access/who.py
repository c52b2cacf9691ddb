"""Who stands at a door: the agency they belong to, what they are there, and by which credential.

Everything a route does is done for this agency and no other; nothing of it is read from a request's body.
"""

from dataclasses import dataclass
from typing import Literal

from events.envelope import Actor

Role = Literal[
    "recruiter", "team-lead", "director", "compliance", "operator", "auditor", "integration", "candidate"
]
PERSONS: tuple[Role, ...] = ("recruiter", "team-lead", "director", "compliance", "auditor")


@dataclass(frozen=True, slots=True)
class Who:
    """A caller who is known."""

    agency: str
    role: Role
    credential: str
    """The opaque id of the key, link or token, for the process log and the record."""
    person_id: str | None = None
    """Of the agency's people; None for who is none of them."""
    connection: str | None = None
    """Of an integration: the one connection it may speak for."""
    engagement: str | None = None
    """Of a candidate: the one engagement they may see."""

    @property
    def actor(self) -> Actor:
        """Give whom an event is put down to."""
        if self.role == "candidate":
            return Actor(kind="candidate", id=self.engagement or self.credential)
        if self.role == "integration":
            return Actor(kind="integration", id=self.connection or self.credential)
        if self.role == "operator":
            return Actor(kind="operator", id=self.person_id or self.credential)
        return Actor(kind="person", id=self.person_id or self.credential)
