"""What each event of the engine means for the state: the part of the fold that only promises change.

Same rules as for :mod:`events.evolve`: no personal value, no clock, no policy, and nothing is ever raised.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar, assert_never
from uuid import UUID

from events import catalogue as e
from events.copying import replace
from events.state import Breach, Engagement, Escalation, OpenObligation, OwedOutreach

K = TypeVar("K")
V = TypeVar("V")

Changes = dict[str, Any]
Conclusion = (
    e.RungReached
    | e.OutreachRequested
    | e.EscalationRaised
    | e.EscalationSettled
    | e.ObligationOpened
    | e.ObligationModeChanged
    | e.ObligationMoved
    | e.ObligationMet
    | e.ObligationBreached
    | e.ObligationExcused
    | e.ObligationDropped
)
NOTHING: Final[Changes] = {}


def changes(state: Engagement, event: Conclusion) -> Changes:
    """Say which fields of the state an event of the engine changes, and to what."""
    match event.type:
        case "rung-reached":
            return _climbed(state, event)
        case "outreach-requested":
            return {"owed": {**state.owed, event.effect_id: _owed(event)}}
        case "escalation-raised":
            escalation = Escalation(event.obligation_id, event.level, event.to)
            raised = {"escalations": {**state.escalations, event.escalation_id: escalation}}
            return raised | _raised(state, event.obligation_id, event.level)
        case "escalation-settled":
            return {"escalations": without(state.escalations, event.escalation_id)}
        case "obligation-opened":
            return _opened(state, event)
        case "obligation-mode-changed":
            return _obligation(state, event.obligation_id, mode=event.mode)
        case "obligation-moved":
            return _moved(state, event)
        case "obligation-met":
            met = {"obligations": without(state.obligations, event.obligation_id)}
            return met | _breach(state, event.obligation_id, met_at=event.met_at)
        case "obligation-breached":
            return _breached(state, event)
        case "obligation-excused":
            return _breach(state, event.obligation_id, excused=True)
        case "obligation-dropped":
            return {"obligations": without(state.obligations, event.obligation_id)}
        case _:
            assert_never(event)


def without(mapping: Mapping[K, V], key: K) -> dict[K, V]:
    """Copy a mapping but for one key."""
    left = dict(mapping)
    left.pop(key, None)
    return left


def _opened(state: Engagement, event: e.ObligationOpened) -> Changes:
    opened = OpenObligation(
        rule=event.rule,
        subject=event.subject,
        kind=event.kind,
        mode=event.mode,
        owner_role=event.owner_role,
        awaits=event.awaits,
        since=event.since,
        due_at=event.due_at,
        rungs=event.rungs,
        numbered=max((rung.number + 1 for rung in event.rungs), default=0),
        opened_at=event.opened_at,
        waited=event.waited,
        useful_for=event.useful_for,
        # Opened again by an annulment, with the breach that stands already on record.
        breached=all(rung.do != "breach" for rung in event.rungs),
        calendar=event.calendar,
    )
    return {"obligations": {**state.obligations, event.obligation_id: opened}}


def _obligation(state: Engagement, key: UUID, **values: Any) -> Changes:
    found = state.obligations.get(key)
    if found is None:
        return NOTHING
    return {"obligations": {**state.obligations, key: replace(found, **values)}}


def _moved(state: Engagement, event: e.ObligationMoved) -> Changes:
    found = state.obligations.get(event.obligation_id)
    if found is None:
        return NOTHING
    numbered = max((found.numbered, *(rung.number + 1 for rung in event.rungs)))
    return _obligation(
        state,
        event.obligation_id,
        due_at=event.due_at,
        rungs=event.rungs,
        numbered=numbered,
        waited=event.waited,
    )


def _breach(state: Engagement, key: UUID, **values: Any) -> Changes:
    found = state.breaches.get(key)
    if found is None:
        return NOTHING
    return {"breaches": {**state.breaches, key: replace(found, **values)}}


def breach_of(promise: OpenObligation, due_at: datetime) -> Breach:
    """Say what stays of a promise that was not kept in time."""
    return Breach(
        promise.rule,
        promise.subject,
        promise.since,
        due_at,
        promise.owner_role,
        promise.level,
        calendar=promise.calendar,
    )


def _breached(state: Engagement, event: e.ObligationBreached) -> Changes:
    found = state.obligations.get(event.obligation_id)
    if found is None:
        return NOTHING
    breach = breach_of(found, event.due_at)
    breached: Changes = {"breaches": {**state.breaches, event.obligation_id: breach}}
    rungs = tuple(rung for rung in found.rungs if rung.do != "breach")
    return breached | _obligation(state, event.obligation_id, breached=True, rungs=rungs)


def _climbed(state: Engagement, event: e.RungReached) -> Changes:
    found = state.obligations.get(event.obligation_id)
    if found is None:
        return NOTHING
    level = max(found.level, event.level)
    rungs = tuple(rung for rung in found.rungs if rung.number != event.rung)
    climbed = _obligation(state, event.obligation_id, level=level, rungs=rungs)
    return climbed | _breach(state, event.obligation_id, level=level)


def _raised(state: Engagement, key: UUID, level: int) -> Changes:
    found = state.obligations.get(key)
    if found is None or found.level >= level:
        return NOTHING
    return _obligation(state, key, level=level)


def _owed(event: e.OutreachRequested) -> OwedOutreach:
    return OwedOutreach(
        channel=event.channel,
        to=event.to,
        owner=event.owner,
        template=event.template,
        rule=event.rule,
        obligation_id=event.obligation_id,
        subject=event.subject,
        level=event.level,
        due_at=event.due_at,
        useful_until=event.useful_until,
        not_before=event.not_before,
    )
