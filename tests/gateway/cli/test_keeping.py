"""``rapport backup`` and ``restore``: of a stack that runs, and what an operator is told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import app
from gateway.cli.errors import WRONG

NAME = "Candidate Quuxworth"
KEY = "k-1:" + "a" * 43 + "="

Rapport = Callable[..., tuple[int, str, str]]


@pytest.fixture
def rapport(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rapport:
    """This will run a command where no server is named; gives its code and what it said."""
    for name in ("DATABASE_URL", "TEMPORAL_ADDRESS", "RAPPORT_KEY_ENCRYPTION_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("workers.logs.configure_logging", lambda *_: None)  # pytest's own stays

    def run(*arguments: str) -> tuple[int, str, str]:
        code = app.run(arguments)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.temporal
class TestBackupOfARunningStack:
    @pytest.mark.timeout(300)
    def test_comes_back_with_its_workflows(self, shared: Any, tmp_path: Path, up: Callable[[], Any]) -> None:
        """The log wins: Temporal has lost everything, and every engagement starts again from it."""
        engagement = shared.rapport("open", "--name", NAME, "--owner", "r-1").out.strip()
        said = ("do", engagement, "record-contact", "channel=phone", "--actor", "person:r-1")
        assert shared.rapport(*said).code == 0
        file, data, key = tmp_path / "backup", tmp_path / "data", shared.data / "key-encryption-keys"

        taken = shared.rapport("backup", str(file))
        assert taken.code == 0, taken.err
        assert f"not in it: key-encryption key 'local-1' of {key}; keep a copy of it apart" in taken.out
        restored = shared.rapport("restore", str(file), "--data", str(data), "--keys", str(key), "--json")
        assert restored.code == 0, restored.err
        assert (restored.json["mismatches"], restored.json["former"]) == (0, None)
        assert "the first sweep after 'rapport up' starts each again" in restored.json["workflows"]
        refused = shared.rapport("restore", str(file), "--replace")
        assert (refused.code, "is in use by process" in refused.err) == (WRONG, True)

        running = up()
        verified = running.rapport("verify", "--all", "--json").json
        shown = running.rapport("show", engagement, "--json").out
        assert (verified["mismatches"], verified["verified"] > 0) == (0, True)
        assert NAME in shown
        assert shown == shared.rapport("show", engagement, "--json").out


@pytest.mark.postgres
@pytest.mark.temporal
class TestBackupWithoutItsKey:
    def test_says_that_nobody_could_read_it(
        self, shared: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The backup is taken all the same: the log itself needs no key."""
        monkeypatch.setenv("RAPPORT_KEY_ENCRYPTION_KEYS", KEY)
        taken = shared.rapport("backup", str(tmp_path / "backup"))
        assert taken.code == 0
        assert "'local-1' is needed, and RAPPORT_KEY_ENCRYPTION_KEYS does not hold it" in taken.out


class TestBadInput:
    def test_gets_one_sentence_and_leaves_nothing(
        self, rapport: Rapport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data, words, new = str(tmp_path / "data"), tmp_path / "words", str(tmp_path / "new")
        words.write_text("some words")
        monkeypatch.setenv("RAPPORT_DATA_DIR", data)
        for arguments, complaint in (
            (("backup", new), "there is no log in"),
            (("backup", str(words)), "is there already; give the name of a new file"),
            (("backup", str(words / "b")), "cannot be written (not a directory)"),
            (("restore", new), "cannot be read (no such file or directory)"),
            (("restore", str(tmp_path)), "cannot be read (is a directory)"),
            (("restore", str(words)), "is no backup of Rapport, or it is damaged"),
            (
                ("restore", new, "--keys", str(tmp_path / "none")),
                "give the file with the key-encryption keys",
            ),
            (("restore", new, "--keys", str(words)), "is not usable: each key is written ID:BASE64"),
        ):
            code, out, err = rapport(*arguments)
            assert (code, out, err.count("\n")) == (WRONG, "", 1), (arguments, err)
            assert complaint in err
        assert sorted(path.name for path in tmp_path.iterdir()) == ["words"]

    def test_names_the_setting_that_is_in_the_way(
        self, rapport: Rapport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = str(tmp_path / "b")
        monkeypatch.setenv("RAPPORT_KEY_ENCRYPTION_KEYS", KEY)
        assert "would win over --keys" in rapport("restore", file, "--keys", file)[2]
        monkeypatch.setenv("DATABASE_URL", "postgresql://db.example.test/rapport")
        for command in ("backup", "restore"):
            code, out, _ = rapport(command, file, "--json")
            assert (code, "use its own tools" in json.loads(out)["message"]) == (WRONG, True)
