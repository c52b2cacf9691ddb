"""One part of a foreign log under each policy: what a process of its own does, whatever the other parts hold.

It keeps one applicant's events and state at a time, beside the part itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from events.commands import AnyCommand
from events.errors import CallerError
from events.making import filled
from events.orders import COMMANDS, parse_order
from events.prediction import Prediction
from events.sources.interpreter import Interpreter, Step
from events.sources.mapping import Mapping
from events.sources.plan import LeftAside
from events.sources.pseudonyms import Pseudonyms
from events.sources.references import Unknown, refers
from events.sources.track import TrackedApplicant
from workers.backtest.garbage import uncollected
from workers.backtest.judging import Judged, Trial, Verdicts
from workers.backtest.ocel import WHEN, event_of
from workers.backtest.spool import Record, spooled

# The agency of a simulation: ids are derived from it, and they are to be the same.
AGENCY: Final = "simulation"
# An id with all that an id may hold: what takes it takes any.
STRANGEST: Final = "Z" + "._-" * 26 + "9"

# A command, which of its fields hold ids, and which of these hold several.
Pattern = tuple[AnyCommand, tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a foreign log, with all that it takes to judge it."""

    trial: Trial
    path: Path
    mapping: Mapping
    key: bytes = field(repr=False)


def judge_part(part: Part) -> Judged:
    """This will judge all applicants of a part, one after the other."""
    with uncollected():
        verdicts = Verdicts(part.trial, part.path.name)
        interpreter, commands = Interpreter(part.mapping, Pseudonyms(part.key)), Commands()
        by_applicant: dict[str | None, list[Record]] = {}
        for record in spooled(part.path):
            by_applicant.setdefault(record[0], []).append(record)
        for name in list(by_applicant):
            records = by_applicant.pop(name)
            # Dealt in the file's order, which need not be that of time.
            records.sort(key=WHEN)
            _Applicant(verdicts, interpreter, commands, name).live(records)
        return verdicts.close()


class _Applicant:
    def __init__(
        self, verdicts: Verdicts, interpreter: Interpreter, commands: "Commands", name: str | None
    ) -> None:
        self._verdicts, self._interpreter, self._commands = verdicts, interpreter, commands
        self._known = None if name is None else TrackedApplicant(name)
        self._predictions: list[Prediction] | None = None

    def live(self, records: Iterable[Record]) -> None:
        judged = self._verdicts.judged
        for record in records:
            reason = self._event(record)
            if reason is None:
                judged.applied += 1
                continue
            judged.leave_aside(LeftAside(record[2], reason))
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
            if step.stream.startswith("engagement:"):
                refused = self._give(step) or refused
        return refused

    def _give(self, step: Step) -> str | None:
        refused: str | None = None
        if self._predictions is None:
            self._predictions = self._verdicts.predictions(AGENCY, step.stream)
        for prediction in self._predictions:
            try:
                command = self._commands.of(step)
                prediction.decide(command, command_id=step.command_id, actor=step.actor, at=step.at)
            except CallerError as error:
                refused = f"{step.name}: {error}"
        return refused


class Commands:
    """Reads the commands of steps: one of a kind is checked, and the ids of the next are put in its place."""

    def __init__(self) -> None:
        self._patterns: dict[tuple[int, tuple[str, ...]], Pattern | None] = {}

    def of(self, step: Step) -> AnyCommand:
        """Read a step's command.

        :raises InvalidCommand: it is none.
        """
        data = step.data
        # The mapping outlives its readers, so no other can come by the same number.
        shape = (id(step.mapped), tuple(data))
        pattern = self._patterns.get(shape)
        if pattern is None:
            command = command_of(step)
            if shape not in self._patterns:
                self._patterns[shape] = _pattern(step, command)
            return command
        if not _reckonable(step.at):
            return command_of(step)
        command, names, lists = pattern
        ids = {name: data[name] for name in names}
        for name in lists:
            ids[name] = tuple(ids[name])
        return filled(command, ids)


def _pattern(step: Step, command: AnyCommand) -> Pattern | None:
    """Find out whether a command takes any id that a reference can stand for, as it is."""
    if step.mapped is None:
        return None
    names = tuple([name for name in step.data if refers(step.mapped.fields[name])])
    strange = {name: (STRANGEST,) if isinstance(step.data[name], list) else STRANGEST for name in names}
    try:
        found = type(command).model_validate({**step.data, **strange, "name": step.name})
    except ValidationError:
        return None
    as_it_is = all(getattr(found, name) == value for name, value in strange.items())
    own = all(getattr(command, name) == _taken(step.data[name]) for name in names)
    if not as_it_is or not own:
        return None
    return command, names, tuple([name for name in names if isinstance(step.data[name], list)])


def _taken(value: Any) -> Any:
    """Put a mapping's value as a command holds it."""
    return tuple(value) if type(value) is list else value


def _reckonable(at: datetime) -> bool:
    return 1900 <= at.year < 3000


def command_of(step: Step) -> AnyCommand:
    """Read a step's command.

    :raises InvalidCommand: it is none.
    """
    try:
        found: AnyCommand = COMMANDS[step.name].model_validate({**step.data, "name": step.name})  # type: ignore[assignment]  # each is one
        if _reckonable(step.at):
            return found
    except (KeyError, ValidationError):
        pass
    content = {**step.data, "at": step.at.isoformat()}
    order = parse_order(
        step.name, content, command_id=step.command_id, actor_default=step.actor, source="backtest"
    )
    return order.command
