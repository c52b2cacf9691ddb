"""How a process of ours ends."""

import subprocess
import sys
from collections.abc import Callable

import pytest

RunPython = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture
def run(root_env: dict[str, str]) -> RunPython:
    """This will run a piece of Python in a process of its own."""

    def runs(code: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code],
            env=root_env,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    return runs


class TestEndProcess:
    def test_ends_with_the_code_and_all_that_was_written(self, run: RunPython) -> None:
        ended = run("from workers.ending import end_process\nprint('words', end='')\nend_process(3)")
        assert (ended.returncode, ended.stdout) == (3, "words")

    def test_runs_no_finalizer(self, run: RunPython) -> None:
        ended = run(
            "import atexit\nfrom workers.ending import end_process\n"
            "atexit.register(print, 'late')\nend_process(0)"
        )
        assert ended.stdout == ""

    def test_does_not_mind_a_reader_that_has_gone(self, run: RunPython) -> None:
        ended = run(
            "import os, sys\nfrom workers.ending import end_process\nr, w = os.pipe()\nos.dup2(w, 1)\n"
            "os.close(w)\nos.close(r)\nprint('words', end='')\nend_process(0)"
        )
        assert (ended.returncode, ended.stderr) == (0, "")
