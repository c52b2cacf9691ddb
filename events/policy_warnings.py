"""What a policy says in vain: steps nobody hears of, promises nothing can keep, names mistyped.

A warning is no error: the engine does exactly what stands there, and nothing here may stop it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from types import NoneType
from typing import Final, get_args

from events.durations import written
from events.policy import LEVELS, GateRule, LadderStep, ObligationRule, Policy, Trigger
from events.policy_checks import EVENTS, INTENTS, key
from events.policy_table import quoted, suggestion
from events.quiet import longest
from events.toml_lines import Path

# No promise is met or ended by these: the engine ends it itself, or there was none before.
_NEVER_KEEP: Final[Mapping[str, str]] = {
    "engagement-opened": "it is the first event of all, and nothing is owed before it",
    "engagement-closed": "a close drops every promise before it could be kept",
    "excuse-granted": "an excuse stands in a column of its own, and never counts as kept",
}
_NEVER_OPEN: Final[Mapping[str, str]] = {"engagement-closed": "nothing is owed by an engagement that is over"}
# What must have happened before an event can, for the same thing.
_ONLY_AFTER: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(
        ("client-answered", "interview-requested", "interview-scheduled", "feedback-passed-on"),
        frozenset({"submitted"}),
    ),
    **dict.fromkeys(
        ("interview-moved", "interview-cancelled", "interview-held", "interview-missed"),
        frozenset({"submitted"}),
    ),
    "offer-extended": frozenset({"submitted"}),
    **dict.fromkeys(
        ("offer-accepted", "offer-declined", "offer-revised", "offer-withdrawn", "counter-offer-noted"),
        frozenset({"submitted", "offer-extended"}),
    ),
    **dict.fromkeys(
        (
            "placement-started",
            "placement-ended",
            "placement-converted",
            "contract-extended",
            "start-moved",
            "concern-raised",
            "guarantee-invoked",
        ),
        frozenset({"submitted", "offer-extended", "offer-accepted"}),
    ),
    "ownership-conflict-resolved": frozenset({"ownership-conflict-opened"}),
    "conflict-evidence-added": frozenset({"ownership-conflict-opened"}),
    "profile-confirmed": frozenset({"profile-played-back"}),
}
_NUMBERS: Final[Mapping[tuple[str, str], tuple[int, int]]] = {
    ("job-proposed", "fit"): (0, 100),
    ("match-declined", "fit"): (0, 100),
}
_LONGEST_PAUSE: Final = 3650
_CLOSE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Beside:
    """What a policy is judged against besides itself: templates there are, ids of the shipped rules."""

    templates: Collection[str] | None = None
    shipped: Collection[str] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Warned:
    """One warning with its place in the file."""

    path: Path
    says: str


def warnings_of(policy: Policy, beside: Beside | None = None) -> list[Warned]:
    """List what a policy says in vain, in its own order."""
    beside = beside or Beside()
    ids = {each.id for each in policy.gates} | {each.id for each in policy.obligations}
    found = list(_calendars(policy))
    for gate in policy.gates:
        found += [Warned(("gate", gate.id, *path), says) for path, says in _gate(gate)]
    for rule in policy.obligations:
        noted = (
            *_id(rule, ids, beside.shipped),
            *_triggers(rule, policy, ids),
            *_met(rule),
            *_times(rule, policy),
            *_ladder(rule, beside.templates),
        )
        found += [Warned(("obligation", rule.id, *path), says) for path, says in noted]
    return found


Noted = Iterator[tuple[Path, str]]


def _calendars(policy: Policy) -> Iterator[Warned]:
    if policy.calendars and not any(each.asks_for_calendar for each in policy.obligations):
        yield Warned(
            ("calendar",),
            "no rule is reckoned in working time, so no calendar is ever asked; "
            'write for example "2 working days".',
        )


def _gate(gate: GateRule) -> Noted:
    for number, command in enumerate(gate.guards):
        if command in gate.guards[:number]:
            yield ("guards", number), f'"{command}" is guarded twice; leave one of the two out.'
    if gate.mode == "remind":
        yield (
            ("mode",),
            'a gate reminds nobody: in "remind" it only records a bypass, as in "observe"; '
            'write mode = "enforce" where it is to refuse.',
        )
    if gate.id == "good-enough-fit" and gate.needs.get("floor") == 0:
        yield (
            ("needs", "floor"),
            "a floor of 0 keeps no job back, however badly it suits; write one above zero.",
        )
    days = gate.needs.get("days", 0)
    if gate.id == "long-pause-needs-lead" and isinstance(days, int) and days > _LONGEST_PAUSE:
        yield ("needs", "days"), f"no pause lasts more than {days} days, so this gate refuses nothing."


def _id(rule: ObligationRule, ids: Collection[str], shipped: Collection[str]) -> Noted:
    if rule.id in shipped:
        return
    for meant in get_close_matches(rule.id, sorted(set(shipped) - set(ids)), n=1, cutoff=_CLOSE):
        yield (
            (),
            f'this is a rule of its own, and no report will set it beside the shipped "{meant}"; '
            "if that is meant, write its id.",
        )


def _triggers(rule: ObligationRule, policy: Policy, ids: Collection[str]) -> Noted:
    for name in ("opens_on", "met_by", "dropped_by"):
        triggers: tuple[Trigger, ...] = getattr(rule, name)
        for number, trigger in enumerate(triggers):
            path: Path = (key(name), number)
            for other in triggers:
                if other is not trigger and _covers(other, trigger) and other != trigger:
                    yield (
                        path,
                        f'"{trigger.event}" stands here without these conditions too; leave this one out.',
                    )
                    break
            if trigger in triggers[:number]:
                yield path, f'"{trigger.event}" stands here twice; leave one of the two out.'
            for where, value in trigger.where.items():
                for says in _impossible(trigger.event, where, value, policy, ids):
                    yield (*path, "where", key(where)), says
    for number, trigger in enumerate(rule.opens_on):
        if why := _NEVER_OPEN.get(trigger.event):
            yield ("opens-on", number), f'"{trigger.event}" never opens anything: {why}.'


def _covers(broad: Trigger, narrow: Trigger) -> bool:
    """Tell whether one trigger fires whenever another does."""
    return (
        broad.event == narrow.event
        and broad.where.items() <= narrow.where.items()
        and (not broad.about_subject or narrow.about_subject)
    )


def _impossible(event: str, where: str, value: str, policy: Policy, ids: Collection[str]) -> Iterator[str]:
    """Say why no event could have this value, though the field takes any text."""
    gates = {each.id for each in policy.gates}
    if where == "rule" and value not in ids:
        yield f"this policy has no rule {quoted(value)}, so this never happens; {suggestion(value, ids)}"
    elif where == "gate" and value not in gates:
        known = suggestion(value, gates) if gates else "it has no gate at all."
        yield f"this policy has no gate {quoted(value)}, so this never happens; {known}"
    elif event == "command-refused" and where == "command" and value not in INTENTS:
        yield f"no gate refuses {quoted(value)}, so this never happens; {suggestion(value, INTENTS)}"
    elif _is_number(event, where):
        least, most = _NUMBERS.get((event, where), (-(2**31), 2**31))
        if not value.lstrip("-").isdigit() or not least <= int(value) <= most:
            yield f"{quoted(value)} is no number that {key(where)} could be, so this never happens."


def _is_number(event: str, where: str) -> bool:
    annotation = EVENTS[event].model_fields[where].annotation
    return set(get_args(annotation) or (annotation,)) - {NoneType} == {int}


def _met(rule: ObligationRule) -> Noted:
    """Find a promise that nothing can keep: what would comes never, or only when it is dropped already."""
    hopeless = []
    for number, trigger in enumerate(rule.met_by):
        why = _NEVER_KEEP.get(trigger.event) or _comes_too_late(trigger, rule)
        if why is not None:
            hopeless.append((number, trigger.event, why))
    whole = len(hopeless) == len(rule.met_by)
    for number, event, why in hopeless:
        end = ", and nothing else keeps this promise" if whole else ""
        yield ("met-by", number), f'"{event}" never keeps it: {why}{end}; name something that can.'


def _comes_too_late(met: Trigger, rule: ObligationRule) -> str | None:
    before = _ONLY_AFTER.get(met.event, frozenset())
    for dropped in rule.dropped_by:
        drops = dropped.event in before and not dropped.where and dropped.event != met.event
        # What opens after it sees only a later one.
        later = any(
            each.event == dropped.event or dropped.event in _ONLY_AFTER.get(each.event, frozenset())
            for each in rule.opens_on
        )
        if drops and not later:
            return f'it comes only after "{dropped.event}", which drops the promise'
    return None


def _times(rule: ObligationRule, policy: Policy) -> Noted:
    messages = [each for each in rule.ladder if each.do == "message"]
    if rule.useful_for is not None and not messages:
        yield (
            ("useful-for",),
            "it is about messages to the candidate, and the ladder sends none; leave it out or add one.",
        )
    quiet = longest(policy.quiet_hours)
    if rule.useful_for is not None and messages and rule.useful_for.delta < quiet:
        yield (
            ("useful-for",),
            f"a message that comes up when quiet hours begin waits {_hours(quiet)}, and helps no more than "
            f'"{written(rule.useful_for)}": it would be withheld; allow more.',
        )
    unplanned = rule.planned is None and not rule.within.working
    early = rule.not_before
    if unplanned and early is not None and not early.working and early.delta >= rule.within.delta:
        yield (
            ("not-before",),
            f'it forbids nothing: the promise is due "{written(rule.within)}" after its opening, and nothing '
            "can come sooner than that.",
        )


def _hours(length: timedelta) -> str:
    return f"{length.total_seconds() / 3600:g} hours"


def _ladder(rule: ObligationRule, templates: Collection[str] | None) -> Noted:
    if rule.mode == "remind" and (deaf := [n for n, each in enumerate(rule.ladder) if each.to != "owner"]):
        steps = ", ".join(str(number + 1) for number in deaf)
        yield (
            ("ladder", deaf[0]),
            f'in mode "remind" only the owner is told, so nobody hears of step {steps}; '
            'write mode = "enforce" where they are to.',
        )
    for number, step in enumerate(rule.ladder):
        if templates is not None and step.template not in templates:
            there = suggestion(step.template, templates)
            yield ("ladder", number, "template"), f'no text for "{step.template}" is installed; {there}'
        if (after := _drowned(number, step, rule)) is not None:
            yield (
                ("ladder", number),
                f"step {after + 1} comes at the same moment, and then only the later of the two is told; "
                "leave one out, or let them come at different times.",
            )


def _drowned(number: int, step: LadderStep, rule: ObligationRule) -> int | None:
    """Find a later step at the same moment: of those that reach people only the last is delivered."""
    if step.to == "candidate" or (rule.mode == "remind" and step.to != "owner"):
        return None
    later = range(number + 1, len(rule.ladder))
    heard = ("owner",) if rule.mode == "remind" else tuple(LEVELS)
    same = [n for n in later if rule.ladder[n].after == step.after and rule.ladder[n].to in heard]
    return same[-1] if same else None
