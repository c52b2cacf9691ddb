"""``rapport evidence``: made on a live stack, checked without one; must-show 6 at the command line."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from events.evidence.checking import check
from events.evidence.making import make
from events.evidence.signing import SigningKey, fingerprint
from events.log.memory import MemoryLog
from gateway.cli import app
from gateway.cli.errors import WRONG
from gateway.cli.evidence import TAMPERED
from gateway.cli.evidence_telling import OUTCOMES, SEALED, told
from workers.evidence import gather

KEY = SigningKey(bytes(range(32)))
NAME = "Candidate Quuxworth"
AMONG_OTHERS = True
Rapport = Callable[..., tuple[int, str, str]]


@pytest.fixture
def rapport(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Rapport:
    """This will run a command where no server is named; gives its code and what it said."""
    for name in ("DATABASE_URL", "TEMPORAL_ADDRESS", "RAPPORT_EVIDENCE_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAPPORT_DATA_DIR", str(tmp_path / "data"))

    def run(*arguments: str) -> tuple[int, str, str]:
        code = app.run(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
async def file(kept: MemoryLog, tmp_path: Path) -> Path:
    """This will be the evidence of a life with a breach and an annulment."""
    material = await gather(kept, "agency-1", "e-1", personal=False)
    made = make(material, told(material), KEY, made_at=datetime(2026, 2, 1, tzinfo=UTC), made_by="rapport 0")
    (tmp_path / "file").write_bytes(made)
    return tmp_path / "file"


class TestTold:
    async def test_tells_every_event_and_every_promise(self, kept: MemoryLog) -> None:
        material = await gather(kept, "agency-1", "e-1", personal=False)
        says = told(material)
        assert sorted(says.events) == [each.version for each in material.events]
        opened = [each for each in material.events if each.type == "obligation-opened"]
        assert len(says.promises) == len(opened) == sum(says.summary.promises.values())
        assert all(each.events and each.says.endswith(".") for each in says.promises)
        assert set(says.summary.promises) == set(OUTCOMES)
        assert any(each.breached for each in says.promises)
        assert any("[annulled]" in each for each in says.events.values())

    async def test_says_no_word_of_a_person_unless_it_was_opened(self, kept: MemoryLog) -> None:
        shut = told(await gather(kept, "agency-1", "e-1", personal=False))
        opened = told(await gather(kept, "agency-1", "e-1", personal=True))
        assert any(SEALED in each for each in shut.events.values())
        assert not any(SEALED in each for each in opened.events.values())


class TestCheck:
    def test_says_whose_record_it_is(self, file: Path, rapport: Rapport) -> None:
        code, out, err = rapport("evidence", "check", str(file))
        assert (code, err) == (0, "")
        assert out.startswith("Nothing was tampered with: ")
        assert "engagement e-1 at agency agency-1" in out
        assert "compare it with a known one (--key)" in out

    def test_compares_the_key(self, file: Path, rapport: Rapport, tmp_path: Path) -> None:
        ours = fingerprint(KEY.public)
        (tmp_path / "key").write_text(f"{KEY.told()}\nfingerprint sha256:{ours}\n")
        for known in (ours, str(tmp_path / "key")):
            code, out, _ = rapport("evidence", "check", str(file), "--key", known)
            assert (code, "which is the key you named" in out) == (0, True)
        code, out, _ = rapport("evidence", "check", str(file), "--key", "0" * 64)
        assert (code, out.startswith("The file is signed with another key")) == (TAMPERED, True)
        code, _, err = rapport("evidence", "check", str(file), "--key", "hunter2")
        assert (code, "--key names no key" in err) == (WRONG, True)

    def test_names_what_was_tampered_with(self, file: Path, rapport: Rapport) -> None:
        lines = file.read_text().split("\n")
        place = next(at for at, line in enumerate(lines) if '"record":"event","version":4,' in line)
        lines[place] = lines[place].replace('"source":"test"', '"source":"other"')
        file.write_text("\n".join(lines))
        code, out, _ = rapport("evidence", "check", str(file))
        assert code == TAMPERED
        first, second, end = out.split("\n")
        assert first.startswith("Event 4 (")
        assert first.endswith(") was edited in the field 'source'.")
        assert (second, end) == ("What does not hold: untouched, content, signature.", "")
        code, out, _ = rapport("evidence", "check", str(file), "--json")
        answer = json.loads(out)
        assert (code, answer["sound"], answer["faults"][0]["version"]) == (TAMPERED, False, 4)
        assert answer["checks"]["chain"] == "holds"

    def test_says_that_line_ends_were_changed(self, file: Path, rapport: Rapport) -> None:
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
        code, out, err = rapport("evidence", "check", str(file))
        assert (code, err) == (TAMPERED, "")
        assert out.startswith("The line ends of the file were changed (to CRLF), so its bytes are not those ")

    def test_of_what_is_no_evidence_is_one_sentence(self, rapport: Rapport, tmp_path: Path) -> None:
        (tmp_path / "words").write_text("some words")
        for path, complaint in (
            (tmp_path / "words", "this is no evidence file of Rapport"),
            (tmp_path / "none", "no such file or directory"),
            (tmp_path, "is a directory"),
        ):
            code, out, err = rapport("evidence", "check", str(path))
            assert (code, out, err.count("\n")) == (WRONG, "", 1)
            assert complaint in err


class TestKey:
    def test_is_made_on_first_use_and_shown_again(self, rapport: Rapport, tmp_path: Path) -> None:
        (tmp_path / "data" / "postgres" / "data").mkdir(parents=True)
        first, again = rapport("evidence", "key"), rapport("evidence", "key", "--json")
        public, name = first[1].split("\n")[:2]
        answer = json.loads(again[1])
        assert (answer["public_key"], f"fingerprint {answer['fingerprint']}") == (public, name)
        assert (tmp_path / "data" / "evidence-key").exists()

    def test_is_not_made_where_no_stack_is(self, rapport: Rapport, tmp_path: Path) -> None:
        """A mistyped directory would give whoever checks a key that signs nothing."""
        code, out, err = rapport("evidence", "key")
        assert (code, out, err.count("\n")) == (WRONG, "", 1)
        assert "holds neither a key that signs evidence nor a stack's data" in err
        assert not (tmp_path / "data").exists()


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.temporal
class TestOnARunningStack:
    def test_is_written_signed_and_checked(self, shared: Any, tmp_path: Path) -> None:
        engagement = shared.rapport("open", "--name", NAME, "--owner", "r-1").out.strip()
        said = ("do", engagement, "record-contact", "channel=phone", "by=r-1", "--actor", "person:r-1")
        assert shared.rapport(*said).code == 0
        shut, opened = tmp_path / "shut", tmp_path / "opened"
        done = shared.rapport("evidence", engagement, "--agency", shared.agency, "-o", str(shut))
        assert (done.code, done.err) == (0, "")
        more = shared.rapport("evidence", engagement, "-o", str(opened), "--with-personal", "--json")
        assert more.code == 0, more.err
        assert (NAME in shut.read_text(), NAME in opened.read_text()) == (False, True)
        key = shared.rapport("evidence", "key", "--json").json["fingerprint"]
        for path in (shut, opened):
            checked = shared.rapport("evidence", "check", str(path), "--key", key)
            assert checked.code == 0, checked.out
        answers = check(opened.read_bytes(), key.removeprefix("sha256:")).answers
        assert set(answers.values()) == {"holds"}

    def test_of_somebody_unknown_is_one_sentence(self, shared: Any, tmp_path: Path) -> None:
        for arguments, complaint in (
            (("nobody", "-o", str(tmp_path / "file")), f"no engagement 'nobody' in agency '{shared.agency}'"),
            (("nobody", "--agency", "other", "-o", str(tmp_path / "file")), "there is no agency 'other'"),
            (("no body", "-o", str(tmp_path / "file")), "the id of the engagement must be letters"),
            (("nobody",), "Missing option '-o'"),
        ):
            done = shared.rapport("evidence", *arguments)
            assert (done.code, done.out, complaint in done.err) == (WRONG, "", True), done.err
        assert list(tmp_path.iterdir()) == []
