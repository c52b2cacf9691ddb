"""A new policy over very many engagements that run: how long it takes, and whether each has it exactly once.

Twice: once undisturbed, for the time, and once with the worker and the adoption itself killed on the way.
"""

import asyncio
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from uuid import UUID

from activities.agency_load import load_agency
from benchmarks.figures import Figure
from benchmarks.giving import ACTOR, open_one
from benchmarks.ground import OURS, Ground, WorkerProcess, at_once
from benchmarks.sizes import Sizes
from events.envelope import Actor, Stored
from events.fold import fold
from events.policy import Policy
from events.state import OpenObligation
from workers.adopting import Account, Adoption, adoption_of
from workers.shipped import deploy_policy

OPENING_AT_ONCE = 50
READING_AT_ONCE = 8
RETIRED = "introduce-recruiter"
Promises = dict[str, dict[UUID, OpenObligation]]


class NotAsPromised(Exception):
    """An engagement does not have the policy by exactly one event, or a promise was lost or doubled."""


async def adopting(ground: Ground, sizes: Sizes) -> list[Figure]:
    """This will open engagements with three promises each, and adopt two policies over all of them."""
    agency = await ground.agency()
    names = [f"e-{number}" for number in range(sizes.adopting)]
    worker = await ground.start(OURS)
    try:
        await at_once(OPENING_AT_ONCE, partial(_open, ground, agency), names)
        _, before = await _streams(ground, agency, names)
        observed = deploy_policy("observed")
        began = time.perf_counter()
        event = await _adopt(ground, agency, observed)
        account = await _adoption(ground, agency, observed, event).run()
        seconds = time.perf_counter() - began
        streams, after = await _streams(ground, agency, names)
        _judge(names, account, streams, event, before, after, observed)
        starter = _without(deploy_policy("starter"), RETIRED)
        event = await _adopt(ground, agency, starter)
        worker, account = await _with_kills(ground, agency, starter, event, worker, sizes)
        streams, last = await _streams(ground, agency, names)
        _judge(names, account, streams, event, after, last, starter)
    finally:
        await worker.kill()
    promises = sum(len(each) for each in after.values())
    return [
        Figure(
            name="adopting, all under the new policy",
            unit="s",
            ours=seconds,
            target="each by one event, no promise lost or doubled",
            met=True,
            note=f"{len(names)} engagements with {promises} open promises; then once more with worker and "
            "adoption killed on the way",
        ),
        Figure(
            name="adopting, a second",
            unit="engagements/s",
            ours=len(names) / seconds,
            note="each also notes a new mode for every promise that is open",
        ),
    ]


async def _open(ground: Ground, agency: str, name: str) -> None:
    engagements = ground.engagements(agency)
    await open_one(engagements, name)
    applied = {"application_id": f"a-{name}", "actor": ACTOR, "source": "bench"}
    await engagements.command(name, "record-application", applied)


async def _adopt(ground: Ground, agency: str, policy: Policy) -> UUID:
    actor = Actor(kind="operator", id="bench")
    await load_agency(ground.having.service, agency, policy=policy, actor=actor, source="bench")
    found = await adoption_of(ground.having.log, agency, policy.digest())
    assert found is not None
    return found.event_id


def _adoption(ground: Ground, agency: str, policy: Policy, event: UUID, told: object = None) -> Adoption:
    return Adoption(
        ground.having.log,
        ground.engagements(agency),
        agency,
        policy,
        event,
        actor=Actor(kind="operator", id="bench"),
        told=told if callable(told) else lambda _: None,
    )


async def _with_kills(
    ground: Ground, agency: str, policy: Policy, event: UUID, worker: WorkerProcess, sizes: Sizes
) -> tuple[WorkerProcess, Account]:
    third, two_thirds = asyncio.Event(), asyncio.Event()

    def told(account: Account) -> None:
        if account.seen >= sizes.adopting // 3:
            third.set()
        if account.seen >= sizes.adopting * 2 // 3:
            two_thirds.set()

    running = asyncio.create_task(_adoption(ground, agency, policy, event, told).run())
    await _reached(third, running)
    await worker.kill()
    worker = await ground.start(OURS)
    await _reached(two_thirds, running)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    return worker, await _adoption(ground, agency, policy, event).run()


async def _reached(event: asyncio.Event, running: asyncio.Task[Account]) -> None:
    """Wait for a place on the way; an adoption that fails before it says so at once."""
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait({waiting, running}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if running.done():
        running.result()


async def _streams(ground: Ground, agency: str, names: list[str]) -> tuple[dict[str, list[Stored]], Promises]:
    async def read(name: str) -> list[Stored]:
        return await ground.having.log.read_stream(agency, f"engagement:{name}")

    streams = dict(zip(names, await at_once(READING_AT_ONCE, read, names), strict=True))
    return streams, {name: fold(events).obligations for name, events in streams.items()}


def _judge(
    names: list[str],
    account: Account,
    streams: dict[str, list[Stored]],
    event: UUID,
    before: Promises,
    after: Promises,
    policy: Policy,
) -> None:
    """Compare every promise before and after, by its id."""
    if account.adopted + account.had_it != len(names) or not account.whole:
        raise NotAsPromised(f"{account.adopted + account.had_it} of {len(names)} are accounted for")
    for name in names:
        given = [
            each for each in streams[name] if each.type == "policy-adopted" and each.causation_id == event
        ]
        if len(given) != 1:
            raise NotAsPromised(f"{name} has the policy by {len(given)} events")
        kept = {key: each for key, each in before[name].items() if policy.obligation(each.rule) is not None}
        if kept.keys() != after[name].keys():
            raise NotAsPromised(f"{name} owes other promises than before")
        for key, promise in after[name].items():
            rule = policy.obligation(promise.rule)
            if promise.due_at != kept[key].due_at or rule is None or promise.mode != rule.mode:
                raise NotAsPromised(f"{name} owes '{promise.rule}' at another time, or in another mode")
        opened = Counter((each.rule, each.subject) for each in after[name].values())
        if opened and max(opened.values()) > 1:
            raise NotAsPromised(f"{name} owes a promise twice")


def _without(policy: Policy, rule: str) -> Policy:
    rules = tuple(each for each in policy.obligations if each.id != rule)
    return policy.model_copy(update={"name": "shorter", "obligations": rules})
