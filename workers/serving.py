"""What a worker process does: workers, follower, inbox, deliveries, and seeing to what comes regularly.

Every start sweeps, because a crash may have left a log ahead of its workflow with nobody to notice.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from temporalio.client import Client
from temporalio.envconfig import ClientConnectConfig

from activities.outreach import SETTLES_AFTER
from activities.polling import Polling
from events.clock import ClockSpec
from events.errors import CallerError
from events.log.followers import PostgresPlaces
from workers.client import CommandFailed, Engagements
from workers.delivering.deliverer import Deliverer
from workers.following import ACTOR, SOURCE, Follower
from workers.inbox.pump import Pump
from workers.inbox.purging import every_hour
from workers.regular import see_to_the_polls, see_to_the_sweep
from workers.search_attributes import register_search_attributes
from workers.settings import Settings
from workers.wiring import Adapters, adapters, connect, messages, sweeping, workers
from workers.worker import run_until
from workflows.types import REUSED

# The follower goes on with other engagements meanwhile, and asks again.
PATIENCE: Final = timedelta(seconds=10)
# What no later try can mend, beside callers' mistakes: the person is erased, the id is taken.
NEVER: Final = frozenset({"KeyDestroyed", REUSED})
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    """Workers at work; *failed* is done, with one sentence, when one of them ends by itself."""

    having: Adapters
    client: Client
    failed: asyncio.Future[str]


class EngagementTeller:
    """Passes the follower's commands on to engagements."""

    def __init__(self, client: Client, clock: ClockSpec) -> None:
        self._client = client
        self._clock = clock

    async def tell(
        self, agency: str, engagement_id: str, name: str, data: dict[str, Any], command_id: str, cause: UUID
    ) -> None:
        """Give a command; safe to repeat.

        :raises CallerError: the engagement does not take it, now or ever; any other error may pass.
        """
        given = {**data, "actor": ACTOR.model_dump(), "source": SOURCE, "causation_id": str(cause)}
        engagements = Engagements(self._client, agency, clock=self._clock, patience=PATIENCE)
        try:
            await engagements.command(engagement_id, name, given, command_id=command_id)
        except CommandFailed as error:
            if error.code[:1].isupper() and error.code not in NEVER:
                # A class's name, not a mistake's code: the log did not take it, and may after an upgrade.
                raise
            mistake = CallerError(str(error))
            mistake.code = error.code
            raise mistake from None


@asynccontextmanager
async def serving(
    settings: Settings,
    database_url: str,
    temporal: ClientConnectConfig,
    *,
    smtp: tuple[str, int] | None = None,
    clock: ClockSpec | None = None,
    settles_after: timedelta = SETTLES_AFTER,
) -> AsyncIterator[Serving]:
    """This will run the workers until it is left; then they finish what they hold, for a few seconds.

    *settles_after* is how long a message without an outcome may still be under way.
    """
    clock = clock or ClockSpec()
    places = PostgresPlaces(database_url)
    async with adapters(settings, database_url, smtp=smtp) as having:
        client = await connect(temporal, having.keys)
        await register_search_attributes(client)
        stopping = asyncio.Event()
        at_work = workers(client, having, clock=clock, settles_after=settles_after)
        follower = Follower(having.log, places, having.service, EngagementTeller(client, clock))
        deliverer = Deliverer(having.log, having.subscriptions, having.deliveries, having.sender)
        working = asyncio.ensure_future(run_until(stopping, at_work))
        around = [
            asyncio.ensure_future(follower.run()),
            asyncio.ensure_future(Pump(messages(client, having, clock)).run()),
            asyncio.ensure_future(every_hour(having.work)),
            asyncio.ensure_future(deliverer.run()),
            asyncio.ensure_future(see_to_the_sweep(client, sweeping(client, having, clock))),
            asyncio.ensure_future(see_to_the_polls(client, Polling(having.polls))),
        ]
        failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        for task in (working, *around):
            task.add_done_callback(lambda done: _tell(done, failed))
        try:
            yield Serving(having, client, failed)
        finally:
            failed.cancel()
            stopping.set()
            for task in around:
                task.cancel()
            await asyncio.gather(*around, return_exceptions=True)
            with contextlib.suppress(Exception):
                await working
            await places.close()


def _tell(task: "asyncio.Future[Any]", failed: asyncio.Future[str]) -> None:
    if task.cancelled() or failed.done():
        return
    error = task.exception()
    what = type(error).__name__ if error is not None else "it ended by itself"
    if error is not None:
        _log.error("a worker failed", exc_info=(type(error), error, error.__traceback__))
    failed.set_result(f"A worker stopped working ({what}); its log says more.")
