"""A soak of seconds, so that the program itself stays whole; the real one is ``make soak``."""

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import workers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

pytestmark = [pytest.mark.postgres, pytest.mark.temporal, pytest.mark.slow]

# Kills the worker after 5 seconds, before anybody is owed a letter; both servers at once after 12.
SEED = 2529


class TestSoak:
    def test_holds_every_promise(self) -> None:
        root = workers.__path__[0] + "/.."
        command = [sys.executable, "-m", "tests.crash.soak", "--minutes", "0.25", "--stories", "2"]
        run = subprocess.run(
            [*command, "--seed", str(SEED)],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
            timeout=220,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        assert run.stdout.startswith(f"seed {SEED},")
        told: Mapping[str, Any] = json.loads(run.stdout.splitlines()[-1])
        assert told["seed"] == SEED
        assert told["holds"]
        assert told["kills"] == {"two+postgres": 1, "two+temporal": 1, "worker": 1}
        assert told["verified"] == told["engagements"] == told["scenarios"] > 0
        assert told["commands_acknowledged"] > 0
        assert told["messages"] > 0
        assert run.stderr == ""
