"""An engagement as projections see it: its state, and beside it the life of every promise in it.

Promises are folded by the ledger alone.  To fold them into the state as well would be most of the work.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from events import catalogue as e
from events.codec import ENGAGEMENT_EVENTS
from events.copying import replace
from events.evolve import evolve
from events.ledger import Entry, Envelope, Ledger
from events.state import Engagement

# What the state makes of these is in its promises, escalations and owed messages, and nowhere else.
PROMISES: Final[frozenset[type[e.Event]]] = frozenset(
    {
        *(each for each in ENGAGEMENT_EVENTS.values() if each.by_engine),
        e.EscalationAcknowledged,
        e.OutreachSent,
        e.OutreachFailed,
        e.OutreachWithheld,
        e.ExcuseGranted,
        e.CommandRefused,
        e.GateBypassed,
        e.MessageRefused,
    }
)


@dataclass(slots=True)
class Life:
    """One engagement so far."""

    ledger: Ledger
    engagement: Engagement = field(default_factory=Engagement)
    """Without promises, escalations and owed messages."""

    def take(self, event: Any, envelope: Envelope) -> None:
        """Fold one event in."""
        if type(event) not in PROMISES:
            self.engagement = evolve(self.engagement, event)
        self.ledger.apply(event, envelope, self.engagement)

    @property
    def promises(self) -> list[Entry]:
        """Give those that somebody still waits for."""
        return list(self.ledger.standing.values())

    @property
    def whole(self) -> Engagement:
        """Give the state with its open promises, as far as they decide where the engagement stands."""
        standing: Any = self.ledger.standing
        return replace(self.engagement, obligations=standing)
