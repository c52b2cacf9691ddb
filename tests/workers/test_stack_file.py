import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from workers import stack_file
from workers.stack_file import StackFile


@pytest.fixture
def mine() -> StackFile:
    """This will describe a stack that the test's own process runs."""
    return stack_file.describe_me(
        database_url="postgresql://postgres:secret@127.0.0.1:1/rapport",
        temporal_address="127.0.0.1:7233",
        temporal_ui_url=None,
        codec_endpoint="http://127.0.0.1:8234",
        smtp_host="127.0.0.1",
        smtp_port=1025,
    )


class TestRead:
    def test_finds_what_was_written(self, tmp_path: Path, mine: StackFile) -> None:
        stack_file.write(tmp_path, mine)

        assert stack_file.read(tmp_path) == mine

    def test_finds_nothing_where_nothing_was_written(self, tmp_path: Path) -> None:
        assert stack_file.read(tmp_path) is None
        assert stack_file.read(tmp_path / "nowhere") is None

    @pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"pid": 1}'])
    def test_takes_nonsense_for_no_stack(self, tmp_path: Path, content: str) -> None:
        (tmp_path / stack_file.NAME).write_text(content)

        assert stack_file.read(tmp_path) is None

    def test_recognises_a_dead_stack(self, tmp_path: Path, mine: StackFile) -> None:
        ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True)
        stack_file.write(tmp_path, mine)
        self._change(tmp_path, pid=int(ended.stdout))

        assert stack_file.read(tmp_path) is None

    def test_recognises_another_process_under_the_same_number(self, tmp_path: Path, mine: StackFile) -> None:
        """After a reboot, the number of the dead one may be anybody's."""
        stack_file.write(tmp_path, mine)
        self._change(tmp_path, born=mine.born - 3600)

        assert stack_file.read(tmp_path) is None

    def _change(self, directory: Path, **values: object) -> None:
        path = directory / stack_file.NAME
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


class TestWrite:
    def test_lets_nobody_else_read_the_password(self, tmp_path: Path, mine: StackFile) -> None:
        (tmp_path / stack_file.NAME).write_text("left by an earlier stack")
        (tmp_path / stack_file.NAME).chmod(0o644)

        stack_file.write(tmp_path, mine)

        assert (tmp_path / stack_file.NAME).stat().st_mode & 0o777 == 0o600

    def test_leaves_no_password_in_a_repr(self, mine: StackFile) -> None:
        assert "secret" not in repr(mine)


class TestRemove:
    def test_forgets_our_own_stack(self, tmp_path: Path, mine: StackFile) -> None:
        stack_file.write(tmp_path, mine)

        stack_file.remove(tmp_path)

        assert list(tmp_path.iterdir()) == []

    def test_leaves_anothers_alone(self, tmp_path: Path, mine: StackFile) -> None:
        stack_file.write(tmp_path, mine)
        path = tmp_path / stack_file.NAME
        path.write_text(path.read_text().replace(f'"pid": {os.getpid()}', '"pid": 1'))

        stack_file.remove(tmp_path)

        assert path.exists()
