"""A stage without servers: the core alone, a log in memory, and a clock that jumps to the next thing due.

It decides as the workflow does and lets one stream's event lead to another's as the follower does: what
comes out differently here and live is a fault in one of the two.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from activities.agency_load import load_agency
from activities.commands import CommandService
from activities.directory import Directory
from activities.types import OutreachOutcome, StreamCommand
from events.agency import Entry
from events.commands import Order
from events.decider import next_due, prepare, tick
from events.envelope import ENGINE, Actor, AppendRequest, Claim, CommandGroup, Stored
from events.errors import CallerError
from events.fold import fold, needs_refold
from events.log.memory import MemoryLog
from events.log.port import Appended, Receipt, Taken
from events.orders import parse_order
from events.policy import Policy
from events.state import Engagement
from gateway.demo.stage import Unheard
from workers.consequences import LEADING
from workers.following import ACTOR, SOURCE, stream_command, what_follows
from workers.passing_on import Consequence

BEGINNING: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
MOST_WAITING: Final = timedelta(days=90)


@dataclass
class DryStage:
    """One story's world; :meth:`open` it before playing."""

    policy: Policy
    agency: str = "dry"
    origin: datetime = BEGINNING
    log: MemoryLog = field(init=False)

    def __post_init__(self) -> None:
        self._now = self.origin
        self.log = MemoryLog(clock=lambda: self._now)
        self._service = CommandService(self.log, now=lambda: self._now)
        self._directory = Directory(self.log, fresh_for=0)
        self._followed = 0
        self._states: dict[str, Engagement] = {}

    async def open(self, people: tuple[Entry, ...]) -> None:
        """Bring in the people and the policy."""
        await load_agency(
            self._service,
            self.agency,
            people=people,
            policy=self.policy,
            actor=Actor(kind="operator", id="demo"),
            source="demo",
            decided_at=self.origin,
        )

    def now(self) -> datetime:
        """Tell the time in the story."""
        return self._now

    @property
    def reached(self) -> int:
        """Tell how far the log reaches."""
        return self._followed

    @property
    def breaches(self) -> int:
        """Count the promises that were broken."""
        return sum(len(state.breaches) for state in self._states.values())

    async def wait_for(self, moment: datetime) -> None:
        """Take all that is due before a moment, then stand there."""
        while (due := self._next()) is not None and due[0] < moment:
            await self._step(*due)
        self._now = max(self._now, moment)

    async def look_again(self) -> None:
        """Go to the next step that any promise asks for; where none is left, nothing will ever change."""
        due = self._next()
        if due is None:
            self._now += MOST_WAITING
        else:
            await self._step(*due)

    async def events(self, engagement: str, *, told: bool = False) -> list[Stored]:
        """Read an engagement's events; *told*: with their personal words."""
        return await self.log.read_stream(self.agency, f"engagement:{engagement}", open_personal=told)

    async def receipt(self, stream: str, command_id: str) -> Receipt | None:
        """Ask the log for a command's receipt."""
        return await self.log.receipt(self.agency, stream, command_id)

    async def give(self, engagement: str, name: str, data: dict[str, Any], command_id: str) -> str:
        """Decide and record a command, and all that follows from it."""
        order = parse_order(name, data, command_id=command_id, actor_default=ACTOR, source="demo")
        outcome = await self._decide(engagement, order)
        await self._settle()
        return outcome

    async def signal(self, engagement: str, name: str, data: dict[str, Any], command_id: str) -> str:
        """Do the same, for no network lies between; a mistake is what a signal would record as refused."""
        try:
            return await self.give(engagement, name, data, command_id)
        except CallerError as error:
            raise Unheard(f"it would be recorded as refused: {error}") from None

    async def give_stream(self, order: StreamCommand) -> str:
        """Give a command to the service, and let follow what does."""
        outcome = (await self._service.give(order)).outcome
        await self._settle()
        return outcome

    def _next(self) -> tuple[datetime, str] | None:
        dues = ((next_due(state), engagement) for engagement, state in self._states.items())
        return min(((due, each) for due, each in dues if due is not None), default=None)

    async def _step(self, due: datetime, engagement: str) -> None:
        self._now = max(self._now, due)
        state = self._states[engagement]
        groups = [each.group for each in tick(state, self._now, agency=self.agency, inclusive=True)]
        await self._append(engagement, state.version, groups)
        await self._settle()

    async def _decide(self, engagement: str, order: Order, taken: Claim | None = None) -> str:
        state = self._states.get(engagement, Engagement())
        prepared = prepare(
            order,
            state,
            self.policy,
            self._now,
            agency=self.agency,
            engagement_id=engagement,
            history=await self.events(engagement) if order.command.name == "annul-event" else (),
            taken=taken,
        )
        result = await self._append(engagement, state.version, [prepared.group])
        if isinstance(result, Taken) and taken is None:
            return await self._decide(engagement, order, Claim(kind=result.kind, key=result.key))
        assert isinstance(result, Appended), result
        return result.outcomes[order.command_id]

    async def _append(self, engagement: str, version: int, groups: list[CommandGroup]) -> Any:
        stream = f"engagement:{engagement}"
        request = AppendRequest(agency=self.agency, stream=stream, expected=version, groups=tuple(groups))
        [result] = await self.log.append_many([request])
        if isinstance(result, Appended):
            state = self._states.get(engagement, Engagement())
            again = needs_refold(result.events)
            self._states[engagement] = (
                fold(await self.events(engagement)) if again else fold(result.events, state)
            )
        return result

    async def _settle(self) -> None:
        """Send what is owed and let events lead to others, until nothing is left to do."""
        while news := await self.log.read_all(self.agency, after=self._followed):
            self._followed = news[-1].position
            for stored in news:
                if stored.type == "outreach-requested":
                    await self._send(stored.stream.partition(":")[2])
                elif stored.type in LEADING:
                    await self._follow(stored)

    async def _send(self, engagement: str) -> None:
        for key, owed in self._states[engagement].owed.items():
            person = None
            if owed.to != "candidate":
                person = await self._directory.resolve(self.agency, owed.to, owed.owner, self._now)
            outcome = OutreachOutcome(
                effect_id=key,
                outcome="sent",
                person=person.person_id if person is not None else None,
                message_id=f"<{key}@rapport.example>",
            )
            command_id = f"effect:{key}:sent"
            order = Order(command_id=command_id, command=outcome.command(), actor=ENGINE, source="rapport")
            await self._decide(engagement, order)

    async def _follow(self, stored: Stored) -> None:
        for each in await what_follows(self.log, stored):
            try:
                await self._pass_on(stored, each)
            except CallerError:
                continue  # as for the follower: the event stands, nothing follows from it

    async def _pass_on(self, stored: Stored, each: Consequence) -> None:
        category, _, key = each.stream.partition(":")
        command_id = each.command_id(stored.event_id)
        if category != "engagement":
            await self._service.give(stream_command(stored, each, command_id))
            return
        given = {**each.data, "causation_id": stored.event_id}
        order = parse_order(each.name, given, command_id=command_id, actor_default=ACTOR, source=SOURCE)
        await self._decide(key, order)
