"""Counts what a prediction concludes, in as much memory as there are rules, people and weeks.

It counts engine events, each at its own time; who somebody is by role, the report asks in the end.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from events import catalogue as e

# A Monday: weeks are counted from it.
_MONDAY: Final = datetime(1970, 1, 5, tzinfo=UTC)
_WEEK: Final = timedelta(days=7)
_PLAIN: Final = {
    "obligation-opened": "opened",
    "obligation-breached": "breached",
    "obligation-excused": "excused",
    "obligation-dropped": "dropped",
}


@dataclass(frozen=True, slots=True)
class Window:
    """The time that is looked at: from the first moment on, before the second."""

    since: datetime | None = None
    before: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        """Tell whether a moment lies in it."""
        return (self.since is None or moment >= self.since) and (self.before is None or moment < self.before)


@dataclass(slots=True)
class Tally:
    """What one policy would have led to: by rule, and by role, owner and week."""

    window: Window = field(default_factory=Window)
    rules: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By rule and what became of its promises, or ``to`` whom they were escalated."""
    weeks: Counter[tuple[str, str, str | None, int]] = field(default_factory=Counter)
    """By ``message`` or ``escalation``, the role it goes to, whose owner's that is, and the week."""
    engagements: int = 0
    stages: Counter[str] = field(default_factory=Counter)

    def hear(self, event: Any) -> None:
        """Count one event of the engine."""
        if not self.window.holds(event.at):
            return
        kind = event.type
        if kind == "rung-reached" or kind == "escalation-settled":
            return
        if kind == "outreach-requested":
            self.weeks["message", event.to, event.owner, week_of(event.at)] += 1
        elif kind == "escalation-raised":
            self.rules[event.rule, f"escalated-{event.to}"] += 1
            self.weeks["escalation", event.to, event.owner, week_of(event.at)] += 1
        elif kind in _PLAIN:
            self.rules[event.rule, _PLAIN[kind]] += 1
        elif isinstance(event, e.ObligationMet):
            self.rules[event.rule, "met" if event.timely else "met-late"] += 1

    def add(self, other: "Tally") -> None:
        """Add what another part of the log led to."""
        self.rules += other.rules
        self.weeks += other.weeks
        self.stages += other.stages
        self.engagements += other.engagements


def week_of(moment: datetime) -> int:
    """Number the week of a moment."""
    return (moment - _MONDAY) // _WEEK
