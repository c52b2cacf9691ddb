"""What a decision may know beside the command and the state: who, when, and under which id."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from events.envelope import Actor, derived_text
from events.errors import InvalidCommand

NOWHERE: Final[Mapping[str, str]] = {}


class Context(NamedTuple):
    """The circumstances of one command; *at* is when it happened, *now* when it is decided."""

    agency: str
    stream: str
    command_id: str
    actor: Actor
    at: datetime
    now: datetime
    offices: Mapping[str, str] = NOWHERE

    def new_id(self, kind: str, given: str | None = None) -> str:
        """Take the caller's id, or derive one from the command's own."""
        return given or derived_text(self.agency, self.stream, self.command_id, kind)

    def person(self, given: str | None) -> str:
        """Name the person of the agency who acted.

        :raises InvalidCommand: nobody is named and the actor is no person.
        """
        if given is not None:
            return given
        if self.actor.kind == "person":
            return self.actor.id
        raise InvalidCommand("say who of the agency acted: by=PERSON is missing and the actor is no person")
