"""A worker killed while very many engagements are open, and a command for every one of them.

The clock starts at the kill: how long Temporal waits for the dead worker is part of the answer.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from temporalio.client import WorkflowHandle

from benchmarks.figures import Figure
from benchmarks.giving import check, give_bare, open_one, start_bare
from benchmarks.ground import BARE, OURS, Ground, at_once
from benchmarks.sizes import Sizes

OPENING_AT_ONCE = 50

T = TypeVar("T")


async def recovery(ground: Ground, sizes: Sizes) -> list[Figure]:
    """This will open engagements, kill their worker, start another and command each of them once."""
    engagements = ground.engagements(await ground.agency())
    names = [f"e-{number}" for number in range(sizes.open)]
    few = names[: max(50, sizes.open // 10)]

    async def give(name: str) -> None:
        await engagements.command(name, *check())

    async def bare(handle: WorkflowHandle[Any, Any]) -> None:
        await give_bare(handle, 0)

    worker = await ground.start(OURS)
    try:
        await at_once(OPENING_AT_ONCE, partial(open_one, engagements), names)
    finally:
        await worker.kill()
    async with ground.worker(OURS):
        mine = await _answers(give, names, sizes.at_once)
    worker = await ground.start(BARE)
    try:
        handles = [await start_bare(ground.client, ground, f"recovery-{name}") for name in few]
        await at_once(OPENING_AT_ONCE, bare, handles)
    finally:
        await worker.kill()
    async with ground.worker(BARE):
        least = await _answers(bare, handles, sizes.at_once)
    rate, bare_rate = len(names) / (mine[-1] - mine[0]), len(few) / (least[-1] - least[0])
    about = f"bare workflows, {len(few)} of them"
    return [
        Figure(
            name="recovery, first answer",
            unit="s",
            ours=mine[0],
            floor=least[0],
            floor_is=about,
            ratio=mine[0] / least[0],
            note="mostly the ten seconds after which Temporal gives up a dead worker's own queue",
        ),
        Figure(
            name="recovery, last answer",
            unit="s",
            ours=mine[-1],
            floor=None,
            note=f"{len(names)} open engagements, {sizes.at_once} commands in flight",
        ),
        Figure(
            name="recovery, between them",
            unit="answers/s",
            ours=rate,
            floor=bare_rate,
            floor_is=about,
            ratio=rate / bare_rate,
        ),
    ]


async def _answers(work: Callable[[T], Awaitable[None]], items: Sequence[T], most: int) -> list[float]:
    # Begun just after the kill and the new worker's start: neither waits for anything.
    began = time.perf_counter()

    async def timed(item: T) -> float:
        await work(item)
        return time.perf_counter() - began

    return sorted(await at_once(most, timed, items))
