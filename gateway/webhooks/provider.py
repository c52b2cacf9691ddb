"""What the file of a webhook provider says: signature, handshake, acknowledgement, key, event and time.

A provider's file knows no meaning and keeps nothing: raw bytes are verified before anything is parsed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from events.integrations.message import Received


class NotVerified(Exception):
    """The signature does not hold, or its time is too far off; the message is one sentence without values."""


class Malformed(Exception):
    """The signature holds and the content cannot be read; one sentence without values."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request as it came: header names in lower case, the body's very bytes."""

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Handshake:
    """How to answer a request that only tests the door; nothing is kept of it."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


class Provider(Protocol):
    """One provider, stateless."""

    name: str
    acknowledges: int
    """The status that tells it that the delivery is ours now."""
    largest: int
    """Bytes of a body; more is refused unread."""

    def handshake(self, delivery: Delivery) -> Handshake | None:
        """Recognise a request that asks for no more than an answer."""

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime, tolerance: timedelta) -> None:
        """Check the signature in constant time, under any of the secrets that are valid now.

        :raises NotVerified: none fits, or the timestamp is out of tolerance.
        """

    def read(self, delivery: Delivery) -> Received:
        """Say what a verified delivery is.

        :raises Malformed: it is no message of this provider.
        """
