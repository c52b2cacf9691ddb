"""``rapport check``, where nothing is there to answer; with a stack beside it, see test_operator."""

import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import app


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith(("RAPPORT_", "TEMPORAL_")) or name == "DATABASE_URL":
            monkeypatch.delenv(name)
    monkeypatch.setenv("RAPPORT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr("workers.logs.configure_logging", lambda *_: None)


def check() -> tuple[int, dict[str, Any]]:
    """Run it, and give its exit code and its answers by what they are about."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        code = app.run(["check", "--json"])
    return code, {each["what"]: each for each in json.loads(out.getvalue())["answers"]}


class TestWithoutServers:
    def test_says_how_to_get_some(self) -> None:
        code, answers = check()
        assert code == 1
        assert answers["settings"]["verdict"] == "ok"
        assert "rapport up" in answers["PostgreSQL"]["says"]
        assert "rapport up" in answers["Temporal"]["says"]
        assert answers["SMTP"]["verdict"] == "warning"

    def test_says_of_servers_that_are_away_that_they_do_not_answer(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = "a:" + "QUFB" * 10 + "QUE="
        monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret-words@127.0.0.1:1/x")
        monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
        monkeypatch.setenv("RAPPORT_KEY_ENCRYPTION_KEYS", key)
        monkeypatch.setenv("RAPPORT_SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("RAPPORT_SMTP_PORT", "1")
        code, answers = check()
        assert code == 1
        for what in ("PostgreSQL", "Temporal", "SMTP"):
            assert answers[what]["verdict"] == "wrong"
            assert "does not answer" in answers[what]["says"]
        assert "secret-words" not in str(answers)

    def test_goes_on_with_what_the_other_settings_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RAPPORT_SMTP_PORT", "x")
        monkeypatch.setenv("RAPPORT_SMTP_PRT", "587")
        monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
        code, answers = check()
        assert (code, answers["settings"]["verdict"]) == (1, "wrong")
        assert answers["SMTP"] == {
            "what": "SMTP",
            "verdict": "warning",
            "says": "it was not asked: first correct RAPPORT_SMTP_PORT.",
        }
        assert "does not answer" in answers["Temporal"]["says"]
        assert "rapport up" in answers["PostgreSQL"]["says"]

    def test_asks_no_other_database_than_the_one_that_is_meant(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_URL", "mysql://x")
        _, answers = check()
        assert answers["PostgreSQL"]["says"] == "it was not asked: first correct DATABASE_URL."
        assert "connections" not in answers
