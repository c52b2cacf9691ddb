"""Engagements under each policy, one after the other: what came of their promises, counted and written down.

What was not kept goes to disk, sorted, to be merged with what other processes found: it may be very much.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from events.agency import Agency
from events.counting import CountedPrediction
from events.policy import Policy
from events.prediction import Prediction
from events.sources.plan import LeftAside
from events.state import Engagement
from workers.backtest.ocel import EPOCH, moment_of
from workers.backtest.reach import reach_of
from workers.backtest.spool import Record, Spool
from workers.backtest.tally import Tally, Window
from workers.simulation_report import NotKept, not_kept

SHOWN: Final = 20
_SPILL: Final = 20_000
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Trial:
    """What every part is judged by."""

    policies: tuple[Policy, ...]
    window: Window
    until: datetime
    place: Path
    agency: Agency
    """Who works there: whom a message reaches."""


@dataclass(slots=True)
class Judged:
    """What one part came to: a tally and sorted runs of what was not kept, for each policy."""

    tallies: list[Tally]
    runs: list[list[Path]]
    read: int = 0
    applied: int = 0
    later: int = 0
    left_aside: int = 0
    examples: list[LeftAside] = field(default_factory=list)
    shown: list[set[str]] = field(default_factory=list)
    """For each policy the rules that the log can show to be kept, where nothing else says it."""

    def leave_aside(self, aside: LeftAside) -> None:
        """Count an event that cannot be applied, and keep the first few."""
        self.left_aside += 1
        self.examples = sorted([*self.examples, aside], key=lambda each: each.place)[:SHOWN]


class Verdicts:
    """Takes in engagements as they end, under each policy."""

    def __init__(self, trial: Trial, name: str) -> None:
        self.trial, self._name = trial, name
        reach = reach_of(trial.agency)
        tallies = [Tally(trial.window, reach) for _ in trial.policies]
        self.judged = Judged(tallies, [[] for _ in trial.policies])
        self._waiting: list[list[NotKept]] = [[] for _ in trial.policies]

    def predictions(self, agency: str, stream: str, *, remembers: bool = False) -> list[Prediction]:
        """Begin one engagement under each policy."""
        pairs = zip(self.trial.policies, self.judged.tallies, strict=True)
        if remembers:
            return [Prediction(agency, stream, policy, tally.hear, remembers=True) for policy, tally in pairs]
        return [CountedPrediction(agency, stream, policy, tally) for policy, tally in pairs]

    def end(self, predictions: Sequence[Prediction]) -> None:
        """Let time run to the end for one engagement, and keep what it was about."""
        for number, prediction in enumerate(predictions):
            until = max(self.trial.until, prediction.decided_at or self.trial.until)
            prediction.wait(until, inclusive=True)
            state = prediction.state
            if state.opened_at is not None:
                self._take(number, state)

    def close(self) -> Judged:
        """Write what waits."""
        for number in range(len(self._waiting)):
            self._spill(number)
        for tally in self.judged.tallies:
            tally.settle()
        return self.judged

    def _take(self, number: int, state: Engagement) -> None:
        tally, policy = self.judged.tallies[number], self.trial.policies[number]
        tally.engagements += 1
        tally.stages[state.stage] += 1
        if state.breaches:
            found = not_kept({state.engagement_id: state}, policy, self.trial.until)
            self._waiting[number] += [each for each in found if self.trial.window.holds(each.due_at)]
            if len(self._waiting[number]) >= _SPILL:
                self._spill(number)

    def _spill(self, number: int) -> None:
        waiting, self._waiting[number] = self._waiting[number], []
        if not waiting:
            return
        runs = self.judged.runs[number]
        path = self.trial.place / f"breaches-{self._name}-{number}-{len(runs)}"
        with Spool(path) as spool:
            for record in sorted(map(_record, waiting)):
                spool.add(record)
        runs.append(path)


def _record(each: NotKept) -> Record:
    due, waited = (each.due_at - EPOCH) // _MICROSECOND, each.waited // _MICROSECOND
    return due, each.engagement, each.rule, each.subject, each.level, each.leads, waited


def read_back(record: Record) -> NotKept:
    """Read a promise that was not kept from a run."""
    due, engagement, rule, subject, level, leads, waited = record
    return NotKept(engagement, rule, subject, moment_of(due), level, leads, timedelta(microseconds=waited))
