"""What a backtest found, for people and for programs.

Its breaches lie on disk and are merged as they are written: they are never all in memory.
"""

import heapq
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from events.canonical import canonical, instant
from events.sources.plan import LeftAside
from workers.backtest.judging import SHOWN, read_back
from workers.backtest.spool import spooled
from workers.backtest.tally import Tally
from workers.simulation_report import NotKept

COLUMNS: Final = ("opened", "met", "met-late", "breached", "excused", "dropped")
ROLES: Final = ("owner", "team-lead", "director")


@dataclass(frozen=True, slots=True)
class Load:
    """What one person would have received."""

    person: str | None
    role: str
    messages: int
    escalations: int
    most: int
    """The most messages in one week."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the log looks like under one policy."""

    policy: str
    rules: tuple[str, ...]
    not_judgeable: tuple[str, ...]
    tally: Tally
    runs: tuple[Path, ...]

    def breaches(self) -> Iterator[NotKept]:
        """Read every promise that was not kept, in the order in which a simulation lists them."""
        return map(read_back, heapq.merge(*(spooled(path) for path in self.runs)))

    def row(self, rule: str) -> dict[str, int]:
        """Count what became of one rule's promises."""
        names = (*COLUMNS, *(f"escalated-{role}" for role in ROLES))
        return {name.replace("-", "_"): self.tally.rules[rule, name] for name in names}

    def loads(self) -> list[Load]:
        """List who would have received how much, the most loaded first."""
        found: dict[tuple[str | None, str], Counter[str]] = {}
        weekly: dict[tuple[str | None, str], Counter[int]] = {}
        for (kind, to, person, _, week), count in self.tally.weeks.items():
            if to == "candidate":
                continue
            found.setdefault((person, to), Counter())[kind] += count
            if kind == "message":
                weekly.setdefault((person, to), Counter())[week] += count
        loads = [
            Load(*each, counts["message"], counts["escalation"], _most(weekly.get(each)))
            for each, counts in found.items()
        ]
        return sorted(loads, key=lambda load: (-load.messages, load.role, load.person or ""))

    @property
    def to_candidates(self) -> int:
        """Count the messages that candidates would have received."""
        return sum(count for (_, to, *_), count in self.tally.weeks.items() if to == "candidate")

    @property
    def weeks(self) -> int:
        """Count the weeks from the first message or escalation to the last."""
        seen = [week for *_, week in self.tally.weeks]
        return max(seen) - min(seen) + 1 if seen else 0


@dataclass(frozen=True)
class BacktestReport:
    """The outcome of one backtest; *verdicts* are one policy's, or two side by side."""

    source: str
    since: datetime | None
    until: datetime
    read: int
    applied: int
    beyond_limit: int
    later: int
    left_aside: int
    examples: tuple[LeftAside, ...]
    verdicts: tuple[Verdict, ...]
    seconds: float

    def write_json(self, out: TextIO) -> None:
        """Write the report as one line of JSON, its breaches one by one."""
        told: dict[str, Any] = {
            "read": self.read,
            "applied": self.applied,
            "beyond_limit": self.beyond_limit,
            "later": self.later,
            "left_aside": self.left_aside,
            "since": self.since,
            "until": self.until,
            "seconds": round(self.seconds, 1),
        }
        if len(self.verdicts) > 1:
            told["difference"] = self.difference()
        tried, *others = self.verdicts
        out.write(f"{canonical(told | _numbers(tried))[:-1]},")
        _write_breaches(tried, out)
        for other in others:
            out.write(f',"against":{canonical(_numbers(other))[:-1]},')
            _write_breaches(other, out)
            out.write("}")
        out.write("}\n")

    def difference(self) -> dict[str, dict[str, int]]:
        """Say by rule what the tried policy would have changed, against the other: only what differs."""
        tried, other = self.verdicts
        found: dict[str, dict[str, int]] = {}
        for rule in dict.fromkeys((*tried.rules, *other.rules)):
            mine, theirs = tried.row(rule), other.row(rule)
            differs = {name: mine[name] - theirs[name] for name in mine if mine[name] != theirs[name]}
            if differs:
                found[rule] = differs
        return found

    def render(self, console: Console) -> None:
        """Print the report for people."""
        told = f"Read {self.read} events of '{self.source}': {self.applied} applied"
        told += f", {self.beyond_limit} beyond the limit" if self.beyond_limit else ""
        told += f", {self.later} later" if self.later else ""
        console.print(f"{told}, {self.left_aside} left aside.", markup=False)
        for aside in self.examples:
            console.print(f"  event {aside.place}: {aside.reason}", markup=False)
        for verdict in self.verdicts:
            _render(verdict, console)
        if len(self.verdicts) > 1:
            self._render_difference(console)
        console.print(f"Took {self.seconds:.1f} s.")

    def _render_difference(self, console: Console) -> None:
        tried, other = self.verdicts
        console.print(f"\n'{tried.policy}' against '{other.policy}':", style="bold", markup=False)
        found = self.difference()
        if not found:
            console.print("No promise would have come out differently.")
            return
        names = [name.replace("-", "_") for name in COLUMNS]
        rows = []
        for rule, differs in found.items():
            raised = sum(differs.get(f"escalated_{role.replace('-', '_')}", 0) for role in ROLES)
            rows.append([rule, *(_signed(differs.get(name, 0)) for name in names), _signed(raised)])
        _tabulate(console, ["promise", *COLUMNS, "escalated"], rows)


def _numbers(verdict: Verdict) -> dict[str, Any]:
    weeks = max(verdict.weeks, 1)
    return {
        "policy": verdict.policy,
        "not_judgeable": verdict.not_judgeable,
        "engagements": verdict.tally.engagements,
        "stages": dict(verdict.tally.stages),
        "weeks": verdict.weeks,
        "by_rule": {rule: verdict.row(rule) for rule in verdict.rules},
        "by_person": [
            {
                "person": load.person,
                "role": load.role,
                "messages": load.messages,
                "escalations": load.escalations,
                "messages_a_week": round(load.messages / weeks, 2),
                "escalations_a_week": round(load.escalations / weeks, 2),
                "most_messages_in_a_week": load.most,
            }
            for load in verdict.loads()
        ],
        "by_owner": _by_owner(verdict),
        "messages_to_candidates": verdict.to_candidates,
    }


def _by_owner(verdict: Verdict) -> dict[str, int]:
    """Count escalations by whose candidates they were about."""
    found = Counter[str]()
    for (kind, _, _, owner, _), count in verdict.tally.weeks.items():
        if kind == "escalation":
            found[owner or ""] += count
    return dict(found)


def _write_breaches(verdict: Verdict, out: TextIO) -> None:
    out.write('"breaches":[')
    for number, each in enumerate(verdict.breaches()):
        told = {
            "engagement": each.engagement,
            "rule": each.rule,
            "subject": each.subject,
            "due_at": instant(each.due_at),
            "level": each.level,
        }
        out.write(f"{',' if number else ''}{canonical(told)}")
    out.write("]")


def _render(verdict: Verdict, console: Console) -> None:
    stages = ", ".join(f"{count} in {stage}" for stage, count in sorted(verdict.tally.stages.items()))
    console.print(
        f"\nUnder '{verdict.policy}': {verdict.tally.engagements} engagements ({stages}).",
        style="bold",
        markup=False,
    )
    if verdict.not_judgeable:
        console.print(f"Not judgeable by this log: {', '.join(verdict.not_judgeable)}.", markup=False)
    counted = [(rule, verdict.row(rule).values()) for rule in verdict.rules]
    rows = [[rule, *map(str, counts)] for rule, counts in counted if any(counts)]
    _tabulate(console, ["promise", *COLUMNS, "to owner", "to team lead", "to director"], rows)
    _render_loads(verdict, console)


def _render_loads(verdict: Verdict, console: Console) -> None:
    loads, weeks = verdict.loads(), max(verdict.weeks, 1)
    if not loads:
        return
    rows = [
        [
            load.person or "nobody known",
            load.role,
            f"{load.messages / weeks:.1f}",
            str(load.most),
            f"{load.escalations / weeks:.1f}",
        ]
        for load in loads[:SHOWN]
    ]
    _tabulate(console, ["person", "as", "messages a week", "most in a week", "escalations a week"], rows)
    if len(loads) > SHOWN:
        console.print(f"... and {len(loads) - SHOWN} more people; --json lists all.")
    if verdict.to_candidates:
        console.print(f"Candidates would have received {verdict.to_candidates} messages.")


def _tabulate(console: Console, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns, or a block for each where they do not fit: no name is ever cut short."""
    if not rows:
        return
    widest = [max(cell_len(row[at]) for row in (heads, *rows)) for at in range(len(heads))]
    if sum(widest) + 2 * (len(heads) - 1) > console.width:
        for row in rows:
            told = ", ".join(f"{head} {cell}" for head, cell in zip(heads[1:], row[1:], strict=True))
            console.print(Text(row[0], style="bold"), soft_wrap=True)
            for line in textwrap.wrap(told, max(console.width - 2, 20), break_on_hyphens=False):
                console.print(Text(f"  {line}"), soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head in heads:
        table.add_column(head, no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def _most(weekly: Counter[int] | None) -> int:
    return max(weekly.values()) if weekly else 0


def _signed(number: int) -> str:
    return f"{number:+d}" if number else "0"
