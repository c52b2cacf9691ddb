"""One part of a log under each policy: what a process of its own does, knowing nothing of the other parts.

It keeps one engagement at a time; what was not kept goes to disk, sorted, to be merged with the others'.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from events.commands import AnyCommand
from events.errors import CallerError
from events.orders import COMMANDS, parse_order
from events.policy import Policy
from events.prediction import Prediction
from events.sources.interpreter import Interpreter, Step
from events.sources.mapping import Mapping
from events.sources.plan import LeftAside
from events.sources.pseudonyms import Pseudonyms
from events.sources.references import Unknown
from events.sources.track import TrackedApplicant
from events.state import Engagement
from workers.backtest.ocel import EPOCH, event_of, moment_of
from workers.backtest.spool import Record, Spool, spooled
from workers.backtest.tally import Tally, Window
from workers.simulation_report import NotKept, not_kept

AGENCY: Final = "simulation"
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


@dataclass(slots=True)
class Judged:
    """What one part came to: a tally and sorted runs of what was not kept, for each policy."""

    tallies: list[Tally]
    runs: list[list[Path]]
    applied: int = 0
    left_aside: int = 0
    examples: list[LeftAside] = field(default_factory=list)


class Verdicts:
    """Takes in engagements as they end, under each policy."""

    def __init__(self, trial: Trial, name: str) -> None:
        self._trial, self._name = trial, name
        self.judged = Judged([Tally(trial.window) for _ in trial.policies], [[] for _ in trial.policies])
        self._waiting: list[list[NotKept]] = [[] for _ in trial.policies]

    def predictions(self, agency: str, stream: str, *, remembers: bool = False) -> list[Prediction]:
        """Begin one engagement under each policy."""
        pairs = zip(self._trial.policies, self.judged.tallies, strict=True)
        return [
            Prediction(agency, stream, policy, tally.hear, remembers=remembers) for policy, tally in pairs
        ]

    def end(self, predictions: Sequence[Prediction]) -> None:
        """Let time run to the end for one engagement, and keep what it was about."""
        for number, prediction in enumerate(predictions):
            prediction.wait(self._trial.until, inclusive=True)
            state = prediction.state
            if state.opened_at is not None:
                self._take(number, state)

    def close(self) -> Judged:
        """Write what waits."""
        for number in range(len(self._waiting)):
            self._spill(number)
        return self.judged

    def _take(self, number: int, state: Engagement) -> None:
        tally, policy = self.judged.tallies[number], self._trial.policies[number]
        tally.engagements += 1
        tally.stages[state.stage] += 1
        if state.breaches:
            found = not_kept({state.engagement_id: state}, policy, self._trial.until)
            self._waiting[number] += [each for each in found if self._trial.window.holds(each.due_at)]
            if len(self._waiting[number]) >= _SPILL:
                self._spill(number)

    def _spill(self, number: int) -> None:
        waiting, self._waiting[number] = self._waiting[number], []
        if not waiting:
            return
        runs = self.judged.runs[number]
        path = self._trial.place / f"breaches-{self._name}-{number}-{len(runs)}"
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


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a foreign log, with all that it takes to judge it."""

    trial: Trial
    path: Path
    mapping: Mapping
    key: bytes = field(repr=False)


def judge_part(part: Part) -> Judged:
    """This will judge all applicants of a part, one after the other."""
    verdicts = Verdicts(part.trial, part.path.name)
    interpreter = Interpreter(part.mapping, Pseudonyms(part.key))
    by_applicant: dict[str | None, list[Record]] = {}
    for record in spooled(part.path):
        by_applicant.setdefault(record[0], []).append(record)
    for name in list(by_applicant):
        _Applicant(verdicts, interpreter, part.trial, name).live(by_applicant.pop(name))
    return verdicts.close()


class _Applicant:
    def __init__(self, verdicts: Verdicts, interpreter: Interpreter, trial: Trial, name: str | None) -> None:
        self._verdicts, self._interpreter, self._trial = verdicts, interpreter, trial
        self._known = None if name is None else TrackedApplicant(name)
        self._predictions: list[Prediction] | None = None

    def live(self, records: Iterable[Record]) -> None:
        judged = self._verdicts.judged
        for record in records:
            reason = self._event(record)
            if reason is None:
                judged.applied += 1
                continue
            judged.left_aside += 1
            judged.examples = sorted([*judged.examples, LeftAside(record[2], reason)], key=_place)[:SHOWN]
        if self._predictions is not None:
            self._verdicts.end(self._predictions)

    def _event(self, record: Record) -> str | None:
        """Let one event happen; returns why it is left aside, if it is."""
        event = event_of(record)
        meaning = self._interpreter.meaning(event)
        situation = self._interpreter.situation(event, self._known)
        try:
            steps, self._known = self._interpreter.steps(situation, meaning)
        except Unknown as unknown:
            return f"'{event.activity}' {unknown}"
        refused: str | None = None
        for step in steps:
            if step.category == "engagement":
                refused = self._give(step) or refused
        return refused

    def _give(self, step: Step) -> str | None:
        refused: str | None = None
        if self._predictions is None:
            self._predictions = self._verdicts.predictions(AGENCY, step.stream)
        for prediction in self._predictions:
            try:
                command = command_of(step)
                prediction.decide(command, command_id=step.command_id, actor=step.actor, at=step.at)
            except CallerError as error:
                refused = f"{step.name}: {error}"
        return refused


def command_of(step: Step) -> AnyCommand:
    """Read a step's command.

    :raises InvalidCommand: it is none.
    """
    try:
        found: AnyCommand = COMMANDS[step.name].model_validate({**step.data, "name": step.name})  # type: ignore[assignment]  # each is one
        if 1900 <= step.at.year < 3000:
            return found
    except (KeyError, ValidationError):
        pass
    content = {**step.data, "at": step.at.isoformat()}
    order = parse_order(
        step.name, content, command_id=step.command_id, actor_default=step.actor, source="backtest"
    )
    return order.command


def _place(each: LeftAside) -> int:
    return each.place
