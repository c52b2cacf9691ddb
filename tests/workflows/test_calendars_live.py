"""Offices and quiet nights on a live workflow: whose calendar counts is asked for, and messages wait."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from activities.agency_load import load_agency
from activities.commands import CommandService
from events.agency import Entry
from events.clock import ClockSpec
from events.codec import decode
from events.envelope import Actor
from events.policy_file import load_policy

if TYPE_CHECKING:
    from tests.workflows.conftest import Ground

pytestmark = pytest.mark.temporal

OPERATOR = Actor(kind="operator", id="test")
# A Friday noon in London.
NOON = datetime(2026, 1, 16, 12, tzinfo=UTC)
POLICY = """
name = "ours"
quiet-hours = "20:00-08:00"

[calendar.london]
zone = "Europe/London"
hours = "09:00-17:30"
holidays = { country = "GB", subdivision = "ENG" }

[calendar.new-york]
zone = "America/New_York"
hours = "09:00-17:00"
holidays = { country = "US" }

[obligation.answer-application]
says = "Everybody who applies hears from a person within 2 working days."
because = "M: a test"
kind = "answer"
subject = "application"
opens-on = ["application-recorded"]
met-by = [{ event = "contact-made" }]
within = "2 working days"
ladder = [{ after = "1 working day", do = "escalate", to = "team-lead", template = "escalation" }]

[obligation.apologise]
says = "Who waits for 12 hours is told so."
because = "M: a test"
kind = "answer"
subject = "message"
opens-on = ["candidate-wrote"]
met-by = [{ event = "contact-made" }]
within = "12 hours"
useful-for = "2 days"
ladder = [{ after = "1 hour", do = "message", to = "candidate", template = "candidate-apology" }]
"""


async def furnished(ground: "Ground") -> None:
    """Let the agency adopt the policy of this page and have people in both offices."""
    people = (
        Entry(person_id="r-1", role="recruiter", office="london"),
        Entry(person_id="r-2", role="recruiter", office="new-york"),
    )
    policy = load_policy(POLICY, where="ours.toml", on=NOON.date())
    await load_agency(CommandService(ground.log), ground.agency, people=people, policy=policy, actor=OPERATOR)


class TestOffices:
    async def test_are_asked_for_and_noted_before_anything_is_owed(self, ground: "Ground") -> None:
        """A promise of somebody in New York knows that Monday is a holiday there."""
        await furnished(ground)
        clock = ClockSpec(origin=NOON, started=datetime.now(UTC), rate=1)
        ours = ground.engagements(clock=clock)
        await ground.opened("e-1", ours)
        await ours.command("e-1", "record-application", {"application_id": "a-1"})
        await ours.command("e-1", "reassign", {"owner": "r-2"})
        await ours.command("e-1", "record-application", {"application_id": "a-2"})
        events = [decode(each) for each in await ground.events()]
        noted = [(each.person, each.office) for each in events if each.type == "office-noted"]
        assert noted == [("r-1", "london"), ("r-2", "new-york")]
        opened = {each.subject: each for each in events if each.type == "obligation-opened"}
        assert opened["application:a-1"].calendar == "london"
        assert opened["application:a-2"].calendar == "new-york"
        # At noon in London nobody works in New York yet: from nine o'clock there, over the holiday.
        assert opened["application:a-2"].due_at == datetime(2026, 1, 21, 14, tzinfo=UTC)


class TestQuietNights:
    async def test_hold_a_message_back_until_the_morning(self, ground: "Ground") -> None:
        """It is asked for in the night, and leaves when the candidate is up."""
        await furnished(ground)
        # Four seconds for the message to be decided: 13 hours later it is night until 8 o'clock the next day.
        morning = NOON.replace(hour=7, minute=5)
        clock = ClockSpec(origin=morning, started=datetime.now(UTC), rate=10_000)
        ours = ground.engagements(clock=clock)
        async with ground.outreach() as postman:
            await ground.opened("e-1", ours)
            await ours.command("e-1", "record-message", {"message_id": "m-1"})

            async def sent() -> bool:
                return any(each.to == "candidate" for each in postman.sent)

            await ground.until(sent)
        (order,) = [each for each in postman.sent if each.to == "candidate"]
        (asked,) = [decode(each) for each in await ground.events() if each.type == "outreach-requested"]
        assert asked.at.hour in (0, 1, 2, 3, 4, 5, 6, 7) or asked.at.hour >= 20
        assert asked.not_before is not None
        assert asked.not_before.hour == 8
        assert timedelta() <= order.now - asked.not_before
