"""Many promises due at one and the same moment, to the last escalation in the log.

Nothing is left out: each escalation also owes its recruiter a message, through the ledger and the mail sink.
"""

import asyncio
import time
from datetime import UTC, date, datetime, timedelta
from typing import Final

import asyncpg

from benchmarks.bare import QUEUE, BareTimer
from benchmarks.figures import Figure
from benchmarks.giving import open_one
from benchmarks.ground import BARE, OURS, Ground, at_once
from benchmarks.sizes import Sizes
from events.policy_file import load_policy

MOST: Final = 60.0
AT_ONCE: Final = 25
A_DAY: Final = timedelta(days=1)
POLICY: Final = """
name = "bench-due"
[obligation.word-within-a-day]
says = "Everybody hears from a person within a day."
because = "M: a benchmark needs a promise."
kind = "contact"
subject = "engagement"
opens-on = ["engagement-opened"]
met-by = [{ event = "contact-made" }]
within = "1 day"
counts-from = "happened"
owner = "candidate-owner"
awaits = "recruiter"
mode = "enforce"
ladder = [{ after = "0 minutes", do = "escalate", to = "owner", level = 1, template = "escalation" }]
"""
RECORDED: Final = """
    SELECT count(*) AS count, min(recorded_at) AS first, max(recorded_at) AS last FROM rapport.events
    WHERE agency = $1 AND type = 'escalation-raised'
"""


async def due(ground: Ground, sizes: Sizes) -> list[Figure]:
    """This will open engagements whose first promise falls due at one moment, and wait for the log."""
    ours, note = await _ours(ground, sizes.due)
    floor = await _bare(ground, sizes.due)
    return [
        Figure(
            name="escalations due",
            unit="s to the last",
            ours=ours,
            floor=floor,
            floor_is="as many bare workflows whose timers fire then, to the end of the last",
            ratio=ours / floor,
            target=f"<= {MOST:g}",
            met=ours <= MOST,
            note=note,
        )
    ]


async def _ours(ground: Ground, count: int) -> tuple[float, str]:
    agency = await ground.agency(load_policy(POLICY, where="the benchmark's policy", on=date(2026, 1, 5)))
    engagements = ground.engagements(agency)
    async with ground.worker(OURS):

        async def open_first(name: str) -> None:
            await open_one(engagements, name)

        began = time.perf_counter()
        await at_once(AT_ONCE, open_first, [f"first-{number}" for number in range(2 * AT_ONCE)])
        each = (time.perf_counter() - began) / (2 * AT_ONCE)
        moment = datetime.now(UTC) + timedelta(seconds=20 + 1.5 * each * count)
        at = (moment - A_DAY).isoformat()
        names = [f"e-{number}" for number in range(count)]
        began = time.perf_counter()
        await at_once(AT_ONCE, lambda name: open_one(engagements, name, at=at), names)
        opened = time.perf_counter() - began
        spare = (moment - datetime.now(UTC)).total_seconds()
        if spare < 1:
            raise RuntimeError(
                "opening took longer than planned, so the promises came due meanwhile; try fewer"
            )
        await asyncio.sleep(spare)
        first, last = await _recorded(ground, agency, count)
    note = f"the first of {count} after {(first - moment).total_seconds():.2f} s; "
    return (last - moment).total_seconds(), f"{note}they were opened at {count / opened:.0f}/s"


async def _recorded(ground: Ground, agency: str, count: int) -> tuple[datetime, datetime]:
    connection = await asyncpg.connect(ground.database_url)
    try:
        while True:
            row = await connection.fetchrow(RECORDED, agency)
            if row is not None and row["count"] >= count:
                return row["first"], row["last"]
            await asyncio.sleep(0.5)
    finally:
        await connection.close()


async def _bare(ground: Ground, count: int) -> float:
    client = ground.client
    async with ground.worker(BARE):
        moment = datetime.now(UTC) + timedelta(seconds=10 + count / 100)

        async def start(number: int) -> None:
            name = ground.bare_id(f"due-{number}")
            await client.start_workflow(BareTimer.run, moment, id=name, task_queue=QUEUE)

        await at_once(AT_ONCE, start, range(count))
        query = "WorkflowType = 'BareTimer' AND ExecutionStatus = 'Completed'"
        while (await client.count_workflows(query)).count < count:  # noqa: ASYNC110 (the server is asked)
            await asyncio.sleep(0.5)
        closed = [each.close_time async for each in client.list_workflows(query) if each.close_time]
    return (max(closed) - moment).total_seconds()
