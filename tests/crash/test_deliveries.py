"""A small run of ``make deliveries``, so that the program stays whole; the real one has 1,000 messages."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import workers

pytestmark = [pytest.mark.postgres, pytest.mark.temporal, pytest.mark.slow]

MESSAGES, ENGAGEMENTS = 60, 6


def run(*more: str) -> dict[str, Any]:
    """Run it; returns its last line."""
    command = [sys.executable, "-m", "tests.crash.deliveries", "--messages", str(MESSAGES)]
    command += ["--engagements", str(ENGAGEMENTS), "--seed", "1", "--temporal-stopped", "2", *more]
    root = Path(workers.__file__).parent.parent
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=220)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    told: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    assert told["holds"]
    assert told["acknowledged"] == 3 * MESSAGES
    assert told["applied"] + told["superseded"] == MESSAGES
    assert told["kills"]["before-acknowledging"] > 0
    assert told["repeats"] > 0
    assert told["verified"] == ENGAGEMENTS
    return told


class TestDeliveries:
    def test_are_each_applied_once_while_the_gateway_dies_and_temporal_is_away(self) -> None:
        """Those that come when something newer about the same is applied are superseded, with the reason."""
        assert run()["superseded"] > 0

    def test_are_applied_in_the_source_s_order_where_all_come_while_temporal_is_away(self) -> None:
        assert run("--while-stopped")["superseded"] == 0
