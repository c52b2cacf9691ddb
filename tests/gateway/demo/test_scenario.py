"""A scenario file is data that people edit: what is wrong with one is said in a sentence."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from events.orders import COMMANDS
from gateway.demo.conditions import holds
from gateway.demo.scenario import Scenario, ScenarioError, Step, read_scenario, shipped_scenarios

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


class TestShippedScenarios:
    def test_are_the_three_of_the_demo(self) -> None:
        assert [each.engagement for each in shipped_scenarios()] == ["neglected", "placed", "rejected"]

    @pytest.mark.parametrize("scenario", shipped_scenarios(), ids=lambda each: each.engagement)
    def test_give_commands_that_exist(self, scenario: Scenario) -> None:
        """A scenario knows no back door."""
        given = {step.do for step in scenario.step if step.do is not None and step.stream is None}
        assert given <= set(COMMANDS)

    @pytest.mark.parametrize("scenario", shipped_scenarios(), ids=lambda each: each.engagement)
    def test_open_their_engagement_first(self, scenario: Scenario) -> None:
        first = next(step for step in scenario.step if step.do is not None and step.stream is None)
        assert first.do == "open-engagement"


class TestReadScenario:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("title = ", "no TOML"),
            (
                'title = "t"\nengagement = "e"\nannounces = {stage = "intake"}\n[[step]]\nday = 1\n',
                "needs 'do'",
            ),
            (
                'title = "t"\nengagement = "e"\nannounces = {stage = "intake"}\n[[step]]\nuntil = "soon"\n',
                "'level N' or 'met'",
            ),
            ('title = "t"\nengagement = "e"\nannounces = {stage = "intake"}\nsteps = []\n', "step"),
        ],
    )
    def test_says_what_is_wrong_and_where(self, tmp_path: Path, text: str, told: str) -> None:
        file = tmp_path / "broken.toml"
        file.write_text(text)
        with pytest.raises(ScenarioError, match=str(file)) as caught:
            read_scenario(file)
        assert told in str(caught.value)

    def test_names_a_file_that_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(ScenarioError, match="cannot be read"):
            read_scenario(tmp_path / "none.toml")


class TestFields:
    def test_count_from_the_moment_of_the_step(self) -> None:
        step = Step.model_validate({"do": "pause", "with": {"until": "+2 days", "reason": "+ no time"}})
        assert step.fields(NOON) == {"until": "2026-01-07T12:00:00.000000Z", "reason": "+ no time"}


class TestHolds:
    def test_finds_an_empty_stream_met_and_at_level_nought(self) -> None:
        assert holds("met", [])
        assert holds("level 0", [])
        assert not holds("level 1", [])
