"""What an annulled event had done to the promises, undone: dropped, opened again or moved back.

Facts stay: a breach that was recorded is never taken back, and a step that was taken is not taken again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from events import catalogue as e
from events.obligations import drop, keeps, open_obligation, shifted
from events.policy import ObligationRule, Policy
from events.state import Engagement
from events.subjects import fires, named_by


@dataclass(frozen=True, slots=True)
class Past:
    """A stream's events that still count, with their ids, and what caused each."""

    events: Sequence[tuple[UUID, e.AnyEvent]]
    causes: Mapping[UUID, UUID | None]
    annulled: UUID


def mended(state: Engagement, policy: Policy, past: Past, cause: UUID, at: datetime) -> list[e.AnyEvent]:
    """Undo what an annulled event did to the promises; *state* folds without it.

    What it opened is dropped; what it kept or dropped opens again, unless something else did the same;
    what it moved moves back.  A closed engagement owes nothing any more.
    """
    if state.closed:
        return []
    result: list[e.AnyEvent] = []
    gone: set[UUID] = set()
    done = [event for identity, event in past.events if past.causes.get(identity) == past.annulled]
    for event in done:
        if isinstance(event, e.ObligationOpened) and event.obligation_id in state.obligations:
            result += drop(state, event.obligation_id, "annulled", at)
            gone.add(event.obligation_id)
    taken = {(each.rule, each.subject) for key, each in state.obligations.items() if key not in gone}
    for event in done:
        if isinstance(event, e.ObligationMoved) and event.obligation_id not in gone:
            result += _back(state, past, event, at)
        if isinstance(event, e.ObligationMet | e.ObligationDropped):
            rule = policy.obligation(event.rule)
            if rule is not None and (event.rule, event.subject) not in taken:
                result += _again(state, rule, past, event, cause, at)
    return result


def _again(
    state: Engagement,
    rule: ObligationRule,
    past: Past,
    ended: e.ObligationMet | e.ObligationDropped,
    cause: UUID,
    at: datetime,
) -> Iterator[e.AnyEvent]:
    key = ended.obligation_id
    laid = _laid(past, key)
    first = laid[0] if laid else None
    if not isinstance(first, e.ObligationOpened) or _ended_otherwise(state, rule, first, past):
        return
    breach = state.breaches.get(key)
    stands = breach is not None and not breach.excused
    reached = {
        each.rung for _, each in past.events if isinstance(each, e.RungReached) and each.obligation_id == key
    }
    rungs = tuple(
        rung for rung in laid[-1].rungs if rung.number not in reached and not (stands and rung.do == "breach")
    )
    again = open_obligation(
        state.stream, rule, first.subject, cause, first.since, laid[-1].due_at, rungs, first.opened_at
    )
    yield again.model_copy(update={"at": at})


def _back(state: Engagement, past: Past, moved: e.ObligationMoved, at: datetime) -> Iterator[e.AnyEvent]:
    promise = state.obligations.get(moved.obligation_id)
    laid = _laid(past, moved.obligation_id)
    if promise is None or promise.breached or moved not in laid:
        return
    place = laid.index(moved)
    if moved.reason == "planned-time-moved" and place != len(laid) - 1:
        # A later move has set the time anew, from a plan that still stands.
        return
    yield shifted(moved.obligation_id, promise, laid[place - 1].due_at - moved.due_at, "annulled", at)


def _laid(past: Past, key: UUID) -> list[e.ObligationOpened | e.ObligationMoved]:
    return [
        each
        for _, each in past.events
        if isinstance(each, e.ObligationOpened | e.ObligationMoved) and each.obligation_id == key
    ]


def _ended_otherwise(state: Engagement, rule: ObligationRule, first: e.ObligationOpened, past: Past) -> bool:
    opened = False
    for identity, event in past.events:
        opened = opened or event is first
        if identity == past.annulled:
            continue
        named = named_by(event, state)
        if keeps(rule, event, first.subject, first.since, named):
            return True
        if opened and any(fires(trigger, event, first.subject, named) for trigger in rule.dropped_by):
            return True
    return False
