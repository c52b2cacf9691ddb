"""What one event of a foreign log stands for: its commands, given what is known of its applicant so far.

It knows one applicant at a time and nothing else of the log, so a log of any length can pass through it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from events.envelope import Actor, ActorKind, derived_text
from events.sources.errors import SourceError
from events.sources.mapping import MappedActivity, MappedCommand, Mapping
from events.sources.ocel import SourceEvent
from events.sources.pseudonyms import Pseudonyms
from events.sources.references import Reading, Unknown, reading
from events.sources.situation import CONDITIONS, Situation, situation_at
from events.sources.track import FOLLOWED, TrackedApplicant


class Step(NamedTuple):
    """One command of a plan; *place* is its source event's, from 1 in the file's own order."""

    at: datetime
    place: int
    stream: str
    name: str
    data: dict[str, Any]
    command_id: str
    actor: Actor
    assumes: str | None = None
    mapped: MappedCommand | None = None
    """What of the mapping it comes from; its fields say which values are ids of ours."""

    @property
    def assumed(self) -> bool:
        """Tell whether the mapping, and not the log, says this."""
        return self.assumes is not None

    @property
    def category(self) -> str:
        """Give the category of the stream."""
        return self.stream.partition(":")[0]


@dataclass(slots=True)
class _Reader:
    """One command of a mapping, ready to be read for one event after another."""

    command: MappedCommand
    name: str
    category: str
    prefix: str
    key: Reading
    conditions: tuple[Callable[[Situation], bool], ...]
    fields: tuple[tuple[str, Reading], ...]
    ordinal: str
    kind: ActorKind
    person: Reading
    followed: bool
    """Whether what is known of the applicant can change by it."""


class Interpreter:
    """Reads events by a mapping, under pseudonyms."""

    def __init__(self, mapping: Mapping, pseudonyms: Pseudonyms) -> None:
        self.mapping, self.pseudonyms = mapping, pseudonyms.standing_in(mapping.people)
        self._meanings = {each.name: each for each in mapping.activity}
        self._readers = {each.name: _readers(each, mapping.name) for each in mapping.activity}
        self._begun = frozenset(
            each.name for each in mapping.activity if each.lands_on == "engagement" and not submits(each)
        )
        """What needs an application that an event before it brings."""

    def meaning(self, event: SourceEvent) -> MappedActivity:
        """Look up what such an event means.

        :raises SourceError: the mapping does not say.
        """
        found = self._meanings.get(event.activity)
        if found is None:
            shown = event.activity if event.activity.isprintable() and len(event.activity) < 60 else "?"
            raise SourceError(f"the mapping does not say what '{shown}' means (event {event.place}); add it")
        return found

    def situation(self, event: SourceEvent, applicant: TrackedApplicant | None) -> Situation:
        """Put an event beside what is known of its applicant so far."""
        return situation_at(event, self.mapping.objects, self.pseudonyms, applicant)

    def steps(
        self, situation: Situation, meaning: MappedActivity
    ) -> tuple[Sequence[Step], TrackedApplicant | None]:
        """Give an event's commands, and what is known of its applicant after them.

        :raises Unknown: it cannot be applied, and why.
        """
        if situation.application is None and meaning.name in self._begun:
            raise Unknown("concerns an application that no event before it brings")
        steps: list[Step] = []
        for reader in self._readers[meaning.name]:
            for condition in reader.conditions:
                if not condition(situation):
                    break
            else:
                step = _step(situation, reader)
                if reader.followed:
                    situation = situation.after(step.name, step.data)
                steps.append(step)
        if not steps:
            raise Unknown("stands for no command in the state it meets")
        return steps, situation.applicant


def _step(situation: Situation, reader: _Reader) -> Step:
    event = situation.event
    stream = reader.prefix + reader.key(situation)
    data: dict[str, Any] = {}
    for name, read in reader.fields:
        value = read(situation)
        if value is not None:
            data[name] = value
    return Step(
        event.at,
        event.place,
        stream,
        reader.name,
        data,
        derived_text(stream, str(event.place), reader.ordinal),
        _actor(reader.kind, reader.person(situation)),
        reader.command.assumes,
        reader.command,
    )


def _readers(meaning: MappedActivity, source: str) -> tuple[_Reader, ...]:
    kind: ActorKind = "integration" if meaning.actor is None else meaning.actor.kind
    person = reading(source if meaning.actor is None else meaning.actor.id)
    return tuple(
        _Reader(
            command=command,
            name=command.do,
            category=(category := command.on.removeprefix("named-")),
            prefix=f"{category}:",
            key=reading(f"${command.on}"),
            conditions=tuple(CONDITIONS[each] for each in command.when),
            fields=tuple((name, reading(value)) for name, value in command.fields.items()),
            ordinal=str(ordinal),
            kind=kind,
            person=person,
            followed=category == "engagement" and command.do in FOLLOWED,
        )
        for ordinal, command in enumerate(meaning.commands)
    )


@lru_cache(maxsize=4096)
def _actor(kind: ActorKind, person: str) -> Actor:
    return Actor(kind=kind, id=person)


def submits(meaning: MappedActivity) -> bool:
    """Tell whether such an event is an application."""
    return any(command.do == "record-application" for command in meaning.commands)
