import errno
import json
from pathlib import Path

import asyncpg
import pytest
from temporalio.service import RPCError, RPCStatusCode

from events.errors import ClosedEngagement, UnknownEngagement
from events.policy_file import PolicyError
from gateway.cli.errors import REFUSED, WRONG, Refused, Wrong, report, sentence
from workers.client import CommandFailed, NotAnswered
from workers.embedded.errors import EmbeddedError
from workers.settings import SettingsError


class TestSentence:
    @pytest.mark.parametrize(
        "error",
        [
            Wrong("do this"),
            UnknownEngagement("e-1"),
            ClosedEngagement("e-1"),
            CommandFailed("do this", "wrong-state"),
            PolicyError(["line 3: do this", "line 4: and that"]),
            EmbeddedError("do this"),
            SettingsError("do this"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_is_the_message_of_an_error_of_ours(self, error: Exception) -> None:
        assert sentence(error) == f"{error}".removesuffix(".") + "."

    def test_is_one_line(self) -> None:
        assert sentence(Wrong("one\n  thing")) == "one thing."

    def test_keeps_the_id_to_send_again(self) -> None:
        from datetime import timedelta

        assert "'k-1'" in str(sentence(NotAnswered("k-1", timedelta(seconds=1))))

    def test_tells_when_nobody_listens(self) -> None:
        error = OSError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 1)")

        assert str(sentence(error)).startswith("a server does not answer (connection refused)")

    def test_names_a_file_that_cannot_be_read(self) -> None:
        error = FileNotFoundError(errno.ENOENT, "No such file or directory", "people.toml")

        assert sentence(error) == "people.toml: no such file or directory."

    def test_sends_to_migrate(self) -> None:
        assert "rapport migrate" in str(sentence(asyncpg.UndefinedTableError("rapport.events")))

    def test_never_repeats_what_a_server_says(self) -> None:
        """It may quote a row, and a row may hold a person's words."""
        away = RPCError("Candidate Quux", RPCStatusCode.UNAVAILABLE, b"")

        assert "Quux" not in str(sentence(away))
        assert "Quux" not in str(sentence(asyncpg.PostgresError("Candidate Quux")))

    def test_is_none_for_what_nobody_expected(self) -> None:
        assert sentence(ZeroDivisionError("division by zero")) is None


class TestReport:
    def test_tells_a_refusal_with_its_remedy(self, capsys: pytest.CaptureFixture[str]) -> None:
        error = Refused("right-to-represent", "No agreement.", "Ask for it.", {"outcome": "refused"})

        assert report(error, as_json=True, log=None) == REFUSED

        told = capsys.readouterr()
        assert "right-to-represent: No agreement." in told.err
        assert "Ask for it." in told.err
        assert json.loads(told.out) == {
            "outcome": "refused",
            "gate": "right-to-represent",
            "reason": "No agreement.",
            "remedy": "Ask for it.",
        }

    def test_tells_a_mistake_in_one_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert report(UnknownEngagement("e-1"), as_json=False, log=None) == WRONG

        told = capsys.readouterr()
        assert told.out == ""
        assert (
            told.err
            == "rapport: there is no engagement 'e-1'; open it first: 'rapport open' gives open-engagement.\n"
        )

    def test_gives_scripts_the_errors_code(self, capsys: pytest.CaptureFixture[str]) -> None:
        report(ClosedEngagement("e-1"), as_json=True, log=None)

        assert json.loads(capsys.readouterr().out)["error"] == "closed-engagement"

    def test_keeps_the_trace_of_the_unexpected_without_its_words(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        log = tmp_path / "logs" / "rapport.log"

        assert report(_raised(), as_json=False, log=log) == WRONG

        told = capsys.readouterr().err
        assert "something unexpected went wrong (ZeroDivisionError)" in told
        assert str(log) in told
        assert "Quux" not in told
        [line] = log.read_text().splitlines()
        assert "test_errors.py" in line
        assert "Quux" not in line
        assert log.stat().st_mode & 0o777 == 0o600

    def test_shows_the_trace_when_asked_to(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RAPPORT_DEBUG", "1")

        with pytest.raises(ZeroDivisionError):
            report(_raised(), as_json=False, log=None)


def _raised() -> ZeroDivisionError:
    try:
        raise ZeroDivisionError("Candidate Quux")
    except ZeroDivisionError as error:
        return error
