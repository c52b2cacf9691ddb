"""Law 10 over every scenario: what was recorded is what the world's own events and the policy foretell.

Each is played on the core alone, as it goes and with nobody at work for a day in its middle.
"""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from activities.agency_file import read_people
from events.codec import decode
from events.commands import Order
from events.counting import CountedPrediction
from events.decider import tick
from events.envelope import Claim, Stored
from events.fold import fold
from events.prediction import LOOKS_BACK, Prediction, commands_of
from events.state import Engagement
from gateway.demo.dry import BEGINNING, DryStage
from gateway.demo.player import StoryBroken, play, silent
from gateway.demo.scenario import PEOPLE, SCENARIOS, read_scenario
from workers.shipped import deploy_policy

FILES = sorted(path.stem for path in SCENARIOS.glob("*.toml"))
STARTER = deploy_policy("starter")
MOMENT = timedelta(microseconds=1)
DAY = timedelta(days=1)

pytestmark = pytest.mark.parametrize("name", FILES)


class Timed(DryStage):
    """A stage on which taking a step takes a moment: at the very due time an act would win."""

    async def _step(self, due: datetime, engagement: str) -> None:
        await super()._step(due, engagement)
        self._now += MOMENT


class Deserted(Timed):
    """A stage on which no timer fires for a day; a command meanwhile brings about what was due before it."""

    begins = BEGINNING

    def _next(self) -> tuple[datetime, str] | None:
        due = super()._next()
        if due is None or not self.begins <= due[0] < self.begins + DAY:
            return due
        return self.begins + DAY, due[1]

    async def _decide(self, engagement: str, order: Order, taken: Claim | None = None) -> str:
        state = self._states.get(engagement)
        if state is not None:
            steps = tick(state, self._now, agency=self.agency, inclusive=False)
            await self._append(engagement, state.version, [each.group for each in steps])
        return await super()._decide(engagement, order, taken)


async def played(name: str, stage: DryStage) -> dict[str, list[Stored]]:
    scenario = read_scenario(SCENARIOS / f"{name}.toml")
    await stage.open(read_people(PEOPLE))
    try:
        await play(scenario, stage, stage.agency, silent)
    except StoryBroken:
        assert isinstance(stage, Deserted), "only where nobody was at work may a story end otherwise"
    return {each: await stage.events(each) for each in scenario.engagements}


def predicted(events: list[Stored], until: datetime) -> tuple[Engagement, list[str]]:
    """Give the state, and every event of the engine, that the others foretell."""
    told: list[str] = []
    remembers = any(each.type in LOOKS_BACK for each in events)
    prediction = Prediction(
        events[0].agency,
        events[0].stream,
        STARTER,
        lambda event: told.append(event.model_dump_json()),
        remembers=remembers,
    )
    for group in commands_of(events):
        prediction.follow(group)
    prediction.wait(until, inclusive=True)
    return prediction.state, told


class Counted:
    """Counts what is concluded, by what a report tells apart; from events as from steps."""

    def __init__(self) -> None:
        self.found = Counter[tuple[Any, ...]]()

    def hear(self, event: Any) -> None:
        match event.type:
            case "obligation-breached":
                self.breach(event.rule, event.at)
            case "escalation-raised":
                self.escalate(event.rule, event.to, event.owner, event.at)
            case "outreach-requested":
                self.write(event.to, event.owner, event.at)
            case "rung-reached" | "escalation-settled":
                pass
            case _:
                self.found[event.model_dump_json(),] += 1

    def breach(self, rule: str, at: datetime) -> None:
        self.found["breach", rule, at] += 1

    def escalate(self, rule: str, to: str, owner: str | None, at: datetime) -> None:
        self.found["escalation", rule, to, owner, at] += 1

    def write(self, to: str, owner: str | None, at: datetime) -> None:
        self.found["message", to, owner, at] += 1


def recorded(events: list[Stored], *but: str) -> list[str]:
    """Give every event of the engine that the log holds."""
    engine = [each for each in events if each.origin == "engine" and each.type not in but]
    return [decode(each).model_dump_json() for each in engine]


def promises(state: Engagement) -> Engagement:
    """Leave of a state what only promises change, and nothing about messages."""
    kept = (state.obligations, state.breaches, state.escalations)
    return replace(Engagement(), obligations=kept[0], breaches=kept[1], escalations=kept[2])


class TestPrediction:
    async def test_is_what_was_recorded(self, name: str) -> None:
        """To the byte: obligations, due times, breaches, rungs, escalations, messages."""
        stage = Timed(STARTER)
        for events in (await played(name, stage)).values():
            state, told = predicted(events, stage.now())
            assert told == recorded(events)
            assert promises(state) == promises(fold(events))

    async def test_counts_what_it_tells(self, name: str) -> None:
        """Without an event for each step it comes to the same promises, escalations and messages."""
        stage = Timed(STARTER)
        for events in (await played(name, stage)).values():
            if any(each.type in LOOKS_BACK for each in events):
                continue
            told, counted = Counted(), Counted()
            predictions = (
                Prediction(events[0].agency, events[0].stream, STARTER, told.hear),
                CountedPrediction(events[0].agency, events[0].stream, STARTER, counted),
            )
            for prediction in predictions:
                for group in commands_of(events):
                    prediction.follow(group)
                prediction.wait(stage.now(), inclusive=True)
            whole, brief = predictions
            assert counted.found == told.found
            assert brief.state.obligations == whole.state.obligations
            assert brief.state.breaches == whole.state.breaches
            assert brief.decided_at == whole.decided_at

    async def test_is_what_was_recorded_when_nobody_was_at_work_for_a_day(self, name: str) -> None:
        """An outage changes only which messages go out: of the steps passed only the highest is delivered."""
        usual = Timed(STARTER)
        await played(name, usual)
        stage = Deserted(STARTER)
        stage.begins = BEGINNING + (usual.now() - BEGINNING) / 2
        for events in (await played(name, stage)).values():
            state, told = predicted(events, stage.now())
            heard = [each for each in told if '"type":"outreach-requested"' not in each]
            assert heard == recorded(events, "outreach-requested")
            assert promises(state) == promises(fold(events))
            # What goes out after an outage is among what would have gone out without it.
            assert set(recorded(events)) <= set(told)
