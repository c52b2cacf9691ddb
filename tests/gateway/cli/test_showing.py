from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.cli import showing

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def promise(**more: Any) -> dict[str, Any]:
    """Make a row of ``waiting``."""
    return {
        "engagement": "e-1",
        "rule": "keep-in-touch",
        "subject": "engagement",
        "since": NOON,
        "due_at": NOON,
        "overdue": True,
        "level": 2,
        "awaits": "recruiter",
        "owner": "r-1",
        "owner_name": "Recruiter One",
        "lies_with": "t-1",
        "lies_with_name": None,
        **more,
    }


def message(**more: Any) -> dict[str, Any]:
    """Make a row of ``outbox``."""
    return {
        "engagement": "e-1",
        "to": "owner",
        "person": None,
        "template": "escalation",
        "rule": "keep-in-touch",
        "level": 1,
        "requested_at": NOON,
        "state": "owed",
        "ledger": None,
        "reason": None,
        "held_since": None,
        "digest_of": None,
        "digest_at": None,
        **more,
    }


async def shown(layout: showing.Layout, *rows: dict[str, Any]) -> None:
    """Print rows, a page each."""

    async def pages() -> AsyncIterator[list[dict[str, Any]]]:
        for row in rows:
            yield [row]

    await showing.listed(pages(), layout, as_json=False)


class TestWaiting:
    async def test_says_in_words_what_the_colour_says(self, capsys: pytest.CaptureFixture[str]) -> None:
        await shown(showing.WAITING, promise())

        told = capsys.readouterr().out
        assert "5 Jan 2026 12:00 UTC (overdue)" in told
        assert "Recruiter One (r-1)" in told
        assert "t-1" in told

    async def test_names_the_party_that_has_to_move(self, capsys: pytest.CaptureFixture[str]) -> None:
        await shown(showing.WAITING, promise(awaits="client"))

        assert "the client" in capsys.readouterr().out

    async def test_says_when_nobody_waits(self, capsys: pytest.CaptureFixture[str]) -> None:
        await shown(showing.WAITING)

        assert capsys.readouterr().out == "nobody waits\n"


class TestOutbox:
    @pytest.mark.parametrize(
        ("row", "told"),
        [
            (message(), "owed"),
            (message(ledger="unknown"), "owed (unknown)"),
            (message(state="sent", person="r-1", ledger="sent"), "sent"),
            (message(held_since=NOON, ledger="released"), "held since 5 Jan 2026 12:00 UTC"),
            (
                message(digest_of="t-1", digest_at=NOON),
                "gathers for t-1 until 5 Jan 2026 12:00 UTC",
            ),
            (message(digest_of="t-1", digest_at=NOON, ledger="released"), "owed (released)"),
            (message(state="failed", reason="refused-by-server"), "failed (refused-by-server)"),
        ],
    )
    async def test_says_what_became_of_each(
        self, row: dict[str, Any], told: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        await shown(showing.OUTBOX, row)

        assert capsys.readouterr().out.splitlines()[1].endswith(f" {told}")


class TestEngagements:
    async def test_says_when_there_is_none(self, capsys: pytest.CaptureFixture[str]) -> None:
        await shown(showing.ENGAGEMENTS)

        assert capsys.readouterr().out == "no engagement\n"
