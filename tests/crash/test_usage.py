"""What the long programs say of their own options, without a run."""

import subprocess
import sys
from pathlib import Path

import pytest

import workers


@pytest.mark.parametrize("program", ["deliveries", "soak"])
class TestOptions:
    @pytest.mark.parametrize(("given", "code"), [("--help", 0), ("--no-such-option", 2)])
    def test_are_told_without_a_trace(self, program: str, given: str, code: int) -> None:
        command = [sys.executable, "-m", f"tests.crash.{program}", given]
        root = Path(workers.__file__).parent.parent
        ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=60)
        assert ended.returncode == code
        assert "usage: " in ended.stdout + ended.stderr
        assert "Traceback" not in ended.stderr
