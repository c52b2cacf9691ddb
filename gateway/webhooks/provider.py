"""What the file of a webhook provider says: signature, handshake, acknowledgement, key, event and time.

A provider's file knows no meaning and keeps nothing: raw bytes are verified before anything is parsed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from events.integrations.message import Received

TEST_EVENT: Final = "rapport.test"
"""The event of a probe where a provider has no ping of its own: verified, answered, never kept."""


class NotVerified(Exception):
    """The signature does not hold, or its time is too far off; the message is one sentence without values."""


class Malformed(Exception):
    """The signature holds and the content cannot be read; one sentence without values."""


class NotTaken(Exception):
    """The signature holds and this door refuses such content; one sentence without values."""


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
    setup: str
    """Where an integrator enters the address and the secret, in one sentence."""

    def new_secret(self) -> str | None:
        """Make a secret for a new connection; None where the provider makes it and we are told."""

    def complaint(self, secret: str) -> str | None:
        """Say in one sentence why a secret cannot be one of this provider's; None if it can."""

    def handshake(self, delivery: Delivery) -> Handshake | None:
        """Recognise a request that asks for no more than an answer, before anything is signed."""

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime, tolerance: timedelta) -> None:
        """Check the signature in constant time, under any of the secrets that are valid now.

        :raises NotVerified: none fits, or the timestamp is out of tolerance.
        """

    def read(self, delivery: Delivery) -> Received | None:
        """Say what a verified delivery is; None: the provider only tries the door, and nothing is kept.

        :raises Malformed: it is no message of this provider.
        :raises NotTaken: it is one, in a form that is refused.
        """

    def probe(self, secret: str, now: datetime) -> Delivery | None:
        """Make a signed request that only tries the door; None where the secret cannot sign."""
