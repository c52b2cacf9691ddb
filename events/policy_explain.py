"""A policy in plain words that a person can read aloud: one paragraph for each gate and each promise.

Nothing is left out that decides who hears when; a rule's field without words here would be a rule in secret.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from events.calendar import WEEKDAYS, Calendar
from events.durations import written
from events.gates import NEEDS_CHECK, PASSED
from events.policy import GateRule, LadderStep, ObligationRule, Policy, Span, Trigger
from events.policy_checks import key
from events.policy_needs import family_of
from events.policy_words import (
    COMMAND_WORDS,
    EVENT_WORDS,
    PEOPLE_WORDS,
    PLANNED_WORDS,
    listed,
    narrowed_words,
)

_DAYS: Final = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
_MARKS: Final = {
    "V": "read in the statute or the vendor's own text",
    "S": "from a second hand, a default and not law",
    "M": "from memory or this agency's own principle, a default and not law",
}


@dataclass(frozen=True, slots=True)
class Explained:
    """One rule in words; *because* tells the source and how sure it is."""

    sort: Literal["gate", "obligation"]
    id: str
    mode: str
    text: str
    because: str


def explain(policy: Policy) -> list[Explained]:
    """Tell every rule of a policy, gates first, in the policy's own order."""
    gates = [
        Explained("gate", each.id, each.mode, gate_text(each), _why(each.because)) for each in policy.gates
    ]
    promises = [
        Explained("obligation", each.id, each.mode, promise_text(each), _why(each.because))
        for each in policy.obligations
    ]
    return gates + promises


def preamble(policy: Policy) -> list[str]:
    """Tell what holds for every rule: whose working time counts, and when candidates are left in peace."""
    told = ["No automated message ever keeps a promise."]
    if policy.calendars:
        offices = [calendar_words(name, each) for name, each in policy.calendars]
        told.append(
            f"Working time is that of the office where the one who owes works: {listed(offices, 'and')}. "
            f"Who has no office works as in {policy.calendars[0][0]}."
        )
    if policy.quiet_hours:
        begins, _, ends = policy.quiet_hours.partition("-")
        told.append(
            f"Nobody is sent a message from {begins} to {ends} where they live, unless they name other hours."
        )
    return told


def calendar_words(name: str, calendar: Calendar) -> str:
    """Tell one office's working time."""
    hours: dict[str, list[str]] = {}
    for day in WEEKDAYS:
        if day in calendar.hours:
            hours.setdefault(calendar.hours[day], []).append(_DAYS[day])
    worked = listed([f"{listed(days, 'and')} {each}" for each, days in hours.items()], "and")
    place = "-".join(each for each in (calendar.country, calendar.subdivision) if each)
    off = f", off on the holidays of {place}" if place else ""
    own = len(calendar.closures)
    closed = f" and {own} {'day' if own == 1 else 'days'} of its own" if own else ""
    known = f"from {calendar.first.isoformat()} to {calendar.last.isoformat()}"
    days = f"{len(calendar.closed)} working weekdays off {known}"
    return f"{name} ({worked} in {calendar.zone}{off}{closed}: {days})"


def gate_text(gate: GateRule) -> str:
    """Tell a gate: what it stands before, what it asks for, and what happens without."""
    guarded = listed([COMMAND_WORDS.get(each, each) for each in gate.guards])
    asked = f"Before anybody may {guarded}, {gate_words(gate.id, gate.needs)}."
    refused = f'Otherwise it is refused with the words "{gate.says}" and the advice "{gate.remedy}"'
    if gate.mode == "enforce":
        after = f"{refused} What has happened already is recorded all the same, as a bypass."
    else:
        after = f"For now nothing is refused: what does not pass is recorded as a bypass. {refused}"
        after = after.replace("Otherwise it is refused", "Enforced, it would be refused")
    return f"{asked} {after}"


def gate_words(gate: str, needs: Mapping[str, Any]) -> str:
    """Say what a gate asks for, after "Before anybody may ..., "."""
    match gate:
        case "know-each-other-first":
            return _known_first(needs)
        case "right-to-represent":
            return (
                "the candidate must have agreed to be presented for this one job, and the agreement must be "
                "neither over nor taken back"
            )
        case "no-double-submission":
            return "the candidate must not be in front of this client for this job already"
        case "not-while-paused":
            return "a pause that the candidate asked for must be over"
        case "good-enough-fit":
            floor = needs.get("floor", 60)
            return (
                f"somebody must have judged that the job suits the person, with at least {floor} of 100, or "
                "override that by name"
            )
        case "talk-before-matching-again":
            return "somebody must have talked with the candidate since a placement came to nothing"
        case "not-while-placed":
            return "the candidate must not be in a job of ours that has no agreed end"
        case "long-pause-needs-lead":
            days = needs.get("days", 14)
            return f"somebody else must have approved a pause of more than {days} days"
        case _ if family_of(gate) == NEEDS_CHECK:
            return _checked(gate.partition(":")[2], needs)
        case _:
            return f"the gate {gate} must be passed"


def _checked(kind: str, needs: Mapping[str, Any]) -> str:
    wanted = needs.get("outcome", PASSED)
    outcomes = [wanted] if isinstance(wanted, str) else list(wanted)
    about = ", made for this very job," if needs.get("about") == "job-order" else ""
    within = needs.get("within-days")
    must = [f"have come out as {listed(outcomes)}", "not have expired"]
    must += [f"be no older than {within} days"] if within is not None else []
    wait = needs.get("no-sooner-than")
    must += [f"have stood for at least {wait}"] if wait is not None else []
    return f"the last check of the kind {kind.replace('-', ' ')}{about} must {listed(must, 'and')}"


def _known_first(needs: Mapping[str, Any]) -> str:
    asked = []
    if needs.get("conversation", True):
        asked.append("somebody must have talked with the candidate")
    if needs.get("introduced", False):
        asked.append("the candidate must know who answers for them")
    kinds = needs.get("facets", 0) or int(bool(needs.get("confirmed", False)))
    if kinds:
        things = "one thing" if kinds == 1 else f"{kinds} different things"
        confirmed = "confirmed by the candidate" if needs.get("confirmed", False) else "known of the person"
        asked.append(f"{things} beyond the CV must be {confirmed}")
    if needs.get("intake", True):
        asked.append("the intake must be completed")
    return listed(asked, "and")


def promise_text(rule: ObligationRule) -> str:
    """Tell a promise: when it starts, who owes it, how long there is, who hears when, what keeps it."""
    each = "" if rule.subject == "engagement" else f"For each {_spoken(rule.subject)}, the"
    starts = f"{each or 'The'} clock starts when{when(rule.opens_on, rule.subject)}."
    owes = PEOPLE_WORDS[rule.owner]
    owed = f"{owes[0].upper()}{owes[1:]} owes it {due_words(rule)}."
    kept = f"It is kept when{when(rule.met_by, rule.subject)}."
    gone = (
        f"Nobody waits for it any more when{when(rule.dropped_by, rule.subject)}." if rule.dropped_by else ""
    )
    parts = [rule.says, starts, owed, kept, *_conditions(rule), gone, ladder_words(rule)]
    return " ".join(part for part in parts if part)


def due_words(rule: ObligationRule) -> str:
    """Say how long there is, after "owes it"."""
    if rule.planned is not None:
        point = PLANNED_WORDS[rule.planned]
        if rule.within.amount == 0:
            return f"by {point}"
        if rule.within.amount < 0:
            return f"at the latest {spoken(rule.within)} before {point}"
        return f"{_in_time(rule.within)} after {point}"
    known = "from when we hear of it" if rule.counts_from == "known" else "from when it happened"
    return f"{_in_time(rule.within)}, counted {known}"


def _conditions(rule: ObligationRule) -> Iterable[str]:
    if rule.kind == "contact":
        yield "Only a real talk counts, with words both ways."
    if rule.not_before is not None:
        yield f"What is done sooner than {spoken(rule.not_before)} before the due time does not keep it yet."
    if rule.at_least is not None:
        yield f"However short the notice, {spoken(rule.at_least)} are left for it."
    if rule.awaits != "recruiter":
        yield f"It is the {rule.awaits} we wait for."
    if rule.while_paused == "waits":
        yield "It waits while the candidate wants quiet."
    if rule.unless_dormant:
        yield "It does not begin while the engagement sleeps."
    if rule.while_placed == "rests":
        yield "It does not begin while the candidate works in a job of ours."
    if rule.while_placed == "only":
        yield "It begins only while the candidate works in a job of ours."
    if rule.useful_for is not None:
        yield f"A message to the candidate is withheld if it would come {spoken(rule.useful_for)} too late."
    if rule.applies == "open":
        yield "A change of this rule moves promises that are open already."


def ladder_words(rule: ObligationRule) -> str:
    """Say who hears when, and what the rule's mode makes of it."""
    told = [each for each in rule.ladder if tells(rule.mode, each)]
    silent = [each for each in rule.ladder if not tells(rule.mode, each)]
    ahead = listed([step_words(each) for each in told if each.after.amount < 0], "and")
    heard = listed([step_words(each) for each in told if each.after.amount >= 0], "and")
    parts = [
        f"{ahead[0].upper()}{ahead[1:]}." if ahead else "",
        f"If the time runs out, the promise is recorded as broken{heard and ': '}{heard}.",
        {
            "observe": "For now it is only observed, and nobody is told.",
            "remind": "For now only the one who owes it is told.",
        }.get(rule.mode, ""),
        f"If it were enforced, {listed([step_words(each) for each in silent], 'and')}." if silent else "",
    ]
    return " ".join(part for part in parts if part)


def tells(mode: str, step: LadderStep) -> bool:
    """Tell whether a step of a ladder reaches anybody in a mode."""
    return mode == "enforce" or (mode == "remind" and step.to == "owner")


def step_words(step: LadderStep) -> str:
    """Tell one step of a ladder, e.g. ``after 3 days it goes up to the director``."""
    if step.after.by is not None:
        at = written(step.after)
    elif step.after.amount == 0:
        at = "at once"
    elif step.after.amount < 0:
        at = f"{spoken(step.after)} before it is due"
    else:
        at = f"after {spoken(step.after)}"
    whom = PEOPLE_WORDS[step.to]
    match step.do:
        case "remind":
            return f"{at} {whom} is reminded"
        case "escalate":
            return f"{at} it goes to {whom}" if step.to == "owner" else f"{at} it goes up to {whom}"
        case "propose-reassignment":
            return f"{at} {whom} is asked to give the candidate to somebody else"
        case _:
            return f"{at} a message goes to {whom}"


def when(triggers: Sequence[Trigger], subject: str) -> str:
    """Say which events do something, read after "when"; those about the very subject come last."""
    free = _clauses([each for each in triggers if not each.about_subject])
    bound = _clauses([each for each in triggers if each.about_subject])
    if not bound:
        return f" {listed(free)}"
    others = f" {', '.join(free)}, or" if free else ""
    return f"{others}, for this same {_spoken(subject)}, {listed(bound)}"


def _clauses(triggers: Sequence[Trigger]) -> list[str]:
    """Put what several triggers ask of one event into one clause."""
    found: dict[str, list[str]] = {}
    for each in triggers:
        told = [narrowed_words(each.event, key(name), value) for name, value in each.where.items()]
        found.setdefault(each.event, []).append(" ".join(told))
    return [
        f"{EVENT_WORDS.get(event, event)}{' ' if all(told) else ''}{listed(told) if all(told) else ''}"
        for event, told in found.items()
    ]


def spoken(span: Span) -> str:
    """Write a length of time without its sign."""
    return written(span).removeprefix("-")


def _in_time(span: Span) -> str:
    return written(span) if span.by is not None else f"within {spoken(span)}"


def _spoken(subject: str) -> str:
    return {"no-match": "wait for something good enough"}.get(subject, subject.replace("-", " "))


def _why(because: str) -> str:
    mark, colon, reason = because.partition(": ")
    return f"{reason.rstrip('.')}; {_MARKS[mark]}." if colon and mark in _MARKS else because
