"""Engagements on a real log, decided where the message is given: no Temporal, and faults on order."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from activities.commands import CommandService
from activities.directory import Directory
from activities.types import StreamCommand
from events.clock import ClockSpec
from events.decider import prepare
from events.envelope import Actor, AppendRequest, Stored, derived_id
from events.fold import fold
from events.integrations.rules import Mapping, Ref, Rule, RuleCommand, Value
from events.log.port import Appended, Conflict, EventLog
from events.orders import parse_order
from workers.asking.apis import ProviderApis
from workers.inbox.applying import Applying
from workers.inbox.connections import Connection
from workers.inbox.giving import Given
from workers.inbox.lines import Hand
from workers.inbox.links import Link, Target
from workers.inbox.plan import Plan, Step
from workers.inbox.pump import Pump
from workers.inbox.rehearsing import Rehearsal, order_of
from workers.inbox.store import Kept, State
from workers.inbox.understanding import Asking, Understanding
from workers.inbox.work import Work

if TYPE_CHECKING:
    from tests.workers.inbox.conftest import Post

PERSON = Actor(kind="person", id="r-1")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
PATIENCE = 20.0
INTERVIEW = Ref(kind="interview", path="body.interview")
STARTS = {"starts_at": Value(path="body.starts")}
RULES = (
    Rule(
        events=("scheduled",),
        command=(
            RuleCommand(
                name="record-interview-scheduled",
                refs={
                    "submission_id": Ref(kind="application", path="body.application"),
                    "interview_id": INTERVIEW.model_copy(update={"new": True}),
                },
                fields=STARTS,
            ),
        ),
    ),
    Rule(
        events=("moved",),
        command=(RuleCommand(name="move-interview", refs={"interview_id": INTERVIEW}, fields=STARTS),),
    ),
    Rule(
        events=("wrote",),
        command=(
            RuleCommand(
                name="record-message",
                refs={"engagement": Ref(kind="candidate", path="body.candidate")},
                fields={"words": Value(path="body.words"), "message_id": Value(path="body.id")},
            ),
        ),
    ),
    Rule(events=("seen",), ignore="nobody needs to know"),
)


@dataclass
class Desk:
    """Decides and appends as a workflow does; it may be gone, or die after what it appended.

    *away* are those that do not answer though it is there.
    """

    agency: str
    log: EventLog
    service: CommandService
    away: set[str] = field(default_factory=set)
    gone: bool = False
    dies_after: set[str] = field(default_factory=set)
    tries: list[tuple[str, str]] = field(default_factory=list)

    async def ready(self, _: Plan) -> None:
        """Be there, or gone with all engagements."""
        if self.gone:
            raise ConnectionError("nobody answers")

    async def give(self, agency: str, step: Step, actor: Actor, source: str, command_id: str) -> Given:
        """Give one command; what another test's office has left undone is not for this desk."""
        if agency != self.agency:
            raise ConnectionError("this is another office's")
        self.tries.append((step.about, command_id))
        if step.about in self.away:
            raise ConnectionError("nobody answers")
        if step.engagement is None:
            order = StreamCommand(
                agency=agency,
                stream=step.about,
                command_id=command_id,
                name=step.name,
                data=dict(step.fields),
                actor=actor,
                source=source,
                at=step.at,
            )
            told = await self.service.give(order)
            return Given(command_id, step.about, told.outcome, told.version)
        given = await self.decide(step.engagement, order_of(step, actor, source, command_id))
        if command_id in self.dies_after:
            self.dies_after.remove(command_id)
            raise ConnectionError("the answer is lost")
        return given

    async def person(self, engagement: str, name: str, **data: Any) -> None:
        """Give a command as somebody of the agency."""
        command_id = str(derived_id("test", name, json.dumps(data, default=str)))
        order = parse_order(name, data, command_id=command_id, actor_default=PERSON, source="test")
        await self.decide(engagement, order)

    def stream_command(self, stream: str, name: str, **data: Any) -> StreamCommand:
        """Write a command of somebody of the agency to a job order."""
        return StreamCommand(
            agency=self.agency, stream=stream, command_id=name, name=name, data=data, actor=PERSON
        )

    async def decide(self, engagement: str, order: Any) -> Given:
        """Decide at the newest version until nobody was faster."""
        stream = f"engagement:{engagement}"
        while True:
            history = await self.log.read_stream(self.agency, stream)
            state = fold(history)
            known = await self.log.receipt(self.agency, stream, order.command_id)
            if known is not None:
                return Given(order.command_id, stream, known.outcome, state.version)
            now = max(datetime.now(UTC), state.decided_at or NOON)
            prepared = prepare(
                order, state, None, now, agency=self.agency, engagement_id=engagement, history=history
            )
            request = AppendRequest(
                agency=self.agency, stream=stream, expected=state.version, groups=(prepared.group,)
            )
            [result] = await self.log.append_many([request])
            if isinstance(result, Appended):
                return Given(order.command_id, stream, result.outcomes[order.command_id], result.version)
            assert isinstance(result, Conflict), result

    async def events(self, engagement: str, type: str) -> list[Stored]:
        """Read an engagement's events of a type."""
        stored = await self.log.read_stream(self.agency, f"engagement:{engagement}")
        return [each for each in stored if each.type == type]


@dataclass
class Office:
    """The desk, the post that comes to it, and the pumps between them."""

    post: "Post"
    desk: Desk
    connection: Connection
    asking: Asking = field(default_factory=lambda: ProviderApis(allow_private=False))

    def hand(self) -> Hand:
        """Make what a process works with, as one does that has just begun."""
        work = Work(self.post.pool, self.post.links)
        directory = Directory(self.desk.log)
        rehearsal = Rehearsal(
            self.desk.log, directory, self.post.keys, ClockSpec(), lambda: datetime.now(UTC)
        )
        return Hand(
            work,
            Understanding(self.post.connections, self.post.links, self.post.keys, self.asking),
            Applying(work, rehearsal, self.desk, self.post.keys),
            longest_pause=timedelta(seconds=0.2),
        )

    @asynccontextmanager
    async def pump(self, *, lease: float = 2.0) -> AsyncIterator[None]:
        """Pump until left, as a process does that is stopped at any moment."""
        running = asyncio.create_task(Pump(self.hand(), lease=timedelta(seconds=lease)).run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def link(self, kind: str, external: str, *target: str | None) -> None:
        """Confirm what a foreign id stands for."""
        link = Link(kind, external, Target(*target))
        await self.post.links.learn(self.post.agency, self.connection.id, [link], by="r-1", how="confirmed")

    async def comes(self, key: str, event: str, minute: int = 0, **body: Any) -> None:
        """Let a message come that happened so many minutes after noon."""
        at = NOON + timedelta(minutes=minute)
        await self.post.receive(self.connection, key, event=event, at=at, body=json.dumps(body).encode())

    async def messages(self, *states: State) -> list[Kept]:
        """List messages by the source's time."""
        found = await self.post.inbox.list(self.post.agency, states=states or None, limit=5000)
        return sorted(found, key=lambda each: each.occurred_at)

    async def is_settled(self) -> bool:
        """Tell whether nothing is left to do."""
        return not await self.messages("received")

    async def settled(self) -> None:
        """Wait until nothing is left to do."""
        await self.until(self.is_settled)

    @staticmethod
    async def until(condition: Callable[[], Awaitable[Any]]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(PATIENCE):
            while not await condition():  # noqa: ASYNC110 (a database, asked again and again)
                await asyncio.sleep(0.02)


def mapping(*rules: Rule) -> str:
    """Write a mapping as it is stored."""
    return Mapping(format=1, provider="greenhouse", rule=rules).body()
