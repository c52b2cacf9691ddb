"""What a job order's events mean for the engagements with somebody on it, read as often as one likes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid5

import pytest

from events import job_order as jo
from events.catalogue import Event, RefundStep
from events.codec import body_of
from events.envelope import NAMESPACE, Actor, Stored
from workers.consequences import LEADING, consequences
from workers.passing_on import Consequence

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
OPENED = jo.JobOrderOpened(at=NOON, job_order_id="j-1", openings=2)
RECEIVED = jo.SubmissionReceived(at=NOON, engagement_id="e-1", submission_id="s-1")
RECEIVED_TOO = jo.SubmissionReceived(at=NOON, engagement_id="e-2", submission_id="s-2")
BOTH = (OPENED, RECEIVED, RECEIVED_TOO)
HELD = jo.JobOrderHeld(at=NOON, until=MARCH)
RESUMED = jo.JobOrderResumed(at=NOON)
FILLED = jo.JobOrderFilled(at=NOON, engagement_id="e-1", submission_id="s-1", openings_left=1)
LAST_FILLED = jo.JobOrderFilled(at=NOON, engagement_id="e-2", submission_id="s-2", openings_left=0)
FILLED_BY_CLIENT = jo.JobOrderFilled(at=NOON, openings_left=0)
REOPENED = jo.JobOrderReopened(at=NOON, engagement_id="e-1", submission_id="s-1", openings_left=1)
CLOSED = jo.JobOrderClosed(at=NOON, reason="budget")
FEWER = jo.OpeningsChanged(at=NOON, openings=1, openings_left=0)
TERMS = jo.JobOrderTermsRecorded(
    at=NOON,
    kind="permanent",
    guarantee_days=90,
    remedy="refund",
    refund_steps=(RefundStep(until_day=90, percent=50),),
)
GIVEN_TERMS = {
    "placement_kind": "permanent",
    "guarantee_days": 90,
    "remedy": "refund",
    "refund_steps": [{"until_day": 90, "percent": 50}],
}


def happened(events: Sequence[Event], stream: str = "job-order:j-1", *, after: int = 0) -> list[Stored]:
    """Store a stream's events, at the positions after one."""
    return [
        Stored(
            position=after + version,
            event_id=uuid5(NAMESPACE, f"{stream} {version}"),
            agency="a-1",
            stream=stream,
            version=version,
            type=type(event).model_fields["type"].default,
            schema_version=event.schema_version,
            command_id=f"c-{version}",
            causation_id=None,
            correlation_id=None,
            actor=Actor(kind="person", id="r-1"),
            source="test",
            origin="business",
            policy_digest=None,
            occurred_at=event.at,
            decided_at=event.at,
            recorded_at=event.at,
            body=body_of(event),
        )
        for version, event in enumerate(events, start=1)
    ]


def after(*events: Event) -> list[tuple[str, str, dict[str, Any]]]:
    """Give what the last of a job order's events leads to: engagement, command, and what it says beside."""
    found = happened(events)
    assert found[-1].type in LEADING
    given = consequences(found[-1], found, {})
    assert len({each.command_id(found[-1].event_id) for each in given}) == len(given)
    return [(each.stream.removeprefix("engagement:"), each.name, beside(each)) for each in given]


def beside(consequence: Consequence) -> dict[str, Any]:
    """Leave out which job order it is about."""
    return {key: value for key, value in consequence.data.items() if key != "job_order_id"}


def gone(engagement: str, how: str = "filled") -> tuple[str, str, dict[str, Any]]:
    return engagement, "record-position-filled", {"how": how}


def held(
    engagement: str, until: str | None = "2026-03-01T00:00:00.000000Z"
) -> tuple[str, str, dict[str, Any]]:
    return engagement, "record-position-held", {"until": until}


def resumed(engagement: str) -> tuple[str, str, dict[str, Any]]:
    return engagement, "record-position-resumed", {}


def agreed(engagement: str, submission: str) -> tuple[str, str, dict[str, Any]]:
    return engagement, "record-placement-terms", {"placement_id": submission, **GIVEN_TERMS}


class TestAHold:
    def test_reaches_everybody_alive(self) -> None:
        assert after(*BOTH, HELD) == [held("e-1"), held("e-2")]

    def test_reaches_nobody_who_was_hired(self) -> None:
        assert after(*BOTH, FILLED, HELD) == [held("e-2")]

    def test_reaches_who_comes_while_it_lasts(self) -> None:
        """Nobody is presented into silence."""
        assert after(OPENED, HELD, RECEIVED) == [held("e-1")]
        assert after(OPENED, HELD, RESUMED, RECEIVED) == []

    def test_tells_a_new_date_as_well(self) -> None:
        moved = jo.JobOrderHeld(at=NOON)
        assert after(OPENED, RECEIVED, HELD, moved) == [held("e-1", None)]

    def test_ends_for_everybody_alive(self) -> None:
        assert after(OPENED, RECEIVED, HELD, RECEIVED_TOO, RESUMED) == [resumed("e-1"), resumed("e-2")]

    def test_reaches_whose_hire_came_to_nothing_meanwhile(self) -> None:
        """Declared wrong, an acceptance leaves the submission with the client."""
        assert after(OPENED, RECEIVED, FILLED, HELD, REOPENED) == [held("e-1")]

    def test_gives_way_to_the_end(self) -> None:
        assert after(*BOTH, HELD, FILLED_BY_CLIENT) == [gone("e-1"), gone("e-2")]
        assert after(OPENED, HELD, CLOSED, RECEIVED) == [gone("e-1", "closed")]


class TestAnotherOwner:
    FIRST = jo.JobOrderOpened(at=NOON, job_order_id="j-1", openings=2, owner="r-1")
    SECOND = jo.JobOrderOwnerChanged(at=NOON, owner="r-2", previous="r-1")
    THIRD = jo.JobOrderOwnerChanged(at=NOON, owner="r-3", previous="r-2")

    def test_is_told_to_everybody_who_was_proposed_it_or_is_presented(self) -> None:
        found = happened((self.FIRST, self.SECOND))
        given = consequences(found[-1], found, {"engagement:e-2": (), "engagement:e-1": ()})
        assert [(each.stream, each.data) for each in given] == [
            (stream, {"job_order_id": "j-1", "owner": "r-2", "previous": ["r-1"]})
            for stream in ("engagement:e-1", "engagement:e-2")
        ]

    def test_is_told_to_who_comes_later_under_an_earlier_one(self) -> None:
        told = ("e-1", "record-position-owner", {"owner": "r-3", "previous": ["r-1", "r-2"]})
        assert after(self.FIRST, self.SECOND, self.THIRD, RECEIVED) == [told]
        assert after(self.FIRST, self.SECOND, self.THIRD, HELD, RECEIVED) == [told, held("e-1")]

    def test_follows_nobody_where_nobody_answered_before(self) -> None:
        first = jo.JobOrderOwnerChanged(at=NOON, owner="r-2")
        found = happened((OPENED, first))
        assert consequences(found[-1], found, {"engagement:e-1": ()}) == []


class TestTheEnd:
    @pytest.mark.parametrize(("end", "how"), [(FILLED_BY_CLIENT, "filled"), (CLOSED, "closed")])
    def test_reaches_everybody_alive(self, end: Event, how: str) -> None:
        assert after(*BOTH, end) == [gone("e-1", how), gone("e-2", how)]

    def test_reaches_who_comes_after_it(self) -> None:
        assert after(OPENED, FILLED_BY_CLIENT, RECEIVED) == [gone("e-1")]
        assert after(OPENED, FILLED, FEWER, RECEIVED_TOO) == [gone("e-2")]

    def test_comes_with_the_last_opening_and_not_before(self) -> None:
        assert after(*BOTH, FILLED) == []
        assert after(*BOTH, FILLED, LAST_FILLED) == []
        assert after(OPENED, RECEIVED, RECEIVED_TOO, FILLED, FILLED_BY_CLIENT) == [gone("e-2")]

    def test_comes_also_when_the_client_wants_fewer(self) -> None:
        """For whoever still waits it is the same news."""
        assert after(*BOTH, FILLED, FEWER) == [gone("e-2")]
        more = jo.OpeningsChanged(at=NOON, openings=3, openings_left=3)
        assert after(*BOTH, more) == []

    def test_reaches_again_only_who_may_be_alive_again(self) -> None:
        """After a reopening nobody who was told is called back; the engagement knows who is still alive."""
        again = jo.JobOrderFilled(at=NOON, engagement_id="e-2", submission_id="s-2", openings_left=0)
        only = jo.OpeningsChanged(at=NOON, openings=1, openings_left=0)
        assert after(*BOTH, FILLED, only, REOPENED, again) == [gone("e-1")]


class TestTerms:
    def test_come_with_the_fill(self) -> None:
        assert after(*BOTH, TERMS, FILLED) == [agreed("e-1", "s-1")]
        assert after(*BOTH, TERMS, FILLED, LAST_FILLED) == [agreed("e-2", "s-2")]

    def test_reach_those_who_are_placed(self) -> None:
        assert after(*BOTH, FILLED, TERMS) == [agreed("e-1", "s-1")]
        assert after(*BOTH, FILLED, CLOSED, TERMS) == [agreed("e-1", "s-1")]

    def test_reach_nobody_whose_hire_came_to_nothing(self) -> None:
        assert after(*BOTH, FILLED, REOPENED, TERMS) == []

    def test_come_beside_the_news_for_the_others(self) -> None:
        last = jo.JobOrderFilled(at=NOON, engagement_id="e-1", submission_id="s-1", openings_left=0)
        assert after(*BOTH, TERMS, last) == [gone("e-2"), agreed("e-1", "s-1")]

    def test_of_an_earlier_hire_stay_as_they_are_at_the_next(self) -> None:
        """Somebody may have agreed on others for that one placement."""
        again = jo.SubmissionReceived(at=NOON, engagement_id="e-1", submission_id="s-9")
        second = jo.JobOrderFilled(at=NOON, engagement_id="e-1", submission_id="s-9", openings_left=0)
        assert after(OPENED, RECEIVED, TERMS, FILLED, again, second) == [agreed("e-1", "s-9")]

    def test_find_the_submission_of_a_hire_without_one(self) -> None:
        unnamed = jo.JobOrderFilled(at=NOON, engagement_id="e-1", openings_left=1)
        assert after(*BOTH, TERMS, unnamed) == [agreed("e-1", "s-1")]
