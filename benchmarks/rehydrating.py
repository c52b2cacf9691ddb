"""Temporal's data deleted under many open engagements, ``rapport rehydrate --all``, and the next steps.

Nothing helps it: every workflow counts as up to date, so that no sweep starts any.  The worker lives on.
"""

import asyncio
import json
import shutil
import statistics
import sys
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import asyncpg

from benchmarks.bare import QUEUE, BareTimer
from benchmarks.due import A_DAY, POLICY
from benchmarks.figures import Figure
from benchmarks.giving import open_one
from benchmarks.ground import BARE, OURS, ROOT, Ground, at_once
from benchmarks.sizes import Sizes
from events.policy_file import load_policy
from workers.unattended import AT_ONCE
from workers.verify import verify_agency

MOST: Final = 120.0
MOST_LATE: Final = 5.0
# A thousand in three minutes: well below what a worker can escalate, or its pace alone would be measured.
APART: Final = timedelta(seconds=0.18)
FIRST_STEPS: Final = """
    SELECT stream, min(occurred_at) AS due, min(recorded_at) AS recorded FROM rapport.events
    WHERE agency = $1 AND type = 'escalation-raised' GROUP BY stream
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of it; *late* is of the steps that came due once all had loaded."""

    rehydrated: float
    loaded: float
    late: list[float]
    meanwhile: int
    verified: int
    mismatches: int


async def rehydrating(ground: Ground, sizes: Sizes) -> list[Figure]:
    """This will open engagements, delete Temporal's data, rehydrate, and watch the steps that come due."""
    found = await _ours(ground, sizes.lost)
    floor = await _bare(ground, sizes.lost)
    median, worst = statistics.median(found.late), max(found.late)
    sound = found.mismatches == 0 and found.verified == sizes.lost
    return [
        Figure(
            name="rehydrate",
            unit="s",
            ours=found.rehydrated,
            floor=floor,
            floor_is="as many bare workflows started, as many at once, by a client that is connected",
            ratio=found.rehydrated / floor,
            target=f"<= {MOST:g}, verified",
            met=found.rehydrated <= MOST and sound,
            note=f"{sizes.lost} open engagements; ours is the command's whole life, with its waiting for a "
            f"worker that had lost its server; all had loaded after {found.loaded:.1f} s; "
            f"{found.verified} verified, {found.mismatches} mismatches",
        ),
        Figure(
            name="rehydrate, next steps late",
            unit="s at worst",
            ours=worst,
            target=f"<= {MOST_LATE:g}",
            met=worst <= MOST_LATE,
            note=f"{len(found.late)} steps came due in the minutes after all had loaded, {median:.2f} s late "
            f"in the median; {found.meanwhile} had come due before",
        ),
    ]


async def _ours(ground: Ground, count: int) -> Measured:
    agency = await ground.agency(load_policy(POLICY, where="the benchmark's policy", on=date(2026, 1, 5)))
    async with ground.worker(OURS):
        due = await _open(ground, agency, count)
        for head in await ground.having.log.streams(agency, category="engagement", limit=count):
            await ground.having.log.acknowledge(agency, head.stream, head.version)
        await _lose_temporal(ground)
        began = time.perf_counter()
        loading = asyncio.create_task(_loaded(ground, agency, count))
        told = await _rehydrate(ground, agency)
        rehydrated = time.perf_counter() - began
        if told["started"] + told["running"] + told["told"] != count or told["failed"]:
            raise RuntimeError(f"not every engagement was seen to: {told}")
        await loading
        loaded, loaded_at = time.perf_counter() - began, datetime.now(UTC)
        rows = await _recorded(ground, agency, due)
        report = await verify_agency(ground.having.log, ground.engagements(agency), agency)
    late = [(due, (recorded - due).total_seconds()) for due, recorded in rows]
    after = [seconds for due, seconds in late if due >= loaded_at]
    if not after:
        raise RuntimeError("every promise came due before all had loaded; try fewer")
    return Measured(rehydrated, loaded, after, len(late) - len(after), report.verified, report.mismatches)


async def _open(ground: Ground, agency: str, count: int) -> int:
    """Open engagements, and say how many promises come due, from when all should have loaded again."""
    engagements = ground.engagements(agency)
    few = min(count // 2, 2 * AT_ONCE)
    # The first few tell how fast the machine is, once the worker is warm; theirs come due tomorrow.
    for numbers in (range(few // 2), range(few // 2, few)):
        begun = time.perf_counter()
        await at_once(AT_ONCE, lambda number: open_one(engagements, f"first-{number}"), numbers)
    each = (time.perf_counter() - begun) / (few - few // 2)
    first = datetime.now(UTC) + timedelta(seconds=25 + 2.5 * each * count)

    async def one(number: int) -> None:
        due = first + APART * number
        await open_one(engagements, f"e-{number}", at=(due - A_DAY).isoformat())

    await at_once(AT_ONCE, one, range(count - few))
    return count - few


async def _lose_temporal(ground: Ground) -> None:
    home = ground.stack.data_dir / "temporal"
    await ground.stack.kill("temporal")
    await asyncio.to_thread(shutil.rmtree, home)
    home.mkdir(mode=0o700)
    await ground.stack.restart("temporal")


async def _rehydrate(ground: Ground, agency: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "gateway", "rehydrate", "--all", "--json"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env=ground.environment, cwd=ROOT
    )
    out, _ = await process.communicate()
    told: dict[str, Any] = json.loads(out)
    return next(each for each in told["agencies"] if each["agency"] == agency)


async def _loaded(ground: Ground, agency: str, count: int) -> None:
    """Wait until Temporal shows what only a run that has loaded can write."""
    query = f"RapportAgency = '{agency}' AND RapportStage = 'intake' AND ExecutionStatus = 'Running'"
    while (await ground.client.count_workflows(query)).count < count:  # noqa: ASYNC110 (the server is asked)
        await asyncio.sleep(0.2)


async def _recorded(ground: Ground, agency: str, count: int) -> list[tuple[datetime, datetime]]:
    connection = await asyncpg.connect(ground.database_url)
    try:
        while len(rows := await connection.fetch(FIRST_STEPS, agency)) < count:  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0.5)
        return [(row["due"], row["recorded"]) for row in rows]
    finally:
        await connection.close()


async def _bare(ground: Ground, count: int) -> float:
    moment = datetime.now(UTC) + timedelta(hours=1)

    async def start(number: int) -> None:
        name = ground.bare_id(f"rehydrating-{number}")
        await ground.client.start_workflow(BareTimer.run, moment, id=name, task_queue=QUEUE)

    async with ground.worker(BARE):
        began = time.perf_counter()
        await at_once(AT_ONCE, start, range(count))
        return time.perf_counter() - began
