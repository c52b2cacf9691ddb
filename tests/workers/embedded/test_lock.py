"""Who holds a directory, and which processes count as ours."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from workers.embedded.errors import EmbeddedError
from workers.embedded.lock import DirectoryLock, Holder, end_orphans, record_children


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """This will run a process that dies of SIGINT."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


class TestTake:
    def test_refuses_a_second_holder_and_names_the_first(self, tmp_path: Path) -> None:
        first, second = DirectoryLock(tmp_path), DirectoryLock(tmp_path)
        first.take()
        try:
            with pytest.raises(EmbeddedError, match=f"in use by process {os.getpid()} "):
                second.take()
        finally:
            first.release()
            second.release()

    def test_succeeds_after_a_release(self, tmp_path: Path) -> None:
        first = DirectoryLock(tmp_path)
        first.take()
        first.release()
        second = DirectoryLock(tmp_path)
        second.take()
        second.release()


class TestHolder:
    def test_does_not_live_where_another_process_has_its_number(self) -> None:
        me = Holder.me()
        assert me.lives
        assert not Holder(me.pid, me.command, me.since, me.born - 3600).lives


class TestEndOrphans:
    def test_ends_a_recorded_process(self, tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
        record_children(tmp_path, {"postgres": sleeper.pid})
        end_orphans(tmp_path)
        assert sleeper.poll() is not None

    def test_leaves_a_process_alone_that_was_born_at_another_time(
        self, tmp_path: Path, sleeper: subprocess.Popen[bytes]
    ) -> None:
        """A number alone says nothing: it may have been reused."""
        born = psutil.Process(sleeper.pid).create_time()
        (tmp_path / "children.json").write_text(json.dumps([[sleeper.pid, born - 3600]]))
        end_orphans(tmp_path)
        assert sleeper.poll() is None

    @pytest.mark.parametrize("content", ["", "{", "[]"])
    def test_takes_a_damaged_record_for_none(
        self, tmp_path: Path, sleeper: subprocess.Popen[bytes], content: str
    ) -> None:
        (tmp_path / "children.json").write_text(content)
        end_orphans(tmp_path)
        assert sleeper.poll() is None
