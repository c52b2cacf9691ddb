"""What every route works with: the adapters, the engagements, and who may do what.

Nothing here belongs to one agency: a route takes the agency from who is known, and from nowhere else.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol

from starlette.requests import Request
from temporalio.client import Client
from temporalio.envconfig import ClientConnectConfig

from activities.commands import CommandService
from activities.directory import Directory
from events.log.port import EventLog
from events.projections.reading import ReadModels
from gateway.access.opening import Access, opened_access
from gateway.access.who import Who
from gateway.http.flights import Flights
from gateway.http.identify import known
from gateway.http.permits import Action, Target, nobody_may, table_may
from gateway.http.problems import Problem
from gateway.http.rates import Rates
from workers.adopting import Commanding
from workers.client import Engagements
from workers.health import what_is_missing
from workers.settings import Settings
from workers.wiring import adapters, connect

# A caller's own patience is some 30 s; what is not answered by then is asked again under the same id.
PATIENCE: Final = timedelta(seconds=15)

Identify = Callable[[Request], Awaitable[Who]]
May = Callable[[Who, Action, Target], bool]


class Having(Protocol):
    """What routes need of a process's adapters; see ``workers.wiring.Adapters``."""

    @property
    def log(self) -> EventLog:
        """Give the event log."""

    @property
    def directory(self) -> Directory:
        """Give the people of every agency."""

    @property
    def service(self) -> CommandService:
        """Give the writer of the streams that have no workflow."""

    @property
    def read_models(self) -> ReadModels:
        """Give the tables computed from the log."""


async def nobody(_: Request) -> Who:
    """Know nobody."""
    raise Problem(
        401,
        "unauthenticated",
        "this needs a credential; send one as 'Authorization: Bearer …'",
        headers={"WWW-Authenticate": "Bearer"},
    )


async def all_is_well() -> Mapping[str, str]:
    """Miss nothing."""
    return {}


@dataclass(frozen=True, slots=True)
class Doors:
    """One process's doors.  Until somebody is said to be known, and to be allowed something, nobody is."""

    having: Having
    engagements: Callable[[str], Commanding]
    """Reaches an agency's engagements, with a caller's patience."""
    identify: Identify = nobody
    may: May = nobody_may
    missing: Callable[[], Awaitable[Mapping[str, str]]] = all_is_well
    """Says what keeps this process from working, a sentence for each server."""
    flights: Flights = field(default_factory=Flights)
    client: Client | None = None
    access: Access | None = None
    """Keys, links, codes; None where callers are known otherwise."""
    rates: Rates = field(default_factory=Rates)


@asynccontextmanager
async def opened(
    settings: Settings,
    database_url: str,
    temporal: ClientConnectConfig,
    *,
    smtp: tuple[str, int] | None = None,
    identify: Identify = known,
    may: May = table_may,
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
            identify=identify,
            may=may,
            missing=lambda: what_is_missing(database_url, client),
            client=client,
            access=access,
            rates=Rates(
                per_credential=f"{settings.rate_per_credential}/minute",
                per_address=f"{settings.rate_per_address}/minute",
            ),
        )
