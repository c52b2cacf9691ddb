"""The page of events and commands is generated, and says what the code says."""

from pathlib import Path

import pytest

from events import reference
from events.codec import ENGAGEMENT_EVENTS
from events.orders import COMMANDS


class TestPage:
    def test_is_what_the_code_says(self) -> None:
        """Out of date: run ``python -m events.reference --write``."""
        assert reference.PAGE.read_text(encoding="utf-8") == reference.page()

    def test_lists_every_event_and_command_with_its_meaning(self) -> None:
        rows = reference.page().splitlines()
        for name in (*ENGAGEMENT_EVENTS, *COMMANDS):
            (row,) = [each for each in rows if each.startswith(f"| `{name}` |")][:1]
            assert "|  |" not in row

    def test_marks_what_is_personal(self) -> None:
        assert "*words*?" in reference.page()
        assert "`submission_id`" in reference.page()


class TestMain:
    def test_says_whether_the_page_is_true(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert reference.main(["--check"]) == 0
        monkeypatch.setattr(reference, "PAGE", tmp_path / "CATALOGUE.md")
        monkeypatch.setattr(reference, "COMPLIANCE", tmp_path / "COMPLIANCE.md")
        assert reference.main(["--check"]) == 1
        assert "--write" in capsys.readouterr().err
        assert reference.main(["--write"]) == 0
        assert reference.main(["--check"]) == 0
        assert reference.main([]) == 2
