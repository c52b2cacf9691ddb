"""What Calendly's bookings mean by the mapping that ships."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from events.integrations.reading import Ignored, Learnt, Ours, Waits

NEW, OLD = "https://api.calendly.com/invitees/N", "https://api.calendly.com/invitees/O"
TIMES = {"start_time": "2026-06-10T06:30:00.000000Z", "end_time": "2026-06-10T07:00:00.000000Z"}
Reads = Callable[..., Any]


def booking(event: str, **payload: Any) -> dict[str, Any]:
    usual = {
        "uri": NEW,
        "rescheduled": False,
        "old_invitee": None,
        "new_invitee": None,
        "scheduled_event": TIMES,
        "tracking": {"utm_content": None},
    }
    return {"event": event, "created_at": "2026-06-01T08:00:00Z", "payload": usual | payload}


@pytest.fixture
def given(reads: Reads) -> Reads:
    """This will read a booking."""

    def reading(event: str, ids: Any = None, **payload: Any) -> Any:
        return reads("calendly", event, booking(event, **payload), ids)

    return reading


class TestBooked:
    def test_by_our_own_link_has_its_time_and_is_known_from_then_on(self, given: Reads) -> None:
        ids = {("application", "s-1"): Ours("e-1", "s-1", "jo-1")}
        meaning = given("invitee.created", ids, tracking={"utm_content": "s-1"})
        (wanted,) = meaning.commands
        assert wanted.name == "record-interview-scheduled"
        assert wanted.fields["submission_id"] == "s-1"
        assert wanted.fields["starts_at"] == "2026-06-10T06:30:00.000000Z"
        assert wanted.fields["ends_at"] == "2026-06-10T07:00:00.000000Z"
        assert meaning.learns == (Learnt("interview", NEW, "e-1", wanted.fields["interview_id"], "jo-1"),)

    def test_by_another_link_is_a_strangers_until_somebody_links_it(self, given: Reads) -> None:
        assert given("invitee.created", tracking={"utm_content": "spring-campaign"}).needs == "link"
        assert given("invitee.created").kind == "interview"
        meaning = given("invitee.created", {("interview", NEW): Ours("e-1", "i-1")})
        assert [each.name for each in meaning.commands] == ["move-interview"]

    def test_again_moves_the_old_interview_and_knows_it_by_both(self, given: Reads) -> None:
        meaning = given("invitee.created", {("interview", OLD): Ours("e-1", "i-1")}, old_invitee=OLD)
        assert [(each.name, each.fields["interview_id"]) for each in meaning.commands] == [
            ("move-interview", "i-1")
        ]
        assert meaning.learns == (Learnt("interview", NEW, "e-1", "i-1", None),)


class TestCanceled:
    IDS: ClassVar = {("interview", NEW): Ours("e-1", "i-1")}

    def test_is_off(self, given: Reads) -> None:
        cancellation = {"canceler_type": "invitee", "reason": "A cold."}
        (wanted,) = given("invitee.canceled", self.IDS, cancellation=cancellation).commands
        assert wanted.name == "cancel-interview"
        assert wanted.fields == {"interview_id": "i-1", "cancelled_by": "candidate", "reason": "A cold."}

    def test_by_the_host_does_not_say_by_whom(self, given: Reads) -> None:
        (wanted,) = given("invitee.canceled", self.IDS, cancellation={"canceler_type": "host"}).commands
        assert wanted.fields["cancelled_by"] == "unknown"

    def test_to_be_booked_anew_is_told_by_the_new_booking(self, given: Reads) -> None:
        meaning = given("invitee.canceled", self.IDS, rescheduled=True, new_invitee=OLD)
        assert meaning == Ignored("the new booking tells the new time")


class TestNoShow:
    def test_is_the_candidates_at_the_time_it_was_said(self, given: Reads) -> None:
        no_show = {"created_at": "2026-06-24T22:34:08.683444Z"}
        ids = {("interview", NEW): Ours("e-1", "i-1")}
        (wanted,) = given("invitee_no_show.created", ids, no_show=no_show).commands
        assert wanted.name == "record-interview-missed"
        assert wanted.fields == {"interview_id": "i-1", "missed_by": "candidate"}
        assert wanted.at == datetime(2026, 6, 24, 22, 34, 8, 683444, tzinfo=UTC)

    def test_taken_back_waits_for_a_person(self, given: Reads) -> None:
        ids = {("interview", NEW): Ours("e-1", "i-1")}
        assert given("invitee_no_show.deleted", ids).needs == "mapping"
        assert given("invitee_no_show.deleted").needs == "link"


class TestRecorded:
    @pytest.mark.parametrize("event", ["invitee.created", "invitee.canceled"])
    def test_of_a_stranger_waits_for_a_link(
        self, event: str, reads: Reads, sample: Callable[[str], Any]
    ) -> None:
        body = sample(f"calendly_webhooks/hull__{event}.json")
        meaning = reads("calendly", event, body)
        assert isinstance(meaning, Waits)
        assert (meaning.needs, meaning.external) == ("link", body["payload"]["uri"])
        assert "betty" not in meaning.says.lower()

    def test_of_the_older_shape_waits_because_it_does_not_say_when(
        self, reads: Reads, sample: Callable[[str], Any]
    ) -> None:
        body = sample("calendly_webhooks/hull__invitee.created.json")
        ids = {("interview", body["payload"]["uri"]): Ours("e-1", "i-1")}
        assert reads("calendly", "invitee.created", body, ids) == Waits(
            "rule 3 (a booking that somebody has linked to an interview by hand) finds nothing at "
            "body.payload.scheduled_event.start_time for 'starts_at', which move-interview needs.",
            "mapping",
        )
