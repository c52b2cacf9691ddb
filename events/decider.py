"""An order and a state to what must be appended: gates asked, promises kept up, ids given.

This is what the workflow calls; it never reads a clock and never looks at a personal value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from events import catalogue as e
from events import commands as c
from events.admission import decided_by, may_be_decided
from events.annulment import Happened, annul
from events.codec import decode, draft
from events.context import Context
from events.decide import decide
from events.envelope import ENGINE, Actor, Claim, CommandGroup, Draft, Origin, Stored, event_id
from events.fold import advance
from events.going_live import went_live
from events.groups import group_of
from events.obligations import react
from events.offices import NOWHERE
from events.policy import Policy
from events.receipts import input_of_step
from events.rule_index import index_of
from events.state import Engagement
from events.steps import due_steps, highest, next_due, take_step

__all__ = ["Prepared", "next_due", "prepare", "tick"]

NO_POLICY: Final = Policy(name="none")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What one command leads to, and the scratch state with it folded in."""

    group: CommandGroup
    state: Engagement
    events: tuple[e.AnyEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class _Writer:
    """Collects a command's events, each with its id and cause, on a scratch state."""

    ctx: Context
    order: c.Order
    policy: Policy
    drafts: list[Draft]
    events: list[e.AnyEvent]
    origin: Origin | None = None

    def add(self, state: Engagement, event: e.AnyEvent, cause: UUID | None) -> tuple[Engagement, UUID]:
        identity = event_id(self.ctx.agency, self.ctx.stream, self.ctx.command_id, len(self.drafts))
        actor: Actor = ENGINE if event.by_engine else self.order.actor
        # Of the past that a foreign record tells, no policy of ours was in force.
        digest = None if self.origin == "imported" else state.policy_digest or index_of(self.policy).digest
        if isinstance(event, e.PolicyAdopted):
            digest = event.digest
        self.drafts.append(
            draft(
                event,
                event_id=identity,
                decided_at=self.ctx.now,
                actor=actor,
                source=self.order.source,
                causation_id=cause,
                correlation_id=self.order.correlation_id,
                policy_digest=digest,
                origin=self.origin,
            )
        )
        self.events.append(event)
        return advance(state, event, self.ctx.agency, self.ctx.now, self.ctx.command_id), identity

    def happen(self, state: Engagement, event: e.AnyEvent) -> Engagement:
        """Add an event of the world, and what it does to the promises."""
        after, identity = self.add(state, event, self.order.causation_id)
        for reaction in react(state, after, event, identity, self.policy, self.ctx.now):
            after, _ = self.add(after, reaction, identity)
        return after


def prepare(
    order: c.Order,
    state: Engagement,
    policy: Policy | None,
    now: datetime,
    *,
    agency: str,
    engagement_id: str,
    history: Sequence[Stored] = (),
    taken: Claim | None = None,
    offices: Mapping[str, str] = NOWHERE,
) -> Prepared:
    """Decide an order at *now*, which must be what :func:`events.clock.decision_time` gives.

    *history* (the whole stream) is needed for ``annul-event`` and ``go-live``; *taken* is what the log
    refused to let this command claim; *offices* says where the people work whom the command makes answer
    for something.  Steps that were due before *now* must have been taken (:func:`tick`).

    :raises CallerError: a caller's mistake; nothing happens.
    """
    stream = f"engagement:{engagement_id}"
    ctx = Context(agency, stream, order.command_id, order.actor, order.at or now, now, offices)
    if order.command_id in state.recent_commands:
        return Prepared(group_of(order, (), "nothing-to-do", state, state), state)
    writer = _Writer(ctx, order, policy or NO_POLICY, [], [])
    decided, outcome = decided_by(order.command, state, writer.policy, ctx, history, taken)
    after = state
    for event in decided:
        after = writer.happen(after, event)
    if isinstance(order.command, c.AnnulEvent) and decided:
        after = _annul(writer, history)
    if isinstance(order.command, c.GoLive) and decided:
        after = _go_live(writer, after, history)
    group = group_of(order, writer.drafts, outcome, state, after, None if outcome == "refused" else taken)
    return Prepared(group, after, tuple(writer.events))


def recall(order: c.Order, state: Engagement, now: datetime, *, agency: str, engagement_id: str) -> Prepared:
    """Decide what a foreign record says of the past, as events of origin ``imported``.

    No gate is asked, no policy is adopted and no promise kept up: going live looks at the past as a whole.

    :raises CallerError: the record contradicts itself; nothing happens.
    """
    ctx = Context(agency, f"engagement:{engagement_id}", order.command_id, order.actor, order.at or now, now)
    may_be_decided(order.command, state, ctx)
    writer = _Writer(ctx, order, NO_POLICY, [], [], origin="imported")
    after = state
    for event in decide(order.command, state, ctx, NO_POLICY):
        if not isinstance(event, e.PolicyAdopted):
            after, _ = writer.add(after, event, order.causation_id)
    outcome = "accepted" if writer.drafts else "nothing-to-do"
    return Prepared(group_of(order, writer.drafts, outcome, state, after), after, tuple(writer.events))


def tick(
    state: Engagement, now: datetime, *, agency: str, inclusive: bool, stepped: bool = False
) -> list[Prepared]:
    """Take every step that is due before *now* (inclusive: at or before), each a command of its own.

    Under a stepped clock each step is decided at its own due time, else at *now*.
    """
    steps = due_steps(state, now, inclusive=inclusive)
    last = highest(state, steps)
    result: list[Prepared] = []
    for key, rung in steps:
        order = _step_order(key, rung)
        moment = rung.at if stepped else now
        decided_at = moment if state.decided_at is None else max(moment, state.decided_at)
        ctx = Context(agency, state.stream, order.command_id, ENGINE, rung.at, decided_at)
        writer = _Writer(ctx, order, NO_POLICY, [], [])
        after = state
        cause: UUID | None = None
        for event in take_step(state, key, rung, deliver=last.get(key) == rung.number, now=decided_at):
            after, identity = writer.add(after, event, cause)
            cause = cause or identity
        said = input_of_step(key, rung.number)
        group = group_of(order, writer.drafts, "accepted", state, after, said=said)
        result.append(Prepared(group, after, tuple(writer.events)))
        state = after
    return result


def _step_order(key: UUID, rung: e.Rung) -> c.Order:
    # A step is no command of the world; it borrows an order's shape for its id and actor.
    command = c.RefuseMessage(message="step", reason="step", says=f"{key}:{rung.number}")
    return c.Order(command_id=f"step:{key}:{rung.number}", command=command, actor=ENGINE, source="engine")


def _annul(writer: _Writer, history: Sequence[Stored]) -> Engagement:
    """Fold the stream without the annulled events, and mend the promises they had touched."""
    made = list(zip(writer.drafts, writer.events, strict=True))
    now = writer.ctx.now
    past = _happened(history)
    fresh = [Happened(each.event_id, event, each.causation_id, now) for each, event in made]

    def fold_without(gone: frozenset[UUID]) -> Engagement:
        after = Engagement()
        for stored, each in zip(history, past, strict=True):
            event = None if each.event_id in gone else each.event
            after = advance(after, event, stored.agency, stored.decided_at, stored.command_id)
        for each in fresh:
            after = advance(after, each.event, writer.ctx.agency, now, writer.ctx.command_id)
        return after

    def add(state: Engagement, event: e.AnyEvent, cause: UUID) -> Engagement:
        return writer.add(state, event, cause)[0]

    return annul(past, fresh, writer.policy, writer.ctx.at, fold_without, add)


def _go_live(writer: _Writer, after: Engagement, history: Sequence[Stored]) -> Engagement:
    """Take over what the imported past still owes."""
    made, live = next(
        (made, event)
        for made, event in zip(writer.drafts, writer.events, strict=True)
        if isinstance(event, e.WentLive)
    )
    past = _happened(history)
    for event in went_live(after, live, made.event_id, past, writer.policy, writer.ctx.now):
        after, _ = writer.add(after, event, made.event_id)
    return after


def _happened(history: Sequence[Stored]) -> list[Happened]:
    return [Happened(each.event_id, decode(each), each.causation_id, each.decided_at) for each in history]
