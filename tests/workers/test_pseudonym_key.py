"""One key, made once: the same log must get the same ids next year."""

from pathlib import Path

import pytest

from events.sources.errors import SourceError
from workers.pseudonym_key import KEY_FILE, pseudonym_key


class TestPseudonymKey:
    def test_is_made_once_and_kept(self, tmp_path: Path) -> None:
        first = pseudonym_key(None, tmp_path / "data")
        assert pseudonym_key(None, tmp_path / "data") == first
        assert len(first) >= 32

    def test_is_for_its_owner_alone(self, tmp_path: Path) -> None:
        pseudonym_key(None, tmp_path)
        assert (tmp_path / KEY_FILE).stat().st_mode & 0o077 == 0
        assert [each.name for each in tmp_path.iterdir()] == [KEY_FILE]

    def test_differs_between_directories(self, tmp_path: Path) -> None:
        assert pseudonym_key(None, tmp_path / "one") != pseudonym_key(None, tmp_path / "two")

    def test_is_read_from_the_callers_file(self, tmp_path: Path) -> None:
        path = tmp_path / "mine"
        path.write_bytes(b"sixteen bytes...\n")
        assert pseudonym_key(path, tmp_path / "data") == b"sixteen bytes..."
        assert not (tmp_path / "data").exists()

    def test_says_what_is_wrong_with_the_callers_file(self, tmp_path: Path) -> None:
        path = tmp_path / "mine"
        with pytest.raises(SourceError, match="cannot be read: no such file"):
            pseudonym_key(path, tmp_path)
        path.write_bytes(b"short")
        with pytest.raises(SourceError, match="too short"):
            pseudonym_key(path, tmp_path)

    def test_says_so_when_none_can_be_kept(self, tmp_path: Path) -> None:
        blocked = tmp_path / "file"
        blocked.write_bytes(b"")
        with pytest.raises(SourceError, match="cannot be made"):
            pseudonym_key(None, blocked)
