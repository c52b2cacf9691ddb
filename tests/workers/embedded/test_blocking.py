"""A stack on a thread of its own."""

from pathlib import Path

import pytest

from workers.embedded.blocking import in_thread
from workers.embedded.errors import EmbeddedError
from workers.embedded.stack import EmbeddedStack


class TestInThread:
    def test_runs_from_with_to_its_end(self, tmp_path: Path) -> None:
        with in_thread(EmbeddedStack(tmp_path, postgres=False, temporal=False)) as stack:
            assert stack.smtp_port
            assert "watchdog" in stack.pids
        assert stack.pids == {}

    def test_raises_what_the_stack_raises(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with (
            pytest.raises(EmbeddedError),
            in_thread(EmbeddedStack(tmp_path / "file" / "below", postgres=False, temporal=False)),
        ):
            pass

    def test_stops_where_its_body_raises(self, tmp_path: Path) -> None:
        stack = EmbeddedStack(tmp_path, postgres=False, temporal=False)
        with pytest.raises(KeyError), in_thread(stack):
            raise KeyError
        assert stack.pids == {}
