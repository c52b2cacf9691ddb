"""Plays the shipped scenarios round after round, each round in an agency of its own.

The player is the demo's and knows nothing of the kills: only its clients come back after each.
"""

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from activities.agency_file import read_people
from activities.agency_load import load_agency
from events.clock import ClockSpec, domain_now
from events.envelope import Actor
from gateway.demo.player import StoryBroken, play
from gateway.demo.scenario import PEOPLE, Scenario
from tests.crash.soak.acknowledgements import Acknowledgements
from tests.crash.soak.clients import PatientEngagements, PatientLog, PatientService, PatientStage, through
from tests.crash.soak.ground import Ground
from workers.shipped import deploy_policy

# Engagements at work at a time, about: enough to keep everything busy, not so much that a crash drowns it.
AT_WORK: Final = 12


@dataclass
class Played:
    """One scenario of one round, and what it came to.

    *broken*: a step came out otherwise; *failed*: the client got what no client may get; *hit*: something
    was killed meanwhile.
    """

    agency: str
    scenario: Scenario
    broken: str | None = None
    failed: str | None = None
    hit: bool = False


@dataclass
class Rounds:
    """All that was played."""

    ground: Ground
    scenarios: Sequence[Scenario]
    lanes: int
    told: Acknowledgements
    played: list[Played] = field(default_factory=list)
    agencies: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def go_on_until(self, over: asyncio.Event) -> None:
        """Begin new rounds until told to stop; returns when the last of them has come to its end."""
        await asyncio.gather(*(self._one_after_another(over) for _ in range(self.lanes)))

    async def _one_after_another(self, over: asyncio.Event) -> None:
        while not over.is_set():
            await self._round(f"soak-{next(self._numbers)}")

    async def _round(self, agency: str) -> None:
        ground = self.ground
        self.agencies.append(agency)
        clock = starting_now(ground.clock)
        await through(lambda: _load(ground, agency, domain_now(clock, datetime.now(UTC))))
        await asyncio.gather(*(self._play(each, agency, clock) for each in self.scenarios))

    async def _play(self, scenario: Scenario, agency: str, clock: ClockSpec) -> None:
        ground, told = self.ground, self.told
        played = Played(agency, scenario)
        self.played.append(played)
        before = len(ground.kills)
        stage = PatientStage(
            agency,
            clock,
            PatientLog(ground.having.log),
            PatientService(ground.having.log, told),
            PatientEngagements(ground, agency, told),
        )
        try:
            await play(scenario, stage, agency, _silence)
        except StoryBroken as error:
            played.broken = str(error)
            if len(ground.kills) > before:
                await _to_the_end(scenario, stage, agency)
        except Exception as error:
            played.failed = f"{scenario.engagement}: its client failed with {type(error).__name__}: {error}"
        played.hit = len(ground.kills) > before


async def _silence(_engagement: str, _text: str) -> None:
    """Tell nobody."""


async def _to_the_end(scenario: Scenario, stage: PatientStage, agency: str) -> None:
    """Give what is left of a story that a crash has overtaken, whatever each step comes to."""
    for number in range(len(scenario.step)):
        with suppress(StoryBroken):
            await play(_only(scenario, number), stage, agency, _silence)


def _only(scenario: Scenario, number: int) -> Scenario:
    """Blank every step but one, in its place: the places make the command ids."""
    nothing = {"do": None, "until": None, "say": None, "after": None}
    steps = [
        # What is repeated counts its times from the day of the first time.
        step.model_copy(update=nothing if step.command_id else {**nothing, "day": None})
        for step in scenario.step
    ]
    steps[number] = scenario.step[number].model_copy(update={"until": None})
    return scenario.model_copy(update={"step": tuple(steps)})


def lanes(scenarios: Sequence[Scenario]) -> int:
    """Say how many rounds are played at a time."""
    return max(2, round(AT_WORK / len(scenarios)))


def shortest(scenarios: Sequence[Scenario], count: int) -> list[Scenario]:
    """Give so many of them that take the fewest days, and wait for nothing that a crash could keep away."""

    def days(scenario: Scenario) -> float:
        return max(step.day or 0.0 for step in scenario.step) + sum(step.after or 0 for step in scenario.step)

    sure = [each for each in scenarios if not any(step.until for step in each.step)]
    return sorted(sure or scenarios, key=days)[:count]


def starting_now(clock: ClockSpec) -> ClockSpec:
    """Give the same clock, told from this moment on: a story's days count from here."""
    now = datetime.now(UTC)
    return ClockSpec(origin=domain_now(clock, now), started=now, rate=clock.rate)


async def _load(ground: Ground, agency: str, moment: datetime) -> None:
    await load_agency(
        ground.having.service,
        agency,
        people=read_people(PEOPLE),
        policy=deploy_policy("starter"),
        actor=Actor(kind="operator", id="soak"),
        source="soak",
        decided_at=moment,
    )
