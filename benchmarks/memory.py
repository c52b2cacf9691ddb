"""Memory a cached open engagement costs its worker, against a bare workflow.

The worker is warm before the first measure: code, keys, connections and the policy's page are there already.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psutil

from benchmarks.figures import Figure
from benchmarks.giving import contact, give_bare, open_one, start_bare
from benchmarks.ground import BARE, OURS, Ground, WorkerProcess, at_once
from benchmarks.sizes import Sizes

WARM = 50
MOST_KIB = 150
AT_ONCE = 20
REST = 2.0


async def memory(ground: Ground, sizes: Sizes) -> list[Figure]:
    """This will open engagements with one contact each and look at what the worker holds."""
    engagements = ground.engagements(await ground.agency())

    async def ours(name: str) -> None:
        await open_one(engagements, name)
        await engagements.command(name, *contact())

    async def bare(name: str) -> None:
        handle = await start_bare(ground.client, ground, f"memory-{name}")
        await give_bare(handle, 0)
        await give_bare(handle, 0)

    async with ground.worker(OURS) as worker:
        mine = await _each(worker, ours, sizes.cached)
    async with ground.worker(BARE) as worker:
        least = await _each(worker, bare, sizes.cached)
    return [
        Figure(
            name="memory",
            unit="KiB/engagement",
            ours=mine,
            floor=least,
            floor_is="a bare workflow that was given two updates",
            ratio=mine / least,
            target=f"<= {MOST_KIB}",
            met=mine <= MOST_KIB,
            note=f"resident memory over {sizes.cached} engagements cached beside {WARM} that were there",
        )
    ]


async def _each(worker: WorkerProcess, work: Callable[[str], Awaitable[Any]], count: int) -> float:
    await at_once(AT_ONCE, work, [f"warm-{n}" for n in range(WARM)])
    before = await _resident(worker)
    await at_once(AT_ONCE, work, [f"more-{n}" for n in range(count)])
    return (await _resident(worker) - before) / count / 1024


async def _resident(worker: WorkerProcess) -> int:
    await asyncio.sleep(REST)
    return int(psutil.Process(worker.pid).memory_info().rss)
