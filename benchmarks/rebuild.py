"""All projections rebuilt over a long log, against reading the same events without applying them.

The rebuild is the very ``rapport projections rebuild``; the old tables are asked all the while.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import psutil

from benchmarks.figures import Figure
from benchmarks.ground import ROOT, Ground
from benchmarks.sizes import Sizes
from benchmarks.stories import write_stories
from events.projections.reading import ReadModels
from events.projections.store import ProjectionStore
from workers.rebuilding import PAGE

EVERY: Final = 0.02
COMMAND: Final = ("-m", "gateway", "projections", "rebuild", "--json")


@dataclass
class Asked:
    """What became of the questions to the old tables."""

    answers: int = 0
    failures: int = 0
    worst: float = 0.0
    largest: int = 0
    errors: set[str] = field(default_factory=set)


async def rebuild(ground: Ground, sizes: Sizes) -> list[Figure]:
    """This will write a log, build all projections, and rebuild them while they are asked."""
    agency = f"bench-{uuid4().hex[:8]}"
    events = await write_stories(ground.database_url, agency, sizes.rebuilt)
    await _rebuilt(ground, Asked())
    asked = Asked()
    models = ReadModels(ground.database_url)
    asking = asyncio.create_task(_ask(models, agency, asked))
    try:
        ours = await _rebuilt(ground, asked)
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await models.close()
    floor = await _read(ground, agency)
    return [
        Figure(
            name="rebuild",
            unit="events/s",
            ours=ours["events"] / ours["seconds"],
            floor=events / floor,
            floor_is="reading the same events in the same order",
            ratio=(ours["events"] / ours["seconds"]) / (events / floor),
            target="no question to the old tables fails",
            met=asked.failures == 0 and asked.answers > 0,
            note=f"{ours['events']} events, {ours['rows']} rows of {len(ours['projections'])} projections in "
            f"{ours['seconds']:.0f} s, {asked.largest / 2**20:.0f} MiB at most; {asked.answers} questions, "
            f"{asked.failures} failed, the slowest took {asked.worst * 1000:.0f} ms",
        )
    ]


async def _rebuilt(ground: Ground, asked: Asked) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *COMMAND, stdout=asyncio.subprocess.PIPE, env=ground.environment, cwd=ROOT
    )
    watching = asyncio.create_task(_watch(process.pid, asked))
    out, _ = await process.communicate()
    watching.cancel()
    if process.returncode != 0:
        raise RuntimeError("the rebuild did not end well")
    told: dict[str, Any] = json.loads(out)
    return told


async def _watch(pid: int, asked: Asked) -> None:
    while True:
        try:
            asked.largest = max(asked.largest, psutil.Process(pid).memory_info().rss)
        except psutil.NoSuchProcess:
            return
        await asyncio.sleep(0.1)


async def _ask(models: ReadModels, agency: str, asked: Asked) -> None:
    """Ask what an operator asks, over and over: a page of the board and what is overdue."""
    board = "SELECT * FROM rapport_read.board WHERE agency = $1 ORDER BY stream LIMIT 50"
    overdue = """
        SELECT * FROM rapport_read.obligations WHERE agency = $1 AND outcome IN ('open', 'overdue')
        ORDER BY due_at LIMIT 50
    """
    while True:
        for query in (board, overdue):
            began = time.perf_counter()
            try:
                rows = await models.fetch(agency, query, agency)
                asked.answers += 1
                if not rows:
                    asked.failures += 1
            except Exception as error:
                asked.failures += 1
                asked.errors.add(type(error).__name__)
            asked.worst = max(asked.worst, time.perf_counter() - began)
        await asyncio.sleep(EVERY)


async def _read(ground: Ground, agency: str) -> float:
    store = ProjectionStore(ground.database_url)
    head = (await store.source.heads())[agency]
    began, read = time.perf_counter(), 0
    async for stream in store.source.streams(agency, "engagement", head, PAGE):
        read += len(stream)
    seconds = time.perf_counter() - began
    await store.close()
    assert read == head
    return seconds
