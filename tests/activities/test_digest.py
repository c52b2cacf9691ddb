"""What comes up to one person goes as one letter, and each promise in it has its own outcome."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.agency_load import load_agency
from activities.channels.email import Email
from activities.commands import CommandService
from activities.directory import Directory
from activities.outreach import Outreach
from activities.types import OutreachOrder, OutreachOutcome, StreamCommand
from events import catalogue as e
from events.agency import Entry, key_subject_of
from events.codec import draft
from events.envelope import Actor, AppendRequest, CommandGroup, event_id
from events.log.digests_memory import MemoryDigests
from events.log.effects import MemoryEffects
from events.log.keys import MemoryKeys
from events.log.memory import MemoryLog

if TYPE_CHECKING:
    from tests.activities.conftest import MailServer

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
OPERATOR = Actor(kind="operator", id="o-1")


class Dying(MemoryDigests):
    """Loses the process at a moment that the test names, once."""

    dies_at = ""
    taken: Callable[[], Awaitable[None]] | None = None

    async def take(self, *args: Any, **kwargs: Any) -> Any:
        found = await super().take(*args, **kwargs)
        if self.taken is not None:
            await self.taken()
        return found

    async def claim(self, *args: Any, **kwargs: Any) -> Any:
        self._perhaps("claim")
        return await super().claim(*args, **kwargs)

    async def finish(self, agency: str, digest_id: str, attempt: int, became: Any, **kwargs: Any) -> None:
        if any(each.outcome == "sent" for each in became):
            self._perhaps("finish")
        elif self.dies_at == "dead":
            raise ConnectionResetError("killed")
        await super().finish(agency, digest_id, attempt, became, **kwargs)

    def _perhaps(self, where: str) -> None:
        if self.dies_at == where:
            self.dies_at = "dead"
            raise ConnectionResetError("killed")


class Office:
    """One agency's outreach, whose real clock the test moves."""

    def __init__(self, log: MemoryLog, directory: Directory, channel: Email, service: CommandService) -> None:
        self.now = NOON
        self.log = log
        self.service = service
        self.promises: dict[str, UUID] = {}
        self.ledger = MemoryEffects(clock=lambda: self.now)
        self.digests = Dying(self.ledger, clock=lambda: self.now)
        self._directory = directory
        self._channel = channel

    def outreach(self) -> Outreach:
        """Start a sender: each has no memory of its own."""
        return Outreach(self.log, self.ledger, self._directory, self._channel, self.digests)

    async def opens(self, engagement: str, *, name: str = "Quux Candidate", level: int = 2) -> OutreachOrder:
        """Open an engagement with a promise that is broken, and a message about it owed."""
        key, effect = uuid4(), uuid4()
        self.promises[engagement] = key
        await self.happens(
            engagement,
            e.EngagementOpened(
                at=NOON,
                engagement_id=engagement,
                candidate_id=f"c-{engagement}",
                name=name,
                email="quux@example.test",
                zone="Europe/Berlin",
            ),
            e.ObligationOpened(
                at=NOON,
                obligation_id=key,
                rule="keep-in-touch",
                subject="engagement",
                kind="contact",
                mode="enforce",
                owner_role="candidate-owner",
                awaits="recruiter",
                since=NOON - timedelta(days=9),
                opened_at=NOON - timedelta(days=9),
                due_at=NOON - timedelta(days=2),
                rungs=(),
            ),
            e.OutreachRequested(
                at=NOON,
                effect_id=effect,
                to="team-lead",
                owner="r-1",
                template="escalation",
                rule="keep-in-touch",
                obligation_id=key,
                level=level,
            ),
        )
        return OutreachOrder(
            agency="a-1",
            engagement_id=engagement,
            effect_id=effect,
            to="team-lead",
            owner="r-1",
            template="escalation",
            rule="keep-in-touch",
            says="No candidate goes 7 days without a talk.",
            subject="engagement",
            level=level,
            since=NOON - timedelta(days=9),
            due_at=NOON - timedelta(days=2),
            now=NOON,
        )

    async def happens(self, engagement: str, *events: e.Event) -> None:
        """Put events into an engagement's stream."""
        stream, command = f"engagement:{engagement}", str(uuid4())
        version = len(await self.log.read_stream("a-1", stream))
        drafts = tuple(
            draft(
                each,
                event_id=event_id("a-1", stream, command, number),
                decided_at=NOON,
                actor=OPERATOR,
                source="test",
            )
            for number, each in enumerate(events)
        )
        group = CommandGroup(command_id=command, input="{}", outcome="accepted", drafts=drafts)
        request = AppendRequest(agency="a-1", stream=stream, expected=version, groups=(group,))
        await self.log.append_many([request])

    async def keeps(self, engagement: str) -> None:
        """Let the promise be kept, late."""
        met = e.ObligationMet(
            at=NOON,
            obligation_id=self.promises[engagement],
            rule="keep-in-touch",
            subject="engagement",
            met_at=NOON,
            due_at=NOON - timedelta(days=2),
            timely=False,
        )
        await self.happens(engagement, met)

    async def gives(self, name: str, **data: str) -> None:
        """Give a command to the agency."""
        order = StreamCommand(
            agency="a-1", stream="agency:a-1", command_id=name, name=name, data=data, actor=OPERATOR
        )
        await self.service.give(order)

    async def send(self, order: OutreachOrder) -> OutreachOutcome:
        """Run the activity once, as any worker would."""
        environment = ActivityEnvironment()
        passed = self.now - NOON
        started = environment.info.scheduled_time + passed
        environment.info = replace(environment.info, started_time=started)
        return await environment.run(self.outreach().send, order)

    async def waits(self, order: OutreachOrder) -> ApplicationError:
        with pytest.raises(ApplicationError) as caught:
            await self.send(order)
        return caught.value

    async def gather(self, orders: Sequence[OutreachOrder]) -> None:
        """Let each message wait, then let the window pass."""
        for each in orders:
            assert (await self.waits(each)).type == "OutreachGathers"
        self.now += QUARTER

    async def rows(self) -> set[tuple[int, str]]:
        return {(each.attempt, each.state) for each in await self.ledger.list("a-1")}


@pytest.fixture
async def office(
    log: MemoryLog,
    directory: Directory,
    channel: Email,
    service: CommandService,
    people: tuple[Entry, ...],
) -> Office:
    """An agency whose recruiter r-1 has a team lead t-1 and a director d-1."""
    assert people
    return Office(log, directory, channel, service)


@pytest.fixture
async def five(office: Office) -> list[OutreachOrder]:
    """Five engagements of one recruiter, broken in the same hour."""
    return [await office.opens(f"e-{number}") for number in range(5)]


def text_of(message: Any) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    text: str = body.get_content()
    return text


class TestADigest:
    async def test_is_one_letter_for_five_promises(
        self, office: Office, five: list[OutreachOrder], mail_server: "MailServer"
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
        self, office: Office, five: list[OutreachOrder], mail_server: "MailServer"
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

    async def test_begins_with_the_most_urgent(self, office: Office, mail_server: "MailServer") -> None:
        later = await office.opens("e-later")
        sooner = (await office.opens("e-sooner")).model_copy(update={"due_at": NOON - timedelta(days=5)})
        higher = (await office.opens("e-higher")).model_copy(update={"level": 3})
        await office.gather([later, sooner, higher])
        await office.send(later)
        text = text_of(mail_server.received[0])
        assert text.index("e-higher") < text.index("e-sooner") < text.index("e-later")

    async def test_of_one_promise_is_that_promises_own_letter(
        self, office: Office, mail_server: "MailServer"
    ) -> None:
        order = await office.opens("e-1")
        await office.gather([order])
        await office.send(order)
        [message] = mail_server.received
        assert message["Subject"].startswith("Level 2: keep-in-touch in engagement e-1 was due")
        assert message["Reply-To"].startswith("reply+")

    async def test_is_one_for_each_person(self, office: Office, mail_server: "MailServer") -> None:
        lead = await office.opens("e-1")
        director = (await office.opens("e-2")).model_copy(update={"to": "director", "level": 3})
        await office.gather([lead, director])
        outcomes = [await office.send(each) for each in (lead, director)]
        assert [each.person for each in outcomes] == ["t-1", "d-1"]
        assert len({each.message_id for each in outcomes}) == 2

    async def test_is_sent_by_one_of_many_who_wake_together(
        self, office: Office, five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        await office.gather(five)
        done = await asyncio.gather(*(office.send(each) for each in five), return_exceptions=True)
        assert len(mail_server.received) == 1
        waiting = [each for each in done if isinstance(each, ApplicationError)]
        assert {each.type for each in waiting} <= {"DigestTaken"}
        assert {(await office.send(each)).outcome for each in five} == {"sent"}
        assert len(mail_server.received) == 1

    async def test_leaves_single_what_is_below_level_two_or_for_the_candidate(
        self, office: Office, mail_server: "MailServer"
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
    async def test_counts_from_the_first(self, office: Office, five: list[OutreachOrder]) -> None:
        first = await office.waits(five[0])
        assert first.next_retry_delay == QUARTER
        office.now += timedelta(minutes=10)
        later = await office.waits(five[1])
        assert later.next_retry_delay == timedelta(minutes=5)

    async def test_divides_by_the_rate_of_a_fast_clock(self, office: Office) -> None:
        order = (await office.opens("e-1")).model_copy(update={"rate": 60.0})
        assert (await office.waits(order)).next_retry_delay == timedelta(seconds=15)

    async def test_is_nothing_on_a_stepped_clock(self, office: Office) -> None:
        order = (await office.opens("e-1")).model_copy(update={"rate": 0.0})
        assert (await office.send(order)).outcome == "sent"


class TestAPromiseThatIsKeptMeanwhile:
    async def test_is_left_out_and_says_why(
        self, office: Office, five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        """A lead who is told of what is done already learns to skip the letter."""
        await office.gather(five)
        await office.keeps("e-0")
        outcomes = [await office.send(each) for each in five]
        assert [each.outcome for each in outcomes] == ["withheld", *["sent"] * 4]
        assert (outcomes[0].reason, outcomes[0].effect_id) == ("settled", five[0].effect_id)
        assert "e-0" not in text_of(mail_server.received[0])

    async def test_stays_listed_where_an_attempt_may_have_left(
        self, office: Office, five: list[OutreachOrder], mail_server: "MailServer"
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
        self, office: Office, five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        await office.gather(five)
        lost = five[0].model_copy(update={"engagement_id": "e-lost", "effect_id": UUID(int=9)})
        stream, note, never = "engagement:e-lost", lost.model_dump_json(), timedelta()
        await office.digests.join("a-1", "t-1", str(UUID(int=9)), stream, note, digest_id="x", window=never)
        assert {(await office.send(each)).outcome for each in five} == {"sent"}
        [row] = await office.ledger.list("a-1", stream="engagement:e-lost")
        assert (row.state, "not-sendable" in (row.detail or "")) == ("failed", True)

    async def test_is_listed_if_only_its_latest_events_are_unknown_here(
        self, office: Office, five: list[OutreachOrder], mail_server: "MailServer"
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
        self, office: Office, five: list[OutreachOrder], keys: MemoryKeys, mail_server: "MailServer"
    ) -> None:
        await office.gather(five)
        await keys.destroy("a-1", "engagement:e-3")
        outcomes = [await office.send(each) for each in five]
        assert [(each.outcome, each.reason) for each in outcomes if each.outcome != "sent"] == [
            ("withheld", "erased")
        ]
        assert "engagement e-3" not in text_of(mail_server.received[0])

    async def test_names_nobody_in_what_waits(self, office: Office, five: list[OutreachOrder]) -> None:
        error = await office.waits(five[0])
        said = repr(office.digests._entries) + str(error)
        assert "Quux" not in said
        assert "quux@" not in said

    async def test_follows_who_answers_when_somebody_leaves(
        self, office: Office, five: list[OutreachOrder], people: tuple[Entry, ...], mail_server: "MailServer"
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
        self, office: Office, five: list[OutreachOrder], keys: MemoryKeys
    ) -> None:
        await office.gather(five)
        await keys.destroy("a-1", key_subject_of("t-1"))
        office._directory._pictures.clear()
        assert {(await office.send(each)).reason for each in five} == {"erased"}
        # Whoever comes next finds no digest whose window is over.
        assert not office.digests._entries
        assert not office.digests._digests


class TestADeadServer:
    async def test_loses_nothing_and_uses_no_attempt_up(
        self, office: Office, five: list[OutreachOrder], mail_server: "MailServer"
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
        self, office: Office, five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        await office.gather(five)
        mail_server.rcpt_answer = "550 unknown"
        assert {(await office.send(each)).reason for each in five} == {"recipient-refused"}


class TestACrash:
    async def test_before_the_claim_leaves_no_attempt_behind(
        self, office: Office, five: list[OutreachOrder], mail_server: "MailServer"
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
        self, office: Office, five: list[OutreachOrder], mail_server: "MailServer"
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
        self, office: Office, five: list[OutreachOrder], mail_server: "MailServer"
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
        self, office: Office, five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        await office.gather(five)
        mail_server.hangs_up_after_data = True
        assert (await office.waits(five[0])).type == "OutcomeUnknown"
        assert await office.rows() == {(1, "claimed")}


class TestAHold:
    async def test_lets_a_digest_go_on_gathering(
        self, office: Office, five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        """However long it lasts, the lead gets one letter after it."""
        await office.gives("hold-outreach", reason="client-request")
        await office.gather(five[:3])
        assert {(await office.waits(each)).type for each in five} == {"OutreachHeld"}
        await office.gives("release-outreach")
        assert {(await office.send(each)).outcome for each in five} == {"sent"}
        assert len(mail_server.received) == 1

    async def test_bites_while_a_digest_is_being_written(
        self, office: Office, five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        """The last look at the switch comes right before the claim."""
        await office.gather(five)
        office.digests.taken = lambda: office.gives("hold-outreach", reason="wrong-template")
        assert (await office.waits(five[0])).type == "OutreachHeld"
        assert mail_server.received == []
        assert await office.ledger.list("a-1") == []


class TestWhatWasTriedByItself:
    async def test_goes_on_by_itself(
        self, office: Office, five: list[OutreachOrder], mail_server: "MailServer"
    ) -> None:
        """A message that an older version of the code has claimed keeps its own Message-ID."""
        effect, stream = str(five[0].effect_id), "engagement:e-0"
        await office.ledger.claim("a-1", effect, stream, "email", "<own>", stale_after=QUARTER)
        await office.ledger.finish("a-1", effect, 1, "released")
        outcome = await office.send(five[0])
        assert (outcome.outcome, outcome.message_id) == ("sent", "<own>")
