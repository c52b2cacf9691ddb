"""A scenario file is data that people edit: what is wrong with one is said in a sentence."""

from pathlib import Path

import pytest

from events.orders import PUBLIC
from gateway.demo.conditions import holds
from gateway.demo.scenario import (
    Scenario,
    ScenarioError,
    chosen_scenarios,
    read_scenario,
    shipped_scenarios,
)

ONE = 'title = "t"\nengagement = "e"\nannounces = {stage = "intake"}\n'
TWO = 'title = "t"\nengagements = ["a", "b"]\n' + "".join(
    f'[[announces]]\nengagement = "{each}"\nstage = "intake"\n' for each in "ab"
)
GIVEN = '[[step]]\nafter = 1\ndo = "record-message"\ncommand_id = "x-1"\nwith = { message_id = "m-1" }\n'


class TestShippedScenarios:
    @pytest.mark.parametrize("scenario", shipped_scenarios(), ids=lambda each: each.engagement)
    def test_give_commands_that_exist(self, scenario: Scenario) -> None:
        """A scenario knows no back door."""
        given = {step.do for step in scenario.step if step.do is not None and step.stream is None}
        assert given <= PUBLIC

    @pytest.mark.parametrize("scenario", shipped_scenarios(), ids=lambda each: each.engagement)
    def test_open_each_engagement_first(self, scenario: Scenario) -> None:
        for engagement in scenario.engagements:
            given = [
                step.do
                for step in scenario.step
                if scenario.stream(step, "dry") == f"engagement:{engagement}"
            ]
            assert next(each for each in given if each is not None) == "open-engagement"


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
                "'level N', 'event TYPE' or 'met'",
            ),
            ('title = "t"\nengagement = "e"\nannounces = {stage = "intake"}\nsteps = []\n', "step"),
            (TWO + '[[step]]\nengagement = "c"\nday = 1\ndo = "resume"\n', "not among 'engagements'"),
            ('title = "t"\nengagements = ["a", "b"]\nannounces = {stage = "intake"}\nstep = []\n', "once"),
            (ONE + '[[step]]\nuntil = "event placement-begun"\n', "no event 'placement-begun'"),
            (ONE + '[[step]]\nday = 1\ndo = "resume"\nexpect = "repeated"\n', "'command_id'"),
            (ONE + GIVEN + 'expect = "repeated"\n', "nothing was given"),
            (ONE + GIVEN + GIVEN, "is given twice"),
            (ONE + GIVEN + GIVEN.replace("m-1", "m-2") + 'expect = "repeated"\n', "something else"),
            (ONE + GIVEN + 'stream = "job-order:j-1"\nsignal = true\n', "never to a stream"),
            (ONE + GIVEN + 'actor = "robot:r-1"\n', "kind"),
            (
                ONE + GIVEN + '[[step]]\nday = 2\nsya = "x"\ndo = "resume"\n',
                "step 2 has no field 'sya'; did you mean 'say'?",
            ),
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


class TestChosenScenarios:
    def test_finds_shipped_ones_by_name_and_others_by_path(self, tmp_path: Path) -> None:
        own = tmp_path / "own.toml"
        own.write_text(ONE + GIVEN)
        assert [each.engagement for each in chosen_scenarios([str(own), "placed"])] == ["e", "placed"]
        assert len(chosen_scenarios([])) == len(shipped_scenarios())

    def test_names_those_there_are(self) -> None:
        with pytest.raises(ScenarioError, match="placed"):
            chosen_scenarios(["plced"])


class TestHolds:
    def test_finds_an_empty_stream_met_and_at_level_nought(self) -> None:
        assert holds("met", [])
        assert holds("level 0", [])
        assert not holds("level 1", [])
