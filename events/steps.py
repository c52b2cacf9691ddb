"""The steps that open promises ask for as time passes: reminders, breaches, escalations.

After an outage every passed step is recorded at its own time; only the highest is delivered to people.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from uuid import UUID

from events import catalogue as e
from events.envelope import derived_id
from events.kinds import Mode
from events.making import made
from events.obligations import owner_of
from events.quiet import quiet_until
from events.state import Engagement, OpenObligation


def due_steps(state: Engagement, now: datetime, *, inclusive: bool) -> list[tuple[UUID, e.Rung]]:
    """List the steps that are due, ordered by due time, obligation and rung."""
    steps = [
        (rung.at, key, rung.number, rung)
        for key, promise in state.obligations.items()
        for rung in promise.rungs
        if rung.at < now or (inclusive and rung.at == now)
    ]
    if len(steps) > 1:
        steps.sort(key=itemgetter(0, 1, 2))
    return [(key, rung) for _, key, _, rung in steps]


def highest(state: Engagement, steps: Sequence[tuple[UUID, e.Rung]]) -> dict[UUID, int]:
    """Name the highest step of each obligation that reaches somebody of the agency: the one delivered."""
    return {key: rung.number for key, rung in steps if reaches_staff(state.obligations[key].mode, rung)}


def _heard(mode: Mode, rung: e.Rung) -> bool:
    """In ``observe`` nobody hears of a step, in ``remind`` the owner alone."""
    return mode == "enforce" or (mode == "remind" and rung.to == "owner")


def reaches_staff(mode: Mode, rung: e.Rung) -> bool:
    """Tell whether somebody of the agency hears of a step."""
    return rung.to is not None and rung.to != "candidate" and _heard(mode, rung)


def escalates(mode: Mode, rung: e.Rung) -> bool:
    """Tell whether a step lays a duty on somebody."""
    return rung.do == "escalate" and rung.to is not None and _heard(mode, rung)


def writes(mode: Mode, rung: e.Rung, *, deliver: bool) -> bool:
    """Tell whether a step asks for a message; to a candidate whatever higher step is due with it."""
    if rung.to is None or rung.template is None or not (deliver or rung.to == "candidate"):
        return False
    return _heard(mode, rung)


def next_due(state: Engagement) -> datetime | None:
    """Tell when the next step of any open promise is due."""
    return min([rung.at for promise in state.obligations.values() for rung in promise.rungs], default=None)


def next_leave(state: Engagement, now: datetime) -> datetime | None:
    """Tell when the next message may leave that waits for the end of a candidate's quiet hours."""
    waiting = (each.not_before for each in state.owed.values() if each.not_before is not None)
    return min((moment for moment in waiting if moment > now), default=None)


def take_step(
    state: Engagement, key: UUID, rung: e.Rung, *, deliver: bool, now: datetime
) -> list[e.AnyEvent]:
    """Say what one step leads to, when it is taken; *deliver* is false where a higher step is already due."""
    promise = state.obligations[key]
    if rung.do == "breach":
        return [
            made(
                e.ObligationBreached,
                at=rung.at,
                obligation_id=key,
                rule=promise.rule,
                subject=promise.subject,
                due_at=rung.at,
            )
        ]
    reached = made(
        e.RungReached,
        at=rung.at,
        obligation_id=key,
        rule=promise.rule,
        subject=promise.subject,
        rung=rung.number,
        do=rung.do,
        level=rung.level,
        due_at=rung.at,
    )
    return [reached, *_told(state, key, promise, rung, deliver, now)]


def _told(
    state: Engagement, key: UUID, promise: OpenObligation, rung: e.Rung, deliver: bool, now: datetime
) -> Iterator[e.AnyEvent]:
    escalated, written = escalates(promise.mode, rung), writes(promise.mode, rung, deliver=deliver)
    if not escalated and not written:
        return
    owner = owner_of(state, promise)
    identity = (state.agency, state.stream, str(key), str(rung.number))
    if escalated:
        yield made(
            e.EscalationRaised,
            at=rung.at,
            escalation_id=derived_id("escalation", *identity),
            obligation_id=key,
            rule=promise.rule,
            subject=promise.subject,
            level=rung.level,
            to=rung.to,
            owner=owner,
        )
    if written:
        useful = None if promise.useful_for is None else rung.at + timedelta(seconds=promise.useful_for)
        yield made(
            e.OutreachRequested,
            at=rung.at,
            effect_id=derived_id("outreach", *identity),
            to=rung.to,
            owner=owner,
            template=rung.template,
            rule=promise.rule,
            obligation_id=key,
            subject=promise.subject,
            level=rung.level,
            due_at=promise.due_at,
            useful_until=useful if rung.to == "candidate" else None,
            not_before=_leaves(state, rung, now),
        )


def _leaves(state: Engagement, rung: e.Rung, now: datetime) -> datetime | None:
    """Let a message to the candidate wait for the end of their quiet hours: their own, else the policy's.

    After an outage it is the moment of asking that may be night, not the one at which it was due.
    """
    if rung.to != "candidate":
        return None
    return quiet_until(now, state.zone, state.quiet_hours or state.usual_quiet_hours)
