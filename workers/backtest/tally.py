"""Counts what a prediction concludes, in as much memory as there are rules, people and weeks.

It counts engine events, each at its own time; who somebody is by role, the report asks in the end.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, get_args

from events.kinds import Recipient
from workers.backtest.reach import Reach

# A Monday: weeks are counted from it.
_MONDAY: Final = datetime(1970, 1, 5, tzinfo=UTC)
_PLAIN: Final = {
    "obligation-opened": "opened",
    "obligation-excused": "excused",
    "obligation-dropped": "dropped",
}
_ESCALATED: Final = {to: f"escalated-{to}" for to in get_args(Recipient)}


Sent = tuple[str, str, str | None, str | None, int]


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
    reach: Reach | None = None
    rules: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By rule and what became of its promises, or ``to`` whom they were escalated."""
    weeks: Counter[Sent] = field(default_factory=Counter)
    """By message or escalation, the role and the person it goes to, whose candidate it is, and the week."""
    engagements: int = 0
    stages: Counter[str] = field(default_factory=Counter)
    _sent: Counter[tuple[str, Recipient, str | None, int]] = field(default_factory=Counter)
    """What was sent where nobody is ever away: whom it is meant for is asked in the end."""

    _whole: bool = field(init=False)

    def __post_init__(self) -> None:
        self._whole = self.window.since is None and self.window.before is None

    def hear(self, event: Any) -> None:
        """Count one event of the engine."""
        kind = event.type
        if kind in _PLAIN:
            if self._whole or self.window.holds(event.at):
                self.rules[event.rule, _PLAIN[kind]] += 1
        elif kind == "obligation-met":
            if self._whole or self.window.holds(event.at):
                self.rules[event.rule, "met" if event.timely else "met-late"] += 1
        elif kind == "obligation-breached":
            self.breach(event.rule, event.at)
        elif kind == "outreach-requested":
            self.write(event.to, event.owner, event.at)
        elif kind == "escalation-raised":
            self.escalate(event.rule, event.to, event.owner, event.at)

    def breach(self, rule: str, at: datetime) -> None:
        """Count a promise that was not kept in time."""
        if self._whole or self.window.holds(at):
            self.rules[rule, "breached"] += 1

    def escalate(self, rule: str, to: Recipient, owner: str | None, at: datetime) -> None:
        """Count a duty that was raised."""
        if self._whole or self.window.holds(at):
            self.rules[rule, _ESCALATED[to]] += 1
            self._send("escalation", to, owner, at)

    def write(self, to: Recipient, owner: str | None, at: datetime) -> None:
        """Count a message that was asked for."""
        if self._whole or self.window.holds(at):
            self._send("message", to, owner, at)

    def _send(self, kind: str, to: Recipient, owner: str | None, at: datetime) -> None:
        if self.reach is None or self.reach.agency.absences:
            person = None if self.reach is None else self.reach(to, owner, at)
            self.weeks[kind, to, person, owner, week_of(at)] += 1
        else:
            self._sent[kind, to, owner, (at - _MONDAY).days // 7] += 1

    def settle(self) -> None:
        """Say whom everything was sent to; the tally then asks nobody any more."""
        for (kind, to, owner, week), count in self._sent.items():
            person = None if self.reach is None else self.reach(to, owner, _MONDAY)
            self.weeks[kind, to, person, owner, week] += count
        self._sent.clear()
        self.reach = None

    def add(self, other: "Tally") -> None:
        """Add what another part of the log led to."""
        self.rules += other.rules
        self.weeks += other.weeks
        self.stages += other.stages
        self.engagements += other.engagements


def week_of(moment: datetime) -> int:
    """Number the week of a moment."""
    return (moment - _MONDAY).days // 7
