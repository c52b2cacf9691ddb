"""Moves an agency in: a plan's history into the log, then its open engagements live.

Everything is decided before the first event is written, so a source that contradicts itself half-way leaves
no stream half told.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from activities.commands import CommandService
from events.log.port import EventLog
from events.sources.plan import Plan
from workers.client import Engagements
from workers.importing.account import Account
from workers.importing.going_live import GoingLive
from workers.importing.history import History, Written
from workers.importing.past import Past, past_of
from workers.importing.people import check_people
from workers.importing.report import ImportReport
from workers.importing.rules import check_rules

# As many appends as go into one transaction; and what one worker answers without queueing.
WRITING: Final = 64
GOING_LIVE: Final = 16

T = TypeVar("T")
Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much."""


def _silent(stage: str, done: int, of: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Ground:
    """Where an import moves in."""

    log: EventLog
    service: CommandService
    engagements: Engagements
    agency: str
    now: Callable[[], datetime]
    on_progress: Progress = _silent


async def run_import(plan: Plan, ground: Ground) -> ImportReport:
    """Import a plan, or what of it is not there yet.

    :raises SourceError: the source names somebody who does not work for the agency, or a rule that no
        policy has; nothing was written.
    :raises NotAnswered: no worker takes an engagement on; run the same import again.
    """
    began, account = time.monotonic(), Account()
    await check_people(plan, ground.service, ground.agency)
    await check_rules(plan, ground.log, ground.service, ground.agency)
    holders = await ground.log.reservation_holders(ground.agency, "engagement-of-candidate", "")
    past = past_of(plan, ground.agency, ground.now(), holders)
    for each in (*plan.left_aside, *past.left_aside):
        account.aside([each.place], each.reason)
    written = await _write(past, ground, account)
    going = GoingLive(
        ground.log,
        ground.service,
        ground.engagements,
        ground.agency,
        plan.source,
        plan.observes,
        account,
    )
    # Job orders first: what happens to an engagement may speak of one.
    written.sort(key=lambda each: each.past.stream.startswith("engagement:"))
    await _each(written, going.take_on, GOING_LIVE, ground.on_progress, "going live")
    return ImportReport.of(plan, ground.agency, account, written, going.live, time.monotonic() - began)


async def _write(past: Past, ground: Ground, account: Account) -> list[Written]:
    history = History(ground.log, ground.agency, account)
    return await _each(past.streams.values(), history.write, WRITING, ground.on_progress, "history")


async def _each(
    items: Iterable[Any],
    do: Callable[[Any], Awaitable[T]],
    at_once: int,
    on_progress: Progress,
    stage: str,
) -> list[T]:
    """Do something with every item, so many at once; the first failure stops all."""
    waiting = list(items)
    limit, done = asyncio.Semaphore(at_once), 0

    async def one(item: Any) -> T:
        nonlocal done
        async with limit:
            result = await do(item)
        done += 1
        on_progress(stage, done, len(waiting))
        return result

    on_progress(stage, 0, len(waiting))
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in waiting]
    except* Exception as failed:
        # One sentence for people: the others stopped because of it.
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]
