"""The incident switch on a stack that runs: what is owed waits, is seen to wait, and goes out after it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.gateway.cli.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.temporal]


def mails(shared: Any) -> int:
    """Count what the sink of the stack has taken."""
    return len(list((shared.data / "mail").rglob("*.eml")))


class TestOutreach:
    def test_waits_while_it_is_held_and_goes_out_after_the_release(self, shared: Any) -> None:
        """Nothing leaves, nothing is lost, no attempt is used up, and nobody calls it a failure."""
        why = ("--reason", "wrong-template", "--words", "It names Quux", "--by", "t-1")
        held = shared.rapport("outreach", "hold", *why, "--json")
        again = shared.rapport("outreach", "hold", "--reason", "client-request", "--json")
        assert (held.json["outcome"], again.json["outcome"]) == ("accepted", "nothing-to-do")
        assert (again.json["reason"], again.json["by"]) == ("wrong-template", "t-1")
        assert "owed" not in held.json, "an incident does not wait until the whole log is counted"

        # Its promise to keep in touch is broken in a few seconds, or at once.
        silent = (datetime.now(UTC) - timedelta(days=7, seconds=-4)).isoformat()
        opened = shared.rapport("open", "e-quiet", "--owner", "r-1", "--at", silent, "--name", "Quux")
        assert opened.code == 0, opened.err
        [row] = until(lambda: shared.rapport("outbox", "--json").json, 60)
        assert (row["state"], row["ledger"], row["attempt"]) == ("owed", None, 0)
        assert row["held_since"] == held.json["since"]
        assert "held since" in shared.rapport("outbox").out

        def waits() -> Any:
            findings = shared.rapport("stuck", "--attempts", "1", "--json").json["findings"]
            return [each for each in findings if each["reason"] == "OutreachHeld"]

        [finding] = until(waits, 60)
        assert (finding["stuck"], finding["says"]) == (False, "its message is held")
        stuck = shared.rapport("stuck")
        assert stuck.code == 1
        assert "all outreach is held by t-1" in stuck.out
        assert "1 message is owed" in shared.rapport("outreach", "status").out
        assert mails(shared) == 0

        released = shared.rapport("outreach", "release", "--json")
        assert (released.json["outcome"], released.json["held"]) == ("accepted", False)
        until(lambda: shared.rapport("outbox", "--state", "sent", "--json").json, 60)
        [row] = shared.rapport("outbox", "--json").json
        assert (row["attempt"], row["held_since"]) == (1, None)
        assert mails(shared) == 1
        assert "is not held; 0 messages are owed" in shared.rapport("outreach", "status").out
        told = [each["says"] for each in shared.rapport("show", "agency:acme", "--json").json["timeline"]]
        assert "All outreach held by t-1 (wrong template): “It names Quux”" in told
        assert "Quux" not in shared.rapport("show", "agency:acme", "--depth", "raw").out

    def test_is_not_released_twice(self, shared: Any) -> None:
        assert shared.rapport("outreach", "release", "--json").json["outcome"] == "nothing-to-do"
        assert "nothing to do" in shared.rapport("do", "agency:acme", "release-outreach").out

    def test_asks_for_a_reason_in_one_word(self, shared: Any) -> None:
        done = shared.rapport("outreach", "hold", "--reason", "It Names Quux")
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "Quux" not in done.err
