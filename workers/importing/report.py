"""What an import did, for people and for programs.

Every row of the source is in exactly one of its counts.
"""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from io import StringIO
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from events.sources.plan import Finding, LeftAside, Plan
from workers.importing.account import Account, Outcome
from workers.importing.going_live import Live
from workers.importing.history import Written

SHOWN: Final = 20
WORDS: Final[Mapping[str, str]] = {
    "imported": "imported now",
    "reported": "given as a report to what is live already",
    "already-there": "already there",
    "left-aside": "left aside",
    "beyond-limit": "beyond the limit",
}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The outcome of one import."""

    source: str
    agency: str
    read: int
    rows: Mapping[str, int]
    """How many rows came to what; the sum is *read*."""
    outcomes: Mapping[int, Outcome]
    left_aside: tuple[LeftAside, ...]
    findings: tuple[Finding, ...]
    assumed: Mapping[str, int]
    events: int
    """Events written now."""
    streams: Mapping[str, int]
    """All streams of the source by category, and those of them that it ends closed."""
    went_live: Mapping[str, int]
    led_to: Mapping[str, int]
    """What going live led to, by type of event."""
    seconds: float

    @classmethod
    def of(
        cls,
        plan: Plan,
        agency: str,
        account: Account,
        written: Sequence[Written],
        live: Live,
        seconds: float,
    ) -> "ImportReport":
        """Put together what an import noted."""
        streams = Counter(each.past.stream.partition(":")[0] for each in written)
        streams.update("closed" for each in written if each.past.closed)
        return cls(
            source=plan.source,
            agency=agency,
            read=plan.read,
            rows={**account.counts(), "beyond-limit": plan.beyond_limit},
            outcomes=account.rows,
            left_aside=account.left_aside,
            findings=tuple(plan.findings),
            assumed=Counter(step.assumes for step in plan.steps if step.assumes is not None),
            events=sum(each.events for each in written),
            streams=streams,
            went_live={"engagement": live.engagements, "job-order": live.job_orders},
            led_to=live.events,
            seconds=seconds,
        )

    @property
    def accounted(self) -> bool:
        """Tell whether every row that was read is in one of the counts."""
        return sum(self.rows.values()) == self.read

    def plain(self) -> dict[str, Any]:
        """Put it into plain data."""
        told = {name: getattr(self, name) for name in ("source", "agency", "read", "events")}
        return {
            **told,
            "rows": dict(self.rows),
            "accounted": self.accounted,
            "left_aside": [asdict(each) for each in self.left_aside],
            "findings": dict(Counter(each.kind for each in self.findings)),
            "assumed": dict(self.assumed),
            "streams": dict(self.streams),
            "went_live": dict(self.went_live),
            "led_to": dict(self.led_to),
            "seconds": round(self.seconds, 3),
        }

    def account(self) -> str:
        """Write what became of every row in the plan, as CSV with a head."""
        reasons = {each.place: each.reason for each in self.left_aside}
        told = StringIO()
        writer = csv.writer(told, lineterminator="\n")
        writer.writerow(("row", "outcome", "reason"))
        writer.writerows(
            (place, outcome, reasons.get(place, "")) for place, outcome in sorted(self.outcomes.items())
        )
        return told.getvalue()

    def render(self, console: Console) -> None:
        """Tell it to people."""
        console.print(f"{self.source}: {self.read} rows read, {self.events} events written for {self.agency}")
        rows = Table(box=None, show_header=False, pad_edge=False)
        for outcome, words in WORDS.items():
            rows.add_row(str(self.rows.get(outcome, 0)), words)
        console.print(rows)
        of = {each: self.streams.get(each, 0) for each in ("engagement", "job-order", "closed")}
        console.print(
            f"{of['engagement']} engagements, {of['job-order']} job orders, {of['closed']} of them closed; "
            f"{self.went_live['engagement']} engagements went live"
        )
        broken, opened = (self.led_to.get(f"obligation-{each}", 0) for each in ("breached", "opened"))
        console.print(f"promises: {broken} past due when going live, {opened - broken} owed from here on")
        for kind, count in Counter(each.kind for each in self.findings).items():
            console.print(f"finding: {kind}, {count} times")
        for each in self.left_aside[:SHOWN]:
            console.print(f"left aside: row {each.place}: {each.reason}", markup=False, soft_wrap=True)
        if len(self.left_aside) > SHOWN:
            console.print(f"and {len(self.left_aside) - SHOWN} more; --account FILE names every row")
