"""A digest loses nothing and comes twice only where nobody can know: dead servers, crashes, holds."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from activities.types import OutreachOrder

if TYPE_CHECKING:
    from tests.activities.conftest import MailServer
    from tests.activities.digest_office import Office

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


class TestADeadServer:
    async def test_loses_nothing_and_uses_no_attempt_up(
        self, office: "Office", five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        await office.gather(five)
        await mail_server.stop()
        for _ in range(3):
            assert (await office.waits(five[0])).type == "NotSent"
            # Nobody else asks the dead server meanwhile.
            assert {(await office.waits(each)).type for each in five[1:]} == {"DigestTaken"}
            office.now += timedelta(seconds=10)
        assert await office.rows() == {(1, "released")}
        await mail_server.start()
        assert {(await office.send(each)).attempt for each in five} == {1}
        assert len(mail_server.received) == 1

    async def test_refuses_for_all(
        self, office: "Office", five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        await office.gather(five)
        mail_server.rcpt_answer = "550 unknown"
        assert {(await office.send(each)).reason for each in five} == {"recipient-refused"}


class TestACrash:
    async def test_before_the_claim_leaves_no_attempt_behind(
        self, office: "Office", five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        await office.gather(five)
        office.digests.dies_at = "claim"
        await office.waits(five[0])
        office.digests.dies_at = ""
        assert (await office.waits(five[1])).type == "DigestTaken"
        office.now += timedelta(minutes=2)
        assert {(await office.send(each)).attempt for each in five} == {1}
        assert len(mail_server.received) == 1

    async def test_in_the_middle_waits_then_sends_all_once_more_under_the_same_id(
        self, office: "Office", five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        await office.gather(five)
        office.digests.dies_at = "finish"
        await office.waits(five[0])
        office.digests.dies_at = ""
        office.now += timedelta(minutes=2, seconds=1)
        busy = await office.waits(five[1])
        assert (busy.type, busy.next_retry_delay) == ("OutreachBusy", timedelta(minutes=5))
        office.now += timedelta(minutes=5)
        outcomes = [await office.send(each) for each in five]
        assert {(each.outcome, each.attempt) for each in outcomes} == {("sent", 2)}
        first, second = (message["Message-ID"] for message in mail_server.received)
        assert {each.message_id for each in outcomes} == {first} == {second}
        assert await office.rows() == {(1, "unknown"), (2, "sent")}

    async def test_asks_a_person_after_the_second_time(
        self, office: "Office", five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        await office.gather(five)
        for _ in range(2):
            office.digests.dies_at = "finish"
            await office.waits(five[0])
            office.digests.dies_at = ""
            office.now += timedelta(minutes=6)
        outcomes = [await office.send(each) for each in five]
        assert {(each.outcome, each.reason, each.attempt) for each in outcomes} == {
            ("failed", "outcome-unknown", 2)
        }
        assert len(mail_server.received) == 2

    async def test_is_what_a_lost_answer_is(
        self, office: "Office", five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        await office.gather(five)
        mail_server.hangs_up_after_data = True
        assert (await office.waits(five[0])).type == "OutcomeUnknown"
        assert await office.rows() == {(1, "claimed")}


class TestAHold:
    async def test_lets_a_digest_go_on_gathering(
        self, office: "Office", five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        """However long it lasts, the lead gets one letter after it."""
        await office.gives("hold-outreach", reason="client-request")
        await office.gather(five[:3])
        assert {(await office.waits(each)).type for each in five} == {"OutreachHeld"}
        await office.gives("release-outreach")
        assert {(await office.send(each)).outcome for each in five} == {"sent"}
        assert len(mail_server.received) == 1

    async def test_bites_while_a_digest_is_being_written(
        self, office: "Office", five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        """The last look at the switch comes right before the claim."""
        await office.gather(five)
        office.digests.taken = lambda: office.gives("hold-outreach", reason="wrong-template")
        assert (await office.waits(five[0])).type == "OutreachHeld"
        assert mail_server.received == []
        assert await office.ledger.list("a-1") == []


class TestWhatWasTriedByItself:
    async def test_goes_on_by_itself(
        self, office: "Office", five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        """A message that an older version of the code has claimed keeps its own Message-ID."""
        effect, stream = str(five[0].effect_id), "engagement:e-0"
        await office.ledger.claim("a-1", effect, stream, "email", "<own>", stale_after=QUARTER)
        await office.ledger.finish("a-1", effect, 1, "released")
        outcome = await office.send(five[0])
        assert (outcome.outcome, outcome.message_id) == ("sent", "<own>")
