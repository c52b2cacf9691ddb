"""The specification ``given(events).when(command).then(events)``, and lives lived command by command.

Events are stored here as the log stores them: personal values sealed, never in clear.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from events.canonical import canonical
from events.catalogue import Event
from events.codec import draft
from events.commands import Command, Order
from events.decider import Prepared, prepare, tick
from events.envelope import ENGINE, Actor, Claim, Draft, Stored, derived_id
from events.errors import CallerError
from events.fold import fold
from events.policy import Policy
from events.state import Engagement

AGENCY = "agency-1"
ENGAGEMENT_ID = "e-1"
STREAM = f"engagement:{ENGAGEMENT_ID}"
PERSON = Actor(kind="person", id="recruiter-1")
CANDIDATE = Actor(kind="candidate", id="candidate-1")
NOTHING_ASKED = Policy(name="none")
_STORED_AS_DRAFTED = Draft.model_fields.keys() - {"body", "personal", "after_close"}
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def sealed_body(each: Draft) -> str:
    """Write a draft's body as the log keeps it, with a hash in the place of every personal value."""
    if not each.personal:
        return each.body
    values: dict[str, Any] = json.loads(each.body)
    for name in each.personal:
        if values.get(name) is not None:
            values[name] = {"sealed": hashlib.sha256(canonical(values[name]).encode()).hexdigest()}
    return canonical(values)


def stored(each: Draft, version: int, command_id: str, *, clear: bool = False) -> Stored:
    """Give a draft its place in the log."""
    return Stored(
        position=version,
        agency=AGENCY,
        stream=STREAM,
        version=version,
        command_id=command_id,
        recorded_at=datetime(2030, 1, 1, tzinfo=UTC),
        body=each.body if clear else sealed_body(each),
        **{name: getattr(each, name) for name in _STORED_AS_DRAFTED},
    )


def happened(events: Iterable[Event]) -> list[Stored]:
    """Store events as if each had been decided when it happened."""
    return [
        stored(
            draft(
                event,
                event_id=derived_id("given", str(version)),
                decided_at=event.at,
                actor=ENGINE if event.by_engine else PERSON,
                source="test",
            ),
            version,
            f"given-{version}",
        )
        for version, event in enumerate(events, 1)
    ]


@dataclass(frozen=True)
class Then:
    """What came of a command."""

    prepared: Prepared | None
    error: CallerError | None
    before: Engagement

    @property
    def events(self) -> tuple[Any, ...]:
        """Give the events, having made sure that nobody was told of a mistake."""
        assert self.error is None, self.error
        assert self.prepared is not None
        return self.prepared.events

    @property
    def outcome(self) -> str:
        """Give the outcome as the receipt keeps it."""
        assert self.error is None, self.error
        assert self.prepared is not None
        return self.prepared.group.outcome

    @property
    def state(self) -> Engagement:
        """Give the state afterwards; after a mistake it is the one before."""
        return self.prepared.state if self.prepared is not None else self.before

    def then(self, *expected: Event) -> None:
        """Expect exactly these events."""
        assert self.events == expected

    def then_types(self, *expected: str) -> None:
        """Expect events of exactly these types."""
        assert tuple(each.type for each in self.events) == expected

    def then_nothing(self) -> None:
        """Expect that the command has nothing left to do."""
        assert self.events == ()
        assert self.outcome == "nothing-to-do"

    def refused_by(self, gate: str) -> None:
        """Expect a refusal, recorded with the command's name."""
        assert self.outcome == "refused"
        assert [(each.type, each.gate) for each in self.events] == [("command-refused", gate)]

    def fails(self, error: type[CallerError], *says: str) -> None:
        """Expect a caller's mistake, told in one sentence that holds these words; nothing happens."""
        assert type(self.error) is error, self.error
        for each in says:
            assert each in str(self.error)
        assert self.prepared is None


@dataclass(frozen=True)
class Given:
    """An engagement as some events have left it."""

    world: "World"
    history: tuple[Stored, ...]
    policy: Policy = NOTHING_ASKED

    @property
    def state(self) -> Engagement:
        """Fold what was given."""
        return fold(self.history)

    def under(self, policy: Policy) -> "Given":
        """Decide under a policy; without, nothing is asked and nothing is promised."""
        return replace(self, policy=policy)

    def after(self, now: datetime, *, inclusive: bool = True) -> list[Any]:
        """Let time pass and nothing else happen; gives the events of the steps that were due."""
        steps = tick(self.state, now, agency=AGENCY, inclusive=inclusive)
        return [event for step in steps for event in step.events]

    def when(
        self,
        command: str,
        *,
        now: datetime = LATER,
        at: datetime | None = None,
        actor: Actor = PERSON,
        command_id: str = "command-1",
        taken: Claim | None = None,
        **changes: Any,
    ) -> Then:
        """Decide the canonical command of a name, with changes to its fields."""
        order = Order(
            command_id=command_id,
            command=self.world.command(command, **changes),
            actor=actor,
            source="test",
            at=at,
        )
        try:
            prepared = prepare(
                order,
                self.state,
                self.policy,
                now,
                agency=AGENCY,
                engagement_id=ENGAGEMENT_ID,
                history=self.history,
                taken=taken,
            )
        except CallerError as error:
            return Then(None, error, self.state)
        return Then(prepared, None, self.state)


@dataclass
class Life:
    """An engagement lived command by command, with its stream beside it."""

    world: "World"
    policy: Policy = NOTHING_ASKED
    stepped: bool = False
    state: Engagement = field(default_factory=Engagement)
    stream: list[Stored] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    groups: list[Prepared] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    mistakes: list[CallerError] = field(default_factory=list)
    journal: list[tuple[datetime, bool, list[Prepared], Policy]] = field(default_factory=list)
    offices: dict[str, str] = field(default_factory=dict)

    def _take(self, prepared: Prepared) -> None:
        self.groups.append(prepared)
        for each in prepared.group.drafts:
            self.drafts.append(each)
            self.stream.append(stored(each, len(self.stream) + 1, prepared.group.command_id))
        self.state = prepared.state

    def wait(self, now: datetime, *, inclusive: bool = True) -> list[Any]:
        """Let time pass: the timer takes every step up to *now*; gives the events."""
        steps = tick(self.state, now, agency=AGENCY, inclusive=inclusive, stepped=self.stepped)
        for each in steps:
            self._take(each)
        self.journal.append((now, inclusive, [], self.policy))
        return [event for each in steps for event in each.events]

    def give(self, order: Order, now: datetime) -> Prepared:
        """Decide an order as the writer does: the steps due before it come first.

        :raises CallerError: a caller's mistake; only the steps have been taken.
        """
        self.orders.append(order)
        self.wait(now, inclusive=False)
        prepared = prepare(
            order,
            self.state,
            self.policy,
            now,
            agency=AGENCY,
            engagement_id=ENGAGEMENT_ID,
            history=self.stream,
            offices=self.offices,
        )
        self._take(prepared)
        self.journal[-1][2].append(prepared)
        return prepared

    def do(
        self,
        command: str,
        now: datetime,
        *,
        at: datetime | None = None,
        actor: Actor = PERSON,
        command_id: str | None = None,
        **changes: Any,
    ) -> list[Any]:
        """Decide the canonical command of a name under an id of its own; gives the events.

        :raises CallerError: a caller's mistake.
        """
        order = Order(
            command_id=command_id or f"command-{len(self.orders) + 1}",
            command=self.world.command(command, **changes),
            actor=actor,
            source="test",
            at=at,
        )
        return list(self.give(order, now).events)

    def seen(self, kind: str) -> list[tuple[Stored, Any]]:
        """Give the stored events of a type, with what they say."""
        every = [event for group in self.groups for event in group.events]
        return [(kept, event) for kept, event in zip(self.stream, every, strict=True) if kept.type == kind]

    def id_of(self, kind: str) -> UUID:
        """Give the id of the last event of a type."""
        return self.seen(kind)[-1][0].event_id


@dataclass(frozen=True)
class World:
    """The canonical example of every message, and ways to tell stories with them."""

    events: Mapping[str, Event]
    commands: Mapping[str, Command]
    starter: Policy
    noon: datetime = NOON
    later: datetime = LATER

    @property
    def known(self) -> tuple[Event, ...]:
        """Give what the shipped policy wants of knowing each other: introduced, understood, confirmed."""
        kinds = {"facet-1": "goal", "facet-2": "motive", "facet-3": "like"}
        learnt = [self.event("facet-learnt", facet_id=key, facet=kind) for key, kind in kinds.items()]
        assigned, introduced = self.event("assigned"), self.event("recruiter-introduced")
        talked, done = self.event("contact-made"), self.event("intake-completed")
        confirmed = self.event("profile-confirmed", facets=tuple(kinds))
        return (assigned, introduced, talked, *learnt, confirmed, done)

    @property
    def gates(self) -> Policy:
        """Give the shipped gates alone, so that nothing is promised."""
        return self.starter.model_copy(update={"obligations": ()})

    def event(self, kind: str, /, **changes: Any) -> Any:
        """Give the canonical event of a type, with changes to its fields."""
        found = self.events[kind]
        return type(found).model_validate({**found.model_dump(), **changes})

    def command(self, name: str, /, **changes: Any) -> Any:
        """Give the canonical command of a name, with changes to its fields."""
        found = self.commands[name]
        return type(found).model_validate({**found.model_dump(), **changes})

    def given(self, *events: str | Event) -> Given:
        """Begin with what has happened: events, or names of canonical ones; ``known`` stands for several."""
        told: list[Event] = []
        for each in events:
            if each == "known":
                told += self.known
            else:
                told.append(self.event(each) if isinstance(each, str) else each)
        return Given(self, tuple(happened(told)))

    def life(self, policy: Policy | None = None, *, stepped: bool = False) -> Life:
        """Begin a life under the shipped policy, or another."""
        return Life(self, self.starter if policy is None else policy, stepped)
