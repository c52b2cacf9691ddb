"""The scenarios that ship with Rapport, each played on the core alone: the demo live is only slower."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from activities.agency_file import read_people
from events.envelope import Stored
from events.fold import fold
from events.state import STATE, Engagement
from gateway.cli.telling import tell_stream
from gateway.demo.conditions import unfulfilled
from gateway.demo.curtain import look_after
from gateway.demo.dry import DryStage
from gateway.demo.player import play, silent
from gateway.demo.rehearsal import unannounced
from gateway.demo.scenario import OWN_AGENCY, PEOPLE, SCENARIOS, Scenario, read_scenario
from workers.shipped import deploy_policy

FILES = sorted(path.stem for path in SCENARIOS.glob("*.toml"))
_PLAYED: dict[str, tuple[Scenario, DryStage]] = {}

pytestmark = pytest.mark.parametrize("name", FILES)


async def played(name: str) -> tuple[Scenario, DryStage]:
    """Play a scenario, once for all the tests of a process."""
    if name not in _PLAYED:
        scenario = read_scenario(SCENARIOS / f"{name}.toml")
        stage = DryStage(deploy_policy("starter"))
        await stage.open(read_people(PEOPLE))
        await play(scenario, stage, stage.agency, silent)
        _PLAYED[name] = scenario, stage
    return _PLAYED[name]


async def streams(name: str) -> dict[str, list[Stored]]:
    """Play a scenario and read what its engagements' streams hold then."""
    scenario, stage = await played(name)
    return {each: await stage.events(each) for each in scenario.engagements}


class Killed(Exception):
    """The player's process is gone."""


class CutOff(DryStage):
    """A stage on which the player is killed after so many commands to engagements."""

    left = 0

    async def give(self, engagement: str, name: str, data: dict[str, Any], command_id: str) -> str:
        """Give a command, as long as the player lives."""
        if self.left == 0:
            raise Killed
        self.left -= 1
        return await super().give(engagement, name, data, command_id)


class Kept:
    """A log that reads one stream once: opening its personal words takes most of the time."""

    def __init__(self, events: list[Stored]) -> None:
        self._events = events

    async def read_stream(self, *_: Any, **__: Any) -> list[Stored]:
        """Give all that was read."""
        return self._events


def differing(old: Any, new: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Find by another way than the command's where two states differ: where both differ, or one lacks it."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return set() if old == new else {path}
    found = {(*path, name) for name in old.keys() ^ new.keys()}
    for name in old.keys() & new.keys():
        found |= differing(old[name], new[name], (*path, name))
    return found


class TestScenario:
    async def test_comes_out_as_announced(self, name: str) -> None:
        scenario, _ = await played(name)
        assert unfulfilled(scenario, await streams(name)) == []

    async def test_breaks_no_promise_but_those_it_is_about(self, name: str) -> None:
        """A good story shows no accidental neglect."""
        scenario, _ = await played(name)
        assert unannounced(scenario, await streams(name)) == []

    async def test_leaves_nobody_waiting_when_it_ends(self, name: str) -> None:
        """Days after its last step nothing is broken yet: a slow machine does not spoil the ending."""
        scenario = read_scenario(SCENARIOS / f"{name}.toml")
        stage = DryStage(deploy_policy("starter"))
        await stage.open(read_people(PEOPLE))
        await play(scenario, stage, stage.agency, silent)
        end = stage.now() + timedelta(days=3)
        await look_after(scenario, stage, lambda: stage.now() < end)
        after = {each: await stage.events(each) for each in scenario.engagements}
        assert unannounced(scenario, after) == []
        assert unfulfilled(scenario, after) == []

    @pytest.mark.parametrize("part", [0.2, 0.5, 0.8])
    async def test_goes_on_to_its_ending_when_it_was_cut_off(self, name: str, part: float) -> None:
        """The demo's clock runs on while nobody plays: promises break meanwhile, and the story still ends."""
        scenario = read_scenario(SCENARIOS / f"{name}.toml")
        stage = CutOff(deploy_policy("starter"))
        given = sum(step.do is not None and step.stream is None for step in scenario.step)
        stage.left = int(given * part)
        await stage.open(read_people(PEOPLE))
        with pytest.raises(Killed):
            await play(scenario, stage, stage.agency, silent)
        stage.left = given
        await stage.wait_for(stage.now() + timedelta(days=20))
        await play(scenario, stage, stage.agency, silent)
        assert unfulfilled(scenario, {each: await stage.events(each) for each in scenario.engagements}) == []

    async def test_lets_no_job_order_and_no_person_appear_in_another_story(self, name: str) -> None:
        """All are played in one agency at once; a shared name would let one story touch another."""
        mine, others = _names(read_scenario(SCENARIOS / f"{name}.toml")), Counter[str]()
        for each in FILES:
            if each != name:
                others.update(_names(read_scenario(SCENARIOS / f"{each}.toml")))
        assert mine & set(others) == set()

    async def test_is_named_like_its_file_or_begins_with_its_name(self, name: str) -> None:
        scenario = read_scenario(SCENARIOS / f"{name}.toml")
        assert name == scenario.engagement or len(scenario.engagements) > 1


class TestShow:
    async def test_is_the_fold_of_the_first_n_events_and_names_exactly_what_the_nth_changed(
        self, name: str
    ) -> None:
        """What ``show --at N --diff N-1`` tells, for every N of every engagement."""
        _, stage = await played(name)
        for engagement in await streams(name):
            events = await stage.events(engagement, told=True)
            log: Any = Kept(events)
            before: dict[str, Any] = {}
            for number in range(1, len(events) + 1):
                since = max(number - 1, 1)
                told = await tell_stream(log, "dry", "engagement", engagement, number, since=since)
                now = as_shown(fold(events[:number]))
                assert told["state"] == now
                if number > 1:
                    diff = told["diff"]["changes"]
                    assert {tuple(each["path"]) for each in diff} == differing(before, now)
                    assert len({each["field"] for each in diff}) == len(diff)
                before = now


def as_shown(state: Engagement) -> dict[str, Any]:
    """Write a state as it is shown: the fold, and what is derived from it."""
    assert state.decided_at is not None
    plain: dict[str, Any] = STATE.dump_python(state, mode="json")
    del plain["recent_commands"]
    return {**plain, "stage": state.stage, "level": state.level, "posture": state.posture(state.decided_at)}


def _names(scenario: Scenario) -> set[str]:
    given = (step.given for step in scenario.step)
    named = {str(each[key]) for each in given for key in ("candidate_id", "job_order_id") if key in each}
    streams = {step.stream for step in scenario.step if step.stream not in (None, OWN_AGENCY)}
    return {*scenario.engagements, *named, *streams}
