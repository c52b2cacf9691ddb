"""A soak of seconds, so that the program itself stays whole; the real one is ``make soak``."""

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import workers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

pytestmark = [pytest.mark.postgres, pytest.mark.temporal, pytest.mark.slow]

# Kills Temporal after 4 seconds and PostgreSQL after 13, and no worker, which takes too long to be given up.
SEED = 857


class TestSoak:
    def test_holds_every_promise(self) -> None:
        root = Path(workers.__file__).parent.parent
        command = [sys.executable, "-m", "tests.crash.soak", "--minutes", "0.25", "--small"]
        command += ["--days-a-second", "2"]
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
        assert told["kills"]["temporal"] == 1
        assert told["verified"] == told["engagements"] > 0
        assert told["commands_acknowledged"] > 0
        assert told["messages"] > 0
        assert run.stderr == ""
