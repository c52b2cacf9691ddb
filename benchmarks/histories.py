"""Temporal's history events a command costs, alone and in bursts.

Counted from the history's length, after it has come to rest.
"""

import asyncio
import statistics
from collections.abc import Awaitable, Callable
from typing import Any

from temporalio.client import WorkflowHandle

from benchmarks.figures import Figure
from benchmarks.giving import ACTOR, check, contact, give_bare, nth, open_one, start_bare
from benchmarks.ground import BARE, OURS, Ground
from benchmarks.sizes import Sizes
from workflows.types import workflow_id

BURST = 10


async def history(ground: Ground, sizes: Sizes) -> list[Figure]:
    """This will measure lone commands, those that change more than the record, and bursts of ten."""
    agency = await ground.agency()
    engagements = ground.engagements(agency)
    handle = ground.client.get_workflow_handle(workflow_id(agency, "e-1"))
    async with ground.worker(OURS), ground.worker(BARE):
        bare = await start_bare(ground.client, ground, "history")
        lone_floor = [await _cost(bare, lambda: give_bare(bare, 1)) for _ in range(sizes.lone)]
        burst_floor = [await _cost(bare, lambda: _together(lambda n: give_bare(bare, n))) for _ in range(3)]

        async def give(command: str, data: dict[str, Any]) -> None:
            await engagements.command("e-1", command, data)

        await open_one(engagements, "e-1")
        checks = [await _cost(handle, lambda: give(*check())) for _ in range(sizes.lone)]
        contacts = [await _cost(handle, lambda: give(*contact())) for _ in range(sizes.lone)]
        owner = {"owner": "r-2", "actor": ACTOR, "source": "bench"}
        attribute = await _cost(handle, lambda: give("reassign", owner))
        message = {"channel": "email", "actor": ACTOR, "source": "bench"}
        earlier = await _cost(handle, lambda: give("record-message", message))
        bursts = [
            await _cost(handle, lambda: _together(lambda n: give(*nth(n)))) / BURST
            for _ in range(sizes.bursts)
        ]
    bare_lone, bare_burst = statistics.median(lone_floor), statistics.median(burst_floor) / BURST
    is_bare = "the same of bare updates"
    return [
        _figure("history, lone check", checks, bare_lone, 6, is_bare),
        _figure("history, lone contact", contacts, bare_lone, 6, is_bare),
        _figure("history, changed attribute", [attribute], bare_lone, 7, "a bare update"),
        _figure("history, due time earlier", [earlier], bare_lone, 8, "a bare update"),
        _figure("history, burst of ten", bursts, bare_burst, 4, is_bare),
    ]


def _figure(name: str, costs: list[float], floor: float, most: float, floor_is: str) -> Figure:
    middle = statistics.median(costs)
    return Figure(
        name=name,
        unit="events/command",
        ours=middle,
        floor=floor,
        floor_is=floor_is,
        ratio=middle / floor,
        target=f"<= {most}",
        met=max(costs) <= most,
        note=f"at most {max(costs):g}",
        rounds=[round(cost, 2) for cost in costs],
    )


async def _together(give: Callable[[int], Awaitable[None]]) -> None:
    await asyncio.gather(*(give(number) for number in range(BURST)))


async def _cost(handle: WorkflowHandle[Any, Any], work: Callable[[], Awaitable[None]]) -> float:
    before = await _at_rest(handle)
    await work()
    return float(await _at_rest(handle) - before)


async def _at_rest(handle: WorkflowHandle[Any, Any]) -> int:
    last, seen = -1, 0
    while seen < 3:
        length = (await handle.describe()).history_length
        seen = seen + 1 if length == last else 0
        last = length
        await asyncio.sleep(0.05)
    return last
