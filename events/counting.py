"""What the engine must conclude, for whoever only counts it: what :mod:`events.prediction` says, for less.

No event of a step is made and no escalation is kept: what a step comes to is asked of :mod:`events.steps`,
and never decided here.  A promise's steps depend on no other promise, so each takes all of its own at once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from events import catalogue as e
from events.copying import Private, copied_as, put, replace
from events.kinds import Recipient
from events.obligations import COMPARED, MICROSECOND, owner_of
from events.policy import Policy
from events.prediction import Prediction
from events.promises import breach_of
from events.state import Breach, Engagement, OpenObligation
from events.steps import escalates, reaches_staff, writes


class Counts(Protocol):
    """Takes in what a prediction concludes: what the steps come to one by one, all else as events."""

    def hear(self, event: e.AnyEvent) -> None:
        """Count what no step has led to."""

    def breach(self, rule: str, at: datetime) -> None:
        """Count a promise that was not kept in time."""

    def escalate(self, rule: str, to: Recipient, owner: str | None, at: datetime) -> None:
        """Count a duty that was raised."""

    def write(self, to: Recipient, owner: str | None, at: datetime) -> None:
        """Count a message that was asked for."""


class Held(Engagement, Private):
    """The state of one prediction, which nobody else holds: folding an event in makes no copy."""

    __slots__ = ()


class CountedPrediction(Prediction):
    """One engagement under a policy, of which nothing is remembered.

    Where an engagement looks back, or somebody asks for the events themselves, it is no use.
    """

    def __init__(self, agency: str, stream: str, policy: Policy, counts: Counts) -> None:
        super().__init__(agency, stream, policy, counts.hear)
        self._counts = counts
        self.state: Engagement = Held(agency=agency)

    def wait(self, moment: datetime, *, inclusive: bool) -> None:
        """Take every step due before a moment (*inclusive*: or at it), each at its own time."""
        due = self._due if self.state.obligations is self._seen else self._next()
        end = moment + MICROSECOND if inclusive else moment
        if due is None or due >= end:
            return
        state = self.state
        obligations, breaches = dict(state.obligations), dict(state.breaches)
        for key, promise in state.obligations.items():
            taken = [rung for rung in promise.rungs if rung.at < end]
            if taken:
                self._decide_at(taken[-1].at)
                obligations[key] = self._climb(key, promise, taken, breaches)
        put(state, {"obligations": obligations, "breaches": breaches})

    def _next(self) -> datetime | None:
        self._seen = self.state.obligations  # type: ignore[assignment]  # only its identity is looked at
        # A promise's steps lie in the order in which they are due.
        ahead = [promise.rungs[0].at for promise in self.state.obligations.values() if promise.rungs]
        self._due = min(ahead, default=None)
        return self._due

    def _before(self, event: e.AnyEvent) -> Engagement:
        return self._apart() if event.type in COMPARED else self.state

    def _apart(self) -> Engagement:
        return copied_as(Engagement, self.state)

    def _climb(
        self, key: UUID, promise: OpenObligation, taken: Sequence[e.Rung], breaches: dict[UUID, Breach]
    ) -> OpenObligation:
        """Take steps of one promise, in their order; gives what it is after them."""
        counts, mode, rule = self._counts, promise.mode, promise.rule
        owner, level = owner_of(self.state, promise), promise.level
        broken: datetime | None = None
        # Of steps that are due together only the highest is delivered.
        last = {rung.at: rung for rung in taken if reaches_staff(mode, rung)}
        for rung in taken:
            if rung.do == "breach":
                broken = rung.at
                counts.breach(rule, broken)
                continue
            level = max(level, rung.level)
            if rung.to is None:
                continue
            if escalates(mode, rung):
                counts.escalate(rule, rung.to, owner, rung.at)
            if writes(mode, rung, deliver=last.get(rung.at) is rung):
                counts.write(rung.to, owner, rung.at)
        ahead = promise.rungs[len(taken) :]
        if broken is not None:
            climbed = replace(promise, rungs=ahead, level=level, breached=True)
            breaches[key] = breach_of(climbed, broken)
            return climbed
        if level != promise.level and key in breaches:
            breaches[key] = replace(breaches[key], level=level)
        return replace(promise, rungs=ahead, level=level)
