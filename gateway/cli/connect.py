"""Finds the servers a command needs, and opens what it asks for, no sooner than it does.

The environment wins; what it does not name comes from the file that ``rapport up`` keeps in its directory.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gateway.cli.errors import Wrong

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.envconfig import ClientConnectConfig

    from activities.directory import Person
    from events.log.port import EventLog
    from workers.client import Engagements
    from workers.settings import Settings
    from workers.wiring import Adapters

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Options:
    """What every command understands."""

    agency: str | None = None
    data: Path | None = None
    as_json: bool = False


def settings_of(data: Path | None) -> "Settings":
    """Read the environment, with *data* as the data directory if it is given."""
    from workers.settings import load_settings

    settings = load_settings()
    return settings if data is None else settings.model_copy(update={"data_dir": data.expanduser().resolve()})


@dataclass(slots=True)
class Session:
    """One command's connections; Temporal's are made when first asked for, one for each agency."""

    options: Options
    settings: "Settings"
    having: "Adapters"
    _temporal: "ClientConnectConfig | None"
    _clients: "dict[str | None, Client]" = field(default_factory=dict)

    @property
    def log(self) -> "EventLog":
        """Give the event log."""
        return self.having.log

    async def agency(self) -> str:
        """Name the agency: the one that is asked for, else the only one there is."""
        agencies = await self.log.agencies()
        asked = self.options.agency
        if asked is not None:
            if asked not in agencies:
                known = f"known are {', '.join(agencies)}" if agencies else "there is none yet"
                raise Wrong(
                    f"there is no agency '{asked}'; {known}; load one with 'rapport agency load FILE'"
                )
            return asked
        if not agencies:
            raise Wrong("there is no agency yet; load one with 'rapport agency load FILE --agency NAME'")
        if len(agencies) > 1:
            raise Wrong(f"there are several agencies ({', '.join(agencies)}); name one with --agency")
        return agencies[0]

    async def engagements(self, agency: str) -> "Engagements":
        """Reach the agency's engagements through Temporal."""
        from workers.client import Engagements

        return Engagements(await self.temporal(agency), agency)

    async def temporal(self, agency: str | None) -> "Client":
        """Connect to Temporal as somebody of an agency, or for all of them as a worker does."""
        from workers.wiring import connect

        if self._temporal is None:
            raise Wrong(no_stack(self.settings))
        if agency not in self._clients:
            self._clients[agency] = await connect(self._temporal, self.having.keys, agency)
        return self._clients[agency]

    async def person(self, agency: str, person_id: str | None) -> "Person | None":
        """Find somebody of the agency."""
        return None if person_id is None else await self.having.directory.person(agency, person_id)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers are; None for one that nobody named."""

    database_url: str | None = field(repr=False)
    temporal: "ClientConnectConfig | None" = field(repr=False)
    smtp: tuple[str, int] | None


def addresses(settings: "Settings") -> Addresses:
    """Ask the environment first, then the stack that runs on the data directory."""
    from workers import stack_file

    running = stack_file.read(settings.data_dir)
    database_url = settings.database_url.get_secret_value() if settings.database_url is not None else None
    temporal = settings.temporal_connect() if settings.temporal_address is not None else None
    smtp = None
    if running is not None:
        database_url = database_url or running.database_url
        if temporal is None and running.temporal_address is not None:
            temporal = settings.temporal_connect(running.temporal_address)
        if running.smtp_host is not None and running.smtp_port is not None:
            smtp = (running.smtp_host, running.smtp_port)
    return Addresses(database_url, temporal, smtp)


@asynccontextmanager
async def opened(options: Options) -> AsyncIterator[Session]:
    """Open what every command needs: the log and what lies beside it."""
    from workers.logs import configure_logging
    from workers.wiring import adapters

    settings = settings_of(options.data)
    # What libraries would warn of is no sentence for people.
    configure_logging("ERROR", settings.log_format)
    where = addresses(settings)
    if where.database_url is None:
        raise Wrong(no_stack(settings))
    async with adapters(settings, where.database_url, smtp=where.smtp) as having:
        yield Session(options, settings, having, where.temporal)


def perform(options: Options, work: Callable[[Session], Awaitable[T]]) -> T:
    """Run one command's work with a session of its own."""
    import asyncio

    async def run() -> T:
        async with opened(options) as session:
            return await work(session)

    return asyncio.run(run())


def no_stack(settings: "Settings") -> str:
    """Say what to do where no server is known."""
    return (
        f"no stack runs on {settings.data_dir}; start one with 'rapport up' in another terminal "
        "(the same --data), or set DATABASE_URL and TEMPORAL_ADDRESS."
    )
