"""One run: each message three times, shuffled, while the gateway is killed and Temporal away; then judged.

It goes by conditions: only how long Temporal is away, and when the gateway is struck, go by the clock.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from activities.agency_load import load_agency
from events.agency import Entry
from events.clock import ClockSpec
from events.envelope import Actor
from gateway.webhooks.standard_webhooks import StandardWebhooks
from tests.crash.deliveries.door import Door, opened
from tests.crash.deliveries.judging import Sent, Verdict, judge
from tests.crash.deliveries.lives import KNOWN_BEFORE, RECRUITER, Told, held_back, lives
from tests.crash.deliveries.report import Figures
from tests.crash.deliveries.sender import Sender
from tests.crash.soak.ground import Ground, ground
from workers.inbox.connections import Connection, Secret
from workers.inbox.store import State
from workers.shipped import deploy_policy

AGENCY: Final = "acme"
TIMES: Final = 3
_PATIENCE: Final = 300.0
_LOOK_AGAIN: Final = 0.25
_LONG_AGO: Final = timedelta(days=2)
_OPEN: Final[tuple[State, ...]] = ("received", "waiting", "unmatched")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    seed: int
    messages: int
    engagements: int
    temporal_stopped: float
    while_stopped: bool = False
    """Whether Temporal is stopped before the first delivery and comes back after the last."""


@dataclass(frozen=True)
class Run:
    """The deliveries of a run."""

    at: Ground
    sender: Sender
    told: Sequence[Told]
    chance: random.Random
    say: Say

    async def throughout(self, stopped: float) -> None:
        """Deliver before, while and after Temporal is away; some come when all others are long applied."""
        late = held_back(self.told)
        deliveries = self._shuffled([each for each in self.told if each not in late])
        third = len(deliveries) // 3
        await self.sender.send(deliveries[:third])
        await self._until(self._some_applied)
        await self._without_temporal(stopped, deliveries[third : 2 * third])
        await self.sender.send(deliveries[2 * third :])
        await self._until(self._settled)
        self.say(f"now {len(late)} more, each older than what was applied about the same")
        await self.sender.send(self._shuffled(late))
        await self._until(self._settled)

    async def while_stopped(self, stopped: float) -> None:
        """Deliver all while Temporal is away."""
        await self._without_temporal(stopped, self._shuffled(self.told))
        await self._until(self._settled)

    def _shuffled(self, told: Sequence[Told]) -> list[Told]:
        deliveries = [each for each in told for _ in range(TIMES)]
        self.chance.shuffle(deliveries)
        return deliveries

    async def _without_temporal(self, seconds: float, deliveries: Sequence[Told]) -> None:
        self.say(f"Temporal is stopped, and {len(deliveries)} deliveries come")
        gone = time.monotonic()
        await self.at.stack.kill("temporal")
        await self.sender.send(deliveries)
        await asyncio.sleep(max(0.0, gone + seconds - time.monotonic()))
        await self.at.stack.restart("temporal")
        self.say(f"Temporal is back after {time.monotonic() - gone:.0f} s")

    async def _some_applied(self) -> bool:
        return bool(await self.at.having.inbox.list(AGENCY, states=["applied"], limit=1))

    async def _settled(self) -> bool:
        """Tell whether nothing is left to do, and nothing waits any more for what was still to come."""
        return not await self.at.having.inbox.list(AGENCY, states=_OPEN, limit=1)

    @staticmethod
    async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait; what does not come is judged, and told with its reason."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while not await condition():  # noqa: ASYNC110 (what other processes do)
                    await asyncio.sleep(_LOOK_AGAIN)


async def deliver(options: Options, place: Path, say: Say) -> Figures:
    """Send, kill, wait until all has come to rest, and judge."""
    began = time.monotonic()
    begin = datetime.now(UTC).replace(microsecond=0) - _LONG_AGO
    told = lives(options.seed, options.messages, options.engagements, begin)
    chance = random.Random(f"deliveries {options.seed}")
    async with ground(options.seed, ClockSpec(), place) as at:
        connection, setup = await _made_ready(at, told)
        say(f"{options.engagements} engagements are open; {len(told)} messages, each {TIMES} times")
        async with opened(at, place, told, len(told) * TIMES, chance) as door:
            sender = Sender(
                f"{door.url}/hooks/{connection.id}", connection.valid("signing")[0], door.acknowledged
            )
            run = Run(at, sender, told, chance, say)
            send = run.while_stopped if options.while_stopped else run.throughout
            await send(options.temporal_stopped)
        say("verifying")
        sent = Sent(connection, told, sender.acknowledged, door.died(), setup, options.while_stopped)
        verdict = await judge(at, sent)
    return _figures(options, sender, door, verdict, time.monotonic() - began)


async def _made_ready(at: Ground, told: Sequence[Told]) -> tuple[Connection, frozenset[str]]:
    """Load an agency, open the engagements with one submission each, and let a sender be known."""
    people = (Entry(person_id=RECRUITER, role="recruiter", name="Recruiter One", email="r-1@example.test"),)
    actor = Actor(kind="operator", id="deliveries")
    await load_agency(at.having.service, AGENCY, people=people, policy=deploy_policy("starter"), actor=actor)
    secret = StandardWebhooks().new_secret()
    assert secret is not None
    connection = await at.having.connections.add(
        AGENCY, provider="standard-webhooks", name="Theirs", secrets_=(Secret("signing", secret),)
    )
    names = sorted({each.engagement for each in told})
    gate = asyncio.Semaphore(8)

    async def make(name: str) -> None:
        engagements = at.engagements(AGENCY)
        async with gate:
            data = {"candidate_id": f"c-{name}", "owner": RECRUITER, "actor": actor.model_dump()}
            await engagements.command(name, "open-engagement", data, command_id=f"open-{name}")
            data = {"job_order_id": "j-1", "submission_id": KNOWN_BEFORE, "by": RECRUITER}
            await engagements.command(name, "record-submission", data, command_id=f"submit-{name}")

    await asyncio.gather(*(make(name) for name in names))
    setup = frozenset(f"{what}-{name}" for what in ("open", "submit") for name in names)
    return connection, setup


def _figures(options: Options, sender: Sender, door: Door, verdict: Verdict, seconds: float) -> Figures:
    states = verdict.states
    return Figures(
        seed=options.seed,
        while_stopped=options.while_stopped,
        messages=options.messages,
        deliveries=sender.deliveries,
        acknowledged=sender.acknowledged.total(),
        repeats=sender.repeats,
        kills={"before-acknowledging": len(door.died()), "at-random": door.struck, "temporal": 1},
        applied=states["applied"],
        superseded=states["superseded"],
        ignored=states["ignored"],
        lost=verdict.lost,
        twice=verdict.twice,
        wrong_state=verdict.wrong_state,
        verified=verdict.verified,
        mismatches=verdict.mismatches,
        seconds=round(seconds, 1),
        wrong=verdict.wrong,
    )
