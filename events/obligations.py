"""How promises open, move, are kept and dropped, as pure reactions to what happened.

Due times are computed here once and stored in the event: no fold ever computes one again.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from events import catalogue as e
from events.calendar import Calendar
from events.envelope import derived_id
from events.kinds import OwnerRole
from events.making import made, made_rung
from events.plans import (
    FACTS,
    MOVES_PLANS,
    NO_TIME,
    OPENED_BY_PLAN,
    due_time,
    planned_afresh,
    planned_time,
    plans,
    stands,
)
from events.policy import LadderStep, ObligationRule, Policy
from events.rule_index import index_of, ladder_of
from events.state import Breach, Engagement, OpenObligation
from events.subjects import Named, fires, named_by, narrowed, own_subject

MICROSECOND = timedelta(microseconds=1)
# What does more, or less, to promises than the rules say.
_APART: Final = frozenset({"engagement-closed", "excuse-granted", "paused", "resumed"})
# The events of which the states on both sides are looked at; of all others only the state after them.
COMPARED: Final = frozenset({"paused", "resumed", *MOVES_PLANS, *OPENED_BY_PLAN})
NONE_KEPT: Final[Mapping[str, ObligationRule]] = {}


def react(
    before: Engagement, after: Engagement, event: e.AnyEvent, cause: UUID, policy: Policy, now: datetime
) -> list[e.AnyEvent]:
    """Say what one event does to the promises; *before* and *after* are the states around it.

    Kept promises come first, then those dropped and moved, then those that open: so a contact ends one
    silence and begins to measure the next.
    """
    index = index_of(policy)
    if event.type not in index.heeded:
        return []
    result: list[e.AnyEvent] = []
    if event.type not in _APART:
        pass
    elif isinstance(event, e.EngagementClosed):
        return [each for key in _ordered(after) for each in drop(after, key, "closed", event.at)]
    elif isinstance(event, e.ExcuseGranted):
        # Nothing else is touched; but a rule may say that it begins anew from here, as silence does.
        excused = list(_excused_by_a_person(after, event))
        others = _standing(after, {event.obligation_id})
        return excused + list(_opened(after, event, cause, policy, now, others, frozenset()))
    elif isinstance(event, e.Paused | e.Resumed):
        result += _shift(before, event, policy, now)
    gone: set[UUID] = set()
    # Where nothing was promised yet, nothing is met, ended or excused.
    promised = after.obligations or after.breaches
    if promised and (event.type in index.met_by or event.type in index.ends):
        named = named_by(event, after)
        result += _met(after, event, policy, named)
        result += _excused(after, event, policy, named)
        gone = {each.obligation_id for each in result if isinstance(each, e.ObligationMet)}
        for key in _ordered(after) if event.type in index.ends else ():
            if key not in gone:
                ended = list(_ended_or_moved(before, after, key, event, policy, named, now))
                gone |= {each.obligation_id for each in ended if isinstance(each, e.ObligationDropped)}
                result += ended
    if event.type not in index.opened_by and event.type not in OPENED_BY_PLAN:
        return result
    afresh = planned_afresh(before, event, policy, result)
    return result + list(_opened(after, event, cause, policy, now, _standing(after, gone), afresh))


def _standing(state: Engagement, gone: set[UUID]) -> set[tuple[str, str]]:
    return {(each.rule, each.subject) for key, each in state.obligations.items() if key not in gone}


def _ordered(state: Engagement, rules: Container[str] | None = None) -> list[UUID]:
    found = [
        (promise.due_at, key)
        for key, promise in state.obligations.items()
        if rules is None or promise.rule in rules
    ]
    return [key for _, key in sorted(found)]


def keeps(
    rule: ObligationRule | None,
    event: e.AnyEvent,
    subject: str,
    since: datetime,
    named: Named,
    due_at: datetime,
    calendar: Calendar | None = None,
) -> bool:
    """Tell whether an event keeps a promise that has been open since a time, by its office's *calendar*."""
    if rule is None:
        return False
    # What a plan is about may have happened before anybody told of the plan.
    itself = rule.planned is not None and own_subject(event, rule.subject) == subject
    if event.at < since and not itself:
        return False
    if rule.not_before is not None and event.at < rule.not_before.before(due_at, calendar):
        return False
    return any(fires(trigger, event, subject, named) for trigger in rule.met_by)


def _met(state: Engagement, event: e.AnyEvent, policy: Policy, named: Named) -> Iterator[e.AnyEvent]:
    kept_by = index_of(policy).met_by.get(event.type, NONE_KEPT)
    for key in _ordered(state, kept_by):
        promise = state.obligations[key]
        rule = kept_by[promise.rule]
        calendar = calendar_of(policy, _reckoned_by(policy, rule, state, promise))
        if not keeps(rule, event, promise.subject, promise.since, named, promise.due_at, calendar):
            continue
        timely = event.at <= promise.due_at
        if promise.breached and timely and key in state.breaches:
            yield _excuse(key, promise.rule, promise.subject, event.at)
        yield made(
            e.ObligationMet,
            at=event.at,
            obligation_id=key,
            rule=promise.rule,
            subject=promise.subject,
            met_at=event.at,
            due_at=promise.due_at,
            timely=timely,
        )
        yield from _settle(state, key, "met", event.at)


def _excused(state: Engagement, event: e.AnyEvent, policy: Policy, named: Named) -> Iterator[e.AnyEvent]:
    """A breach that is over is still excused by a timely act that was recorded late."""
    kept_by = index_of(policy).met_by.get(event.type, NONE_KEPT)
    for key, breach in state.breaches.items() if kept_by else ():
        if breach.excused or event.at > breach.due_at or key in state.obligations:
            continue
        rule = kept_by.get(breach.rule)
        if rule is None:
            continue
        calendar = calendar_of(policy, _reckoned_by(policy, rule, state, breach))
        if keeps(rule, event, breach.subject, breach.since, named, breach.due_at, calendar):
            yield _excuse(key, breach.rule, breach.subject, event.at)


def _excused_by_a_person(state: Engagement, event: e.ExcuseGranted) -> Iterator[e.AnyEvent]:
    """An excuse ends an open promise in a column of its own; it is neither kept nor forgotten."""
    key = event.obligation_id
    if key not in state.obligations and key not in state.breaches:
        # Under another policy there was no such promise, so there is nothing to excuse.
        return
    yield e.ObligationExcused(
        at=event.at, obligation_id=key, rule=event.rule, subject=event.subject, reason="by-a-lead"
    )
    if key in state.obligations:
        yield from drop(state, key, "excused", event.at)


def _excuse(key: UUID, rule: str, subject: str, at: datetime) -> e.ObligationExcused:
    return e.ObligationExcused(at=at, obligation_id=key, rule=rule, subject=subject, reason="recorded-late")


def _settle(state: Engagement, key: UUID, how: str, at: datetime) -> Iterator[e.AnyEvent]:
    for escalation, each in state.escalations.items():
        if each.obligation_id == key:
            yield made(
                e.EscalationSettled,
                at=at,
                escalation_id=escalation,
                obligation_id=key,
                how="met" if how == "met" else "dropped",
            )


def drop(state: Engagement, key: UUID, reason: str, at: datetime) -> Iterator[e.AnyEvent]:
    """End an open promise unkept, and whatever was raised about it."""
    promise = state.obligations[key]
    yield made(
        e.ObligationDropped,
        at=at,
        obligation_id=key,
        rule=promise.rule,
        subject=promise.subject,
        reason=reason,
    )
    yield from _settle(state, key, "dropped", at)


def _ended_or_moved(
    before: Engagement,
    state: Engagement,
    key: UUID,
    event: e.AnyEvent,
    policy: Policy,
    named: Named,
    now: datetime,
) -> Iterator[e.AnyEvent]:
    promise = state.obligations[key]
    rule = index_of(policy).by_id.get(promise.rule)
    if rule is None:
        if isinstance(event, e.PolicyAdopted):
            yield from drop(state, key, "rule-retired", event.at)
        return
    if isinstance(event, e.PolicyAdopted):
        if event.modes == "open" and rule.mode != promise.mode:
            yield e.ObligationModeChanged(
                at=event.at, obligation_id=key, rule=promise.rule, subject=promise.subject, mode=rule.mode
            )
        yield from _under_the_new_rule(state, key, rule, policy, now, event.at)
        return
    if any(fires(trigger, event, promise.subject, named) for trigger in rule.dropped_by):
        yield from drop(state, key, event.type, event.at)
        return
    if event.type not in MOVES_PLANS or not plans(event, rule):
        return
    if own_subject(event, rule.subject) != promise.subject or stands(before, promise.subject, event, rule):
        return
    if promise.breached:
        yield from drop(state, key, "planned-time-moved", event.at)
        return
    calendar = calendar_of(policy, _reckoned_by(policy, rule, state, promise))
    due = due_time(rule, event, now, calendar)
    if due is not None and due != promise.due_at:
        rungs = lay_rungs(rule, due, now, promise.numbered, calendar)
        yield move(key, promise, due, rungs, "planned-time-moved", event.at)


def _under_the_new_rule(
    state: Engagement, key: UUID, rule: ObligationRule, policy: Policy, now: datetime, at: datetime
) -> Iterator[e.AnyEvent]:
    """What is open keeps its due time, unless the rule says that it applies to what is open, too."""
    promise = state.obligations[key]
    if rule.applies != "open" or promise.breached:
        return
    planned = planned_time(state, promise.subject, rule.planned)
    if rule.planned is not None and planned is None:
        return
    base = planned or (promise.opened_at if rule.counts_from == "known" else promise.since)
    calendar = calendar_of(policy, _reckoned_by(policy, rule, state, promise))
    due = rule.within.after(base, calendar)
    if rule.at_least is not None:
        earliest = rule.at_least.after(promise.opened_at, calendar)
        # What comes before a plan is never due after it.
        due = max(due, earliest if planned is None or due >= planned else min(earliest, planned))
    if rule.while_paused == "waits":
        due += promise.waited * MICROSECOND
    # A stricter rule makes due at once what would be due already; it breaks nothing in retrospect.
    due = max(due, min(now, promise.due_at))
    if due != promise.due_at:
        rungs = lay_rungs(rule, due, now, promise.numbered, calendar)
        yield move(key, promise, due, rungs, "policy-adopted", at, promise.waited)


def move(
    key: UUID,
    promise: OpenObligation,
    due: datetime,
    rungs: tuple[e.Rung, ...],
    reason: str,
    at: datetime,
    waited: int = 0,
) -> e.ObligationMoved:
    """Give an open promise another due time, and all the steps that are ahead of it now."""
    return e.ObligationMoved(
        at=at,
        obligation_id=key,
        rule=promise.rule,
        subject=promise.subject,
        due_at=due,
        rungs=rungs,
        reason=reason,
        waited=waited,
    )


def _shift(
    before: Engagement, event: e.Paused | e.Resumed, policy: Policy, now: datetime
) -> Iterator[e.AnyEvent]:
    """A pause pushes what waits with it; its early end pulls the rest of the pause back."""
    was = max(now, before.paused_until or now)
    until = max(now, event.until) if isinstance(event, e.Paused) else now
    for key in _ordered(before):
        promise = before.obligations[key]
        rule = index_of(policy).by_id.get(promise.rule)
        if rule is None or rule.while_paused == "runs" or promise.breached:
            continue
        # What the pause has not pushed, as where the rule came to wait only later, it does not pull back.
        by = max(until - was, -promise.waited * MICROSECOND)
        if by != NO_TIME:
            yield shifted(key, promise, by, event.type, event.at)


def shifted(
    key: UUID, promise: OpenObligation, by: timedelta, reason: str, at: datetime
) -> e.ObligationMoved:
    """Move an open promise with every step ahead of it by the same length of time."""
    rungs = tuple(
        replace(rung, at=rung.at + by, number=promise.numbered + place)
        for place, rung in enumerate(promise.rungs)
    )
    return move(key, promise, promise.due_at + by, rungs, reason, at, promise.waited + by // MICROSECOND)


def _opened(
    state: Engagement,
    event: e.AnyEvent,
    cause: UUID,
    policy: Policy,
    now: datetime,
    taken: set[tuple[str, str]],
    afresh: frozenset[str],
) -> Iterator[e.AnyEvent]:
    index = index_of(policy)
    rules = policy.obligations if afresh else index.opened_by.get(event.type, ())
    for rule in () if state.closed else rules:
        opens = (event.type, rule.id) in index.plainly or any(
            each.event == event.type and narrowed(each, event) for each in rule.opens_on
        )
        if not opens and rule.id not in afresh:
            continue
        subject = own_subject(event, rule.subject)
        if subject is None or (rule.id, subject) in taken or not _may_open(rule, state):
            continue
        office = office_of(policy, rule, state, subject)
        calendar = calendar_of(policy, office)
        due = due_time(rule, event, now, calendar)
        if due is None:
            continue
        waits = NO_TIME
        if rule.while_paused == "waits" and state.paused_until is not None:
            waits = max(NO_TIME, state.paused_until - now)
            due += waits
        rungs = lay_rungs(rule, due, now, 0, calendar)
        since = event.at
        if rule.planned in FACTS:
            # What was done since the fact itself counts, also where the fact is told later.
            since = min(since, getattr(event, rule.planned))
        yield open_obligation(
            state.stream, rule, subject, cause, since, due, rungs, now, waits // MICROSECOND, office
        )


def office_of(policy: Policy, rule: ObligationRule, state: Engagement, subject: str) -> str | None:
    """Name the calendar that a rule's times are reckoned by: of the office of whoever owes it now.

    None where the rule asks for no working time: its times then stand for every office alike.
    """
    if not policy.calendars or rule.id not in index_of(policy).in_working_time:
        return None
    owner = state.candidate_owner if rule.owner == "candidate-owner" else job_order_owner(state, subject)
    found = policy.calendar(state.office if owner is None else state.offices.get(owner))
    return None if found is None else found[0]


def _reckoned_by(
    policy: Policy, rule: ObligationRule, state: Engagement, promise: OpenObligation | Breach
) -> str | None:
    """Name the office by whose calendar a promise opened; where by none, that of whoever owes it now."""
    return promise.calendar or office_of(policy, rule, state, promise.subject)


def calendar_of(policy: Policy, office: str | None) -> Calendar | None:
    """Give the calendar that a promise was opened by, as the policy resolves it."""
    found = None if office is None else policy.calendar(office)
    return None if found is None else found[1]


def _may_open(rule: ObligationRule, state: Engagement) -> bool:
    if rule.unless_dormant and state.dormant:
        return False
    return rule.while_placed == "opens" or state.working == (rule.while_placed == "only")


def open_obligation(
    stream: str,
    rule: ObligationRule,
    subject: str,
    cause: UUID,
    since: datetime,
    due: datetime,
    rungs: tuple[e.Rung, ...],
    opened_at: datetime,
    waited: int = 0,
    office: str | None = None,
) -> e.ObligationOpened:
    """Open a promise under the id that its stream, rule, subject and opening event give it."""
    return made(
        e.ObligationOpened,
        at=since,
        obligation_id=derived_id(stream, rule.id, subject, str(cause)),
        rule=rule.id,
        subject=subject,
        kind=rule.kind,
        mode=rule.mode,
        owner_role=rule.owner,
        awaits=rule.awaits,
        since=since,
        opened_at=opened_at,
        due_at=due,
        rungs=rungs,
        useful_for=None if rule.useful_for is None else int(rule.useful_for.delta.total_seconds()),
        waited=waited,
        calendar=office,
    )


def lay_rungs(
    rule: ObligationRule, due: datetime, now: datetime, first: int, calendar: Calendar | None = None
) -> tuple[e.Rung, ...]:
    """Lay the ladder out in time; a reminder that could only come too late is left out."""
    if calendar is None:
        elapsed = [(due + after, step) for after, step in ladder_of(rule)]
        ahead = [each for each in elapsed if each[1] is None or each[1].do != "remind" or each[0] > now]
        return tuple([_rung(first + place, at, step) for place, (at, step) in enumerate(ahead)])
    steps = [(step.after.after(due, calendar), step) for step in rule.ladder]
    laid: list[tuple[datetime, LadderStep | None]] = [
        (at, step) for at, step in steps if step.do != "remind" or at > now
    ]
    # The breach comes first of what is due with it.
    laid.insert(0, (due, None))
    laid.sort(key=lambda each: (each[0], each[1] is not None))
    return tuple(_rung(first + place, at, step) for place, (at, step) in enumerate(laid))


def _rung(number: int, at: datetime, step: LadderStep | None) -> e.Rung:
    if step is None:
        return made_rung(number, at, "breach", 0)
    return made_rung(number, at, step.do, step.level, step.to, step.template)


class Owed(Protocol):
    """What says who owes a promise: a policy's role, and what it is about."""

    @property
    def owner_role(self) -> OwnerRole: ...
    @property
    def subject(self) -> str: ...


def owner_of(state: Engagement, promise: Owed) -> str | None:
    """Name the person who owes a promise at this moment, by its owner's role."""
    if promise.owner_role == "candidate-owner":
        return state.candidate_owner
    return job_order_owner(state, promise.subject)


def job_order_owner(state: Engagement, subject: str) -> str | None:
    """Name who answers for the job that a subject is about, or for the candidate where nobody else does."""
    kind, _, key = subject.partition(":")
    if kind == "interview" and key in state.interviews:
        kind, key = "submission", state.interviews[key].submission_id
    if kind == "offer" and key in state.offers:
        kind, key = "submission", state.offers[key].submission_id
    if kind == "placement":
        kind = "submission"
    if kind == "conflict" and key in state.conflicts:
        conflict = state.conflicts[key]
        kind, key = "job-order", conflict.job_order_id
        if conflict.submission_id in state.submissions:
            kind, key = "submission", conflict.submission_id
    if kind == "submission" and key in state.submissions:
        return state.submissions[key].job_order_owner or state.candidate_owner
    if kind == "job-order" and key in state.proposals:
        return state.proposals[key].job_order_owner or state.candidate_owner
    return state.candidate_owner
