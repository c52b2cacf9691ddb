"""How well an agency kept its promises: facts of a period, grouped, counted, and unfolded to their events.

Pure, and nothing is counted that cannot be shown: each figure is the number of the facts behind it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from math import ceil
from statistics import median
from typing import Final, Literal
from uuid import UUID

from events.compliance_columns import COUNTED, DERIVED, OPENED
from events.ledger import Outcome

By = Literal["rule", "owner", "team", "stage", "week"]
Kind = Literal["refused", "bypassed", "contact", "asserted", "not-judgeable", "likes", "excels"]
NOBODY: Final = "nobody"
# Outcome of the ledger to part of the report; what an annulment replaced is told by what replaced it.
_PARTS: Final[Mapping[Outcome, str]] = {
    "kept": "kept",
    "kept-recorded-late": "kept_recorded_late",
    "kept-late": "kept_late",
    "breached": "never_kept",
    "overdue": "never_kept",
    "excused": "excused",
    "dropped": "dropped",
    "open": "open",
}
_HAPPENED: Final[Mapping[Kind, tuple[str, ...]]] = {
    "refused": ("refused",),
    "bypassed": ("bypassed",),
    "contact": ("contacts",),
    "asserted": ("contacts", "asserted"),
    "not-judgeable": ("not_judgeable",),
}
_OF_A_RULE: Final = ("refused", "bypassed", "not-judgeable")


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise as the ledger has it, with the events that tell it, in their order."""

    engagement: str
    obligation_id: str
    rule: str
    subject: str
    outcome: Outcome
    stage: str
    owner: str | None
    breached: bool
    due_at: datetime
    ended_at: datetime | None
    met_at: datetime | None
    events: tuple[UUID, ...]

    @property
    def at(self) -> datetime:
        """Give the moment to which it belongs: its due time, or its end where that came first."""
        ends = (self.due_at, self.met_at or self.ended_at)
        return min(each for each in ends if each is not None)

    @property
    def late_by(self) -> timedelta | None:
        """Tell how late it was kept."""
        return self.met_at - self.due_at if self.outcome == "kept-late" and self.met_at is not None else None

    @property
    def columns(self) -> tuple[str, ...]:
        """Name the figures that it is counted in."""
        beside = (("breached", self.breached), ("overdue", self.outcome == "overdue"))
        return (OPENED.name, _PARTS[self.outcome], *(name for name, counts in beside if counts))


@dataclass(frozen=True, slots=True)
class Happening:
    """Anything else that is counted; *what* is the gate, rule or placement, *verdict* what was said of it."""

    kind: Kind
    engagement: str
    what: str | None
    at: datetime
    stage: str
    owner: str | None
    event: UUID
    verdict: str | None = None

    @property
    def events(self) -> tuple[UUID, ...]:
        """Give the event that tells it."""
        return (self.event,)

    @property
    def columns(self) -> tuple[str, ...]:
        """Name the figures that it is counted in."""
        if self.kind in ("likes", "excels"):
            return (f"{self.kind}_{self.verdict}",)
        return _HAPPENED[self.kind]


Fact = Promise | Happening
TeamOf = Callable[[str, datetime], str | None]


@dataclass(slots=True)
class Row:
    """One line of the report: the facts behind each figure."""

    key: str
    cells: dict[str, list[Fact]] = field(default_factory=lambda: {each.name: [] for each in COUNTED})

    def count(self, name: str) -> int:
        """Count the facts behind a figure."""
        return len(self.cells[name])

    def figure(self, name: str) -> int | float | None:
        """Give a figure: a number of facts, a share from 0 to 1, or hours; None where nothing can be told."""
        match name:
            case "kept_share":
                kept = self.count("kept") + self.count("kept_recorded_late")
                return _share(kept, kept + self.count("kept_late") + self.count("never_kept"))
            case "asserted_share":
                return _share(self.count("asserted"), self.count("contacts"))
            case "late_median":
                return median(late) if (late := self._late()) else None
            case "late_p90":
                return late[ceil(0.9 * len(late)) - 1] if (late := self._late()) else None
            case _:
                return self.count(name)

    def figures(self) -> dict[str, int | float | None]:
        """Give every figure by its name."""
        return {name: self.figure(name) for name in (*(each.name for each in COUNTED), *DERIVED)}

    def behind(self, name: str) -> list[Fact]:
        """Give the facts behind a figure, oldest first."""
        names = DERIVED[name][1] if name in DERIVED else (name,)
        facts = (fact for each in names for fact in self.cells[each])
        return sorted(facts, key=lambda fact: (fact.at, fact.engagement, str(fact.events[0])))

    def _late(self) -> list[float]:
        late = (each.late_by for each in self.cells["kept_late"] if isinstance(each, Promise))
        return sorted(each.total_seconds() / 3600 for each in late if each is not None)


@dataclass(frozen=True, slots=True)
class Period:
    """From its first moment up to its end, which is outside it; None: without that limit."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Tell whether a moment is in it."""
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Report:
    """The rows by their keys, and all of them together."""

    by: By | None
    rows: Sequence[Row]
    total: Row

    def row(self, key: str | None) -> Row | None:
        """Find a row; None names the total."""
        return self.total if key is None else next((each for each in self.rows if each.key == key), None)


def report(
    facts: Iterable[Fact], period: Period, by: By | None, *, zone: tzinfo, team_of: TeamOf = lambda *_: None
) -> Report:
    """Count the facts of a period, in all and by *by*; *zone* says where weeks begin."""
    rows: dict[str, Row] = {}
    total = Row("total")
    for fact in _last_words(each for each in facts if period.holds(each.at)):
        key = None if by is None else _key(fact, by, zone, team_of)
        told = [total] if key is None else [total, rows.setdefault(key, Row(key))]
        for row in told:
            for name in fact.columns:
                row.cells[name].append(fact)
    return Report(by, [rows[key] for key in sorted(rows)], total)


def is_counted(outcome: Outcome) -> bool:
    """Tell whether a promise of the ledger is one of the report's."""
    return outcome in _PARTS


def _key(fact: Fact, by: By, zone: tzinfo, team_of: TeamOf) -> str | None:
    match by:
        case "rule":
            if isinstance(fact, Promise):
                return fact.rule
            return fact.what if fact.kind in _OF_A_RULE else None
        case "owner":
            return fact.owner or NOBODY
        case "team":
            return (team_of(fact.owner, fact.at) if fact.owner is not None else None) or NOBODY
        case "stage":
            return fact.stage
        case "week":
            year, week, _ = fact.at.astimezone(zone).isocalendar()
            return f"{year}-W{week:02}"


def _last_words(facts: Iterable[Fact]) -> list[Fact]:
    """Keep of what was said of a placement the last word of either side."""
    kept: list[Fact] = []
    words: dict[tuple[str, str, str | None], Happening] = {}
    for fact in facts:
        if isinstance(fact, Promise) or fact.kind not in ("likes", "excels"):
            kept.append(fact)
            continue
        about = (fact.kind, fact.engagement, fact.what)
        if about not in words or fact.at >= words[about].at:
            words[about] = fact
    return [*kept, *words.values()]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
