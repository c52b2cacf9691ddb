"""A policy's rules by their ids and by the events they wait for, worked out once for each policy object.

Not kept in the policy itself: a changed copy of it would carry the answers of the one it was copied from.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Final

from events.plans import MOVES_PLANS
from events.policy import GateRule, LadderStep, ObligationRule, Policy

_KEPT: Final = 64
# What touches promises whatever the rules say.
_ENDS: Final = frozenset({"policy-adopted", *MOVES_PLANS})
_ALWAYS: Final = frozenset({"engagement-closed", "excuse-granted", "paused", "resumed", *_ENDS})

Ladder = tuple[tuple[timedelta, LadderStep | None], ...]


class RuleIndex:
    """``heeded``: the events that can do anything to a promise under this policy.

    ``opened_by`` and ``met_by`` say which rules an event can open and meet, ``ends`` which events can drop or
    move what is open.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.by_id: Mapping[str, ObligationRule] = {each.id: each for each in reversed(policy.obligations)}
        self.in_working_time = frozenset(each.id for each in policy.obligations if each.asks_for_calendar)
        self.opened_by: dict[str, tuple[ObligationRule, ...]] = {}
        for rule in policy.obligations:
            for event in dict.fromkeys(trigger.event for trigger in rule.opens_on):
                self.opened_by[event] = (*self.opened_by.get(event, ()), rule)
        self.plainly = frozenset(
            (trigger.event, rule.id)
            for rule in policy.obligations
            for trigger in rule.opens_on
            if not trigger.where
        )
        """Which events open which rules whatever else they say."""
        self.met_by: dict[str, dict[str, ObligationRule]] = {}
        for rule in self.by_id.values():
            for trigger in rule.met_by:
                self.met_by.setdefault(trigger.event, {})[rule.id] = rule
        dropping = (trigger.event for rule in policy.obligations for trigger in rule.dropped_by)
        self.ends = _ENDS.union(dropping)
        self.heeded = _ALWAYS.union(*(_waits_for(rule) for rule in policy.obligations))
        self.gates: dict[str, tuple[GateRule, ...]] = {}
        for gate in policy.gates:
            for command in dict.fromkeys(gate.guards):
                self.gates[command] = (*self.gates.get(command, ()), gate)

    @cached_property
    def digest(self) -> str:
        """Give the policy's digest: writing its body takes a millisecond."""
        return self.policy.digest()


_LADDERS: dict[int, tuple[ObligationRule, Ladder]] = {}


def ladder_of(rule: ObligationRule) -> Ladder:
    """Give a rule's steps as elapsed time from when it is due, in their order; None is the breach."""
    found = _LADDERS.get(id(rule))
    if found is None:
        if len(_LADDERS) >= _KEPT * _KEPT:
            _LADDERS.clear()
        steps: Ladder = ((timedelta(), None), *((step.after.delta, step) for step in rule.ladder))
        # The breach comes first of what is due with it.
        ladder = tuple(sorted(steps, key=lambda each: (each[0], each[1] is not None)))
        found = _LADDERS[id(rule)] = (rule, ladder)
    return found[1]


_INDICES: dict[int, RuleIndex] = {}


def index_of(policy: Policy) -> RuleIndex:
    """Give the index of a policy."""
    found = _INDICES.get(id(policy))
    if found is None:
        if len(_INDICES) >= _KEPT:
            _INDICES.clear()
        # It holds the policy, so no other object can come by the same id.
        found = _INDICES[id(policy)] = RuleIndex(policy)
    return found


def _waits_for(rule: ObligationRule) -> Iterable[str]:
    return (trigger.event for trigger in (*rule.opens_on, *rule.met_by, *rule.dropped_by))
