"""What an annulled event had done to the promises, undone: dropped, opened again or moved back.

Facts stay: a breach that was recorded is never taken back, and a step that was taken is not taken again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from events import catalogue as e
from events.envelope import derived_id
from events.obligations import (
    MICROSECOND,
    calendar_of,
    drop,
    keeps,
    lay_rungs,
    office_of,
    open_obligation,
    owner_of,
    shifted,
)
from events.policy import ObligationRule, Policy
from events.state import Engagement
from events.subjects import fires, named_by


@dataclass(frozen=True, slots=True)
class Past:
    """A stream's events that still count, with their ids, and what caused each."""

    events: Sequence[tuple[UUID, e.AnyEvent]]
    causes: Mapping[UUID, UUID | None]
    decided: Mapping[UUID, datetime]
    annulled: UUID
    annulled_type: str


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a stream with its id, what caused it, and when it was decided."""

    event_id: UUID
    event: e.AnyEvent
    cause: UUID | None
    decided_at: datetime


def annul(
    history: Sequence[Happened],
    made: Sequence[Happened],
    policy: Policy,
    at: datetime,
    fold_without: Callable[[frozenset[UUID]], Engagement],
    add: Callable[[Engagement, e.AnyEvent, UUID], Engagement],
) -> Engagement:
    """Mend the promises that the annulments among the events just *made* had touched; *add* records each.

    *history* is the whole stream before; *fold_without* folds it and what was made, but for some ids.
    """
    annulments = [(each.event_id, each.event) for each in made if isinstance(each.event, e.EventAnnulled)]
    gone = gone_among([*history, *made])
    first = annulments[0][1]
    past = Past(
        events=[(each.event_id, each.event) for each in history if each.event_id not in gone],
        causes={each.event_id: each.cause for each in history},
        decided={each.event_id: each.decided_at for each in history},
        annulled=first.event_id,
        annulled_type=first.annulled_type,
    )
    after = fold_without(gone)
    # The last first: what a report had brought is gone before the report's own doings are undone.
    for cause, annulled in reversed(annulments):
        one = replace(past, annulled=annulled.event_id, annulled_type=annulled.annulled_type)
        for event in mended(after, policy, one, cause, at):
            after = add(after, event, cause)
    return after


def gone_among(events: Sequence[Happened]) -> frozenset[UUID]:
    """Name what is annulled, and what an excuse that is wrong had excused: the mark goes with its reason."""
    gone = {each.event.event_id for each in events if isinstance(each.event, e.EventAnnulled)}
    excuses = {
        each.event_id for each in events if isinstance(each.event, e.ExcuseGranted) and each.event_id in gone
    }
    excused = (
        each.event_id
        for each in events
        if isinstance(each.event, e.ObligationExcused) and each.cause in excuses
    )
    return frozenset((*gone, *excused))


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
    settled: list[UUID] = []
    for event in done:
        if isinstance(event, e.ObligationMoved) and event.obligation_id not in gone:
            result += _back(state, past, event, at)
        if isinstance(event, e.EscalationSettled):
            settled.append(event.escalation_id)
        if isinstance(event, e.ObligationMet | e.ObligationDropped):
            rule = policy.obligation(event.rule)
            if rule is not None and (event.rule, event.subject) not in taken:
                result += _again(state, rule, policy, past, event, cause, at)
    if past.annulled_type in ("paused", "resumed"):
        result += _unwaited(state, policy, past, gone, at)
    if past.annulled_type in ("placement-started", "placement-ended"):
        result += _placed_otherwise(state, policy, result, cause, at)
    return result + list(_raised_again(state, past, settled, result, cause, at))


def _unwaited(
    state: Engagement, policy: Policy, past: Past, gone: set[UUID], at: datetime
) -> Iterator[e.AnyEvent]:
    """Let every promise that waits have waited for the pauses that still stand, and no others."""
    for key, promise in state.obligations.items():
        rule = policy.obligation(promise.rule)
        if key in gone or promise.breached or rule is None or rule.while_paused == "runs":
            continue
        by = _waited(past, promise.opened_at) - timedelta(microseconds=promise.waited)
        if by:
            yield shifted(key, promise, by, "annulled", at)


def _placed_otherwise(
    state: Engagement, policy: Policy, result: Sequence[e.AnyEvent], cause: UUID, at: datetime
) -> Iterator[e.AnyEvent]:
    """Let the promises that depend on whether they work in a job of ours be as if nobody had erred.

    What rests now is dropped; silence that ought to have been measured is, from the last talk on.
    """
    ended = {each.obligation_id for each in result if isinstance(each, e.ObligationDropped)}
    opened = {(each.rule, each.subject) for each in result if isinstance(each, e.ObligationOpened)}
    standing = {key: each for key, each in state.obligations.items() if key not in ended}
    for rule in policy.obligations:
        if rule.while_placed == "opens" or rule.subject != "engagement" or rule.planned is not None:
            continue
        there = [key for key, each in standing.items() if each.rule == rule.id]
        if state.working != (rule.while_placed == "only"):
            for key in there:
                yield from drop(state, key, "annulled", at)
        elif not there and (rule.id, "engagement") not in opened and not state.dormant:
            since = state.last_contact_at or at
            office = office_of(policy, rule, state, "engagement")
            calendar = calendar_of(policy, office)
            due = max(at, rule.within.after(since, calendar))
            rungs = lay_rungs(rule, due, at, 0, calendar)
            yield open_obligation(state.stream, rule, "engagement", cause, since, due, rungs, at).model_copy(
                update={"at": at, "calendar": office}
            )


def _waited(past: Past, opened_at: datetime) -> timedelta:
    """Measure the pauses that still stand, each until its end or until the next word about it."""
    pauses: list[tuple[datetime, datetime]] = []
    for identity, event in past.events:
        if not isinstance(event, e.Paused | e.Resumed):
            continue
        now = past.decided[identity]
        if pauses:
            begin, end = pauses[-1]
            pauses[-1] = (begin, min(end, now))
        if isinstance(event, e.Paused):
            pauses.append((now, event.until))
    return sum((max(timedelta(), end - max(begin, opened_at)) for begin, end in pauses), timedelta())


def _raised_again(
    state: Engagement,
    past: Past,
    settled: Sequence[UUID],
    result: Sequence[e.AnyEvent],
    cause: UUID,
    at: datetime,
) -> Iterator[e.AnyEvent]:
    """Put the highest duty that the annulled event had settled back on its person."""
    again = {(each.rule, each.subject): each for each in result if isinstance(each, e.ObligationOpened)}
    raised = [
        each
        for _, each in past.events
        if isinstance(each, e.EscalationRaised) and each.escalation_id in settled
    ]
    for (rule, subject), opened in again.items():
        before = [each for each in raised if (each.rule, each.subject) == (rule, subject)]
        if before:
            highest = max(before, key=lambda each: each.level)
            identity = derived_id("escalation", str(cause), str(highest.escalation_id))
            changes = {"at": at, "escalation_id": identity, "obligation_id": opened.obligation_id}
            yield highest.model_copy(update={**changes, "owner": owner_of(state, opened)})


def _again(
    state: Engagement,
    rule: ObligationRule,
    policy: Policy,
    past: Past,
    ended: e.ObligationMet | e.ObligationDropped,
    cause: UUID,
    at: datetime,
) -> Iterator[e.AnyEvent]:
    key = ended.obligation_id
    laid = _laid(past, key)
    first = laid[0] if laid else None
    if not isinstance(first, e.ObligationOpened) or _ended_otherwise(state, rule, policy, first, past):
        return
    breach = state.breaches.get(key)
    stands = breach is not None and not breach.excused
    reached = {
        each.rung for _, each in past.events if isinstance(each, e.RungReached) and each.obligation_id == key
    }
    rungs = tuple(
        rung for rung in laid[-1].rungs if rung.number not in reached and not (stands and rung.do == "breach")
    )
    # Pauses may have come or gone since it ended; what is broken already waits for none.
    waits = rule.while_paused == "waits" and not stands
    waited = timedelta(microseconds=laid[-1].waited)
    by = _waited(past, first.opened_at) - waited if waits else timedelta()
    rungs = tuple(replace(rung, at=rung.at + by) for rung in rungs)
    due = laid[-1].due_at + by
    again = open_obligation(
        state.stream, rule, first.subject, cause, first.since, due, rungs, first.opened_at
    )
    waits_for = {"waited": (waited + by) // MICROSECOND, "calendar": first.calendar}
    yield again.model_copy(update={"at": at, **waits_for})


def _back(state: Engagement, past: Past, moved: e.ObligationMoved, at: datetime) -> Iterator[e.AnyEvent]:
    promise = state.obligations.get(moved.obligation_id)
    laid = _laid(past, moved.obligation_id)
    if promise is None or promise.breached or moved not in laid:
        return
    place = laid.index(moved)
    if moved.reason != "planned-time-moved" or place != len(laid) - 1:
        # A later move has set the time anew, from a plan that still stands.
        return
    yield shifted(moved.obligation_id, promise, laid[place - 1].due_at - moved.due_at, "annulled", at)


def _laid(past: Past, key: UUID) -> list[e.ObligationOpened | e.ObligationMoved]:
    return [
        each
        for _, each in past.events
        if isinstance(each, e.ObligationOpened | e.ObligationMoved) and each.obligation_id == key
    ]


def _ended_otherwise(
    state: Engagement, rule: ObligationRule, policy: Policy, first: e.ObligationOpened, past: Past
) -> bool:
    calendar = calendar_of(policy, first.calendar)
    opened = False
    for identity, event in past.events:
        opened = opened or event is first
        if identity == past.annulled:
            continue
        # What came before the opening ended nothing: the talk that began this silence least of all.
        if not opened:
            continue
        named = named_by(event, state)
        if keeps(rule, event, first.subject, first.since, named, first.due_at, calendar):
            return True
        if any(fires(trigger, event, first.subject, named) for trigger in rule.dropped_by):
            return True
    return False
