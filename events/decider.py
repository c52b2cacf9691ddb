"""An order and a state to what must be appended: gates asked, promises kept up, ids given.

This is what the workflow calls; it never reads a clock and never looks at a personal value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from events import catalogue as e
from events import commands as c
from events.annulment import Past, mended
from events.canonical import canonical
from events.codec import decode, draft
from events.context import Context
from events.decide import decide
from events.decisions.submission import live_claims
from events.envelope import ENGINE, Actor, Claim, CommandGroup, Draft, Stored, event_id
from events.errors import ClosedEngagement, InvalidCommand, UnknownEngagement, WrongState
from events.fold import advance, annulled_ids, with_excused
from events.gates import INTENT_OF_REPORT, unmet
from events.obligations import react
from events.offices import NOWHERE, with_offices
from events.personal import personal_fields
from events.policy import GateRule, Policy
from events.receipts import input_of, input_of_step
from events.state import Engagement
from events.steps import due_steps, next_due, take_step

__all__ = ["Prepared", "next_due", "prepare", "tick"]

FUTURE_TOLERANCE: Final = timedelta(minutes=5)
LATE_REPORTS: Final = frozenset(
    {
        "record-contact",
        "record-attempt",
        "record-message",
        "request-call",
        "record-check",
        "record-client-talk",
        "annul-event",
        "excuse-obligation",
        "record-outreach",
        "refuse-message",
    }
)
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

    def add(self, state: Engagement, event: e.AnyEvent, cause: UUID | None) -> tuple[Engagement, UUID]:
        identity = event_id(self.ctx.agency, self.ctx.stream, self.ctx.command_id, len(self.drafts))
        actor: Actor = ENGINE if event.by_engine else self.order.actor
        digest = state.policy_digest or self.policy.digest()
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

    *history* (the whole stream) is needed for ``annul-event``; *taken* is what the log refused to let
    this command claim; *offices* says where the people work whom the command makes answer for something.
    Steps that were due before *now* must have been taken (:func:`tick`).

    :raises CallerError: a caller's mistake; nothing happens.
    """
    stream = f"engagement:{engagement_id}"
    ctx = Context(agency, stream, order.command_id, order.actor, order.at or now, now, offices)
    if order.command_id in state.recent_commands:
        return Prepared(_group(order, (), "nothing-to-do", state, state), state)
    _may_be_decided(order, state, ctx)
    if taken is not None and taken.kind == "engagement-of-candidate":
        raise WrongState("this candidate has an engagement with the agency already; rapport list names it")
    writer = _Writer(ctx, order, policy or NO_POLICY, [], [])
    # Decided first: a caller's mistake is one whatever the gates say, and a repeat has nothing to pass.
    decided = decide(order.command, state, ctx, writer.policy, history)
    blocked = _gates(order, state, writer, taken) if decided else None
    if blocked is not None:
        after = writer.happen(state, _refusal(order, blocked, ctx))
        return Prepared(_group(order, writer.drafts, "refused", state, after), after, tuple(writer.events))
    after = state
    if decided:
        for bypassed in _bypassed(order, state, writer, taken):
            after = writer.happen(after, bypassed)
    for event in with_offices(decided, order.command, state, ctx):
        after = writer.happen(after, event)
    if isinstance(order.command, c.AnnulEvent) and decided:
        after = _annul(writer, history)
    outcome = "message-refused" if isinstance(order.command, c.RefuseMessage) else "accepted"
    group = _group(order, writer.drafts, outcome if decided else "nothing-to-do", state, after, taken)
    return Prepared(group, after, tuple(writer.events))


def tick(
    state: Engagement, now: datetime, *, agency: str, inclusive: bool, stepped: bool = False
) -> list[Prepared]:
    """Take every step that is due before *now* (inclusive: at or before), each a command of its own.

    Under a stepped clock each step is decided at its own due time, else at *now*.
    """
    steps = due_steps(state, now, inclusive=inclusive)
    last = {key: rung.number for key, rung in steps if rung.to not in (None, "candidate")}
    result: list[Prepared] = []
    for key, rung in steps:
        order = _step_order(key, rung)
        moment = rung.at if stepped else now
        decided_at = moment if state.decided_at is None else max(moment, state.decided_at)
        ctx = Context(agency, state.stream, order.command_id, ENGINE, rung.at, decided_at)
        writer = _Writer(ctx, order, NO_POLICY, [], [])
        after = state
        cause: UUID | None = None
        for event in take_step(state, key, rung, deliver=last.get(key) == rung.number):
            after, identity = writer.add(after, event, cause)
            cause = cause or identity
        said = input_of_step(key, rung.number)
        group = _group(order, writer.drafts, "accepted", state, after, said=said)
        result.append(Prepared(group, after, tuple(writer.events)))
        state = after
    return result


def _step_order(key: UUID, rung: e.Rung) -> c.Order:
    # A step is no command of the world; it borrows an order's shape for its id and actor.
    command = c.RefuseMessage(message="step", reason="step", says=f"{key}:{rung.number}")
    return c.Order(command_id=f"step:{key}:{rung.number}", command=command, actor=ENGINE, source="engine")


def _may_be_decided(order: c.Order, state: Engagement, ctx: Context) -> None:
    name = order.command.name
    if state.opened_at is None and name != "open-engagement":
        raise UnknownEngagement(ctx.stream.partition(":")[2])
    if state.closed and name not in LATE_REPORTS:
        raise ClosedEngagement(state.engagement_id)
    if order.at is not None and order.at > ctx.now + FUTURE_TOLERANCE:
        raise InvalidCommand(
            f"{name}: 'at' says when it happened, and that is in the future; leave it out or correct it"
        )


def _gates(order: c.Order, state: Engagement, writer: _Writer, taken: Claim | None) -> GateRule | None:
    if type(order.command).kind == "report":
        return None
    failing = _unmet(order, state, writer, taken)
    return next((gate for gate in failing if gate.mode == "enforce"), None)


def _unmet(order: c.Order, state: Engagement, writer: _Writer, taken: Claim | None) -> list[GateRule]:
    guard = "no-double-submission" if taken is not None and taken.kind == "live-submission" else None
    return unmet(order.command, order.command.name, state, writer.policy, writer.ctx.now, guard)


def _bypassed(
    order: c.Order, state: Engagement, writer: _Writer, taken: Claim | None
) -> list[e.GateBypassed]:
    report = type(order.command).kind == "report"
    if report and order.command.name not in INTENT_OF_REPORT:
        return []
    return [
        e.GateBypassed(
            at=writer.ctx.at,
            command=order.command.name,
            gate=gate.id,
            mode=gate.mode,
            why="report" if report else "mode",
            job_order_id=getattr(order.command, "job_order_id", None),
            submission_id=getattr(order.command, "submission_id", None),
        )
        for gate in _unmet(order, state, writer, taken)
    ]


def _refusal(order: c.Order, gate: GateRule, ctx: Context) -> e.CommandRefused:
    personal = set(personal_fields(type(order.command)))
    words = order.command.model_dump(include=personal, exclude_none=True)
    return e.CommandRefused(
        at=ctx.at,
        command=order.command.name,
        gate=gate.id,
        says=gate.says,
        remedy=gate.remedy,
        job_order_id=getattr(order.command, "job_order_id", None),
        submission_id=getattr(order.command, "submission_id", None),
        given=canonical(order.command.model_dump(exclude=personal)),
        content=canonical(words) if words else None,
    )


def _annul(writer: _Writer, history: Sequence[Stored]) -> Engagement:
    """Fold the stream without the annulled events, and mend the promises they had touched."""
    annulments = [
        (made.event_id, event)
        for made, event in zip(writer.drafts, writer.events, strict=True)
        if isinstance(event, e.EventAnnulled)
    ]
    targets = {event.event_id for _, event in annulments}
    gone = with_excused(annulled_ids(history) | targets, history)
    past = Past(
        events=[(stored.event_id, decode(stored)) for stored in history if stored.event_id not in gone],
        causes={stored.event_id: stored.causation_id for stored in history},
        decided={stored.event_id: stored.decided_at for stored in history},
        annulled=annulments[0][1].event_id,
        annulled_type=annulments[0][1].annulled_type,
    )
    after = _refold(past, history, writer)
    # The last first: what a report had brought is gone before the report's own doings are undone.
    for cause, annulled in reversed(annulments):
        one = replace(past, annulled=annulled.event_id, annulled_type=annulled.annulled_type)
        for event in mended(after, writer.policy, one, cause, writer.ctx.at):
            after, _ = writer.add(after, event, cause)
    return after


def _refold(past: Past, history: Sequence[Stored], writer: _Writer) -> Engagement:
    kept = dict(past.events)
    after = Engagement()
    for stored in history:
        after = advance(after, kept.get(stored.event_id), stored.agency, stored.decided_at, stored.command_id)
    for event in writer.events:
        after = advance(after, event, writer.ctx.agency, writer.ctx.now, writer.ctx.command_id)
    return after


def _group(
    order: c.Order,
    drafts: Sequence[Draft],
    outcome: str,
    before: Engagement,
    after: Engagement,
    taken: Claim | None = None,
    said: str | None = None,
) -> CommandGroup:
    held, holds = live_claims(before), live_claims(after)
    opened = before.opened_at is None and after.opened_at is not None
    closes = after.closed and not before.closed
    person = {Claim(kind="engagement-of-candidate", key=after.candidate_id)}
    claims = {claim for claim in (holds - held) | (person if opened else set()) if claim != taken}
    return CommandGroup(
        command_id=order.command_id,
        input=said or input_of(order.command, order.at),
        outcome=outcome,
        drafts=tuple(drafts),
        claims=_sorted(claims),
        # Who comes back later is taken on anew: a closed engagement holds its person no longer.
        releases=_sorted((held - holds) | (person if closes else set())),
        closes=closes,
    )


def _sorted(claims: set[Claim]) -> tuple[Claim, ...]:
    return tuple(sorted(claims, key=lambda claim: (claim.kind, claim.key)))
