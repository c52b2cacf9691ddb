"""What is read out of messages, decided by the engagement: recorded, once, and refused by no gate."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from events.commands import Order
from events.envelope import Actor
from events.integrations.reading import Means, Ours
from events.orders import parse_order

if TYPE_CHECKING:
    from tests.events.specification import Life, World

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
APPLIED = {("application", "5"): Ours("e-1", "s-1", "j-1")}
INVITEE = "https://api.calendly.com/invitees/N"
Reads = Callable[..., Any]


@pytest.fixture
def life(world: "World", domain_module: Callable[[str], ModuleType]) -> "Life":
    """This will give an engagement with one submission that nobody has agreed to."""
    begun: Life = domain_module("specification").Life(world, policy=world.starter)
    begun.do("open-engagement", NOW - timedelta(days=2))
    begun.do("record-submission", NOW - timedelta(days=1), submission_id="s-1", application_id=None)
    return begun


def orders(meaning: Any) -> list[Order]:
    assert isinstance(meaning, Means), meaning
    return [
        parse_order(
            each.name,
            {**each.fields, "at": each.at},
            command_id=f"hook:1:{ordinal}",
            actor_default=Actor(kind="integration", id="c-1"),
            source="greenhouse",
        )
        for ordinal, each in enumerate(meaning.commands)
    ]


def types_of(life: "Life", meaning: Any, now: datetime = NOW, message: str = "m") -> list[str]:
    """Give a message's commands and list the events of the world that come of them."""
    found = []
    for order in orders(meaning):
        renamed = order.model_copy(update={"command_id": f"{order.command_id}:{message}"})
        found += [each.type for each in life.give(renamed, now).events]
    return [each for each in found if not each.startswith("obligation-")]


class TestDecided:
    def test_an_offer_that_two_messages_tell_of_is_accepted_once(self, life: "Life", reads: Reads) -> None:
        hire = {"payload": {"application": {"id": 5, "offer": {"id": 7, "starts_at": "2026-04-01"}}}}
        offer = {
            "id": 7,
            "application_id": 5,
            "offer_status": "Accepted",
            "sent_on": "2026-02-28",
            "start_date": "04/01/2026",
        }
        hired = reads("greenhouse", "hire_candidate", hire, APPLIED)
        accepted = reads("greenhouse", "offer_updated", {"payload": offer}, APPLIED)
        assert types_of(life, hired, message="a")[:2] == ["offer-extended", "offer-accepted"]
        assert types_of(life, accepted, message="b") == []

    def test_a_booking_moves_and_is_called_off_under_one_id(self, life: "Life", reads: Reads) -> None:
        def booked(event: str, ids: Any, day: int, **more: Any) -> Any:
            times = {"start_time": f"2026-03-{day:02}T10:00:00Z", "end_time": f"2026-03-{day:02}T11:00:00Z"}
            payload = {"uri": INVITEE, "scheduled_event": times, "tracking": {"utm_content": "5"}, **more}
            return reads("calendly", event, {"payload": payload}, ids)

        first = booked("invitee.created", APPLIED, 9)
        assert "interview-scheduled" in types_of(life, first, message="a")
        learnt = {("interview", INVITEE): Ours("e-1", first.learns[0].ours, "j-1")}
        moved = booked("invitee.created", learnt, 10, uri="N2", old_invitee=INVITEE)
        assert types_of(life, moved, message="b") == ["interview-moved"]
        learnt["interview", "N2"] = Ours("e-1", moved.learns[0].ours, "j-1")
        assert types_of(life, booked("invitee.canceled", learnt, 10, uri="N2"), message="c") == [
            "interview-cancelled"
        ]

    def test_an_interview_that_a_poll_finds_is_recorded_once(self, life: "Life", reads: Reads) -> None:
        body = {"application_id": 5}
        item = {
            "id": 1,
            "status": "scheduled",
            "start": {"date_time": "2026-03-09T10:00:00Z"},
            "end": {"date_time": "2026-03-09T11:00:00Z"},
        }
        polled = reads("greenhouse", "poll.scheduled-interviews", body, APPLIED, fetched={"items": [item]})
        assert types_of(life, polled, message="a") == ["interview-scheduled"]
        assert types_of(life, polled, message="b") == []
