"""Everything on one machine, in one process: embedded servers, migrations, codec server, workers, projector.

What the environment names (database, Temporal, mail server) is used as it is and never started here.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from temporalio.client import Client
from temporalio.envconfig import ClientConnectConfig

from events.clock import ClockSpec
from events.log.migrate import migrate
from workers import stack_file
from workers.client import Engagements
from workers.codec_server import CodecServer
from workers.embedded import ports
from workers.embedded.stack import EmbeddedStack
from workers.gateway_process import GatewayProcess, gateway_beside
from workers.loopback_codec import LoopbackCodec
from workers.projector import projecting
from workers.search_attributes import SEARCH_ATTRIBUTES
from workers.serving import serving
from workers.settings import Settings
from workers.wiring import Adapters
from workers.worker import stop_on_signals

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers are, ours and those of the environment."""

    data_dir: Path
    database_url: str = field(repr=False)
    temporal: ClientConnectConfig = field(repr=False)
    smtp: tuple[str, int] | None
    file: stack_file.StackFile
    codec: CodecServer
    embedded: EmbeddedStack | None

    async def died(self) -> str:
        """This will wait until an embedded server ends by itself, and say so; without one for ever."""
        if self.embedded is None:
            return await asyncio.Future()
        return await self.embedded.died()


@dataclass(frozen=True, slots=True)
class Up:
    """A stack at work."""

    servers: Servers
    having: Adapters
    client: Client
    clock: ClockSpec
    failed: asyncio.Future[str]
    gateway: GatewayProcess | None = None

    def engagements(self, agency: str) -> Engagements:
        """This will speak to an agency's engagements."""
        return Engagements(self.client, agency, clock=self.clock)

    async def fell(self) -> str:
        """This will wait until a server, worker or the gateway ends by itself, and say so in one sentence."""
        ends = [asyncio.ensure_future(self.servers.died())]
        if self.gateway is not None:
            ends.append(asyncio.ensure_future(self.gateway.ended()))
        try:
            done, _ = await asyncio.wait({*ends, self.failed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in ends:
                each.cancel()
        return done.pop().result()


@asynccontextmanager
async def servers(settings: Settings) -> AsyncIterator[Servers]:
    """This will start what the environment does not name, and bring the database to this code's level."""
    needs_database, needs_temporal = settings.database_url is None, settings.temporal_address is None
    async with AsyncExitStack() as stack:
        codec = CodecServer(port=ports.usual_or_free(settings.codec_port or None))
        await codec.start()
        stack.push_async_callback(codec.stop)
        embedded = None
        if needs_database or needs_temporal:
            embedded = await stack.enter_async_context(
                EmbeddedStack(
                    settings.data_dir,
                    postgres=needs_database,
                    temporal=needs_temporal,
                    smtp_sink=settings.smtp_host is None,
                    codec_endpoint=codec.endpoint,
                    search_attributes=SEARCH_ATTRIBUTES,
                )
            )
        place = _place(settings, codec, embedded)
        await migrate(place.database_url)
        yield place


@asynccontextmanager
async def up(
    settings: Settings, *, clock: ClockSpec | None = None, gateway: bool = False
) -> AsyncIterator[Up]:
    """This will bring everything up, and say in the data directory where it is; on leaving it stops all.

    With *gateway* the HTTP gateway serves beside it; it knows no clock but the world's.

    :raises EmbeddedError: a server does not start; one sentence.
    """
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(servers(settings))
        at_work = await stack.enter_async_context(
            serving(settings, place.database_url, place.temporal, smtp=place.smtp, clock=clock)
        )
        await stack.enter_async_context(projecting(place.database_url))
        place.codec.codec = LoopbackCodec(at_work.having.keys, at_work.having.log)
        if place.embedded is not None:
            stack_file.write(settings.data_dir, place.file)
            stack.callback(stack_file.remove, settings.data_dir)
        beside = await stack.enter_async_context(gateway_beside(settings.data_dir)) if gateway else None
        if beside is not None and place.embedded is not None:
            stack_file.write(settings.data_dir, replace(place.file, http_url=beside.url))
        yield Up(place, at_work.having, at_work.client, clock or ClockSpec(), at_work.failed, beside)


async def in_foreground(work: Coroutine[Any, Any, T]) -> T | None:
    """This will do *work* until it is done, or until SIGINT or SIGTERM: then None, after it has cleaned up.

    Later signals change nothing: cleaning up has its own deadlines.
    """
    stopping = asyncio.Event()
    stop_on_signals(stopping)
    task, stop = asyncio.ensure_future(work), asyncio.ensure_future(stopping.wait())
    await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if task.done():
        return task.result()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        return await task
    return None


def _place(settings: Settings, codec: CodecServer, embedded: EmbeddedStack | None) -> Servers:
    ours_database = embedded is not None and settings.database_url is None
    ours_temporal = embedded is not None and settings.temporal_address is None
    ours_mail = embedded is not None and settings.smtp_host is None
    database_url = embedded.database_url if embedded is not None and ours_database else None
    address = embedded.temporal_address if embedded is not None and ours_temporal else None
    ui_url = embedded.temporal_ui_url if embedded is not None and ours_temporal else None
    smtp = (embedded.smtp_host, embedded.smtp_port) if embedded is not None and ours_mail else None
    if ui_url is not None:
        codec.origins = {ui_url}
    file = stack_file.describe_me(
        database_url=database_url,
        temporal_address=address,
        temporal_ui_url=ui_url,
        codec_endpoint=codec.endpoint,
        smtp_host=smtp[0] if smtp else None,
        smtp_port=smtp[1] if smtp else None,
    )
    if database_url is None:
        assert settings.database_url is not None
        database_url = settings.database_url.get_secret_value()
    return Servers(
        settings.data_dir, database_url, settings.temporal_connect(address), smtp, file, codec, embedded
    )
