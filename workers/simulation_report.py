"""What a simulation found, for people and for programs.

A contact obligation never leads the report: a log that shows no talks would call everybody neglected by it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from events.canonical import canonical, instant
from events.policy import Policy
from events.sources.plan import Finding, LeftAside
from events.state import Engagement

SHOWN: Final = 20
LEVELS: Final = {0: "nobody", 1: "the owner", 2: "the team lead", 3: "the director"}


@dataclass(frozen=True, slots=True)
class NotKept:
    """One promise that was not kept in time; *waited* counts from what it was owed for to its keeping."""

    engagement: str
    rule: str
    subject: str
    due_at: datetime
    level: int
    leads: bool
    waited: timedelta


@dataclass(frozen=True)
class SimulationReport:
    """The outcome of one simulation: an account of every event, and who was let down."""

    source: str
    policy: str
    not_judgeable: tuple[str, ...]
    read: int
    applied: int
    beyond_limit: int
    left_aside: tuple[LeftAside, ...]
    findings: tuple[Finding, ...]
    assumed: Mapping[str, int]
    """Commands that the mapping assumes, by what it assumes."""
    engagements: int
    job_orders: int
    stages: Mapping[str, int]
    breaches: tuple[NotKept, ...]
    verified: int
    mismatches: int
    broken: tuple[str, ...]
    seconds: float

    @property
    def sound(self) -> bool:
        """This will be true if every engagement was verified and nothing differs."""
        return self.mismatches == 0 and self.verified == self.engagements

    def to_json(self) -> str:
        """Write the report as one line."""
        numbers: dict[str, Any] = {
            "read": self.read,
            "applied": self.applied,
            "beyond_limit": self.beyond_limit,
            "left_aside": len(self.left_aside),
            "findings": len(self.findings),
            "assumed": sum(self.assumed.values()),
            "engagements": self.engagements,
            "stages": dict(self.stages),
            "breaches": [
                {
                    "engagement": each.engagement,
                    "rule": each.rule,
                    "subject": each.subject,
                    "due_at": instant(each.due_at),
                    "level": each.level,
                }
                for each in self.breaches
            ],
            "verified": self.verified,
            "mismatches": self.mismatches,
            "seconds": round(self.seconds, 1),
        }
        return canonical(numbers)

    def render(self, console: Console) -> None:
        """Print the report for people."""
        console.print(
            f"Read {self.read} events: {self.applied} applied, {self.beyond_limit} beyond the limit, "
            f"{len(self.left_aside)} left aside."
        )
        for aside in self.left_aside[:SHOWN]:
            console.print(f"  event {aside.place}: {aside.reason}", markup=False)
        stages = ", ".join(f"{count} in {stage}" for stage, count in sorted(self.stages.items()))
        console.print(
            f"{self.engagements} engagements ({stages}) and {self.job_orders} job orders, "
            f"under the policy '{self.policy}'.",
            markup=False,
        )
        if self.not_judgeable:
            console.print(f"Not judgeable by this log: {', '.join(self.not_judgeable)}.", markup=False)
        self._render_neglect(console)
        self._render_findings(console)
        console.print(f"Verified {self.verified} engagements, {self.mismatches} mismatches.")
        for sentence in self.broken[:SHOWN]:
            console.print(f"  {sentence}", markup=False)
        console.print(f"Took {self.seconds:.1f} s.")

    def _render_neglect(self, console: Console) -> None:
        leading = [each for each in self.breaches if each.leads]
        by_person: dict[str, list[NotKept]] = {}
        for each in leading:
            by_person.setdefault(each.engagement, []).append(each)
        console.print(f"\nNeglected: {len(by_person)} of {self.engagements} candidates.", style="bold")
        if leading:
            console.print(_by_rule(leading))
            console.print(_by_person(by_person))
        if len(by_person) > SHOWN:
            console.print(f"... and {len(by_person) - SHOWN} more; --json lists every breach.")
        for rule, count in Counter(each.rule for each in self.breaches if not each.leads).items():
            console.print(f"Beside it, {rule} was not kept {count} times.", markup=False)

    def _render_findings(self, console: Console) -> None:
        console.print(f"\n{len(self.findings)} findings:", style="bold")
        for (kind, says), count in Counter((each.kind, each.says) for each in self.findings).most_common():
            console.print(f"  {count:5}  {kind}: {says}", markup=False)
        console.print(f"\n{sum(self.assumed.values())} commands assumed by the mapping:", style="bold")
        for assumes, count in sorted(self.assumed.items(), key=lambda item: -item[1]):
            console.print(f"  {count:5}  {assumes}", markup=False)
        console.print()


def not_kept(states: Mapping[str, Engagement], policy: Policy, until: datetime) -> tuple[NotKept, ...]:
    """List every breach that was not excused, by engagement and due time."""
    answers = {rule.id for rule in policy.obligations if rule.kind != "contact"}
    found = [
        NotKept(
            engagement=engagement,
            rule=breach.rule,
            subject=breach.subject,
            due_at=breach.due_at,
            level=breach.level,
            leads=breach.rule in answers,
            waited=(breach.met_at or until) - breach.since,
        )
        for engagement, state in states.items()
        for breach in state.breaches.values()
        if not breach.excused
    ]
    return tuple(sorted(found, key=lambda each: (each.due_at, each.engagement, each.rule, each.subject)))


def _by_rule(breaches: Sequence[NotKept]) -> Table:
    table = Table("promise", "not kept", "heard by nobody", "owner", "team lead", "director", "longest wait")
    for rule in sorted({each.rule for each in breaches}):
        mine = [each for each in breaches if each.rule == rule]
        levels = Counter(each.level for each in mine)
        longest = max(each.waited for each in mine)
        table.add_row(rule, str(len(mine)), *(str(levels[level]) for level in LEVELS), _days(longest))
    return table


def _by_person(by_person: Mapping[str, Sequence[NotKept]]) -> Table:
    table = Table("candidate", "times", "first due", "worst", "escalated up to", "longest wait")
    worst = sorted(
        by_person.items(), key=lambda item: (-len(item[1]), -max(each.waited for each in item[1]), item[0])
    )
    for engagement, breaches in worst[:SHOWN]:
        longest = max(breaches, key=lambda each: each.waited)
        first = min(each.due_at for each in breaches)
        level = max(each.level for each in breaches)
        table.add_row(
            engagement,
            str(len(breaches)),
            f"{first:%Y-%m-%d}",
            longest.rule,
            LEVELS[level],
            _days(longest.waited),
        )
    return table


def _days(span: timedelta) -> str:
    return f"{span.total_seconds() / 86_400:.1f} days"
