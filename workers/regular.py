"""Seeing to it that what comes regularly comes: the sweep and the polls, also when their schedule is deleted.

Every start sweeps, because a crash may have left a log ahead of its workflow with nobody to notice.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from activities.polling import Polling
from activities.sweeping import Sweeping
from workers import polls_schedule, sweep_schedule
from workers.polls_schedule import ensure_polls
from workers.search_attributes import register_search_attributes
from workers.sweep_schedule import ensure_sweep, sweep_is_scheduled
from workflows.types import POLLS_ID, SWEEP_ID

# A schedule that is gone, alone or with all of Temporal's data, is there again after this time.
LOOK_AFTER_IT: Final = timedelta(seconds=30)
Work = Callable[[], Awaitable[object]]
_log = structlog.get_logger(__name__)


async def see_to_the_sweep(client: Client, sweeping: Sweeping) -> None:
    """See to it that somebody sweeps, for as long as we run."""

    async def again() -> None:
        # Maybe the server came back without its data: then this is gone as well.
        await register_search_attributes(client)
        await ensure_sweep(client)
        _log.warning(
            "the sweep's schedule was gone and is there again; if Temporal's data is lost, "
            "'rapport rehydrate --all' starts what ran"
        )

    await _see_to(
        client,
        SWEEP_ID,
        lambda: ensure_sweep(client),
        again,
        lambda: by_ourselves(sweeping.sweep, sweep_schedule.EVERY),
    )


async def see_to_the_polls(client: Client, polling: Polling, *, schedule_id: str = POLLS_ID) -> None:
    """See to it that somebody polls, for as long as we run."""

    async def again() -> None:
        await ensure_polls(client, schedule_id=schedule_id)
        _log.warning("the polls' schedule was gone and is there again")

    await _see_to(
        client,
        schedule_id,
        lambda: ensure_polls(client, schedule_id=schedule_id),
        again,
        lambda: by_ourselves(polling.poll, polls_schedule.EVERY),
    )


async def _see_to(
    client: Client, schedule_id: str, ensure: Callable[[], Awaitable[bool]], again: Work, instead: Work
) -> None:
    ensured = False
    while True:
        try:
            if not ensured:
                if not await ensure():
                    await instead()
                ensured = True
            elif not await sweep_is_scheduled(client, schedule_id):
                await again()
            await asyncio.sleep(LOOK_AFTER_IT.total_seconds())
        except RPCError as error:
            _log.warning("nothing is scheduled yet", schedule=schedule_id, status=error.status.name)
            await asyncio.sleep(sweep_schedule.EVERY.total_seconds() / 4)


async def by_ourselves(work: Work, every: timedelta) -> None:
    """Work from here: for a server without schedules, or one that lets us have none."""
    while True:
        try:
            await work()
        except Exception as error:
            # The next time comes anyway, and whoever uses an engagement wakes it too.
            _log.warning("what comes regularly failed", error=type(error).__name__)
        await asyncio.sleep(every.total_seconds())
