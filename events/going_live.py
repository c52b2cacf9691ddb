"""What an imported past still owes at the moment an engagement goes live.

The past is lived through again without a word to anybody: nothing that was due then is sent or raised now.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from events import catalogue as e
from events.annulment import Happened, gone_among
from events.calendar import Calendar
from events.evolve import evolve
from events.obligations import MICROSECOND, calendar_of, lay_rungs, office_of, open_obligation, react
from events.plans import NO_TIME, due_time, planned_time
from events.policy import ObligationRule, Policy
from events.state import Engagement, OpenObligation
from events.steps import due_steps, take_step

OVERDUE: Final = "imported-overdue"
"""The reason under which a promise that was broken before going live is dropped."""


def went_live(
    state: Engagement,
    live: e.WentLive,
    cause: UUID,
    history: Sequence[Happened],
    policy: Policy,
    now: datetime,
) -> list[e.AnyEvent]:
    """Say what the past leaves owed: the engine events that follow ``went-live``, in their order.

    *history* is the stream before it, *state* the fold with it, *cause* its id, *now* when it is decided and
    *policy* what governs from here on.  A promise not yet due stands as it was.  One past due is opened and
    breached at its true times, and dropped; what can still be done for it is owed anew, from now.
    """
    judged = _judgeable(policy, live.observes)
    past = relive(history, _reaching_back(judged), now, state.offices)
    taken = {(each.rule, each.subject) for each in state.obligations.values()}
    result: list[e.AnyEvent] = []
    for key in sorted(past.obligations, key=lambda each: (past.obligations[each].due_at, str(each))):
        promise = past.obligations[key]
        rule = judged.obligation(promise.rule)
        if promise.breached:
            result += _broken(key, promise, now)
            if rule is not None and (promise.rule, promise.subject) not in taken:
                result += _anew(past, judged, rule, promise, live, cause, now)
        elif (promise.rule, promise.subject) not in taken:
            result.append(_as_it_was(key, promise, promise.rungs))
    return result


def relive(
    history: Sequence[Happened], policy: Policy, now: datetime, offices: Mapping[str, str]
) -> Engagement:
    """Fold a past with the promises that a policy would have made in it, up to but not at *now*.

    *offices* says where those work who answer for something: what a source says of owners, it says of today.
    """
    gone, state = gone_among(history), Engagement(offices=dict(offices))
    for each in history:
        if each.event_id in gone or each.event.by_engine:
            continue
        before = _stepped(state, each.decided_at)
        state = evolve(before, each.event)
        for reaction in react(before, state, each.event, each.event_id, policy, each.decided_at):
            state = evolve(state, reaction)
    return _stepped(state, now)


def _judgeable(policy: Policy, observes: Sequence[str] | None) -> Policy:
    if observes is None:
        return policy
    kept = tuple(rule for rule in policy.obligations if rule.id in observes)
    return policy.model_copy(update={"obligations": kept})


def _reaching_back(policy: Policy) -> Policy:
    """Let each calendar begin before any past."""
    calendars = ((office, each.reaching_back()) for office, each in policy.calendars)
    return policy.model_copy(update={"calendars": tuple(calendars)})


def _stepped(state: Engagement, now: datetime) -> Engagement:
    # Breaches and passed rungs only: whom a step would have told, it tells no more.
    for key, rung in due_steps(state, now, inclusive=False):
        for event in take_step(state, key, rung, deliver=False, now=now):
            if isinstance(event, e.ObligationBreached | e.RungReached):
                state = evolve(state, event)
    return state


def _as_it_was(key: UUID, promise: OpenObligation, rungs: tuple[e.Rung, ...]) -> e.ObligationOpened:
    return e.ObligationOpened(
        at=promise.since,
        obligation_id=key,
        rule=promise.rule,
        subject=promise.subject,
        kind=promise.kind,
        mode=promise.mode,
        owner_role=promise.owner_role,
        awaits=promise.awaits,
        since=promise.since,
        opened_at=promise.opened_at,
        due_at=promise.due_at,
        rungs=rungs,
        waited=promise.waited,
        calendar=promise.calendar,
        useful_for=promise.useful_for,
    )


def _broken(key: UUID, promise: OpenObligation, now: datetime) -> Iterator[e.AnyEvent]:
    due = promise.due_at
    yield _as_it_was(key, promise, (e.Rung(number=0, at=due, do="breach", level=0),))
    yield e.ObligationBreached(
        at=due, obligation_id=key, rule=promise.rule, subject=promise.subject, due_at=due
    )
    yield e.ObligationDropped(
        at=now, obligation_id=key, rule=promise.rule, subject=promise.subject, reason=OVERDUE
    )


def _anew(
    past: Engagement,
    policy: Policy,
    rule: ObligationRule,
    promise: OpenObligation,
    live: e.WentLive,
    cause: UUID,
    now: datetime,
) -> Iterator[e.AnyEvent]:
    """Owe it again from now, for what it was owed since: what was done meanwhile and is told late counts."""
    office = office_of(policy, rule, past, promise.subject)
    calendar = calendar_of(policy, office)
    due = _due_anew(past, rule, promise, live, now, calendar)
    if due is None:
        return
    waits = NO_TIME
    if rule.while_paused == "waits" and past.paused_until is not None:
        waits = max(NO_TIME, past.paused_until - now)
        due += waits
    rungs = lay_rungs(rule, due, now, 0, calendar)
    opened = open_obligation(past.stream, rule, promise.subject, cause, promise.since, due, rungs, now)
    yield opened.model_copy(update={"at": now, "waited": waits // MICROSECOND, "calendar": office})


def _due_anew(
    past: Engagement,
    rule: ObligationRule,
    promise: OpenObligation,
    live: e.WentLive,
    now: datetime,
    calendar: Calendar | None,
) -> datetime | None:
    """Give the time by which it can still be done, or None where it cannot any more."""
    if rule.within.delta < timedelta():
        # It comes before a planned time: then that time itself is the last moment.
        planned = planned_time(past, promise.subject, rule.planned)
        return planned if planned is not None and planned > now else None
    return due_time(rule.model_copy(update={"planned": None}), live, now, calendar)
