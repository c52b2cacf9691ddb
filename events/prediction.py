"""What the engine must conclude: every event of its own, from the events of the world and the policy alone.

Law 10.  No second implementation: the core's own react, take_step, evolve and annul, without any drafts.
Every due moment is looked at in time: an outage changes what is delivered, never what is owed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Final, cast
from uuid import UUID

from events import catalogue as e
from events.admission import decided_by
from events.annulment import Happened, annul
from events.codec import decode
from events.commands import AnyCommand
from events.context import Context
from events.copying import put
from events.envelope import Actor, Stored, derived_id, event_id
from events.evolve import evolve
from events.going_live import went_live
from events.obligations import react
from events.policy import Policy
from events.promises import Conclusion, changes
from events.rule_index import index_of
from events.state import Engagement
from events.steps import due_steps, highest, next_due, take_step

Heard = Callable[[e.AnyEvent], None]
# Where a stream holds one of these, what has happened must be remembered.
LOOKS_BACK: Final = frozenset({"event-annulled", "went-live"})
NONE_BUT_ONE: Final[Mapping[str, Policy]] = {}


@dataclass(frozen=True, slots=True)
class Told:
    """An event of the world as a stream holds it; *imported*: of a past that no policy of ours governed."""

    event_id: UUID
    event: e.AnyEvent
    decided_at: datetime
    cause: UUID | None = None
    imported: bool = False


def commands_of(events: Iterable[Stored]) -> Iterator[list[Told]]:
    """Group a stream's events of the world by the commands that led to them."""
    world = (each for each in events if each.origin != "engine")
    for _, group in groupby(world, key=attrgetter("command_id")):
        yield [
            Told(
                each.event_id,
                decode(each),
                each.decided_at,
                each.causation_id,
                imported=each.origin == "imported",
            )
            for each in group
        ]


class Prediction:
    """One engagement under a policy: *heard* is given each event of the engine, in order.

    *remembers*: the stream holds what :data:`LOOKS_BACK` names.  *policies*, by their digests, are those that
    it adopts; without them the one policy governs throughout.
    """

    def __init__(
        self,
        agency: str,
        stream: str,
        policy: Policy,
        heard: Heard,
        *,
        remembers: bool = False,
        policies: Mapping[str, Policy] = NONE_BUT_ONE,
    ) -> None:
        self.state = Engagement(agency=agency)
        self.decided_at: datetime | None = None
        self.policy = policy
        self._stream, self._policies = stream, policies
        self._concluded = 0
        self._heard = heard
        self._past: list[Happened] | None = [] if remembers else None
        self._seen: dict[UUID, object] | None = None
        self._due: datetime | None = None

    def wait(self, moment: datetime, *, inclusive: bool) -> None:
        """Take every step due before a moment (*inclusive*: or at it), each at its own time."""
        while (due := self._next()) is not None and (due < moment or (inclusive and due == moment)):
            steps = due_steps(self.state, due, inclusive=True)
            last = highest(self.state, steps)
            self._decide_at(due)
            for key, rung in steps:
                deliver = last.get(key) == rung.number
                for event in take_step(self.state, key, rung, deliver=deliver, now=due):
                    self._conclude(event, None)

    def follow(self, told: Sequence[Told]) -> None:
        """Let the events that one command led to happen, once the steps due before it are taken."""
        now = told[0].decided_at
        self.wait(now, inclusive=False)
        self._decide_at(now)
        begun = len(self._past or ())
        for each in told:
            if isinstance(each.event, e.PolicyAdopted):
                # Who adopts a policy decides by it already.
                self.policy = self._policies.get(each.event.digest, self.policy)
        for each in told:
            if each.imported:
                self._recall(each)
            else:
                self.happen(each.event, each.event_id, now, each.cause)
        self._go_live(told, begun, now)
        if self._past is not None and any(isinstance(each.event, e.EventAnnulled) for each in told):
            self._annul(self._past[:begun], self._past[begun:], told[0].event.at)

    def decide(self, command: AnyCommand, *, command_id: str, actor: Actor, at: datetime) -> None:
        """Decide a command as a stepped clock does, and let what it leads to happen.

        :raises CallerError: a caller's mistake; nothing happens but the steps that were due.
        """
        last = self.decided_at
        now = at if last is None or at > last else last
        self.wait(now, inclusive=False)
        agency, stream = self.state.agency, self._stream
        ctx = Context(agency, stream, command_id, actor, at, now)
        decided, _ = decided_by(command, self.state, self.policy, ctx)
        if self.policy.calendars:
            # Only a calendar that ends too soon refuses what was decided: then nothing has happened.
            self._try(decided, ctx)
        self._decide_at(now)
        begun = self._concluded
        heeded = index_of(self.policy).heeded
        for number, event in enumerate(decided):
            if event.type not in heeded and self._past is None:
                # Nothing follows from it and nobody asks for it again: it needs no id.
                self.state = evolve(self.state, event)
                continue
            identity = event_id(agency, stream, command_id, number + self._concluded - begun)
            self.happen(event, identity, now)

    def _try(self, decided: Sequence[e.AnyEvent], ctx: Context) -> None:
        """Let events happen to a state of their own.

        :raises CallerError: a promise would be due beyond its calendar.
        """
        state = self._apart()
        for event in decided:
            before, state = state, evolve(state, event)
            cause = event_id(ctx.agency, ctx.stream, ctx.command_id, 0)
            for reaction in react(before, state, event, cause, self.policy, ctx.now):
                state = evolve(state, reaction)

    def happen(self, event: e.AnyEvent, identity: UUID, now: datetime, cause: UUID | None = None) -> None:
        """Let one event of the world happen, and conclude what follows from it."""
        before = self._before(event)
        self.state = evolve(self.state, event)
        if self._past is not None:
            self._past.append(Happened(identity, event, cause, now))
        for reaction in react(before, self.state, event, identity, self.policy, now):
            self._conclude(reaction, identity)

    def _before(self, event: e.AnyEvent) -> Engagement:
        """Give the state as it is before an event happens to it."""
        return self.state

    def _apart(self) -> Engagement:
        """Give the state for others to change."""
        return self.state

    def _recall(self, told: Told) -> None:
        self.state = evolve(self.state, told.event)
        if self._past is not None:
            self._past.append(Happened(told.event_id, told.event, told.cause, told.decided_at))

    def _go_live(self, told: Sequence[Told], begun: int, now: datetime) -> None:
        for each in told:
            if isinstance(each.event, e.WentLive):
                assert self._past is not None, "a stream that goes live is predicted with its past remembered"
                past = self._past[:begun]
                for event in went_live(self.state, each.event, each.event_id, past, self.policy, now):
                    self._conclude(event, each.event_id)

    def _decide_at(self, moment: datetime) -> None:
        if self.decided_at is None or moment > self.decided_at:
            self.decided_at = moment

    def _next(self) -> datetime | None:
        if self.state.obligations is not self._seen:
            self._seen = self.state.obligations  # type: ignore[assignment]  # only its identity is looked at
            self._due = next_due(self.state)
        return self._due

    def _conclude(self, event: e.AnyEvent, cause: UUID | None) -> None:
        # What is owed to a mail server is nobody's promise: no decision looks at it.
        if not isinstance(event, e.OutreachRequested):
            # In place: nobody else holds this state, and copying it is most of what a fold costs.
            put(self.state, changes(self.state, cast("Conclusion", event)))
        self._concluded += 1
        if self._past is not None:
            assert self.decided_at is not None
            identity = derived_id("predicted", str(len(self._past)))
            self._past.append(Happened(identity, event, cause, self.decided_at))
        self._heard(event)

    def _annul(self, history: list[Happened], made: list[Happened], at: datetime) -> None:
        agency = self.state.agency

        def fold_without(gone: frozenset[UUID]) -> Engagement:
            state = Engagement(agency=agency)
            for each in (*history, *made):
                if each.event_id not in gone and not isinstance(each.event, e.OutreachRequested):
                    state = evolve(state, each.event)
            self.state = state
            return state

        def add(state: Engagement, event: e.AnyEvent, cause: UUID) -> Engagement:
            self._conclude(event, cause)
            return self.state

        annul(history, made, self.policy, at, fold_without, add)
