"""What every route works with: the adapters, the engagements, and who may do what.

Nothing here belongs to one agency: a route takes the agency from who is known, and from nowhere else.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol
from urllib.parse import urlsplit

from temporalio.client import Client
from temporalio.envconfig import ClientConnectConfig

from events.projections.reading import ReadModels
from gateway import giving
from gateway.access.opening import Access, opened_access
from gateway.folds import Folds
from gateway.http.by_roles import ByRoles
from gateway.http.flights import Flights
from gateway.http.permits import Closed, Permits
from gateway.http.rates import Rates
from gateway.http.routes.tails import OpenStreams
from gateway.webhooks.door import Door
from workers.adopting import Commanding
from workers.client import Engagements
from workers.delivering.desk import Desk
from workers.health import what_is_missing
from workers.settings import Settings
from workers.wiring import adapters, connect

# A caller's own patience is some 30 s; what is not answered by then is asked again under the same id.
PATIENCE: Final = timedelta(seconds=15)


class Having(giving.Having, Protocol):
    """What routes need of a process's adapters; see ``workers.wiring.Adapters``."""

    @property
    def read_models(self) -> ReadModels:
        """Give the tables computed from the log."""


async def all_is_well() -> Mapping[str, str]:
    """Miss nothing."""
    return {}


@dataclass(frozen=True, slots=True)
class Doors:
    """One process's doors."""

    having: Having
    engagements: Callable[[str], Commanding]
    """Reaches an agency's engagements, with a caller's patience."""
    folds: Folds
    """Engagements folded, for whoever looks at one."""
    permits: Permits = field(default_factory=Closed)
    """Says who calls and what they may; until somebody is said to be known, nobody is."""
    missing: Callable[[], Awaitable[Mapping[str, str]]] = all_is_well
    """Says what keeps this process from working, a sentence for each server."""
    flights: Flights = field(default_factory=Flights)
    client: Client | None = None
    access: Access | None = None
    """What :class:`gateway.http.by_roles.ByRoles` asks."""
    hooks: Door | None = None
    """Takes webhooks in."""
    rates: Rates = field(default_factory=Rates)
    streams: OpenStreams | None = None
    """Those who listen to the stream of events."""
    desk: Desk | None = None
    """Where webhooks out are subscribed to."""
    public_url: str | None = None
    """How others reach this gateway, if that is known."""

    @property
    def prefix(self) -> str:
        """Give what stands before every path of ours where others reach it: mostly nothing."""
        return urlsplit(self.public_url or "").path.rstrip("/")

    def address(self, path: str) -> str:
        """Give a path of ours as others reach it; a path alone where nobody said how they do."""
        return f"{(self.public_url or '').rstrip('/')}{path}"


@asynccontextmanager
async def opened(
    settings: Settings,
    database_url: str,
    temporal: ClientConnectConfig,
    *,
    smtp: tuple[str, int] | None = None,
    patience: timedelta = PATIENCE,
) -> AsyncIterator[Doors]:
    """Connect to what the doors need; Temporal may be away, and is reached when it is asked."""
    async with (
        adapters(settings, database_url, smtp=smtp) as having,
        opened_access(having, database_url) as access,
    ):
        client = await connect(temporal, having.keys, lazy=True)
        yield Doors(
            having=having,
            engagements=lambda agency: Engagements(client, agency, patience=patience),
            folds=access.folds,
            permits=ByRoles(),
            missing=lambda: what_is_missing(database_url, client),
            client=client,
            access=access,
            hooks=Door(having.connections, having.inbox, having.refusals),
            streams=OpenStreams(having.log),
            desk=having.desk,
            public_url=settings.public_url,
            rates=Rates(
                per_credential=settings.rate_per_credential,
                per_address=settings.rate_per_address,
            ),
        )
