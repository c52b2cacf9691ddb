"""A policy tried on an agency's own log: its own policy foretells what happened, another what would have."""

import io
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from activities.agency_file import read_people
from activities.directory import Directory
from events.codec import decode
from events.envelope import Stored
from events.fold import fold
from events.policy import Policy
from events.state import Engagement
from gateway.demo.dry import DryStage
from gateway.demo.player import play, silent
from gateway.demo.scenario import PEOPLE, SCENARIOS, read_scenario
from workers.backtest.judging import Judged, Trial
from workers.backtest.own import Share, Sight, judge
from workers.backtest.reach import nameless
from workers.backtest.report import BacktestReport
from workers.backtest.run import _verdict
from workers.backtest.tally import Window
from workers.shipped import deploy_policy
from workers.simulation_report import not_kept

STARTER = deploy_policy("starter")
NAMES = ("neglected", "no-show", "fall-off")
DROPPED = STARTER.model_copy(
    update={"name": "less", "obligations": tuple(r for r in STARTER.obligations if r.id != "keep-in-touch")}
)
_STAGE: list[DryStage] = []


@pytest.fixture
async def stage() -> DryStage:
    """This will be a stage on which some stories were played, one after the other in one agency."""
    if not _STAGE:
        made = DryStage(STARTER)
        await made.open(read_people(PEOPLE))
        for name in NAMES:
            await play(read_scenario(SCENARIOS / f"{name}.toml"), made, made.agency, silent)
        _STAGE.append(made)
    return _STAGE[0]


async def streams(stage: DryStage) -> dict[str, list[Stored]]:
    names = [each for name in NAMES for each in read_scenario(SCENARIOS / f"{name}.toml").engagements]
    return {each: await stage.events(each) for each in names}


async def judged(
    stage: DryStage, place: Path, *policies: Policy, window: Window | None = None, limit: int | None = None
) -> Judged:
    agency = nameless(await Directory(stage.log).agency(stage.agency))
    trial = Trial(policies, window or Window(), stage.now(), place, agency)
    return await judge(stage.log, Share(trial, stage.agency, "", limit=limit))


def told(found: Judged, *policies: Policy, until: datetime) -> dict[str, Any]:
    verdicts = tuple(
        _verdict([found], number, policy, policy, found.shown[number])
        for number, policy in enumerate(policies)
    )
    out = io.StringIO()
    BacktestReport("dry", None, until, found.read, found.applied, 0, 0, 0, (), verdicts, 0.0).write_json(out)
    read: dict[str, Any] = json.loads(out.getvalue())
    return read


class TestJudge:
    async def test_foretells_what_was_recorded_under_the_same_policy(
        self, stage: DryStage, tmp_path: Path
    ) -> None:
        """Live equals predicted: the same breaches, and as many promises of each kind as the log holds."""
        recorded = await streams(stage)
        report = told(await judged(stage, tmp_path, STARTER), STARTER, until=stage.now())
        states: dict[str, Engagement] = {key: fold(events) for key, events in recorded.items()}
        breaches = not_kept(states, STARTER, stage.now())
        assert [(b["engagement"], b["rule"], b["subject"], b["level"]) for b in report["breaches"]] == [
            (each.engagement, each.rule, each.subject, each.level) for each in breaches
        ]
        assert breaches
        engine = [each for events in recorded.values() for each in events if each.origin == "engine"]
        opened = Counter(decode(each).rule for each in engine if each.type == "obligation-opened")
        assert {rule: row["opened"] for rule, row in report["by_rule"].items() if row["opened"]} == opened
        raised = [decode(each) for each in engine if each.type == "escalation-raised"]
        sums = Counter({person["role"]: 0 for person in report["by_person"]})
        for person in report["by_person"]:
            sums[person["role"]] += person["escalations"]
        assert +sums == Counter(each.to for each in raised)

    async def test_leaves_the_adopted_policies_of_the_log_aside(
        self, stage: DryStage, tmp_path: Path
    ) -> None:
        """Two policies side by side: what one does not ask for it never breaks, all else is the same."""
        report = told(await judged(stage, tmp_path, DROPPED, STARTER), DROPPED, STARTER, until=stage.now())
        assert {each["rule"] for each in report["breaches"]} == {
            each["rule"] for each in report["against"]["breaches"]
        } - {"keep-in-touch"}
        assert set(report["difference"]) == {"keep-in-touch"}
        was = report["against"]["by_rule"]["keep-in-touch"]
        assert report["difference"]["keep-in-touch"] == {name: -count for name, count in was.items() if count}

    async def test_counts_what_lies_in_the_window(self, stage: DryStage, tmp_path: Path) -> None:
        """What happens before it is looked at and not counted; what comes after it has not happened."""
        whole = told(await judged(stage, tmp_path, STARTER), STARTER, until=stage.now())
        due = sorted(datetime.fromisoformat(each["due_at"]) for each in whole["breaches"])
        (tmp_path / "window").mkdir()
        window = Window(since=due[1], before=due[-1])
        found = await judged(stage, tmp_path / "window", STARTER, window=window)
        part = told(found, STARTER, until=due[-1])
        assert [each["due_at"] for each in part["breaches"]] == [
            each["due_at"] for each in whole["breaches"] if each["due_at"] in within(whole, window)
        ]
        assert found.later > 0

    async def test_takes_those_who_came_first(self, stage: DryStage, tmp_path: Path) -> None:
        found = await judged(stage, tmp_path, STARTER, limit=2)
        assert found.tallies[0].engagements == 2

    async def test_names_people_and_not_only_roles(self, stage: DryStage, tmp_path: Path) -> None:
        report = told(await judged(stage, tmp_path, STARTER), STARTER, until=stage.now())
        known = {each.person_id for each in read_people(PEOPLE)}
        assert report["by_person"]
        assert {each["person"] for each in report["by_person"]} <= known


def within(report: dict[str, Any], window: Window) -> set[str]:
    moments = {each["due_at"] for each in report["breaches"]}
    return {each for each in moments if window.holds(datetime.fromisoformat(each))}


class TestSight:
    async def test_tells_which_rules_the_log_can_show_to_be_kept(self, stage: DryStage) -> None:
        """Where nothing that would meet it ever happens, a breach says nothing of the people."""
        sight = Sight(STARTER)
        for events in (await streams(stage)).values():
            for each in events:
                sight.see(decode(each))
        assert "keep-in-touch" in sight.shown
        assert "settle-conflict" not in sight.shown
