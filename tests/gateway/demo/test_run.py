"""The demo, as a newcomer runs it: killed in the middle, taken up again, verified."""

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.temporal]

# A signal with its repetition, a climb to the director, and two who touch each other over one job order.
STORIES = ("no-show", "neglected", "two-on-one-job")
PLAYED = {"interview": 1, "matching": 2, "placement": 1}


def demo(data: Path, *more: str) -> list[str]:
    """Write the command line of a demo that ends by itself."""
    return [sys.executable, "-m", "gateway", "demo", *more, "--once", "--json", "--data", str(data)]


class TestRunDemo:
    def test_is_taken_up_again_after_kill_minus_nine(self, tmp_path: Path) -> None:
        """No process is left ten seconds later, and the next start plays the same stories to their end."""
        fast = (*STORIES, "--days-a-second", "2")
        with subprocess.Popen(demo(tmp_path, *fast), stdout=subprocess.PIPE, text=True) as first:
            assert first.stdout is not None
            assert any("Submission s-1 sent" in line for line in first.stdout)
            ours = psutil.Process(first.pid).children(recursive=True)
            assert len(ours) >= 3
            first.kill()
        _, alive = psutil.wait_procs(ours, timeout=10)
        assert alive == []

        again = subprocess.run(demo(tmp_path), capture_output=True, text=True, timeout=150, check=False)
        assert again.returncode == 0, again.stdout[-2000:] + again.stderr[-2000:]
        outcome = json.loads(again.stdout.splitlines()[-1])
        assert outcome["engagements"] == outcome["verified"] == 4
        assert outcome["mismatches"] == 0
        assert outcome["stages"] == PLAYED
        assert {"1", "2", "3"} <= set(outcome["escalations_by_level"])
        assert outcome["breaches"] >= 1
        assert outcome["outreach_sent"] >= 1
        assert "Engagement opened" not in again.stdout
