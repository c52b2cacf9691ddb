"""The first answer of an engagement with a long history, by a worker that has never seen it.

The worker before it was stopped in good order: what a crash costs, ``recovery`` says.
"""

import statistics
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from temporalio.client import WorkflowHandle

from benchmarks.figures import Figure
from benchmarks.giving import check, give_bare, nth, open_one, start_bare
from benchmarks.ground import BARE, OURS, Ground, at_once
from benchmarks.sizes import Sizes
from workflows.types import workflow_id

MOST = 1.5
AT_ONCE = 10


async def cold(ground: Ground, sizes: Sizes) -> list[Figure]:
    """This will measure one command to each of several such engagements, one after the other."""
    agency = await ground.agency()
    engagements = ground.engagements(agency)
    names = [f"cold-{number}" for number in range(sizes.cold)]

    async def give(name: str, number: int) -> None:
        await engagements.command(name, *nth(number))

    async def build(name: str) -> None:
        await open_one(engagements, name)
        handle = ground.client.get_workflow_handle(workflow_id(agency, name))
        await _until_long(handle, sizes.history, partial(give, name))

    async def build_bare(handle: WorkflowHandle[Any, Any]) -> None:
        await _until_long(handle, sizes.history, partial(give_bare, handle))

    async with ground.worker(OURS):
        await at_once(AT_ONCE, build, names)
    async with ground.worker(BARE):
        bare = [await start_bare(ground.client, ground, name) for name in names]
        await at_once(AT_ONCE, build_bare, bare)
    # A worker that starts pokes who may be behind: these are not, and are left cold.
    for name in names:
        head = await ground.having.log.head(agency, f"engagement:{name}")
        await ground.having.log.acknowledge(agency, f"engagement:{name}", head.version if head else 0)
    async with ground.worker(OURS):
        await open_one(engagements, "warms-the-new-worker")
        mine = [await _seconds(engagements.command(name, *check())) for name in names]
    async with ground.worker(BARE):
        await give_bare(await start_bare(ground.client, ground, "warms-the-new-worker"), 0)
        least = [await _seconds(give_bare(handle, 0)) for handle in bare]
    middle, floor = statistics.median(mine), statistics.median(least)
    return [
        Figure(
            name="cold answer",
            unit="s (p50)",
            ours=middle,
            floor=floor,
            floor_is="a bare update to a bare workflow with as long a history",
            ratio=middle / floor,
            target=f"< {MOST}",
            met=middle < MOST,
            note=f"{sizes.history} Temporal events, {len(names)} engagements; slowest {max(mine):.2f} s",
            rounds=[round(each, 4) for each in mine],
        )
    ]


async def _until_long(
    handle: WorkflowHandle[Any, Any], length: int, give: Callable[[int], Awaitable[Any]]
) -> None:
    number = 0
    while (await handle.describe()).history_length < length:
        for _ in range(5):
            await give(number)
            number += 1


async def _seconds(work: Awaitable[Any]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began
