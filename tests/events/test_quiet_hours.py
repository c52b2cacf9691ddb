"""Nobody is written to at night: quiet hours by the candidate's own clock, as a recorded decision."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from events.errors import InvalidCommand
from events.policy import Policy
from events.policy_file import load_policy
from events.quiet import quiet_until
from events.steps import next_leave

if TYPE_CHECKING:
    from tests.events.specification import Life, World

POLICY = """
name = "ours"
quiet-hours = "20:00-08:00"

[obligation.answer-application]
says = "Everybody who applies hears from a person within 12 hours."
because = "M: a test"
kind = "answer"
subject = "application"
opens-on = ["application-recorded"]
met-by = [{ event = "contact-made" }]
within = "12 hours"
useful-for = "2 days"
ladder = [
    { after = "0 minutes", do = "escalate", to = "owner", template = "escalation" },
    { after = "1 hour", do = "message", to = "candidate", template = "candidate-apology" },
]
"""
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


class TestQuietUntil:
    @pytest.mark.parametrize(
        ("moment", "zone", "hours", "ends"),
        [
            ("2026-01-05T23:00Z", "Europe/London", "20:00-08:00", "2026-01-06T08:00Z"),
            ("2026-01-06T07:59Z", "Europe/London", "20:00-08:00", "2026-01-06T08:00Z"),
            ("2026-01-06T08:00Z", "Europe/London", "20:00-08:00", None),
            ("2026-01-05T12:00Z", "Europe/London", "20:00-08:00", None),
            # Midday in London is night in Auckland.
            ("2026-01-05T12:00Z", "Pacific/Auckland", "20:00-08:00", "2026-01-05T19:00Z"),
            # A rest at noon, within one day.
            ("2026-07-05T12:30Z", "Europe/Madrid", "14:00-17:00", "2026-07-05T15:00Z"),
            # The night in which summer time begins is an hour shorter.
            ("2026-03-28T23:00Z", "Europe/London", "20:00-08:00", "2026-03-29T07:00Z"),
            ("2026-01-05T23:00Z", "Europe/London", None, None),
        ],
    )
    def test_goes_by_the_wall_clock_of_the_zone(
        self, moment: str, zone: str, hours: str | None, ends: str | None
    ) -> None:
        found = quiet_until(datetime.fromisoformat(moment), zone, hours)
        assert found == (None if ends is None else datetime.fromisoformat(ends))


def ours() -> Policy:
    """Compile the policy of this page."""
    return load_policy(POLICY, where="ours.toml", on=NOON.date())


def asked(life: "Life") -> Any:
    """Let time pass up to the message, and give what was asked for the candidate."""
    life.wait(NOON + timedelta(hours=13))
    ((_, request),) = [each for each in life.seen("outreach-requested") if each[1].to == "candidate"]
    return request


def begun(world: "World", **changes: Any) -> "Life":
    """Open an engagement and record an application at noon: the message would leave at one at night."""
    life = world.life(ours())
    life.do("open-engagement", NOON, **changes)
    life.do("record-application", NOON)
    return life


class TestMessages:
    def test_wait_for_the_morning(self, world: "World") -> None:
        """The decision is in the log with its reason: not to write before the quiet ends."""
        request = asked(begun(world))
        assert request.at == NOON + timedelta(hours=13)
        assert request.not_before == datetime(2026, 1, 6, 8, tzinfo=UTC)

    def test_go_by_the_candidate_s_own_zone(self, world: "World") -> None:
        assert asked(begun(world, zone="America/New_York")).not_before == datetime(2026, 1, 6, 13, tzinfo=UTC)
        assert asked(begun(world, zone="Asia/Tokyo")).not_before is None

    def test_go_by_the_candidate_s_own_wish_before_the_policy_s(self, world: "World") -> None:
        life = begun(world)
        life.do("set-quiet-hours", NOON, quiet_hours="22:00-11:00", zone=None)
        assert asked(life).not_before == datetime(2026, 1, 6, 11, tzinfo=UTC)

    def test_that_come_late_go_by_the_hour_at_which_they_could_leave(self, world: "World") -> None:
        """After an outage: what was due in the afternoon must not ring at ten at night."""
        life = begun(world, zone="America/Los_Angeles")
        life.wait(datetime(2026, 1, 6, 6, tzinfo=UTC))
        ((_, request),) = [each for each in life.seen("outreach-requested") if each[1].to == "candidate"]
        assert request.at == NOON + timedelta(hours=13)
        assert request.not_before == datetime(2026, 1, 6, 16, tzinfo=UTC)

    def test_to_people_of_the_agency_never_wait(self, world: "World") -> None:
        life = begun(world)
        life.wait(NOON + timedelta(days=2))
        staff = [each for _, each in life.seen("outreach-requested") if each.to != "candidate"]
        assert staff
        assert all(each.not_before is None for each in staff)

    def test_are_what_the_engagement_wakes_up_for(self, world: "World") -> None:
        life = begun(world)
        life.wait(NOON + timedelta(hours=13))
        morning = datetime(2026, 1, 6, 8, tzinfo=UTC)
        assert next_leave(life.state, NOON + timedelta(hours=13)) == morning
        assert next_leave(life.state, morning) is None


class TestSetQuietHours:
    def test_moves_the_zone_too(self, world: "World") -> None:
        life = begun(world)
        life.do("set-quiet-hours", NOON, quiet_hours=None, zone="Asia/Tokyo")
        assert life.state.zone == "Asia/Tokyo"
        assert asked(life).not_before is None

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"zone": "Europe/Nowhere"}, "no IANA time zone"),
            ({"quiet_hours": "08:00-08:00"}, "begin and end at different times"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, world: "World", changes: dict[str, Any], says: str) -> None:
        with pytest.raises(InvalidCommand, match=says):
            begun(world).do("set-quiet-hours", NOON, **changes)
