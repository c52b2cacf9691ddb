"""What an engagement owes leaves once, or its reason is known; and nobody is named on the way."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from asyncpg import ReadOnlySQLTransactionError, TooManyConnectionsError
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.agency_load import load_agency
from activities.channels.email import Email
from activities.commands import CommandService
from activities.directory import Directory
from activities.outreach import Outreach
from activities.types import OutreachOrder, OutreachOutcome
from events.agency import Entry, key_subject_of
from events.catalogue import Event, EventAnnulled, OutreachAllowed, OutreachStopped
from events.codec import UnknownEvent
from events.commands import RecordOutreach
from events.envelope import Actor
from events.log.digests_memory import MemoryDigests
from events.log.effects import MemoryEffects
from events.log.keys import MemoryKeys
from events.log.memory import MemoryLog

if TYPE_CHECKING:
    from tests.activities.conftest import MailServer

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
EFFECT = UUID("00000000-0000-4000-8000-000000000001")
ORDER = OutreachOrder(
    agency="a-1",
    engagement_id="e-1",
    effect_id=EFFECT,
    to="owner",
    owner="r-1",
    template="escalation",
    rule="answer-application",
    says="Everybody who applies hears from a person within 7 days.",
    subject="ap-1",
    level=1,
    since=NOON - timedelta(days=7),
    due_at=NOON,
    now=NOON,
)
TO_CANDIDATE = ORDER.model_copy(
    update={
        "to": "candidate",
        "template": "candidate-apology",
        "useful_until": NOON + timedelta(hours=1),
        "effect_id": UUID("00000000-0000-4000-8000-000000000002"),
    }
)
PERSONAL = ("Quux", "quux@", "Quux", "quux@", "example.test>")

Send = Callable[..., Awaitable[OutreachOutcome]]
OpenEngagement = Callable[..., Awaitable[None]]
Tell = Callable[[Event], Awaitable[UUID]]


class Killed(BaseException):
    """What is left of a process in a test that cannot kill its own."""


class CrashingLedger(MemoryEffects):
    """Loses the process between the sending and the recording, or only the database, *crashes* times."""

    def __init__(self, crashes: int, loses: type[BaseException] = Killed) -> None:
        super().__init__(clock=lambda: self.now)
        self.crashes = crashes
        self.loses = loses
        self.now = NOON

    async def finish(self, *args: Any, **kwargs: Any) -> Any:
        if self.crashes > 0:
            self.crashes -= 1
            raise self.loses
        return await super().finish(*args, **kwargs)


@pytest.fixture
def send(
    log: MemoryLog,
    ledger: MemoryEffects,
    digests: MemoryDigests,
    directory: Directory,
    channel: Email,
    people: tuple[Entry, ...],
) -> Send:
    """Runs the activity once, on the ledger given or the test's own, *late* after it was scheduled."""
    assert people

    async def send_(
        order: OutreachOrder,
        *,
        on: MemoryEffects | None = None,
        late: timedelta = timedelta(),
        templates: tuple[Path, ...] = (),
    ) -> OutreachOutcome:
        gathered = digests if on is None else MemoryDigests(on)
        outreach = Outreach(log, on or ledger, directory, channel, gathered, templates=templates)
        environment = ActivityEnvironment()
        scheduled = environment.info.scheduled_time
        environment.info = replace(environment.info, started_time=scheduled + late)
        return await environment.run(outreach.send, order)

    return send_


@pytest.fixture
async def opened(open_engagement: OpenEngagement) -> None:
    await open_engagement()


@pytest.mark.usefixtures("opened")
class TestSend:
    async def test_reaches_the_owner(self, send: Send, mail_server: "MailServer") -> None:
        outcome = await send(ORDER)
        assert (outcome.outcome, outcome.person, outcome.attempt) == ("sent", "r-1", 1)
        [message] = mail_server.received
        assert message["To"] == "Recruiter Quux <quux@example.test>"
        assert message["Message-ID"] == outcome.message_id == f"<{EFFECT}@mail.example.test>"
        body = message.get_body(("plain",))
        assert body is not None
        text = body.get_content()
        for told in (
            "Quux Candidate has been waiting",
            "Everybody who applies hears from a person within 7 days.",
            "Monday 5 January 2026, 13:00 (Europe/Berlin)",
            "Answers for it: Recruiter Quux (r-1)",
            "rapport show e-1",
        ):
            assert told in text

    async def test_reaches_the_candidate(self, send: Send, mail_server: "MailServer") -> None:
        outcome = await send(TO_CANDIDATE)
        assert (outcome.outcome, outcome.person) == ("sent", None)
        assert mail_server.received[0]["To"] == "Quux Candidate <quux@example.test>"

    async def test_sends_once_however_often_it_runs(self, send: Send, mail_server: "MailServer") -> None:
        first = await send(ORDER)
        assert await send(ORDER) == first
        assert len(mail_server.received) == 1

    async def test_gives_the_report_that_records_it(self, send: Send) -> None:
        outcome = await send(ORDER)
        assert outcome.command() == RecordOutreach(
            effect_id=EFFECT, outcome="sent", person="r-1", attempt=1, message_id=outcome.message_id
        )

    async def test_escapes_what_a_candidate_calls_themselves(
        self, send: Send, mail_server: "MailServer", log: MemoryLog
    ) -> None:
        await send(ORDER.model_copy(update={"says": "<script>alert(1)</script>"}))
        html = mail_server.received[0].get_body(("html",))
        assert html is not None
        assert "<script>" not in html.get_content()


@pytest.mark.usefixtures("opened")
class TestACandidateWhoSaidStop:
    async def test_can_say_it_with_one_click(self, send: Send, mail_server: "MailServer") -> None:
        """A colleague cannot: their duties are no newsletter."""
        await send(TO_CANDIDATE)
        await send(ORDER)
        to_candidate, to_colleague = mail_server.received
        assert to_candidate["List-Unsubscribe"] == f"<mailto:{to_candidate['Reply-To']}?subject=STOP>"
        assert to_colleague["List-Unsubscribe"] is None

    async def test_gets_no_message(self, send: Send, mail_server: "MailServer", tell: Tell) -> None:
        """The colleagues who owe the promise still hear of it."""
        await tell(OutreachStopped(at=NOON))
        outcome = await send(TO_CANDIDATE)
        assert (outcome.outcome, outcome.reason) == ("withheld", "candidate-said-stop")
        assert mail_server.received == []
        assert (await send(ORDER)).outcome == "sent"

    async def test_gets_messages_again_after_saying_so(self, send: Send, tell: Tell) -> None:
        await tell(OutreachStopped(at=NOON))
        await tell(OutreachAllowed(at=NOON))
        assert (await send(TO_CANDIDATE)).outcome == "sent"

    async def test_never_said_it_if_that_was_annulled(self, send: Send, tell: Tell) -> None:
        stopped = await tell(OutreachStopped(at=NOON))
        await tell(EventAnnulled(at=NOON, event_id=stopped, annulled_type="outreach-stopped", reason="wrong"))
        assert (await send(TO_CANDIDATE)).outcome == "sent"


@pytest.mark.usefixtures("opened")
class TestADeadServer:
    async def test_loses_nothing(self, send: Send, mail_server: "MailServer") -> None:
        """Temporal tries again until it is back; surely unsent tries are one attempt."""
        await mail_server.stop()
        for _ in range(3):
            with pytest.raises(ApplicationError) as caught:
                await send(ORDER)
            assert not caught.value.non_retryable
            assert caught.value.type == "NotSent"
        await mail_server.start()
        assert (await send(ORDER)).attempt == 1
        assert len(mail_server.received) == 1

    async def test_makes_a_message_too_late_to_help(self, send: Send, mail_server: "MailServer") -> None:
        """The domain's time goes on while Temporal retries."""
        await mail_server.stop()
        with pytest.raises(ApplicationError):
            await send(TO_CANDIDATE)
        await mail_server.start()
        outcome = await send(TO_CANDIDATE, late=timedelta(hours=2))
        assert (outcome.outcome, outcome.reason) == ("withheld", "past-usefulness")
        assert mail_server.received == []


@pytest.mark.usefixtures("opened")
class TestACrashInTheMiddle:
    async def test_waits_then_sends_once_more_under_the_same_id(
        self, send: Send, mail_server: "MailServer"
    ) -> None:
        ledger = CrashingLedger(crashes=1)
        with pytest.raises(Killed):
            await send(ORDER, on=ledger)
        with pytest.raises(ApplicationError) as caught:
            await send(ORDER, on=ledger)
        assert caught.value.type == "OutreachBusy"
        assert caught.value.next_retry_delay == timedelta(minutes=5)
        ledger.now += timedelta(minutes=6)
        outcome = await send(ORDER, on=ledger)
        assert (outcome.outcome, outcome.attempt) == ("sent", 2)
        first, second = (message["Message-ID"] for message in mail_server.received)
        assert first == second == outcome.message_id
        assert [row.state for row in await ledger.list("a-1")] == ["unknown", "sent"]

    async def test_asks_a_person_after_the_second_time(self, send: Send, mail_server: "MailServer") -> None:
        ledger = CrashingLedger(crashes=2)
        for _ in range(2):
            with pytest.raises(Killed):
                await send(ORDER, on=ledger)
            ledger.now += timedelta(minutes=6)
        outcome = await send(ORDER, on=ledger)
        assert (outcome.outcome, outcome.reason, outcome.attempt) == ("failed", "outcome-unknown", 2)
        assert len(mail_server.received) == 2

    async def test_is_what_a_lost_answer_is(self, send: Send, mail_server: "MailServer") -> None:
        mail_server.hangs_up_after_data = True
        with pytest.raises(ApplicationError) as caught:
            await send(ORDER)
        assert caught.value.type == "OutcomeUnknown"


@pytest.mark.usefixtures("opened")
class TestADeadDatabase:
    @pytest.mark.parametrize(
        "loses",
        [
            ConnectionResetError,
            TooManyConnectionsError,
            ReadOnlySQLTransactionError,
        ],
    )
    async def test_makes_no_known_outcome_unknown(
        self, send: Send, mail_server: "MailServer", loses: type[Exception]
    ) -> None:
        """The letter has left; its record waits for the database, and nothing goes out again."""
        ledger = CrashingLedger(crashes=3, loses=loses)
        outcome = await send(ORDER, on=ledger)
        assert (outcome.outcome, outcome.attempt) == ("sent", 1)
        assert [row.state for row in await ledger.list("a-1")] == ["sent"]
        assert len(mail_server.received) == 1


@pytest.mark.usefixtures("opened")
class TestAWorkerThatIsTooOld:
    @pytest.mark.parametrize("level", [1, 2])
    async def test_leaves_the_message_to_a_newer_one(
        self, send: Send, ledger: MemoryEffects, monkeypatch: pytest.MonkeyPatch, level: int
    ) -> None:
        """During a deploy the log may hold what this code cannot read; the message must not fail for that."""

        async def too_new(*_: Any) -> None:
            raise UnknownEvent("outreach-held-again")

        monkeypatch.setattr(Directory, "resolve", too_new)
        with pytest.raises(ApplicationError) as caught:
            await send(ORDER.model_copy(update={"level": level}))
        assert (caught.value.type, caught.value.non_retryable) == ("UnknownEvent", False)
        assert await ledger.list("a-1") == []


@pytest.mark.usefixtures("opened")
class TestAFinalNo:
    async def test_is_a_failure_with_its_reason(self, send: Send, mail_server: "MailServer") -> None:
        mail_server.rcpt_answer = "550 unknown user quux@example.test"
        outcome = await send(ORDER)
        assert (outcome.outcome, outcome.reason) == ("failed", "recipient-refused")
        mail_server.rcpt_answer = "250 OK"
        assert await send(ORDER) == outcome
        assert mail_server.received == []

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"owner": "r-2"}, "no-address"),
            ({"template": "unheard-of"}, "unknown-template"),
        ],
    )
    async def test_comes_before_any_sending(self, send: Send, change: dict[str, str], reason: str) -> None:
        outcome = await send(ORDER.model_copy(update=change))
        assert (outcome.outcome, outcome.reason) == ("failed", reason)

    async def test_is_a_broken_template_too(self, send: Send, tmp_path: Path) -> None:
        (tmp_path / "escalation").mkdir()
        (tmp_path / "escalation" / "body.txt").write_text("{{ candidate.__class__.__mro__ }}")
        outcome = await send(ORDER, templates=(tmp_path,))
        assert (outcome.outcome, outcome.reason) == ("failed", "broken-template")

    async def test_is_an_agency_without_people(self, send: Send, service: CommandService) -> None:
        await load_agency(service, "a-1", people=(), actor=Actor(kind="operator", id="o-1"))
        outcome = await send(ORDER)
        assert (outcome.outcome, outcome.reason) == ("failed", "no-recipient")


@pytest.mark.usefixtures("opened")
class TestRestraint:
    async def test_is_kept_towards_the_erased(
        self, send: Send, keys: MemoryKeys, mail_server: "MailServer"
    ) -> None:
        await keys.destroy("a-1", "engagement:e-1")
        for order in (ORDER, TO_CANDIDATE):
            outcome = await send(order)
            assert (outcome.outcome, outcome.reason) == ("withheld", "erased")
        assert mail_server.received == []

    async def test_is_kept_towards_an_erased_recruiter(self, send: Send, keys: MemoryKeys) -> None:
        await keys.destroy("a-1", key_subject_of("r-1"))
        assert (await send(ORDER)).reason == "erased"

    async def test_is_kept_past_usefulness(self, send: Send, mail_server: "MailServer") -> None:
        outcome = await send(TO_CANDIDATE.model_copy(update={"now": NOON + timedelta(hours=2)}))
        assert (outcome.outcome, outcome.reason) == ("withheld", "past-usefulness")
        assert mail_server.received == []

    async def test_does_not_come_early_on_a_stepped_clock(self, send: Send) -> None:
        order = TO_CANDIDATE.model_copy(update={"rate": 0.0})
        assert (await send(order, late=timedelta(days=1))).outcome == "sent"


class TestWithoutAnAddress:
    async def test_a_candidate_cannot_be_written_to(
        self, send: Send, open_engagement: OpenEngagement
    ) -> None:
        await open_engagement(address=None)
        outcome = await send(TO_CANDIDATE)
        assert (outcome.outcome, outcome.reason) == ("failed", "no-address")

    async def test_an_unknown_engagement_is_a_mistake(self, send: Send) -> None:
        with pytest.raises(ApplicationError) as caught:
            await send(ORDER)
        assert caught.value.non_retryable
        assert caught.value.type == "UnknownEngagement"


@pytest.mark.usefixtures("opened")
class TestNobodyIsNamed:
    async def test_in_outcomes_errors_and_logs(
        self, send: Send, mail_server: "MailServer", ledger: MemoryEffects, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Personal data is in the letter, and nowhere else on its way."""
        # aiosmtpd logs every conversation: it is the test's own server, not ours.
        caplog.set_level(logging.CRITICAL, logger="mail.log")
        caplog.set_level(logging.DEBUG)
        said: list[str] = []
        mail_server.rcpt_answer = "451 not now, quux@example.test"
        with pytest.raises(ApplicationError) as caught:
            await send(ORDER)
        said += [str(caught.value), repr(caught.value.__cause__)]
        mail_server.rcpt_answer = "550 never, quux@example.test"
        said.append((await send(TO_CANDIDATE)).model_dump_json())
        mail_server.rcpt_answer = "250 OK"
        said.append((await send(ORDER)).model_dump_json())
        said += [repr(row) for row in await ledger.list("a-1")]
        said += [record.getMessage() for record in caplog.records]
        assert any("outreach" in each for each in said)
        for each in said:
            assert not [name for name in PERSONAL if name in each.replace("@mail.example.test>", "")], each
