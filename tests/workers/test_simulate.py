"""A foreign log through live workflows: everything accounted for, every timer as the policy foretells."""

import asyncio
import importlib.util
import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from events.canonical import instant
from events.clock import ClockSpec, decision_time
from events.decider import prepare, tick
from events.orders import parse_order
from events.policy import Policy
from events.sources.errors import SourceError
from events.sources.mapping import restrict
from events.sources.plan import Plan, Step, plan_of
from events.sources.pseudonyms import Pseudonyms
from events.state import Engagement
from workers.shipped import deploy_policy
from workers.simulate import SimulationOptions, read_mapping_file, read_source, run_simulation
from workers.simulation_report import SimulationReport, not_kept

ROOT = Path(__file__).parents[2]
MAPPING = ROOT / "deploy" / "mappings" / "recruiting.toml"
KEY = b"a key for the tests only"
STEPPED = ClockSpec(kind="stepped")


@pytest.fixture(scope="module")
def generate() -> Callable[..., bytes]:
    spec = importlib.util.spec_from_file_location("generated_log", ROOT / "tests" / "generated_log.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["generated_log"] = module
    spec.loader.exec_module(module)
    maker: Callable[..., bytes] = module.generate
    return maker


@dataclass(frozen=True)
class Simulated:
    """A simulation that has run, with the plan it followed."""

    report: SimulationReport
    plan: Plan
    judged: Policy


def with_a_late_stop(content: bytes) -> bytes:
    """Add an event that its job order cannot take: it is closed already."""
    document = json.loads(content)
    events: dict[str, Any] = document["ocel:events"]
    closed = next(each for each in events.values() if each["ocel:activity"] == "close vacancy (no hire)")
    last = list(events.values())[-1]["ocel:timestamp"]
    events["late"] = {
        **closed,
        "ocel:activity": "close vacancy for new applications",
        "ocel:timestamp": last,
    }
    return json.dumps(document).encode()


@pytest.fixture(scope="module")
def simulated(generate: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """Run one simulation, which all tests of this module look at."""
    directory = tmp_path_factory.mktemp("simulation")
    (directory / "log.jsonocel").write_bytes(with_a_late_stop(generate(applicants=4, vacancies=4)))
    (directory / "key").write_bytes(KEY)
    options = SimulationOptions(
        file=directory / "log.jsonocel",
        mapping=MAPPING,
        data_dir=directory / "data",
        limit=3,
        pseudonym_key=directory / "key",
    )
    report = asyncio.run(run_simulation(options))
    mapping = read_mapping_file(MAPPING)
    plan = plan_of(read_source(options.file), mapping, Pseudonyms(KEY), limit=3)
    return Simulated(report, plan, restrict(deploy_policy("starter"), plan.observes))


def predicted(plan: Plan, policy: Policy) -> dict[str, Engagement]:
    """Work out by the pure core alone what the workflows must come to."""
    states: dict[str, Engagement] = {}
    for step in plan.steps:
        if step.category == "engagement":
            key = step.stream.partition(":")[2]
            states[key] = decided(step, key, states.get(key, Engagement()), policy, plan.source)
    return {
        key: ticked(state, tick(state, plan.until, agency="simulation", inclusive=True, stepped=True))
        for key, state in states.items()
    }


def decided(step: Step, key: str, state: Engagement, policy: Policy, source: str) -> Engagement:
    state = ticked(state, tick(state, step.at, agency="simulation", inclusive=False, stepped=True))
    content = {**step.data, "at": instant(step.at)}
    order = parse_order(
        step.name, content, command_id=step.command_id, actor_default=step.actor, source=source
    )
    now = decision_time(STEPPED, step.at, step.at, state.decided_at)
    return prepare(order, state, policy, now, agency="simulation", engagement_id=key).state


def ticked(state: Engagement, steps: list[Any]) -> Engagement:
    return steps[-1].state if steps else state


@pytest.mark.slow
@pytest.mark.temporal
@pytest.mark.postgres
class TestRunSimulation:
    def test_accounts_for_every_event(self, simulated: Simulated) -> None:
        report = simulated.report
        assert report.read == simulated.plan.read
        assert report.read == report.applied + report.beyond_limit + len(report.left_aside)
        assert report.beyond_limit > 0

    def test_leaves_aside_what_a_stream_does_not_take_and_says_why(self, simulated: Simulated) -> None:
        (aside,) = simulated.report.left_aside
        assert aside.reason.startswith("stop-intake: job order 'job-order-")
        assert "is closed" in aside.reason

    def test_finds_every_running_state_equal_to_its_fold(self, simulated: Simulated) -> None:
        report = simulated.report
        assert report.verified == report.engagements == 3
        assert report.mismatches == 0
        assert report.sound

    def test_breaches_as_the_pure_core_foretells(self, simulated: Simulated) -> None:
        """Live timers and a pure prediction agree on every breach, its due time and how far it climbed."""
        foretold = predicted(simulated.plan, simulated.judged)
        assert simulated.report.breaches == not_kept(foretold, simulated.judged, simulated.plan.until)
        assert len(simulated.report.breaches) > 3
        assert 3 in {each.level for each in simulated.report.breaches}

    def test_reaches_the_stages_that_the_log_tells_of(self, simulated: Simulated) -> None:
        hired = {step.stream for step in simulated.plan.steps if step.name == "accept-offer"}
        assert simulated.report.stages.get("placement", 0) == len(hired)

    def test_judges_only_what_the_log_can_show(self, simulated: Simulated) -> None:
        assert "tell-decision" in simulated.report.not_judgeable
        rules = {each.rule for each in simulated.report.breaches}
        assert rules <= {"answer-application", "keep-in-touch", "word-after-interview"}


@pytest.mark.slow
@pytest.mark.temporal
@pytest.mark.postgres
class TestSimulationReport:
    def test_is_one_line_of_json_for_programs(self, simulated: Simulated) -> None:
        line = simulated.report.to_json()
        read = json.loads(line)
        assert "\n" not in line
        assert {"read", "applied", "beyond_limit", "left_aside", "findings", "assumed"} <= set(read)
        assert {"verified", "mismatches", "seconds", "breaches"} <= set(read)
        numbers = [value for key, value in read.items() if key not in ("breaches", "stages")]
        assert all(isinstance(value, int | float) for value in numbers)
        assert set(read["breaches"][0]) == {"engagement", "rule", "subject", "due_at", "level"}

    def test_tells_people_who_was_neglected_and_how_far_it_went(self, simulated: Simulated) -> None:
        written = io.StringIO()
        simulated.report.render(Console(file=written, width=140))
        text = written.getvalue()
        assert "Neglected: " in text
        assert "the director" in text
        assert "Verified 3 engagements, 0 mismatches." in text

    def test_never_leads_with_a_promise_that_only_talks_keep(self, simulated: Simulated) -> None:
        assert {each.rule for each in simulated.report.breaches if each.leads} <= {
            "answer-application",
            "word-after-interview",
        }


class TestBadInput:
    @pytest.fixture
    def options(self, generate: Callable[..., bytes], tmp_path: Path) -> SimulationOptions:
        (tmp_path / "log").write_bytes(generate(applicants=1, vacancies=1))
        return SimulationOptions(file=tmp_path / "log", mapping=MAPPING, data_dir=tmp_path / "data")

    async def test_is_told_in_one_sentence_and_changes_nothing(self, options: SimulationOptions) -> None:
        whole = options.file.read_bytes()
        for content in (whole[: len(whole) // 2], b"", b"{}", whole.replace(b"first screening", b"dancing")):
            options.file.write_bytes(content)
            with pytest.raises(SourceError) as failed:
                await run_simulation(options)
            assert "\n" not in str(failed.value)
            assert not options.data_dir.exists()

    async def test_needs_files_that_are_there(self, options: SimulationOptions, tmp_path: Path) -> None:
        gone = tmp_path / "gone"
        for missing in (
            SimulationOptions(file=gone, mapping=MAPPING, data_dir=options.data_dir),
            SimulationOptions(file=options.file, mapping=gone, data_dir=options.data_dir),
            SimulationOptions(file=tmp_path, mapping=MAPPING, data_dir=options.data_dir),
        ):
            with pytest.raises(SourceError, match="cannot be read"):
                await run_simulation(missing)

    async def test_needs_a_mapping_in_utf_8(self, options: SimulationOptions, tmp_path: Path) -> None:
        (tmp_path / "map").write_bytes(b"\xff\xfe")
        with pytest.raises(SourceError, match="not UTF-8"):
            await run_simulation(
                SimulationOptions(file=options.file, mapping=tmp_path / "map", data_dir=options.data_dir)
            )

    async def test_needs_rules_that_somebody_knows(self, options: SimulationOptions, tmp_path: Path) -> None:
        text = MAPPING.read_text(encoding="utf-8")
        (tmp_path / "map").write_text(text.replace('"keep-in-touch"', '"keep-in-tuch"', 1), encoding="utf-8")
        with pytest.raises(SourceError, match='did you mean "keep-in-touch"'):
            await run_simulation(replace(options, mapping=tmp_path / "map"))
        assert not options.data_dir.exists()

    async def test_needs_a_limit_of_at_least_one_person(self, options: SimulationOptions) -> None:
        with pytest.raises(SourceError, match="at least 1"):
            await run_simulation(
                SimulationOptions(file=options.file, mapping=MAPPING, data_dir=options.data_dir, limit=0)
            )
