"""A policy tried on a foreign log: the same as live, and the same however the file is laid out."""

import importlib.util
import io
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from rich.console import Console

from events.canonical import instant
from events.clock import ClockSpec, decision_time
from events.decider import prepare, tick
from events.envelope import Actor
from events.errors import InvalidCommand
from events.orders import parse_order
from events.policy import Policy
from events.sources.errors import SourceError
from events.sources.interpreter import Step
from events.sources.mapping import MappedCommand, restrict
from events.sources.plan import Plan, plan_of
from events.sources.pseudonyms import Pseudonyms
from events.state import Engagement
from workers.backtest import ocel
from workers.backtest.foreign import Commands, command_of
from workers.backtest.names import Names
from workers.backtest.run import Foreign, Tried, backtest_ocel
from workers.backtest.tally import Window
from workers.simulate import (
    SimulationOptions,
    policy_for,
    read_mapping_file,
    read_source,
    run_simulation,
)
from workers.simulation_report import not_kept

ROOT = Path(__file__).parents[3]
POLICIES = ROOT / "deploy" / "policies"
MAPPING = ROOT / "deploy" / "mappings" / "recruiting.toml"
KEY = b"a key for the tests only"
STARTER = Tried()
Write = Callable[[bytes], Foreign]


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = found
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="module")
def generate() -> Callable[..., bytes]:
    maker: Callable[..., bytes] = module(ROOT / "tests" / "generated_log.py").generate
    return maker


@pytest.fixture
def write(tmp_path: Path) -> Write:
    (tmp_path / "key").write_bytes(KEY)

    def written(content: bytes) -> Foreign:
        (tmp_path / "log.jsonocel").write_bytes(content)
        return Foreign(tmp_path / "log.jsonocel", MAPPING, tmp_path / "data", tmp_path / "key")

    return written


def told(foreign: Foreign, tried: Tried = STARTER) -> dict[str, Any]:
    out = io.StringIO()
    with backtest_ocel(foreign, tried) as report:
        report.write_json(out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


class TestBreaches:
    @pytest.mark.slow
    @pytest.mark.timeout(600)
    @pytest.mark.temporal
    @pytest.mark.postgres
    async def test_are_those_of_live_workflows(self, generate: Callable[..., bytes], write: Write) -> None:
        """Live equals predicted: twenty applicants through live workflows, and the same by the core alone."""
        options = write(generate(applicants=20))
        live = await run_simulation(
            SimulationOptions(
                file=options.file,
                mapping=options.mapping,
                data_dir=options.data_dir,
                pseudonym_key=options.pseudonym_key,
            )
        )
        assert live.sound
        simulated = json.loads(live.to_json())
        predicted = told(options)
        assert predicted["breaches"] == simulated["breaches"]
        assert len(predicted["breaches"]) > 20
        for name in ("read", "beyond_limit", "engagements", "stages"):
            assert predicted[name] == simulated[name]

    def test_are_the_same_however_the_log_is_dealt_out(
        self, generate: Callable[..., bytes], write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Objects before or behind the events, in order of time or not, in one part or in many."""
        content = generate(applicants=20)
        whole = told(write(content))
        document = json.loads(content)
        events = document["ocel:events"]
        # Events of one moment keep their order: only the file's can tell it.
        shuffled = dict(sorted(events.items(), key=lambda each: each[1]["ocel:timestamp"][::-1]))
        behind = {"ocel:objects": document["ocel:objects"], "ocel:events": shuffled}
        monkeypatch.setattr(ocel, "PART", 100)
        again = told(write(json.dumps(behind).encode()))
        assert again | {"seconds": 0} == whole | {"seconds": 0}
        assert len(whole["breaches"]) > 20

    def test_are_those_of_whoever_an_application_is_by_the_first_event(
        self, generate: Callable[..., bytes], write: Write
    ) -> None:
        """An event that comes later, and stands before it in the file, says it is somebody else's."""
        document = json.loads(generate(applicants=6))
        events = document["ocel:events"]
        kinds = {name: each["ocel:type"] for name, each in document["ocel:objects"].items()}
        stranger = next(name for name in reversed(list(kinds)) if kinds[name] == "applicants")
        last = next(
            each
            for each in reversed(events.values())
            if "applications" in (named := {kinds[name] for name in each["ocel:omap"]})
            and "applicants" not in named
        )
        last["ocel:omap"].append(stranger)
        moments = _apart([each["ocel:timestamp"] for each in events.values()])
        for each, moment in zip(events.values(), moments, strict=True):
            each["ocel:timestamp"] = moment
        turned = {**document, "ocel:events": dict(reversed(events.items()))}
        whole = told(write(json.dumps(document).encode()))
        again = told(write(json.dumps(turned).encode()))
        assert again["breaches"] == whole["breaches"]
        assert again["left_aside"] == whole["left_aside"]

    @pytest.mark.parametrize("name", sorted(path.stem for path in POLICIES.glob("*.toml")))
    def test_are_those_of_the_decider_under_every_shipped_policy(
        self, generate: Callable[..., bytes], write: Write, name: str
    ) -> None:
        """With its drafts or without, the core comes to the same; in working days too."""
        foreign = write(generate(applicants=20))
        file = POLICIES / f"{name}.toml"
        tried = Tried(file)
        log, mapping = read_source(foreign.file), read_mapping_file(MAPPING)
        plan = plan_of(log, mapping, Pseudonyms(KEY))
        policy = restrict(policy_for(log, file), plan.observes)
        assert told(foreign, tried)["breaches"] == [
            {
                "engagement": each.engagement,
                "rule": each.rule,
                "subject": each.subject,
                "due_at": instant(each.due_at),
                "level": each.level,
            }
            for each in not_kept(decided(plan, policy), policy, plan.until)
        ]

    def test_under_two_policies_stand_side_by_side(
        self, generate: Callable[..., bytes], write: Write
    ) -> None:
        """Each as it would be alone, and by rule what differs."""
        foreign = write(generate(applicants=20))
        starter, observed = (POLICIES / f"{name}.toml" for name in ("starter", "observed"))
        both = told(foreign, Tried(starter, observed))
        assert both["breaches"] == told(foreign, Tried(starter))["breaches"]
        assert both["against"]["breaches"] == told(foreign, Tried(observed))["breaches"]
        for rule, differs in both["difference"].items():
            mine, theirs = both["by_rule"][rule], both["against"]["by_rule"][rule]
            assert all(mine[name] - theirs[name] == by for name, by in differs.items())

    def test_within_a_limit_are_those_of_the_same_people(
        self, generate: Callable[..., bytes], write: Write
    ) -> None:
        foreign = write(generate(applicants=20))
        whole, few = told(foreign), told(foreign, Tried(limit=5))
        chosen = {each["engagement"] for each in few["breaches"]}
        assert few["breaches"] == [each for each in whole["breaches"] if each["engagement"] in chosen]
        assert few["engagements"] == 5
        assert few["read"] == few["applied"] + few["beyond_limit"] + few["left_aside"]

    def test_outside_the_window_are_not_counted(self, generate: Callable[..., bytes], write: Write) -> None:
        foreign = write(generate(applicants=20))
        whole = told(foreign)
        middle = whole["breaches"][len(whole["breaches"]) // 2]["due_at"]
        later = told(foreign, Tried(window=Window(since=datetime.fromisoformat(middle))))
        assert later["breaches"] == [each for each in whole["breaches"] if each["due_at"] >= middle]
        sooner = told(foreign, Tried(window=Window(before=datetime.fromisoformat(middle))))
        assert [each["due_at"] for each in sooner["breaches"]] == [
            each["due_at"] for each in whole["breaches"] if each["due_at"] < middle
        ]
        assert sooner["later"] > 0


class TestReport:
    def test_is_told_to_people_too(self, generate: Callable[..., bytes], write: Write) -> None:
        out = io.StringIO()
        starter, observed = (POLICIES / f"{name}.toml" for name in ("starter", "observed"))
        with backtest_ocel(write(generate(applicants=8)), Tried(starter, observed)) as report:
            report.render(Console(file=out, width=140))
        assert "Under 'starter': 8 engagements" in out.getvalue()
        assert "'starter' against 'observed':" in out.getvalue()
        assert "messages a week" in out.getvalue()

    @pytest.mark.parametrize("width", [40, 80, 140])
    def test_never_cuts_a_rule_s_name_short(
        self, generate: Callable[..., bytes], write: Write, width: int
    ) -> None:
        out = io.StringIO()
        starter, observed = (POLICIES / f"{name}.toml" for name in ("starter", "observed"))
        with backtest_ocel(write(generate(applicants=8)), Tried(starter, observed)) as report:
            report.render(Console(file=out, width=width))
            opened = [rule for rule in report.verdicts[0].rules if report.verdicts[0].row(rule)["opened"]]
        assert "…" not in out.getvalue()
        assert opened
        assert all(rule in out.getvalue().split() for rule in opened)


class TestBadInput:
    def test_is_told_in_one_sentence(self, generate: Callable[..., bytes], write: Write) -> None:
        whole = generate(applicants=2)
        document = json.loads(whole)
        first = next(iter(document["ocel:events"]))
        twice = whole.replace(b'"ocel:events": {', b'"ocel:events": {"' + first.encode() + b'": {}, ', 1)
        stranger = json.loads(whole)
        stranger["ocel:events"][first]["ocel:omap"].append("Nobody")
        for content, says in (
            (whole[: len(whole) // 2], "cut off"),
            (b"", "empty"),
            (b"{}", "no OCEL 1.0 log"),
            (b"what", "not JSON"),
            (whole.replace(b"first screening", b"dancing"), "does not say what 'dancing' means"),
            (json.dumps({**document, "ocel:events": {}}).encode(), "holds no event"),
            (json.dumps(stranger).encode(), "names an object"),
            (twice, "no 'ocel:activity'"),
        ):
            with pytest.raises(SourceError, match=says) as failed:
                told(write(content))
            assert "\n" not in str(failed.value)

    def test_needs_rules_that_somebody_knows(
        self, generate: Callable[..., bytes], write: Write, tmp_path: Path
    ) -> None:
        text = MAPPING.read_text(encoding="utf-8")
        (tmp_path / "map").write_text(text.replace('"keep-in-touch"', '"keep-in-tuch"', 1), encoding="utf-8")
        with pytest.raises(SourceError, match='did you mean "keep-in-touch"'):
            told(replace(write(generate(applicants=2)), mapping=tmp_path / "map"))

    def test_keeps_no_event_twice(self, generate: Callable[..., bytes], write: Write) -> None:
        """Two events under one id: one of them would be gone in any other reader."""
        whole = generate(applicants=2)
        events = json.loads(whole)["ocel:events"]
        first, second = list(events)[:2]
        with pytest.raises(SourceError, match="twice"):
            told(write(whole.replace(f'"{second}": '.encode(), f'"{first}": '.encode(), 1)))


class TestNames:
    def test_are_found_on_disk_as_at_hand(self, tmp_path: Path) -> None:
        """There may be more of them than memory should hold."""
        found = {}
        for at_hand in (0, 2, 100):
            names = Names(tmp_path / f"names-{at_hand}", at_hand=at_hand)
            names.learn_objects((f"object {n}", f"kind {n % 3}") for n in range(10))
            for n in range(10):
                names.learn_application(f"application {n % 4}", 100 - n, n, f"applicant {n}")
            names.settle()
            found[at_hand] = [names.kind_of(f"object {n}") for n in range(12)] + [
                names.applicant_of(f"application {n}") for n in range(5)
            ]
            names.close()
        assert found[0] == found[2] == found[100]
        assert found[0][10:12] == [None, None]
        assert found[0][12:] == ["applicant 8", "applicant 9", "applicant 6", "applicant 7", None]


def _apart(moments: list[str]) -> list[str]:
    """Move each moment on by its place, so that no two are the same and the order stays."""
    found = [datetime.fromisoformat(each) for each in moments]
    return [instant(each + timedelta(microseconds=place)) for place, each in enumerate(found)]


class TestCommands:
    def test_are_as_each_read_by_itself(self, generate: Callable[..., bytes], write: Write) -> None:
        """Filled in or checked anew, under pseudonyms or the agency's own ids."""
        log, mapping = read_source(write(generate(applicants=20)).file), read_mapping_file(MAPPING)
        people = {"Recruiter 1": "R.1"}
        plan = plan_of(log, mapping.model_copy(update={"people": people}), Pseudonyms(KEY))
        commands = Commands()
        steps = [step for step in plan.steps if step.category == "engagement"]
        for step in steps:
            one, other = commands.of(step), command_of(step)
            assert one == other
            assert one.model_dump_json() == other.model_dump_json()
        assert len(steps) > 100

    def test_of_what_takes_not_every_id_are_checked_each_time(self) -> None:
        """A code has no capitals: what was right for one id is not for the next."""
        mapped = MappedCommand(do="record-check", fields={"check": "$recruiter", "outcome": "unknown"})
        first = Step(
            datetime(2026, 1, 5, tzinfo=UTC),
            1,
            "engagement:e-1",
            "record-check",
            {"check": "r-1", "outcome": "unknown"},
            "c-1",
            Actor(kind="person", id="r-1"),
            mapped=mapped,
        )
        commands = Commands()
        assert commands.of(first) == command_of(first)
        with pytest.raises(InvalidCommand):
            commands.of(first._replace(data={"check": "R-2", "outcome": "unknown"}))


def decided(plan: Plan, policy: Policy) -> dict[str, Engagement]:
    """Work out by the decider itself, step by step, what the plan's commands come to."""
    states: dict[str, Engagement] = {}
    for step in plan.steps:
        if step.category != "engagement":
            continue
        key = step.stream.partition(":")[2]
        before = ticked(states.get(key, Engagement()), step.at, inclusive=False)
        order = parse_order(
            step.name,
            {**step.data, "at": instant(step.at)},
            command_id=step.command_id,
            actor_default=step.actor,
            source="test",
        )
        now = decision_time(ClockSpec(kind="stepped"), step.at, step.at, before.decided_at)
        states[key] = prepare(order, before, policy, now, agency="simulation", engagement_id=key).state
    return {key: ticked(state, plan.until, inclusive=True) for key, state in states.items()}


def ticked(state: Engagement, until: datetime, *, inclusive: bool) -> Engagement:
    steps = tick(state, until, agency="simulation", inclusive=inclusive, stepped=True)
    return steps[-1].state if steps else state
