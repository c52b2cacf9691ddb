"""Replays against planted changes, with the corpus of recorded histories."""

import importlib.util
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.worker import Replayer

from events import steps
from events.state import Engagement as State
from workers.data_converter import data_converter
from workers.replaying import Replayed, judge
from workers.runs import step_of
from workers.worker import workflow_runner
from workflows.engagement import Engagement
from workflows.types import workflow_id
from workflows.writer import Writer

HISTORIES = Path(__file__).parents[1] / "workflows" / "histories"
LIFE = "a_life_from_opening_to_close"
SOON = timedelta(seconds=9)
OUTREACH = "a_promise_broken_and_outreach_owed"


def history_of(scene: str, number: int = 1) -> WorkflowHistory:
    """Read a run of the corpus."""
    text = (HISTORIES / f"{scene}.{number}.json").read_text()
    return WorkflowHistory.from_json(workflow_id(scene, "e-1"), text)


@pytest.fixture
def converter() -> DataConverter:
    """This will be the converter under which the corpus was recorded."""
    place = HISTORIES.parent / "conftest.py"
    spec = importlib.util.spec_from_file_location("rapport_tests_derived_keys", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return data_converter(module.DerivedKeys())


async def replayed(history: WorkflowHistory, converter: DataConverter) -> Replayed:
    """Replay one history as the command does."""
    replayer = Replayer(workflows=[Engagement], workflow_runner=workflow_runner(), data_converter=converter)
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    return await judge(history, result.replay_failure, converter)


class TestJudge:
    async def test_is_content_with_code_that_goes_the_same_way(self, converter: DataConverter) -> None:
        found = await replayed(history_of(LIFE), converter)

        assert found.sound
        assert found.events == len(history_of(LIFE).events)

    async def test_names_the_event_that_a_planted_change_does_not_lead_to(
        self, converter: DataConverter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("workflows.engagement.next_due", lambda state: None)

        found = await replayed(history_of(LIFE), converter)

        history = history_of(LIFE)
        [first, *_] = [each for each in history.events if each.HasField("timer_started_event_attributes")]
        assert (found.kind, found.workflow_id, found.run_id) == (
            "nondeterminism",
            history.workflow_id,
            history.run_id,
        )
        assert (found.event_id, found.event_type) == (first.event_id, "TimerStarted")
        assert "Nondeterminism" not in str(found.reason)
        assert "TimerStarted" in str(found.reason)

    @pytest.mark.parametrize("plant", ["timer", "activity", "local-activity"])
    @pytest.mark.parametrize(("place", "meets"), [("begin", "load"), ("_send", "append")])
    async def test_names_the_event_that_a_command_too_many_meets(
        self,
        converter: DataConverter,
        monkeypatch: pytest.MonkeyPatch,
        plant: str,
        place: str,
        meets: str,
    ) -> None:
        """The library does not name it: it speaks of a local activity by number or by type."""
        before = getattr(Writer, place)

        async def planted(*arguments: Any, **options: Any) -> Any:
            match plant:
                case "timer":
                    await workflow.sleep(1)
                case "activity":
                    await workflow.execute_activity("audit", start_to_close_timeout=SOON)
                case _:
                    await workflow.execute_local_activity("audit", start_to_close_timeout=SOON)
            return await before(*arguments, **options)

        monkeypatch.setattr(Writer, place, planted)

        found = await replayed(history_of(LIFE), converter)

        [first, *_] = [
            each.event_id
            for each in history_of(LIFE).events
            if each.HasField("marker_recorded_event_attributes")
            and f'"activity_type":"{meets}"'.encode() in each.SerializeToString()
        ]
        assert (found.kind, found.event_id, found.event_type) == ("nondeterminism", first, "MarkerRecorded")

    async def test_finds_another_message_that_was_never_sent(
        self, converter: DataConverter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("workflows.outreach.Outreach.ask", lambda *_: None)

        found = await replayed(history_of(OUTREACH), converter)

        assert (found.kind, found.event_type) == ("nondeterminism", "ActivityTaskScheduled")

    async def test_finds_the_task_in_which_code_fails_without_telling_its_words(
        self, converter: DataConverter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A plain error names no event: the first task that fails is searched for."""
        before = steps.next_due

        def breaks_later(state: State) -> object:
            if state.version > 8:
                raise RuntimeError("Zebulon Quuxworth")
            return before(state)

        monkeypatch.setattr("workflows.engagement.next_due", breaks_later)

        found = await replayed(history_of(LIFE), converter)

        assert (found.kind, found.event_type, found.reason) == (
            "failure",
            "WorkflowTaskStarted",
            "RuntimeError",
        )
        assert found.event_id is not None
        assert 3 < found.event_id < found.events


class TestStepOf:
    async def test_tells_names_and_summaries_of_every_recorded_event(self, converter: DataConverter) -> None:
        updates: dict[int, str] = {}
        told = [
            await step_of(event, converter.payload_codec, updates)
            for path in sorted(HISTORIES.glob("*.json"))
            for event in WorkflowHistory.from_json("any", path.read_text()).events
        ]

        says = {each.says for each in told}
        assert "propose-job" in says
        assert any("Next step of keep-in-touch" in each for each in says)
        assert {each.command_id for each in told if each.type == "WorkflowExecutionUpdateAccepted"} >= {
            "open-e-1"
        }
        assert not any("invented words" in each for each in says)
