"""An agency whose messages gather: its log, its ledger, and a sender that dies where a test says.

The real clock is the test's: it moves by hand, and the domain's time with it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.channels.email import Email
from activities.commands import CommandService
from activities.directory import Directory
from activities.outreach import Outreach
from activities.types import OutreachOrder, OutreachOutcome, StreamCommand
from events import catalogue as e
from events.codec import draft
from events.envelope import Actor, AppendRequest, CommandGroup, event_id
from events.log.digests_memory import MemoryDigests
from events.log.effects import MemoryEffects
from events.log.memory import MemoryLog

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
            raise RuntimeError("killed")
        await super().finish(agency, digest_id, attempt, became, **kwargs)

    def _perhaps(self, where: str) -> None:
        if self.dies_at == where:
            self.dies_at = "dead"
            raise RuntimeError("killed")


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
            agency="a-1", stream="agency:a-1", command_id=str(uuid4()), name=name, data=data, actor=OPERATOR
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
