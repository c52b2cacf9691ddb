"""``rapport policy``: explained, compared, and adopted over what is open."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import app
from gateway.cli.adopting import in_modes
from gateway.cli.errors import Wrong
from gateway.cli.policies import named
from workers.shipped import POLICIES

STARTER = POLICIES / "starter.toml"
AMONG_OTHERS = True


def rapport(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command that needs no server."""
    code = app.run(arguments)
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return code, said.out, said.err


class TestCheck:
    def test_finds_nothing_wrong_with_what_ships(self, capsys: pytest.CaptureFixture[str]) -> None:
        files = [str(each) for each in sorted(POLICIES.glob("*.toml"))]
        code, out, err = rapport(capsys, "policy", "check", "--strict", *files)
        assert (code, err) == (0, "")
        assert out.count(" and 0 warnings; ") == len(files)

    def test_says_where_each_mistake_is(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        file = tmp_path / "ours.toml"
        file.write_text(STARTER.read_text().replace('within = "7 days"', 'within = "1 week"', 1))
        code, out, _ = rapport(capsys, "policy", "check", str(STARTER), str(file))
        line = next(n for n, each in enumerate(file.read_text().splitlines(), 1) if "1 week" in each)
        assert code == 1
        assert (
            f"error: {file}, line {line}, [obligation.answer-application], within: "
            '"1 week" is not understood; '
            'weeks are written in days: did you mean "7 days"?\n'
        ) in out
        assert f"{file}: 1 error\n" in out

    def test_warns_without_failing_unless_it_is_asked_to(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        file = tmp_path / "ours.toml"
        text = STARTER.read_text().replace("keep-in-touch", "keep-in-tuch")
        file.write_text(text)
        line = text.splitlines().index("[obligation.keep-in-tuch]") + 1
        code, out, _ = rapport(capsys, "policy", "check", str(file))
        assert code == 0
        assert f"warning: {file}, line {line}, [obligation.keep-in-tuch]: this is a rule of its own" in out
        code, out, _ = rapport(capsys, "policy", "check", str(file), "--strict", "--json")
        assert code == 1
        (told,) = json.loads(out)["files"]
        assert (told["name"], told["errors"], len(told["warnings"])) == ("starter", [], 1)

    def test_says_that_there_is_no_such_file(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, out, _ = rapport(capsys, "policy", "check", "nowhere.toml")
        assert code == 2
        assert "error: nowhere.toml: there is no such file; give the path of a policy in TOML.\n" in out

    def test_exits_with_2_on_a_directory_and_on_nothing_else(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        code, out, _ = rapport(capsys, "policy", "check", str(tmp_path), str(STARTER))
        assert (code, "cannot be read" in out, "starter is sound" in out) == (2, True, True)
        file = tmp_path / "empty.toml"
        file.write_text("")
        assert rapport(capsys, "policy", "check", str(file))[0] == 1

    def test_knows_what_ships_by_its_name_but_a_file_of_that_name_wins(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        code, out, _ = rapport(capsys, "policy", "check", "uk-agency")
        assert (code, "uk-agency: uk-agency is sound" in out) == (0, True)
        code, out, _ = rapport(capsys, "policy", "check", "uk-agncy")
        assert (code, "error: no policy named" in out, "uk-agency" in out) == (2, True, True)
        (tmp_path / "uk-agency").write_text("")
        assert rapport(capsys, "policy", "check", "uk-agency")[0] == 1


class TestExplain:
    def test_tells_a_shipped_policy_by_its_name(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, out, _ = rapport(capsys, "policy", "explain", "starter", "--rule", "answer-candidate")
        assert code == 0
        assert "owes it within 1 day, counted from when we hear of it" in " ".join(out.split())
        assert "keep-in-touch" not in out

    def test_is_what_the_readme_shows(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Nobody reads in the README what the program does not say."""
        readme = (POLICIES.parents[1] / "README.md").read_text(encoding="utf-8")
        _, _, rest = readme.partition("$ rapport policy explain starter --rule answer-candidate\n")
        _, out, _ = rapport(capsys, "policy", "explain", "starter", "--rule", "answer-candidate")
        assert rest.startswith(out + "```")

    def test_asks_for_a_rule_that_is_there(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, _, err = rapport(capsys, "policy", "explain", "starter", "--rule", "keep-in-tuch")
        assert code == 2
        assert err == "rapport: the policy has no rule 'keep-in-tuch'; did you mean \"keep-in-touch\"?\n"

    def test_says_what_is_wrong_with_a_file(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        file = tmp_path / "ours.toml"
        file.write_text('name = "ours"\n')
        code, _, err = rapport(capsys, "policy", "explain", str(file))
        assert code == 2
        assert "there is no rule in it" in err


class TestDiff:
    def test_puts_rules_that_changed_alike_together(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, out, _ = rapport(capsys, "policy", "diff", "starter", "observed")
        assert code == 0
        assert out.count("→ observe\n") == 2
        assert out.endswith("removed\n")

    def test_says_that_nothing_differs(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert rapport(capsys, "policy", "diff", "starter", str(STARTER)) == (0, "the same rules\n", "")


class TestInModes:
    def test_overrides_every_mode_and_then_those_of_single_rules(self) -> None:
        policy = in_modes(named("starter"), "observe", ["keep-in-touch=enforce"])
        modes = {each.id: each.mode for each in policy.obligations}
        assert modes.pop("keep-in-touch") == "enforce"
        assert set(modes.values()) == {"observe"}
        assert {each.mode for each in policy.gates} == {"observe"}

    def test_leaves_the_files_own_modes_where_nothing_is_asked(self) -> None:
        assert in_modes(named("starter"), None, []) == named("starter")

    @pytest.mark.parametrize(
        ("mode", "rules", "says"),
        [
            ("watch", [], "there is no mode 'watch'"),
            (None, ["keep-in-touch"], "--rule is written RULE=MODE"),
            (None, ["keep-in-tuch=observe"], 'did you mean "keep-in-touch"?'),
        ],
    )
    def test_says_what_is_wrong(self, mode: str | None, rules: list[str], says: str) -> None:
        with pytest.raises(Wrong, match=says.replace("?", r"\?")):
            in_modes(named("starter"), mode, rules)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.temporal
class TestAdopt:
    def test_adopts_for_the_agency_and_for_all_that_is_open(
        self, shared: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("e-1", "e-2"):
            assert shared.rapport("open", name, "--owner", "r-1").code == 0
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        asked = shared.rapport("policy", "adopt", "observed")
        assert asked.code == 2
        assert "there is no terminal to ask on; add --yes" in asked.err
        assert shared.rapport("policy", "diff", "starter").out == "the same rules\n"

        line = ("policy", "adopt", "observed", "--rule", "keep-in-touch=enforce", "--yes")
        told = shared.rapport(*line)
        assert told.code == 0, told.err
        assert "open engagements: 2 put under it, 0 had it; 0 are closed and keep what they had" in told.out
        assert "~ gate know-each-other-first" in told.out

        again = shared.rapport(*line, "--json").json
        assert (again["agency_outcome"], again["adopted"], again["had_it"]) == ("nothing-to-do", 0, 2)
        assert again["changes"] == []
        seen = shared.rapport("show", "e-1").out
        assert seen.count("Policy observed adopted") == 1
        assert "introduce-recruiter for the engagement is in mode observe now" in seen
        assert "keep-in-touch for the engagement is in mode" not in seen
        assert "For now it is only observed" in shared.rapport("policy", "explain").out
        assert shared.rapport("open", "e-3").code == 0
        assert "Policy observed adopted" in shared.rapport("show", "e-3").out
        assert "0 mismatches" in shared.rapport("verify", "--all").out
