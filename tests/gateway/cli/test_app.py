import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli import app
from gateway.cli.errors import DONE, WRONG
from workers.shipped import POLICIES

ROOT = Path(app.__file__).parents[2]


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """This will hide whatever the environment names, and look where no stack runs."""
    for name in ("DATABASE_URL", "TEMPORAL_ADDRESS", "RAPPORT_AGENCY", "RAPPORT_ACTOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAPPORT_DATA_DIR", str(tmp_path))


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """This will leave pytest's own logging alone."""
    monkeypatch.setattr("workers.logs.configure_logging", lambda *_: None)


@pytest.mark.usefixtures("quiet")
class TestRun:
    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (["lst"], "No such command 'lst'"),
            (["list", "--colour"], "No such option"),
            (["do", "e-1"], "Missing argument"),
            (["do", "e-1", "sumbit"], "did you mean 'submit'?"),
            (["do", "e-1", "submit"], "needs the field 'job_order_id'"),
            (["do", "e-1", "record-contact", "channel=phone", "nots=x"], "did you mean 'note'?"),
            (["do", "e-1", "submit", "j-1"], "field=value"),
            (["do", "e-1", "pause", "until=2026-01-05T09:00:00"], "without a zone"),
            (["do", "e-1", "pause", "until=tomorrow"], "is no time"),
            (["do", "e-1", "resume", "--at", "2026-01-05T09:00:00"], "without a zone"),
            (["do", "e-1", "resume", "--actor", "me"], "KIND:ID"),
            (["do", "e-1", "submit", "--data", "{job}"], "not JSON"),
            (["do", "e-1", "submit", "--data", "[]"], "one JSON object"),
            (["do", "e-1", "record-outreach", "outcome=sent"], "no command 'record-outreach'"),
            (["do", "e 1", "resume"], "letters, digits"),
            (["do", "invoice:1", "pay"], "no kind of stream"),
            (["do", "job-order:j-1", "open"], "no command of a job-order"),
            (["do", "job-order:j-1", "fill-job-order", "who=e-1"], "unknown field"),
            (["open", "--owner", "not an id"], "'owner'"),
            (["verify"], "--all"),
            (["verify", "e-1", "--all"], "name one engagement"),
            (["outbox", "--state", "lost"], "owed, sent, failed"),
            (["show", "e-1", "--at", "0"], "--at"),
            (["list"], "start one with 'rapport up'"),
            (["do", "e-1", "resume"], "start one with 'rapport up'"),
            (["worker"], "start one with 'rapport up'"),
            (["migrate"], "start one with 'rapport up'"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_answers_bad_input_with_one_sentence(
        self, arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert app.run(arguments) == WRONG

        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.count("\n") == 1
        assert complaint in told.err
        assert "Traceback" not in told.err

    def test_names_the_line_of_a_policys_typo(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        people = tmp_path / "people.toml"
        people.write_text('[[people]]\nid = "r-1"\nrole = "recruiter"\n')
        policy = tmp_path / "policy.toml"
        shipped = (POLICIES / "starter.toml").read_text().splitlines()
        line = shipped.index('within = "7 days"')
        shipped[line] = 'withn = "7 days"'
        policy.write_text("\n".join(shipped))

        assert app.run(["agency", "load", str(people), "--agency", "acme", "--policy", str(policy)]) == WRONG

        told = capsys.readouterr().err
        assert told.count("\n") == 1
        assert f"{policy}, line {line + 1}" in told
        assert "within" in told

    def test_knows_the_policies_that_ship(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        people = tmp_path / "people.toml"
        people.write_text('[[people]]\nid = "r-1"\nrole = "recruiter"\n')

        assert app.run(["agency", "load", str(people), "--agency", "acme", "--policy", "startr"]) == WRONG
        assert "starter" in capsys.readouterr().err

    def test_names_the_person_in_a_file_with_a_mistake(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        people = tmp_path / "people.toml"
        people.write_text('[[people]]\nid = "r-1"\nrole = "boss"\nname = "Candidate Quux"\n')

        assert app.run(["agency", "load", str(people), "--agency", "acme"]) == WRONG

        told = capsys.readouterr().err
        assert "'role'" in told
        assert "Quux" not in told

    def test_tells_the_unexpected_without_a_traceback(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def fail(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("gateway.cli.inspect.perform", fail)

        assert app.run(["list"]) == WRONG

        told = capsys.readouterr().err
        assert "ZeroDivisionError" in told
        assert "Traceback" not in told
        assert (tmp_path / "logs" / "rapport.log").is_file()

    def test_is_quiet_when_interrupted(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("gateway.cli.inspect.perform", interrupt)

        assert app.run(["list"]) == 130
        assert capsys.readouterr().err == ""

    def test_shows_help_when_asked_for_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert app.run([]) == WRONG

        told = capsys.readouterr()
        assert "waiting" in told.out
        assert told.err == ""

    def test_shows_help(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert app.run(["--help"]) == DONE
        assert "waiting" in capsys.readouterr().out


class TestMain:
    def test_takes_no_harm_from_a_reader_that_leaves(self) -> None:
        """``rapport --help | head -1`` is no failure."""
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "--help"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = process.stderr.read()
        process.stderr.close()

        assert (process.wait(30), told) == (DONE, b"")

    def test_ends_with_the_commands_exit_code(self) -> None:
        done = subprocess.run([sys.executable, "-m", "gateway", "lst"], capture_output=True, cwd=ROOT)

        assert done.returncode == WRONG


class TestImport:
    def test_brings_in_nothing_heavy(self) -> None:
        """Help must be there at once: whatever costs time is imported by the command that needs it."""
        script = (
            "import sys, gateway.__main__; "
            "heavy = {'temporalio', 'asyncpg', 'pydantic', 'rich.console', 'structlog'}; "
            "print(*sorted(heavy & set(sys.modules)))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )

        assert done.stdout.split() == []
