"""What would come to somebody who is away is delivered to whoever stands in, and the record says to whom."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.agency_load import load_agency
from activities.types import OutreachOrder
from events.agency import Entry
from events.envelope import Actor

if TYPE_CHECKING:
    from tests.activities.conftest import MailServer
    from tests.activities.digest_office import Office

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)
QUARTER = timedelta(minutes=15)
OPERATOR = Actor(kind="operator", id="o-1")
AWAY = "for Lead One (t-1), who is away until Wednesday 7 January 2026, 13:00 (Europe/Berlin)"


@pytest.fixture
async def staffed(office: "Office", people: tuple[Entry, ...]) -> "Office":
    """This will be the same agency with a second lead and an address for everybody."""
    cover = Entry(
        person_id="t-2", role="team-lead", director="d-1", name="Lead Two", email="two@example.test"
    )
    everybody = (*people[:3], people[3].model_copy(update={"email": "r2@example.test"}), cover)
    await load_agency(office.service, "a-1", people=everybody, actor=OPERATOR)
    return office


async def is_away(office: "Office", person: str, cover: str | None, days: int = 2) -> None:
    more = {} if cover is None else {"cover": cover}
    await office.gives(
        "record-absence",
        absence_id=f"a-{person}",
        person_id=person,
        starts_at=(NOON - DAY).isoformat(),
        ends_at=(NOON + days * DAY).isoformat(),
        **more,
    )


def text_of(message: Any) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    text: str = body.get_content()
    return text


def to_owner(order: OutreachOrder, template: str = "obligation-reminder") -> OutreachOrder:
    return order.model_copy(update={"to": "owner", "level": 0, "template": template})


class TestAnEscalation:
    async def test_to_a_lead_who_is_away_goes_to_the_cover(
        self, staffed: "Office", mail_server: "MailServer"
    ) -> None:
        await is_away(staffed, "t-1", "t-2")
        order = await staffed.opens("e-1")
        await staffed.gather([order])
        outcome = await staffed.send(order)
        [message] = mail_server.received
        assert message["To"] == "Lead Two <two@example.test>"
        assert f"It comes to you {AWAY}." in text_of(message)
        assert (outcome.outcome, outcome.person) == ("sent", "t-2")

    async def test_climbs_where_no_cover_is_there(self, staffed: "Office", mail_server: "MailServer") -> None:
        await is_away(staffed, "t-1", "t-2")
        await is_away(staffed, "t-2", None)
        order = await staffed.opens("e-1")
        await staffed.gather([order])
        outcome = await staffed.send(order)
        assert (outcome.outcome, outcome.person) == ("sent", "d-1")
        assert mail_server.received[0]["To"] == "Director One <director@example.test>"

    async def test_to_an_owner_who_is_away_goes_to_theirs(
        self, staffed: "Office", mail_server: "MailServer"
    ) -> None:
        await is_away(staffed, "r-1", "r-2")
        order = await staffed.opens("e-1")
        outcome = await staffed.send(order.model_copy(update={"to": "owner", "level": 1}))
        [message] = mail_server.received
        assert (outcome.person, message["To"]) == ("r-2", "r-2 <r2@example.test>")
        assert "It comes to you for Recruiter Quux (r-1), who is away until" in text_of(message)

    async def test_goes_to_the_lead_again_on_the_day_of_return(
        self, staffed: "Office", mail_server: "MailServer"
    ) -> None:
        """By the domain's clock: a fast one lives days ahead of ours."""
        await is_away(staffed, "t-1", "t-2")
        order = await staffed.opens("e-1")
        later = order.model_copy(update={"now": NOON + 3 * DAY})
        await staffed.gather([later])
        assert (await staffed.send(later)).person == "t-1"
        assert "who is away" not in text_of(mail_server.received[0])

    async def test_counts_the_domain_s_days_of_a_fast_clock(
        self, staffed: "Office", mail_server: "MailServer"
    ) -> None:
        await is_away(staffed, "r-1", "r-2")
        fast = to_owner(await staffed.opens("e-1")).model_copy(update={"rate": 60_000.0})
        staffed.now += timedelta(seconds=4)
        assert (await staffed.send(fast)).person == "r-1"


class TestAReminder:
    @pytest.mark.parametrize("template", ["obligation-reminder", "propose-reassignment"])
    async def test_says_for_whom_it_comes(
        self, staffed: "Office", mail_server: "MailServer", template: str
    ) -> None:
        await is_away(staffed, "r-1", "r-2")
        outcome = await staffed.send(to_owner(await staffed.opens("e-1"), template))
        assert outcome.person == "r-2"
        assert "This comes to you for Recruiter Quux (r-1), who is away until" in text_of(
            mail_server.received[0]
        )


class TestADigest:
    async def test_tells_the_cover_which_promises_are_for_somebody_else(
        self, staffed: "Office", mail_server: "MailServer"
    ) -> None:
        await is_away(staffed, "t-1", "d-1")
        meant = await staffed.opens("e-1")
        own = (await staffed.opens("e-2")).model_copy(update={"to": "director", "level": 3})
        await staffed.gather([meant, own])
        outcomes = [await staffed.send(each) for each in (meant, own)]
        [message] = mail_server.received
        assert [each.person for each in outcomes] == ["d-1", "d-1"]
        first, second = text_of(message).split("engagement e-1")
        assert AWAY in second
        assert "who is away" not in first

    async def test_that_gathers_for_a_lead_gathers_for_the_cover_from_then_on(
        self, staffed: "Office", mail_server: "MailServer"
    ) -> None:
        orders = [await staffed.opens("e-1"), await staffed.opens("e-2")]
        await staffed.gather(orders)
        await is_away(staffed, "t-1", "t-2")
        await staffed.gather(orders)
        outcomes = [await staffed.send(each) for each in orders]
        [message] = mail_server.received
        assert message["To"] == "Lead Two <two@example.test>"
        assert {(each.outcome, each.person) for each in outcomes} == {("sent", "t-2")}

    async def test_that_may_have_reached_somebody_is_sent_again_to_who_stands_in(
        self, staffed: "Office", mail_server: "MailServer"
    ) -> None:
        """A crash in the sending, then the absence: the second try goes where somebody reads it."""
        order = await staffed.opens("e-1")
        await staffed.gather([order])
        staffed.digests.dies_at = "finish"
        with pytest.raises(ApplicationError):
            await staffed.send(order)
        staffed.digests.dies_at = ""
        await is_away(staffed, "t-1", "t-2")
        staffed.now += timedelta(minutes=6)
        outcome = await staffed.send(order)
        assert (outcome.outcome, outcome.person, outcome.attempt) == ("sent", "t-2", 2)
        assert [each["To"] for each in mail_server.received] == [
            "Lead One <lead@example.test>",
            "Lead Two <two@example.test>",
        ]
