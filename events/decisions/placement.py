"""Decisions about placements: terms, start, changes, concerns, and the three ways one comes to nothing.

A placement has the id of its submission.  All are reports: no gate refuses what happened.
"""

from datetime import timedelta
from typing import Final

from events import catalogue as e
from events import commands as c
from events.context import Context
from events.errors import InvalidCommand, UnknownReference, WrongState
from events.state import Engagement, Placement

A_DAY: Final = timedelta(days=1)
BEFORE_START: Final = frozenset({"reneged", "no-start"})


def record_terms(command: c.RecordPlacementTerms, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record the client's terms; what is not given stays, other terms later are a second event.

    :raises UnknownReference: no such placement.
    :raises InvalidCommand: the refund steps do not fit the guarantee, or each other.
    """
    found = known_placement(state, command.placement_id)
    days = found.guarantee_days if command.guarantee_days is None else command.guarantee_days
    remedy = command.remedy or found.remedy
    steps = found.refund_steps if command.refund_steps is None else command.refund_steps
    _check_steps(steps, days)
    same_kind = command.placement_kind in ("unknown", found.kind)
    told = (days, remedy, steps)
    if found.agreed and same_kind and told == (found.guarantee_days, found.remedy, found.refund_steps):
        return []
    until = None
    if found.started_on is not None and days is not None:
        until = found.started_on + timedelta(days=days)
    return [
        e.PlacementTermsRecorded(
            at=ctx.at,
            placement_id=command.placement_id,
            kind=found.kind if command.placement_kind == "unknown" else command.placement_kind,
            guarantee_days=days,
            remedy=remedy,
            refund_steps=steps,
            guarantee_until=until,
        )
    ]


def move_start(command: c.MoveStart, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record another first day.

    :raises UnknownReference: no such placement.
    :raises WrongState: it has started, or is over.
    """
    found = known_placement(state, command.placement_id)
    _must_not_be_over(found, command.placement_id)
    if found.started_on is not None:
        raise WrongState(
            f"placement '{command.placement_id}' has started; its first day cannot move any more"
        )
    if found.starts_on == command.starts_on:
        return []
    return [
        e.StartMoved(
            at=ctx.at,
            placement_id=command.placement_id,
            starts_on=command.starts_on,
            moved_by=command.moved_by,
            reason=command.reason,
        )
    ]


def confirm_start(command: c.ConfirmStart, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record the first paid day, once: the guarantee counts from it (legalclarity: the first *paid* day).

    :raises UnknownReference: no such placement.
    :raises WrongState: it is over, or has started on another day.
    :raises InvalidCommand: no day is known, or it lies ahead.
    """
    found = known_placement(state, command.placement_id)
    started_on = command.started_on or found.starts_on
    if started_on is None:
        raise InvalidCommand("no first day was agreed; say which it was: started_on=DATE with its zone")
    if found.started_on is not None:
        if command.started_on in (None, found.started_on):
            return []
        raise WrongState(
            f"placement '{command.placement_id}' is on record as started on another day; "
            "annul that first if it was wrong"
        )
    _must_not_be_over(found, command.placement_id)
    # A first day is a day: it may be told in its morning, whatever hour was agreed.
    if started_on > ctx.now + A_DAY:
        raise InvalidCommand("a start is confirmed when it has been; move-start changes the agreed day")
    guarantee = timedelta(days=found.guarantee_days) if found.guarantee_days is not None else None
    return [
        e.PlacementStarted(
            at=ctx.at,
            placement_id=command.placement_id,
            submission_id=command.placement_id,
            started_on=started_on,
            kind=found.kind,
            guarantee_until=None if guarantee is None else started_on + guarantee,
            ends_on=found.ends_on,
        )
    ]


def extend_contract(command: c.ExtendContract, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record another end of a contract, later or sooner.

    :raises UnknownReference: no such placement.
    :raises WrongState: it is over, or permanent.
    :raises InvalidCommand: it would end before it starts.
    """
    found = known_placement(state, command.placement_id)
    _must_not_be_over(found, command.placement_id)
    if found.kind == "permanent":
        raise WrongState(f"placement '{command.placement_id}' is permanent; it has no end to move")
    begins = found.started_on or found.starts_on
    if begins is not None and command.ends_on <= begins:
        raise InvalidCommand("ends_on is not after the start; give the day on which the contract ends")
    if found.ends_on == command.ends_on:
        return []
    return [
        e.ContractExtended(
            at=ctx.at, placement_id=command.placement_id, ends_on=command.ends_on, reason=command.reason
        )
    ]


def convert_placement(command: c.ConvertPlacement, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that a temporary placement became permanent, once.

    :raises UnknownReference: no such placement.
    :raises WrongState: it has not started, or is over.
    """
    found = known_placement(state, command.placement_id)
    _must_not_be_over(found, command.placement_id)
    if found.kind == "permanent":
        return []
    if found.started_on is None:
        raise WrongState(
            f"placement '{command.placement_id}' has not started; tell that first with confirm-start"
        )
    return [
        e.PlacementConverted(
            at=ctx.at, placement_id=command.placement_id, converted_on=command.converted_on or ctx.at
        )
    ]


def raise_concern(command: c.RaiseConcern, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that somebody is not happy.

    :raises UnknownReference: no such placement.
    :raises WrongState: it is over.
    """
    _must_not_be_over(known_placement(state, command.placement_id), command.placement_id)
    return [
        e.ConcernRaised(
            at=ctx.at,
            placement_id=command.placement_id,
            raised_by=command.raised_by,
            words=command.words,
        )
    ]


def end_placement(command: c.EndPlacement, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that a placement is over, once.

    :raises UnknownReference: no such placement.
    :raises WrongState: it is over otherwise; or what is told does not fit whether it had started.
    :raises InvalidCommand: it would end before it started, or lies ahead.
    """
    found = known_placement(state, command.placement_id)
    if found.ended_how == command.how:
        return []
    _must_not_be_over(found, command.placement_id)
    _must_fit(command, found)
    ended_on = command.ended_on or min(ctx.at, ctx.now)
    if ended_on > ctx.now:
        raise InvalidCommand("a placement has ended when it has; extend-contract says when one will end")
    if found.started_on is not None and ended_on < found.started_on:
        raise InvalidCommand("ended_on is before the start; correct it, or leave it out")
    until = found.guarantee_until
    submission = state.submissions.get(command.placement_id)
    return [
        e.PlacementEnded(
            at=ctx.at,
            placement_id=command.placement_id,
            submission_id=command.placement_id,
            job_order_id=None if submission is None else submission.job_order_id,
            how=command.how,
            ended_by=command.ended_by,
            ended_on=ended_on,
            within_guarantee=None if until is None else ended_on <= until,
            reason_code=command.reason_code,
            reason=command.reason,
        )
    ]


def invoke_guarantee(command: c.InvokeGuarantee, state: Engagement, ctx: Context) -> list[e.AnyEvent]:
    """Record that the client asks for the remedy, with the percentage that the steps give for the last day.

    :raises UnknownReference: no such placement.
    :raises WrongState: it is not over, or came to an end after its guarantee, or has none.
    """
    found = known_placement(state, command.placement_id)
    remedy = command.remedy or found.remedy
    if found.invoked == remedy:
        return []
    if found.ended_how is None or found.ended_how == "completed":
        raise WrongState(
            f"placement '{command.placement_id}' has not fallen off; end-placement says how it ended"
        )
    if remedy == "none":
        raise WrongState(
            f"placement '{command.placement_id}' has no guarantee on record; record-placement-terms adds it"
        )
    until, ended_on = found.guarantee_until, found.ended_on
    if until is not None and ended_on is not None and ended_on > until:
        raise WrongState(f"placement '{command.placement_id}' ended after its guarantee; nothing is due")
    return [
        e.GuaranteeInvoked(
            at=ctx.at,
            placement_id=command.placement_id,
            submission_id=command.placement_id,
            remedy=remedy,
            refund_percent=_refund(found) if remedy in ("pro-rata", "refund") else None,
        )
    ]


def known_placement(state: Engagement, key: str) -> Placement:
    """Find a placement.

    :raises UnknownReference: no offer of this submission was accepted.
    """
    found = state.placements.get(key)
    if found is None:
        raise UnknownReference(
            "placement", key, "it has its submission's id, from the day an offer is accepted"
        )
    return found


def _refund(found: Placement) -> int | None:
    """Give the percentage of the first step that the last day falls under; a day has 24 hours."""
    if found.started_on is None:
        return 100
    if not found.refund_steps:
        return None
    worked = ((found.ended_on or found.started_on) - found.started_on).days
    return next((step.percent for step in found.refund_steps if worked <= step.until_day), 0)


def _check_steps(steps: tuple[e.RefundStep, ...], guarantee_days: int | None) -> None:
    days = [step.until_day for step in steps]
    if days != sorted(set(days)):
        raise InvalidCommand("refund_steps must go up by day, each day once; put them in order")
    if days and guarantee_days is not None and days[-1] > guarantee_days:
        raise InvalidCommand("a refund step lies beyond guarantee_days; correct one of them")


def _must_not_be_over(found: Placement, key: str) -> None:
    if found.ended_how is not None:
        raise WrongState(f"placement '{key}' is over ({found.ended_how}); annul that first if it was wrong")


def _must_fit(command: c.EndPlacement, found: Placement) -> None:
    key = command.placement_id
    if command.how in BEFORE_START and found.started_on is not None:
        raise WrongState(f"placement '{key}' has started, so it can only be how=fall-off or how=completed")
    if command.how not in BEFORE_START and found.started_on is None:
        raise WrongState(
            f"placement '{key}' has not started, so it can only be how=reneged or how=no-start; "
            "confirm-start comes first if it has"
        )
