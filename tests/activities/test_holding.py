"""While an agency's outreach is held nothing leaves, and nothing is lost."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.testing import ActivityEnvironment

from activities.channels.email import Email
from activities.commands import CommandService
from activities.directory import Directory
from activities.holding import LONGEST_PAUSE
from activities.outreach import Outreach
from activities.types import OutreachOrder, OutreachOutcome, StreamCommand
from events.agency import Entry
from events.envelope import Actor
from events.log.digests_memory import MemoryDigests
from events.log.effects import MemoryEffects
from events.log.memory import MemoryLog

if TYPE_CHECKING:
    from tests.activities.conftest import MailServer

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
TO_OWNER = OutreachOrder(
    agency="a-1",
    engagement_id="e-1",
    effect_id=UUID(int=1),
    to="owner",
    owner="r-1",
    template="escalation",
    level=1,
    due_at=NOON,
    now=NOON,
)
TO_LEAD = TO_OWNER.model_copy(update={"to": "team-lead", "level": 2, "effect_id": UUID(int=2)})
TO_CANDIDATE = TO_OWNER.model_copy(
    update={
        "to": "candidate",
        "template": "candidate-apology",
        "useful_until": NOON + timedelta(hours=1),
        "effect_id": UUID(int=3),
    }
)
EACH = (TO_OWNER, TO_LEAD, TO_CANDIDATE)

Give = Callable[[str], Awaitable[None]]


class Office:
    """The activity, its ledger, and the switch."""

    def __init__(self, outreach: Outreach, ledger: MemoryEffects, service: CommandService) -> None:
        self.outreach = outreach
        self.ledger = ledger
        self._service = service

    async def hold(self) -> None:
        await self._give("hold-outreach", reason="wrong-template", words="It names Quux.")

    async def release(self) -> None:
        await self._give("release-outreach")

    async def _give(self, name: str, **data: str) -> None:
        order = StreamCommand(
            agency="a-1",
            stream="agency:a-1",
            command_id=str(uuid4()),
            name=name,
            data=data,
            actor=Actor(kind="operator", id="o-1"),
        )
        await self._service.give(order)

    async def send(
        self, order: OutreachOrder, *, late: timedelta = timedelta(), attempt: int = 1
    ) -> OutreachOutcome:
        environment = ActivityEnvironment()
        started = environment.info.scheduled_time + late
        environment.info = replace(environment.info, started_time=started, attempt=attempt)
        return await environment.run(self.outreach.send, order)

    async def waits(self, order: OutreachOrder, **more: int) -> ApplicationError:
        with pytest.raises(ApplicationError) as caught:
            await self.send(order, **more)  # type: ignore[arg-type]
        return caught.value


@pytest.fixture
async def office(
    log: MemoryLog,
    ledger: MemoryEffects,
    digests: MemoryDigests,
    directory: Directory,
    channel: Email,
    service: CommandService,
    people: tuple[Entry, ...],
    open_engagement: Callable[[], Awaitable[None]],
) -> Office:
    """An agency with people and an engagement."""
    assert people
    await open_engagement()
    outreach = Outreach(log, ledger, directory, channel, digests, digest_window=timedelta())
    return Office(outreach, ledger, service)


class TestAHold:
    async def test_keeps_every_message_and_uses_no_attempt_up(
        self, office: Office, mail_server: "MailServer"
    ) -> None:
        await office.hold()
        for order in EACH:
            error = await office.waits(order)
            assert (error.type, error.non_retryable) == ("OutreachHeld", False)
            assert error.category == ApplicationErrorCategory.BENIGN
        assert mail_server.received == []
        assert await office.ledger.list("a-1") == []

    async def test_bites_with_the_next_message(self, office: Office, mail_server: "MailServer") -> None:
        """The directory is trusted for seconds; the switch is not."""
        await office.send(TO_OWNER)
        await office.hold()
        assert (await office.waits(TO_CANDIDATE)).type == "OutreachHeld"
        assert len(mail_server.received) == 1

    async def test_ends_with_the_release(self, office: Office, mail_server: "MailServer") -> None:
        await office.hold()
        for order in EACH:
            await office.waits(order)
        await office.release()
        outcomes = [await office.send(order) for order in EACH]
        assert [(each.outcome, each.attempt) for each in outcomes] == [("sent", 1)] * 3
        assert len(mail_server.received) == 3

    async def test_does_not_wait_longer_than_half_a_minute_after_it(self, office: Office) -> None:
        await office.hold()
        pauses = [(await office.waits(TO_OWNER, attempt=each)).next_retry_delay for each in (1, 2, 5, 5000)]
        assert pauses == [timedelta(seconds=2), timedelta(seconds=4), LONGEST_PAUSE, LONGEST_PAUSE]

    async def test_makes_a_message_too_late_to_help(self, office: Office, mail_server: "MailServer") -> None:
        """The candidate's hour goes on: what would help nobody any more is withheld, as after an outage."""
        await office.hold()
        await office.waits(TO_CANDIDATE)
        await office.release()
        outcome = await office.send(TO_CANDIDATE, late=timedelta(hours=2))
        assert (outcome.outcome, outcome.reason) == ("withheld", "past-usefulness")
        assert mail_server.received == []

    async def test_withholds_and_fails_nothing_while_it_lasts(self, office: Office) -> None:
        """A template that is wrong may be mended before the release."""
        await office.hold()
        broken = TO_OWNER.model_copy(update={"template": "unheard-of"})
        assert (await office.waits(broken)).type == "OutreachHeld"
        assert await office.ledger.list("a-1") == []

    async def test_lets_an_outcome_be_told_that_is_known(self, office: Office) -> None:
        """What has left before is no sending: the engagement hears of it at once."""
        sent = await office.send(TO_OWNER)
        await office.hold()
        assert await office.send(TO_OWNER) == sent

    async def test_says_nothing_of_what_was_said_about_it(self, office: Office) -> None:
        await office.hold()
        error = await office.waits(TO_OWNER)
        assert "Quux" not in str(error) + repr(error.__cause__)
