"""Acknowledged commands a second, against bare updates: a caller for each engagement, one command at a time.

A round runs ours and the floor's one after the other, and the next round the other way round.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from temporalio.client import WorkflowHandle

from benchmarks.figures import Figure, Rounds
from benchmarks.giving import give_bare, nth, open_one, start_bare
from benchmarks.ground import BARE, OURS, Ground, at_once
from benchmarks.sizes import Sizes
from workers.client import Engagements


async def commands(ground: Ground, sizes: Sizes) -> list[Figure]:
    """This will measure a mix of contacts and checks."""
    engagements = ground.engagements(await ground.agency())
    names = [f"e-{number}" for number in range(sizes.engagements)]
    async with ground.worker(OURS), ground.worker(BARE):
        await at_once(25, partial(open_one, engagements), names)
        bare = [await start_bare(ground.client, ground, f"rate-{name}") for name in names]
        ours = [_ours(engagements, name) for name in names]
        floor = [_bare(handle) for handle in bare]
        await _round(ours, sizes.seconds / 2)
        await _round(floor, sizes.seconds / 2)
        mine, theirs, waits = list[float](), list[float](), list[float]()
        for number in range(sizes.rounds):
            for side in (ours, floor) if number % 2 else (floor, ours):
                done, took = await _round(side, sizes.seconds)
                (mine if side is ours else theirs).append(done)
                waits += took if side is ours else []
    rounds = Rounds(mine, theirs)
    percentiles = statistics.quantiles(waits, n=100)
    return [
        Figure(
            name="commands",
            unit="acknowledged/s",
            ours=rounds.mine,
            floor=rounds.least,
            floor_is="bare updates with a no-op local activity; same codec, converter, sandbox, servers",
            ratio=rounds.ratio,
            target="ratio >= 0.6 (0.75 wanted)",
            met=rounds.ratio >= 0.6,
            note=f"{len(names)} engagements, one command each in flight; an answer takes "
            f"{percentiles[49] * 1000:.0f} ms (p50), {percentiles[98] * 1000:.0f} ms (p99)",
            rounds=rounds.pairs,
        )
    ]


Give = Callable[[int], Awaitable[Any]]


def _ours(engagements: Engagements, name: str) -> Give:
    async def give(number: int) -> None:
        command, data = nth(number)
        reply = await engagements.command(name, command, data)
        assert reply.outcome == "accepted", reply

    return give


def _bare(handle: WorkflowHandle[Any, Any]) -> Give:
    return lambda number: give_bare(handle, number)


async def _round(callers: list[Give], seconds: float) -> tuple[float, list[float]]:
    took: list[float] = []
    began = time.perf_counter()

    async def keep_on(give: Give) -> None:
        number = 0
        while (asked := time.perf_counter()) < began + seconds:
            await give(number)
            took.append(time.perf_counter() - asked)
            number += 1

    await asyncio.gather(*map(keep_on, callers))
    return len(took) / (time.perf_counter() - began), took
