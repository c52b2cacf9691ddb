"""What a channel is: one letter, one try, and an error that says whether anything may have left.

An error's text travels into histories and logs: no address, no name, no word of the letter or of the server.
"""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Letter:
    """A message ready to leave; hidden from every repr, since it is personal throughout."""

    address: str = field(repr=False)
    name: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    reply_to: str | None = field(repr=False)
    """None where an answer would belong to no one engagement."""
    may_stop: bool = field(default=False, repr=False)
    """Its reader may ask for no more of these, by an answer."""


class NotSent(Exception):
    """Surely nothing left, and trying again may help."""


class Refused(Exception):
    """Surely nothing left, and trying again never helps; *reason* is a code."""

    def __init__(self, reason: str, says: str) -> None:
        super().__init__(says)
        self.reason = reason


class OutcomeUnknown(Exception):
    """The letter may have left or not."""


class Channel(Protocol):
    """A way out of the house."""

    def message_id(self, effect_id: str) -> str:
        """Derive the id under which an effect leaves, the same for every attempt."""

    def reply_to(self, agency: str, engagement_id: str) -> str:
        """Derive the address that brings an answer back to its engagement, and says nothing to others."""

    async def send(self, letter: Letter, message_id: str) -> None:
        """Send once.

        :raises NotSent: try again later.
        :raises Refused: it will never be taken.
        :raises OutcomeUnknown: nobody knows.
        """
