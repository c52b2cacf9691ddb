"""What a subscription is, where it stands, and what is wrong with naming one that is none."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from events.errors import CallerError

State = Literal["active", "paused", "gone"]


class SubscriptionError(CallerError):
    """A subscription cannot be made or changed like this; one sentence says why."""

    code = "subscription-error"


class UnknownSubscription(SubscriptionError):
    """The agency has no such subscription."""

    code = "unknown-subscription"


class NameTaken(SubscriptionError):
    """Another subscription of the agency has the name already."""

    code = "name-taken"


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who is told of which events; every event up to *position* is in deliveries, or not asked for."""

    agency: str
    subscription_id: str
    name: str
    url: str = field(repr=False)
    types: tuple[str, ...]
    """Empty: every type."""
    personal: bool
    position: int
    state: State
    created_at: datetime
    failures: int = 0
    """How many messages in a row were not taken."""
    answered_at: datetime | None = None
    status: int | None = None
    says: str | None = None

    def asks_for(self, type: str) -> bool:
        """Tell whether an event of a type is among those asked for."""
        return not self.types or type in self.types


@dataclass(frozen=True, slots=True)
class Standing:
    """A subscription, and how far it has come."""

    subscription: Subscription
    head: int
    """The agency's last position."""
    settled: int
    """Every event up to here is delivered, parked or not asked for."""
    pending: int
    parked: int
    next_at: datetime | None
    """When the next message that waits is tried."""

    @property
    def behind(self) -> int:
        """How many events of the log lie after the last one before which all are dealt with."""
        return max(self.head - self.settled, 0)


@dataclass(frozen=True, slots=True)
class Parked:
    """A message that was tried to the end of the schedule."""

    subscription_id: str
    event_id: UUID
    position: int
    stream: str
    type: str
    attempt: int
    says: str | None
    settled_at: datetime
