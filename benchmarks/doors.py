"""The HTTP door under load: reads, commands and webhooks at once, beside a bare route that does one update.

A round runs ours and the floor's one after the other with as many callers; the long run comes last, on
engagements of its own, and what it was told "yes" about is then looked up in the log.
"""

import json
import statistics
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from benchmarks.bare_door import PREFIX
from benchmarks.doors_load import Job, Told
from benchmarks.doors_office import Office, inbox_empty, office, verify
from benchmarks.doors_processes import BARE_DOOR, GATEWAY, LOAD, PROJECTOR, Talking, spent, talking
from benchmarks.figures import Figure, Rounds
from benchmarks.giving import start_bare
from benchmarks.ground import BARE, OURS, Ground
from benchmarks.sizes import Sizes

MIX: Final = {"read": 0.6, "command": 0.3, "webhook": 0.1}
CALLERS: Final = (8, 16, 32, 64)
HOOKS: Final = 4
"""Callers who send nothing but webhooks: more of them than are applied."""
LONGEST_WAIT: Final = 1000.0
"""Milliseconds: a rate at which one in a hundred waits for longer is not held."""
RAMP_WAIT: Final = LONGEST_WAIT / 2
"""The same of the short ramp: the long run must have room."""
WORTH_IT: Final = 1.05
"""So much more must more callers get done: beyond that they only wait for each other."""
SOON: Final = 5.0
"""Seconds within which the inbox is empty, once nothing comes any more: it has kept up."""
FLOOR_IS: Final = "a bare FastAPI route that does one bare update, served alike, with as many callers"


@dataclass(frozen=True)
class Site:
    """Both doors at work, and who asks at them."""

    ground: Ground
    load: Talking
    port: int
    bare_port: int
    engagements: int

    async def round(self, name: str, place: Office, callers: int, seconds: float, **mix: float) -> Told:
        """This will load our door for some time."""
        return await self._ask(
            Job(
                name=name,
                port=self.port,
                callers=callers,
                seconds=seconds,
                mix=mix or MIX,
                engagements=place.engagements,
                tokens=place.tokens,
                connection=place.connection.id,
                secret=place.secret,
            )
        )

    async def floor(self, callers: int, seconds: float) -> Told:
        """This will load the bare door for as long."""
        names = [str(number) for number in range(self.engagements)]
        return await self._ask(Job("bare", self.bare_port, callers, seconds, {"bare": 1.0}, names))

    async def _ask(self, job: Job) -> Told:
        return Told(**await self.load.ask(vars(job)))


async def doors(ground: Ground, sizes: Sizes) -> list[Figure]:
    """This will find the rate that is held, compare it in rounds, then hold it and prove what came of it."""
    async with _site(ground, sizes.engagements) as site:
        place = await office(ground, sizes.engagements)
        callers, ramp = await _ramp(site, place, sizes.seconds / 2)
        mixed, alone, applied = list[float](), list[float](), list[float]()
        floor = list[float]()
        for number in range(sizes.rounds):
            mixed.append(_rate(await site.round(f"mixed-{number}", place, callers, sizes.seconds)))
            await inbox_empty(ground, place)
            sent = await site.round(f"hooks-{number}", place, HOOKS, sizes.seconds / 2, webhook=1.0)
            applied.append(len(sent.webhooks) / (sent.seconds + await inbox_empty(ground, place)))
            sides = [alone, floor] if number % 2 else [floor, alone]
            for side in sides:
                told = (
                    await site.floor(callers, sizes.seconds)
                    if side is floor
                    else await site.round(f"alone-{number}", place, callers, sizes.seconds, command=1.0)
                )
                side.append(_rate(told))
        return [
            *await _held(site, sizes, callers, Rounds(mixed, floor), ramp),
            _alone("doors, commands alone", "acknowledged/s", Rounds(alone, floor), callers),
            _alone("doors, webhooks alone", "applied/s", Rounds(applied, floor), HOOKS),
        ]


@asynccontextmanager
async def _site(ground: Ground, engagements: int) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        for program in (OURS, BARE):
            await stack.enter_async_context(ground.worker(program))
        projector = await stack.enter_async_context(talking(ground, PROJECTOR))
        await projector.line()
        for number in range(engagements):
            await start_bare(ground.client, ground, f"door-{number}")
        gateway = await stack.enter_async_context(talking(ground, GATEWAY))
        prefix = {PREFIX: ground.bare_id("door-")}
        bare = await stack.enter_async_context(talking(ground, BARE_DOOR, prefix))
        load = await stack.enter_async_context(talking(ground, LOAD))
        yield Site(ground, load, await _port(gateway), await _port(bare), engagements)


async def _port(door: Talking) -> int:
    return int(json.loads(await door.line())["url"].rpartition(":")[2])


async def _ramp(site: Site, place: Office, seconds: float) -> tuple[int, str]:
    """Find how many callers get the most done while nobody waits too long and nothing fails."""
    best, most, tried = CALLERS[0], 0.0, []
    for number, callers in enumerate((CALLERS[0], *CALLERS)):
        told = await site.round(f"ramp-{number}", place, callers, seconds)
        await site.floor(callers, seconds / 4)
        await inbox_empty(site.ground, place)
        if number == 0:
            # The first round only warms both sides.
            continue
        worst = _percentiles(_all(told))[2]
        tried.append(f"{callers} callers {_rate(told):.0f}/s, p99 {worst:.0f} ms")
        if _rate(told) > most * WORTH_IT and worst < RAMP_WAIT and not told.errors:
            best, most = callers, _rate(told)
    return best, "; ".join(tried)


async def _held(site: Site, sizes: Sizes, callers: int, rounds: Rounds, ramp: str) -> list[Figure]:
    place = await office(site.ground, sizes.engagements)
    before = spent()
    told = await site.round("held", place, callers, sizes.load)
    after = spent()
    late = await inbox_empty(site.ground, place)
    proved = await verify(site.ground, place, told.commands, told.webhooks)
    count, failed = len(_all(told)), sum(n for status, n in told.statuses.items() if status >= "300")
    p50, p95, p99 = _percentiles(_all(told))
    costs = ", ".join(f"{who} {1000 * (after[who] - before.get(who, 0.0)) / count:.1f}" for who in after)
    return [
        Figure(
            name="doors, mixed load",
            unit="requests/s",
            ours=_rate(told),
            floor=rounds.least,
            floor_is=FLOOR_IS,
            ratio=rounds.ratio,
            note=f"{told.seconds:.0f} s, {callers} callers, {count} requests, p50 {p50:.0f} ms, "
            f"p95 {p95:.0f} ms, p99 {p99:.0f} ms; {_by_kind(told)}; ratio of short rounds side by side; "
            f"the load took {told.cpu / told.seconds:.0%} of a core; ms of a core a request: {costs}; "
            f"ramp: {ramp}",
            rounds=rounds.pairs,
        ),
        Figure("doors, p99", "ms", p99, target=f"< {LONGEST_WAIT:.0f}", met=p99 < LONGEST_WAIT),
        Figure("doors, errors", "", failed, target="0", met=not failed, note="; ".join(told.errors)),
        Figure(
            name="doors, inbox empty after",
            unit="s",
            ours=late,
            target=f"<= {SOON:.0f}",
            met=late <= SOON,
            note=f"{len(told.webhooks) / told.seconds:.1f} webhooks/s came and "
            f"{len(told.webhooks) / (told.seconds + late):.1f}/s were applied beside the rest; "
            f"{proved} acknowledged commands and webhooks looked up in the log, each there once",
        ),
    ]


def _alone(name: str, unit: str, rounds: Rounds, callers: int) -> Figure:
    return Figure(
        name=name,
        unit=unit,
        ours=rounds.mine,
        floor=rounds.least,
        floor_is=FLOOR_IS,
        ratio=rounds.ratio,
        note=f"{callers} callers",
        rounds=rounds.pairs,
    )


def _by_kind(told: Told) -> str:
    parts = []
    for kind, took in sorted(told.took.items()):
        p50, p95, p99 = _percentiles(took)
        rate = len(took) / told.seconds
        parts.append(f"{kind}s {len(took)}, {rate:.1f}/s, {p50:.0f}/{p95:.0f}/{p99:.0f} ms")
    return "; ".join(parts)


def _all(told: Told) -> list[float]:
    return [each for took in told.took.values() for each in took]


def _rate(told: Told) -> float:
    return len(_all(told)) / told.seconds


def _percentiles(took: list[float]) -> tuple[float, float, float]:
    if len(took) < 2:
        return (0.0, 0.0, 0.0)
    cuts = statistics.quantiles(took, n=100)
    return cuts[49], cuts[94], cuts[98]
