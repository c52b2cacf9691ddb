"""Times that are planned: which events lay one down or move it, and when a promise around it is due.

A time that is over opens nothing that ought to come before it; what counts from it is still owed while its
due time lies ahead.  A first paid day is no plan but a fact, from which days are counted.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from events import catalogue as e
from events.calendar import Calendar
from events.policy import ObligationRule, Policy
from events.state import Engagement

NO_TIME: Final = timedelta()
# The events that change a plan, and which events plans are opened by.
MOVES_PLANS: Final = frozenset(
    {"interview-moved", "interview-scheduled", "start-moved", "contract-extended", "offer-revised"}
)
OPENED_BY_PLAN: Final[Mapping[str, frozenset[str]]] = {
    "interview-moved": frozenset({"interview-scheduled"}),
    "start-moved": frozenset({"offer-accepted"}),
    "contract-extended": frozenset({"placement-started"}),
    "offer-revised": frozenset({"offer-extended"}),
}
# Planned times that have been already.
FACTS: Final = frozenset({"started_on"})


def plans(event: e.AnyEvent, rule: ObligationRule) -> bool:
    """Tell whether an event names the time that a rule is planned around."""
    return rule.planned is not None and rule.planned in type(event).model_fields


def stands(before: Engagement, subject: str, event: e.AnyEvent, rule: ObligationRule) -> bool:
    """Tell whether a changed plan leaves the time that a rule is planned around as it was."""
    planned = planned_time(before, subject, rule.planned)
    return planned is not None and planned == getattr(event, rule.planned or "", None)


def _had_a_time(before: Engagement, event: e.AnyEvent, rule: ObligationRule) -> bool:
    match event:
        case e.InterviewMoved():
            interview = before.interviews.get(event.interview_id)
            return interview is not None and interview.status == "scheduled"
        case e.StartMoved():
            placement = before.placements.get(event.placement_id)
            return placement is not None and placement.starts_on is not None
        case e.ContractExtended():
            placement = before.placements.get(event.placement_id)
            return placement is not None and placement.ends_on is not None
        case e.OfferRevised():
            return planned_time(before, f"offer:{event.offer_id}", rule.planned) is not None
        case _:
            return True


def planned_afresh(
    before: Engagement, event: e.AnyEvent, policy: Policy, result: Iterable[e.AnyEvent]
) -> frozenset[str]:
    """Name the rules that a moved plan opens again: it had no time, or the promise was overdue."""
    opener = OPENED_BY_PLAN.get(event.type)
    if opener is None:
        return frozenset()
    first = (
        rule.id
        for rule in policy.obligations
        if plans(event, rule)
        and any(each.event in opener for each in rule.opens_on)
        and not _had_a_time(before, event, rule)
    )
    moved = (each for each in result if isinstance(each, e.ObligationDropped))
    return frozenset((*first, *(each.rule for each in moved if each.reason == "planned-time-moved")))


def planned_time(state: Engagement, subject: str, planned: str | None) -> datetime | None:
    """Look up the planned time of an open promise's subject, as it stands now."""
    kind, _, key = subject.partition(":")
    things: dict[str, Mapping[str, Any]] = {
        "interview": state.interviews,
        "offer": state.offers,
        "placement": state.placements,
    }
    found = getattr(things.get(kind, {}).get(key), planned or "", None)
    return found if isinstance(found, datetime) else None


def due_time(
    rule: ObligationRule, event: e.AnyEvent, now: datetime, calendar: Calendar | None = None
) -> datetime | None:
    """Compute when a promise that this event opens is due, or None if its planned time is over.

    *calendar* is the owner's office's; without one working time passes as elapsed time does.

    :raises BeyondCalendar: the calendar does not reach there.
    """
    earliest = now if rule.at_least is None else rule.at_least.after(now, calendar)
    if rule.planned is None:
        base = now if rule.counts_from == "known" else min(event.at, now)
        due = rule.within.after(base, calendar)
        return max(due, earliest) if rule.at_least else due
    planned: datetime | None = getattr(event, rule.planned, None)
    if planned is None:
        return None
    due = rule.within.after(planned, calendar)
    ahead = rule.within.delta < NO_TIME
    if planned <= now and (ahead or (due <= now and rule.at_least is None)):
        return None
    if due < earliest:
        due = min(earliest, planned) if ahead else earliest
    return due
