"""What the command line says to mistakes that only a running stack can find."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from workflows.types import workflow_id

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.temporal]
AMONG_OTHERS = True

PAUSE = ("pause", f"until={(datetime.now(UTC) + timedelta(days=10)).isoformat()}")


def opened(shared: Any, *more: str) -> str:
    """Open an engagement and give its id."""
    done = shared.rapport("open", "--owner", "r-1", *more)
    assert done.code == 0, done.err
    return str(done.out.strip())


class TestBadInput:
    def test_gets_one_sentence_and_writes_nothing(self, shared: Any) -> None:
        engagement = opened(shared, "--candidate-id", "c-bad-input")
        assert shared.rapport("do", engagement, *PAUSE, "--command-id", "k-1").code == 0
        before = shared.rapport("show", engagement, "--json").json["version"]

        for arguments, complaint in (
            (("do", "e-404", "resume"), "no engagement 'e-404'"),
            (
                ("do", engagement, "submit", "job_order_id=j-1", "--at", "2026-01-05T09:00:00"),
                "without a zone",
            ),
            (
                ("do", engagement, "pause", "until=2032-01-01T00:00:00Z", "--command-id", "k-1"),
                "another content",
            ),
            (
                ("do", engagement, "move-interview", "interview_id=i-9", "starts_at=2031-01-01T00:00:00Z"),
                "i-9",
            ),
            (("do", "job-order:j-404", "stop-intake"), "no job order 'j-404'"),
            (("open", "--candidate-id", "c-bad-input"), "has an engagement"),
            (("show", "e-404"), "no engagement 'e-404'"),
            (("show", engagement, "--at", "999"), "--at"),
            (("verify", "e-404"), "no engagement 'e-404'"),
            (("list", "--agency", "nobody"), "no agency 'nobody'"),
        ):
            done = shared.rapport(*arguments)
            assert (done.code, done.err.count("\n")) == (2, 1), (arguments, done.err)
            assert complaint in done.err

        assert shared.rapport("show", engagement, "--json").json["version"] == before

    def test_gets_the_stored_answer_for_a_command_given_twice(self, shared: Any) -> None:
        engagement = opened(shared)

        answers = [
            shared.rapport("do", engagement, *PAUSE, "--command-id", "k-1", "--json").json for _ in "12"
        ]

        assert answers[0] == answers[1]


class TestClosedEngagement:
    def test_takes_late_reports_only_and_still_verifies(self, shared: Any) -> None:
        engagement = opened(shared)
        assert shared.rapport("do", engagement, "close-engagement", "reason=moved-away").code == 0

        late = shared.rapport("do", engagement, *PAUSE)
        report = shared.rapport("do", engagement, "record-contact", "channel=phone", "--actor", "person:r-1")
        verified = shared.rapport("verify", engagement, "--json")

        assert (late.code, "is closed" in late.err) == (2, True)
        assert report.code == 0, report.err
        assert (verified.code, verified.json["mismatches"]) == (0, 0)


class TestPersonalSignalWithoutTheCodec:
    def test_is_recorded_as_refused_and_the_workflow_goes_on(self, shared: Any) -> None:
        engagement = opened(shared)
        named = ("--workflow-id", workflow_id(shared.agency, engagement), "--name", "record-message")
        shared.temporal("workflow", "signal", *named, "--input", json.dumps({"words": "mind the gap"}))

        deadline = time.monotonic() + 30
        while "message-refused" not in shared.rapport("show", engagement, "--json").out:
            assert time.monotonic() < deadline, "the signal left no trace"

        shown = shared.rapport("show", engagement).out
        assert "could not be applied (unencrypted-personal-content)" in shown
        assert "mind the gap" not in shown
        assert shared.rapport("do", engagement, *PAUSE).code == 0


class TestOutbox:
    def test_is_empty_before_anything_is_owed(self, shared: Any) -> None:
        assert shared.rapport("outbox", "--json").json == []
