"""What comes up to one person goes as one letter, and each promise in it has its own outcome."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from temporalio.exceptions import ApplicationError

from activities.agency_load import load_agency
from activities.types import OutreachOrder
from events import catalogue as e
from events.agency import Entry, key_subject_of
from events.envelope import Actor
from events.log.keys import MemoryKeys

if TYPE_CHECKING:
    from tests.activities.conftest import MailServer
    from tests.activities.digest_office import Office

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
OPERATOR = Actor(kind="operator", id="o-1")


def text_of(message: Any) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    text: str = body.get_content()
    return text


class TestADigest:
    async def test_is_one_letter_for_five_promises(
        self, office: "Office", five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        await office.gather(five)
        outcomes = [await office.send(each) for each in five]
        [message] = mail_server.received
        assert message["To"] == "Lead One <lead@example.test>"
        assert {(each.outcome, each.person, each.attempt, each.message_id) for each in outcomes} == {
            ("sent", "t-1", 1, message["Message-ID"])
        }
        assert [each.effect_id for each in outcomes] == [each.effect_id for each in five]
        assert message["Reply-To"] is None

    async def test_lists_each_with_all_that_a_lead_needs(
        self, office: "Office", five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        await office.gather(five)
        await office.send(five[0])
        [message] = mail_server.received
        assert message["Subject"] == "Level 2: 5 promises wait for you, the most urgent late by 2 days"
        text = text_of(message)
        for number in range(5):
            assert f"Quux Candidate, engagement e-{number}" in text
            assert f"rapport show e-{number}" in text
        assert text.count("No candidate goes 7 days without a talk.") == 5
        assert text.count("Saturday 3 January 2026, 13:00 (Europe/Berlin), late by 2 days") == 5
        assert text.count("Answers for it: Recruiter Quux (r-1)") == 5

    async def test_begins_with_the_most_urgent(self, office: "Office", mail_server: "MailServer") -> None:
        later = await office.opens("e-later")
        sooner = (await office.opens("e-sooner")).model_copy(update={"due_at": NOON - timedelta(days=5)})
        higher = (await office.opens("e-higher")).model_copy(update={"level": 3})
        await office.gather([later, sooner, higher])
        await office.send(later)
        text = text_of(mail_server.received[0])
        assert text.index("e-higher") < text.index("e-sooner") < text.index("e-later")

    async def test_of_one_promise_is_that_promises_own_letter(
        self, office: "Office", mail_server: "MailServer"
    ) -> None:
        order = await office.opens("e-1")
        await office.gather([order])
        await office.send(order)
        [message] = mail_server.received
        assert message["Subject"].startswith("Level 2: keep-in-touch in engagement e-1 was due")
        assert message["Reply-To"].startswith("reply+")

    async def test_is_one_for_each_person(self, office: "Office", mail_server: "MailServer") -> None:
        lead = await office.opens("e-1")
        director = (await office.opens("e-2")).model_copy(update={"to": "director", "level": 3})
        await office.gather([lead, director])
        outcomes = [await office.send(each) for each in (lead, director)]
        assert [each.person for each in outcomes] == ["t-1", "d-1"]
        assert len({each.message_id for each in outcomes}) == 2

    async def test_is_sent_by_one_of_many_who_wake_together(
        self, office: "Office", five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        await office.gather(five)
        done = await asyncio.gather(*(office.send(each) for each in five), return_exceptions=True)
        assert len(mail_server.received) == 1
        waiting = [each for each in done if isinstance(each, ApplicationError)]
        assert {each.type for each in waiting} <= {"DigestTaken"}
        assert {(await office.send(each)).outcome for each in five} == {"sent"}
        assert len(mail_server.received) == 1

    async def test_leaves_single_what_is_below_level_two_or_for_the_candidate(
        self, office: "Office", mail_server: "MailServer"
    ) -> None:
        order = await office.opens("e-1")
        for number, change in enumerate(
            (
                {"level": 0, "to": "owner", "template": "obligation-reminder"},
                {"level": 1, "to": "owner"},
                {"level": 3, "to": "candidate", "template": "candidate-apology"},
            )
        ):
            single = order.model_copy(update={**change, "effect_id": UUID(int=number)})
            assert (await office.send(single)).outcome == "sent"
        assert len(mail_server.received) == 3


class TestTheWindow:
    async def test_counts_from_the_first(self, office: "Office", five: list[OutreachOrder]) -> None:
        first = await office.waits(five[0])
        assert first.next_retry_delay == QUARTER
        office.now += timedelta(minutes=10)
        later = await office.waits(five[1])
        assert later.next_retry_delay == timedelta(minutes=5)

    async def test_divides_by_the_rate_of_a_fast_clock(self, office: "Office") -> None:
        order = (await office.opens("e-1")).model_copy(update={"rate": 60.0})
        assert (await office.waits(order)).next_retry_delay == timedelta(seconds=15)

    async def test_is_nothing_on_a_stepped_clock(self, office: "Office") -> None:
        order = (await office.opens("e-1")).model_copy(update={"rate": 0.0})
        assert (await office.send(order)).outcome == "sent"


class TestAPromiseThatIsKeptMeanwhile:
    async def test_is_left_out_and_says_why(
        self, office: "Office", five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        """A lead who is told of what is done already learns to skip the letter."""
        await office.gather(five)
        await office.keeps("e-0")
        outcomes = [await office.send(each) for each in five]
        assert [each.outcome for each in outcomes] == ["withheld", *["sent"] * 4]
        assert (outcomes[0].reason, outcomes[0].effect_id) == ("settled", five[0].effect_id)
        assert "e-0" not in text_of(mail_server.received[0])

    async def test_stays_listed_where_an_attempt_may_have_left(
        self, office: "Office", five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        """Nobody may say that the lead was not written to, when perhaps they were."""
        await office.gather(five)
        office.digests.dies_at = "finish"
        await office.waits(five[0])
        office.digests.dies_at = ""
        await office.keeps("e-0")
        office.now += timedelta(minutes=6)
        assert {(await office.send(each)).outcome for each in five} == {"sent"}
        assert "engagement e-0" in text_of(mail_server.received[1])


class TestAnEngagementThatCannotBeRead:
    async def test_keeps_no_other_from_the_letter(
        self, office: "Office", five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        await office.gather(five)
        lost = five[0].model_copy(update={"engagement_id": "e-lost", "effect_id": UUID(int=9)})
        stream, note, never = "engagement:e-lost", lost.model_dump_json(), timedelta()
        await office.digests.join("a-1", "t-1", str(UUID(int=9)), stream, note, digest_id="x", window=never)
        assert {(await office.send(each)).outcome for each in five} == {"sent"}
        [row] = await office.ledger.list("a-1", stream="engagement:e-lost")
        assert (row.state, "not-sendable" in (row.detail or "")) == ("failed", True)

    async def test_is_listed_if_only_its_latest_events_are_unknown_here(
        self, office: "Office", five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        """Another worker may run newer code: what cannot be judged is told."""

        class Newer(e.EngineEvent):
            type: str = "written-tomorrow"

        await office.happens("e-2", Newer(at=NOON))
        await office.gather(five)
        assert {(await office.send(each)).outcome for each in five} == {"sent"}
        assert "engagement e-2" in text_of(mail_server.received[0])


class TestRestraint:
    async def test_is_kept_towards_one_who_is_erased_while_it_gathers(
        self, office: "Office", five: list[OutreachOrder], keys: MemoryKeys, mail_server: "MailServer"
    ) -> None:
        await office.gather(five)
        await keys.destroy("a-1", "engagement:e-3")
        outcomes = [await office.send(each) for each in five]
        assert [(each.outcome, each.reason) for each in outcomes if each.outcome != "sent"] == [
            ("withheld", "erased")
        ]
        assert "engagement e-3" not in text_of(mail_server.received[0])

    async def test_names_nobody_in_what_waits(self, office: "Office", five: list[OutreachOrder]) -> None:
        error = await office.waits(five[0])
        said = repr(office.digests._entries) + str(error)
        assert "Quux" not in said
        assert "quux@" not in said

    async def test_follows_who_answers_when_somebody_leaves(
        self,
        office: "Office",
        five: list[OutreachOrder],
        people: tuple[Entry, ...],
        mail_server: "MailServer",
    ) -> None:
        await office.gather(five)
        left = tuple(
            each.model_copy(update={"team_lead": None, "director": "d-1"})
            if each.person_id == "r-1"
            else each
            for each in people
            if each.person_id != "t-1"
        )
        await load_agency(office.service, "a-1", people=left, actor=OPERATOR)
        office._directory._pictures.clear()
        await office.gather(five)
        assert {(await office.send(each)).person for each in five} == {"d-1"}
        assert [each["To"] for each in mail_server.received] == ["Director One <director@example.test>"]

    async def test_takes_out_whoever_cannot_be_written_to(
        self, office: "Office", five: list[OutreachOrder], keys: MemoryKeys
    ) -> None:
        await office.gather(five)
        await keys.destroy("a-1", key_subject_of("t-1"))
        office._directory._pictures.clear()
        assert {(await office.send(each)).reason for each in five} == {"erased"}
        # Whoever comes next finds no digest whose window is over.
        assert not office.digests._entries
        assert not office.digests._digests
