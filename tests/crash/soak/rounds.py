"""Plays the shipped scenarios round after round, each round in an agency of its own.

The player is the demo's and knows nothing of the kills: only its clients come back after each.
"""

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from activities.agency_file import read_people
from activities.agency_load import load_agency
from events.clock import ClockSpec, domain_now
from events.envelope import Actor
from gateway.demo.player import Stage, StoryBroken, play
from gateway.demo.scenario import SCENARIOS, Scenario
from tests.crash.soak.acknowledgements import Acknowledgements
from tests.crash.soak.clients import PatientEngagements, PatientLog, PatientService, through
from tests.crash.soak.ground import Ground
from workers.shipped import deploy_policy

PEOPLE: Final = SCENARIOS.parent / "agencies" / "example.toml"
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
        stage = Stage(
            agency,
            starting_now(ground.clock),
            PatientLog(ground.having.log),
            PatientService(ground.having.log, self.told),
            PatientEngagements(ground, agency, self.told),
        )
        await through(lambda: _load(ground, agency, stage.now()))
        await asyncio.gather(*(self._play(each, stage) for each in self.scenarios))

    async def _play(self, scenario: Scenario, stage: Stage) -> None:
        played = Played(stage.agency, scenario)
        self.played.append(played)
        before = len(self.ground.kills)
        try:
            await play(scenario, stage, lambda _engagement, _text: None)
        except StoryBroken as error:
            played.broken = str(error)
        except Exception as error:
            played.failed = f"{scenario.engagement}: its client failed with {type(error).__name__}: {error}"
        played.hit = len(self.ground.kills) > before


def lanes(scenarios: Sequence[Scenario]) -> int:
    """Say how many rounds are played at a time."""
    return max(2, round(AT_WORK / len(scenarios)))


def shortest(scenarios: Sequence[Scenario], count: int) -> list[Scenario]:
    """Give so many of them that take the fewest days."""

    def days(scenario: Scenario) -> float:
        return max(step.day or 0.0 for step in scenario.step) + sum(step.after or 0 for step in scenario.step)

    return sorted(scenarios, key=days)[:count]


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
