"""Finding policies in files."""

import tomllib
from datetime import date
from pathlib import Path

import pytest

from events.policy import Policy
from events.policy_file import PolicyError
from events.sources.mapping import check_observes
from workers.shipped import POLICIES, compile_policy_file, deploy_policy, known_rules


class TestCompilePolicyFile:
    def test_compiles_a_file(self) -> None:
        assert compile_policy_file(POLICIES / "starter.toml").name == "starter"

    def test_reads_a_file_from_windows(self, tmp_path: Path) -> None:
        path = tmp_path / "ours.toml"
        text = (POLICIES / "starter.toml").read_text(encoding="utf-8").replace("\n", "\r\n")
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
        assert compile_policy_file(path) == deploy_policy("starter")

    def test_names_the_file_in_front_of_a_problem(self, tmp_path: Path) -> None:
        path = tmp_path / "ours.toml"
        path.write_text("nam = 1\n", encoding="utf-8")
        with pytest.raises(PolicyError, match=r'ours\.toml, line 1, nam: there is no key "nam" here'):
            compile_policy_file(path)

    def test_says_that_there_is_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(PolicyError, match="there is no such file; give the path of a policy in TOML"):
            compile_policy_file(tmp_path / "none.toml")

    def test_says_that_a_folder_is_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(PolicyError, match=r"the file cannot be read \(is a directory\)"):
            compile_policy_file(tmp_path)

    def test_says_that_the_text_is_in_another_code(self, tmp_path: Path) -> None:
        path = tmp_path / "ours.toml"
        path.write_bytes('name = "größe"'.encode("latin-1"))
        with pytest.raises(PolicyError, match="byte 10 is not UTF-8; save the file as UTF-8 text"):
            compile_policy_file(path)

    def test_reads_a_file_again_that_has_changed(self, tmp_path: Path) -> None:
        """What has been compiled is kept by its text, never by its path."""
        path = tmp_path / "ours.toml"
        text = (POLICIES / "starter.toml").read_text(encoding="utf-8")
        path.write_text(text, encoding="utf-8")
        first = compile_policy_file(path)
        assert compile_policy_file(path) is first
        path.write_text(text.replace("7 days", "8 days"), encoding="utf-8")
        assert compile_policy_file(path).digest() != first.digest()

    def test_compiles_its_calendars_for_the_day_that_is_asked_for(self) -> None:
        path = POLICIES / "uk-agency.toml"
        first, later = (compile_policy_file(path, on=date(year, 6, 1)) for year in (2024, 2031))
        assert first.calendars != later.calendars


class TestDeployPolicy:
    def test_finds_the_shipped_policies(self) -> None:
        assert deploy_policy("starter").name == "starter"

    def test_proposes_the_name_that_was_meant(self) -> None:
        with pytest.raises(PolicyError) as caught:
            deploy_policy("startr")
        assert str(caught.value) == 'no policy named "startr" ships with Rapport; did you mean "starter"?'

    def test_says_when_an_installation_came_without_them(self, tmp_path: Path) -> None:
        with pytest.raises(PolicyError, match="the shipped policies are not part of this installation"):
            deploy_policy("starter", tmp_path)


class TestKnownRules:
    @pytest.mark.parametrize("name", ["recruiting", "candidates"])
    def test_are_all_that_a_shipped_mapping_observes(self, name: str) -> None:
        """Whatever policy is tried, also one with none of them."""
        text = (POLICIES.parent / "mappings" / f"{name}.toml").read_text(encoding="utf-8")
        check_observes(tomllib.loads(text)["observes"], known_rules(Policy(name="bare")))

    def test_are_those_of_the_policy_tried_too(self) -> None:
        starter = deploy_policy("starter")
        own = starter.obligations[0].model_copy(update={"id": "own-rule"})
        assert "own-rule" in known_rules(starter.model_copy(update={"obligations": (own,)}))
        assert "own-rule" not in known_rules(starter)
