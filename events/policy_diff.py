"""Two policies side by side: rules that came, went and changed, and what that does to what is open.

What it says of open promises is what ``events.obligations`` does at an adoption: change both together.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from events.calendar import Calendar
from events.durations import written
from events.policy import GateRule, LadderStep, ObligationRule, Policy, Span, Trigger
from events.policy_checks import key
from events.policy_explain import calendar_words, step_words, when
from events.policy_words import COMMAND_WORDS, listed

Rule = GateRule | ObligationRule

# What an open promise took with it when it opened.
_TAKEN_ALONG: Final = ("planned", "counts_from", "within", "at_least", "ladder", "owner", "awaits", "kind")
# What the rule in force is asked each time, for promises that are open as well.
_ASKED_EACH_TIME: Final = ("met_by", "dropped_by", "not_before", "while_paused")
_AT_OPENING: Final = ("opens_on", "subject", "unless_dormant", "while_placed", "useful_for")
# What moves the due time of what is open, where the new rule applies to it.
_COUNTED: Final = frozenset({"planned", "counts_from", "within", "at_least"})


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a rule, as it was and as it is, in words."""

    field: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class RuleChange:
    """What became of one rule; *effects* says what that means for what is open."""

    sort: Literal["policy", "gate", "obligation"]
    id: str
    how: Literal["added", "removed", "changed"]
    says: str
    changes: tuple[Change, ...] = ()
    effects: tuple[str, ...] = ()


def diff(old: Policy, new: Policy) -> list[RuleChange]:
    """List what differs, in the order of the new policy, what was removed last; empty: the same rules."""
    found = [
        *_whole(old, new),
        *_rules("gate", old.gates, new.gates, _gate_effects),
        *_rules("obligation", old.obligations, new.obligations, _promise_effects),
    ]
    return [each for each in found if each.how != "removed"] + [
        each for each in found if each.how == "removed"
    ]


def _whole(old: Policy, new: Policy) -> Iterable[RuleChange]:
    """Compare what stands beside the rules."""
    beside = [each for each in Policy.model_fields if each not in ("format", "gates", "obligations")]
    changes = _changes(old, new, beside, "")
    if changes:
        effects = [says for field, says in _BESIDE.items() if getattr(old, field) != getattr(new, field)]
        yield RuleChange("policy", new.name, "changed", "", changes, tuple(effects))


def _rules(
    sort: Literal["gate", "obligation"],
    old: Sequence[Rule],
    new: Sequence[Rule],
    effects: Callable[[Any, tuple[str, ...]], Iterable[str]],
) -> Iterable[RuleChange]:
    before, after = {each.id: each for each in old}, {each.id: each for each in new}
    for rule in new:
        was = before.get(rule.id)
        if was is None:
            yield RuleChange(sort, rule.id, "added", rule.says, effects=(_ADDED[sort],))
        elif was != rule:
            subject = rule.subject if isinstance(rule, ObligationRule) else ""
            fields = [each for each in type(rule).model_fields if each != "id"]
            differing = tuple(each for each in fields if getattr(was, each) != getattr(rule, each))
            yield RuleChange(
                sort,
                rule.id,
                "changed",
                rule.says,
                _changes(was, rule, fields, subject),
                tuple(effects(rule, differing)),
            )
    for rule in old:
        if rule.id not in after:
            yield RuleChange(sort, rule.id, "removed", rule.says, effects=(_REMOVED[sort],))


_BESIDE: Final = {
    "calendars": "What is open keeps its due time; what opens from now on is reckoned by the new calendars.",
    "quiet_hours": "Messages that come up from now on wait for the new hours, unless a candidate named some.",
}
_ADDED: Final = {
    "gate": "It is asked of every step from the adoption on.",
    "obligation": "It opens with the next event that opens it; nothing from before the adoption does.",
}
_REMOVED: Final = {
    "gate": "Nothing is refused by it any more, from the adoption on.",
    "obligation": "What is open under it is dropped (rule-retired); breaches on record stay there.",
}


def _gate_effects(rule: GateRule, differing: tuple[str, ...]) -> Iterable[str]:
    yield "It is asked so of every step from the adoption on."


def _promise_effects(rule: ObligationRule, differing: tuple[str, ...]) -> Iterable[str]:
    counted = _COUNTED & set(differing)
    kept = [key(each) for each in _TAKEN_ALONG if each in differing]
    if rule.applies == "open" and counted:
        yield (
            'What is open is counted anew (applies = "open") with the new ladder, and what would be due '
            "already is due at once; a promise that is broken already stays as it is."
        )
        kept = [each for each in kept if each in ("owner", "awaits", "kind")]
    if kept:
        yield f"What is open keeps its {listed(kept, 'and')}; the new one holds for what opens from now on."
    if "mode" in differing:
        yield "What is open takes the new mode at once, for the steps that are still ahead of it."
    if asked := [key(each) for each in _ASKED_EACH_TIME if each in differing]:
        yield f"The new {listed(asked, 'and')} holds for what is open too."
    if opening := [key(each) for each in _AT_OPENING if each in differing]:
        yield f"The new {listed(opening, 'and')} holds for what opens from now on."


def _changes(was: Any, now: Any, fields: Iterable[str], subject: str) -> tuple[Change, ...]:
    return tuple(
        Change(key(each), value_words(getattr(was, each), subject), value_words(getattr(now, each), subject))
        for each in fields
        if getattr(was, each) != getattr(now, each)
    )


def value_words(value: Any, subject: str = "") -> str:
    """Put a field's value into words."""
    match value:
        case None | () | {}:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case Span():
            return written(value)
        case (Trigger(), *_):
            return f"when{when(value, subject or 'engagement')}"
        case (LadderStep(), *_):
            return listed([step_words(each) for each in value], "and")
        case ((str(), Calendar()), *_):
            return listed([calendar_words(name, each) for name, each in value], "and")
        case tuple():
            return listed([COMMAND_WORDS.get(each, str(each)) for each in value], "and")
        case dict():
            return listed([f"{key(name)} {value_words(each)}" for name, each in value.items()], "and")
        case _:
            return str(value)
