"""``rapport mapping``: what is wrong with a mapping, and what it says."""

import json
from pathlib import Path

import pytest

from gateway.cli import app
from workers.shipped import MAPPINGS


def rapport(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command that needs no server."""
    code = app.run(arguments)
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return code, said.out, said.err


class TestCheck:
    def test_finds_nothing_wrong_with_what_ships(self, capsys: pytest.CaptureFixture[str]) -> None:
        files = [str(each) for each in sorted(MAPPINGS.glob("*.toml"))]
        code, out, err = rapport(capsys, "mapping", "check", *files)
        assert (code, err) == (0, "")
        assert out.count("nothing wrong\n") == len(files)

    def test_says_where_each_mistake_is(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        file = tmp_path / "ours.toml"
        text = (MAPPINGS / "workable.toml").read_text(encoding="utf-8")
        file.write_text(text.replace('answer = { value = "no" }', 'answer = { value = "never" }'))
        code, out, _ = rapport(capsys, "mapping", "check", str(file))
        line = next(n for n, each in enumerate(file.read_text().splitlines(), 1) if "never" in each)
        assert code == 1
        assert out == (
            f"error: {file}, line {line}, rule 1, command 1, fields, answer, value: "
            'this can be no "answer" of record-client-answer; choose one of "no", "yes".\n'
            f"{file}: 1 error\n"
        )
        code, out, _ = rapport(capsys, "mapping", "check", str(file), "--json")
        assert (code, len(json.loads(out)["files"][0]["errors"])) == (1, 1)

    def test_says_that_there_is_no_such_file(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, _, err = rapport(capsys, "mapping", "check", "nowhere.toml")
        assert code == 2
        assert "nowhere.toml: there is no such file" in err


class TestExplain:
    def test_tells_a_shipped_mapping_by_its_providers_name(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, out, _ = rapport(capsys, "mapping", "explain", "calendly")
        assert code == 0
        assert "5. invitee.canceled (the interview is off)\n" in out


class TestShow:
    def test_gives_a_beginning_whose_examples_are_rules(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        plain = rapport(capsys, "mapping", "show", "greenhouse")[1]
        assert plain == (MAPPINGS / "greenhouse.toml").read_text("utf-8")
        file = tmp_path / "own.toml"
        for provider in sorted(each.stem for each in MAPPINGS.glob("*.toml")):
            file.write_text(rapport(capsys, "mapping", "show", provider, "--examples")[1], "utf-8")
            assert rapport(capsys, "mapping", "check", str(file))[0] == 0, provider
        file.write_text(rapport(capsys, "mapping", "show", "greenhouse", "--examples")[1], "utf-8")
        assert "an interview stage" in rapport(capsys, "mapping", "explain", str(file))[1]
