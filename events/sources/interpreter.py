"""What one event of a foreign log stands for: its commands, given what is known of its applicant so far.

It knows one applicant at a time and nothing else of the log, so a log of any length can pass through it.
"""

from collections.abc import Sequence
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
from events.sources.situation import Situation, holds, situation_at
from events.sources.track import TrackedApplicant


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

    @property
    def assumed(self) -> bool:
        """Tell whether the mapping, and not the log, says this."""
        return self.assumes is not None

    @property
    def category(self) -> str:
        """Give the category of the stream."""
        return self.stream.partition(":")[0]


@dataclass(frozen=True, slots=True)
class _Reader:
    """One command of a mapping, ready to be read for one event after another."""

    command: MappedCommand
    category: str
    key: Reading
    fields: tuple[tuple[str, Reading], ...]
    ordinal: str


class Interpreter:
    """Reads events by a mapping, under pseudonyms."""

    def __init__(self, mapping: Mapping, pseudonyms: Pseudonyms) -> None:
        self.mapping, self.pseudonyms = mapping, pseudonyms.standing_in(mapping.people)
        self._meanings = {each.name: each for each in mapping.activity}
        self._readers = {each.name: _readers(each) for each in mapping.activity}
        self._actors = {
            each.name: reading(each.actor.id) for each in mapping.activity if each.actor is not None
        }

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
        if meaning.lands_on == "engagement" and situation.application is None and not submits(meaning):
            raise Unknown("concerns an application that no event before it brings")
        steps: list[Step] = []
        for reader in self._readers[meaning.name]:
            for condition in reader.command.when:
                if not holds(condition, situation):
                    break
            else:
                step = self._step(situation, meaning, reader)
                if reader.category == "engagement":
                    situation = situation.after(step.name, step.data)
                steps.append(step)
        if not steps:
            raise Unknown("stands for no command in the state it meets")
        return steps, situation.applicant

    def _step(self, situation: Situation, meaning: MappedActivity, reader: _Reader) -> Step:
        event = situation.event
        stream = f"{reader.category}:{reader.key(situation)}"
        data: dict[str, Any] = {}
        for name, read in reader.fields:
            value = read(situation)
            if value is not None:
                data[name] = value
        kind: ActorKind = "integration"
        person = self.mapping.name
        if meaning.actor is not None:
            kind, person = meaning.actor.kind, self._actors[meaning.name](situation)
        return Step(
            at=event.at,
            place=event.place,
            stream=stream,
            name=reader.command.do,
            data=data,
            command_id=derived_text(stream, str(event.place), reader.ordinal),
            actor=_actor(kind, person),
            assumes=reader.command.assumes,
        )


def _readers(meaning: MappedActivity) -> tuple[_Reader, ...]:
    return tuple(
        _Reader(
            command,
            command.on.removeprefix("named-"),
            reading(f"${command.on}"),
            tuple((name, reading(value)) for name, value in command.fields.items()),
            str(ordinal),
        )
        for ordinal, command in enumerate(meaning.commands)
    )


@lru_cache(maxsize=4096)
def _actor(kind: ActorKind, person: str) -> Actor:
    return Actor(kind=kind, id=person)


def submits(meaning: MappedActivity) -> bool:
    """Tell whether such an event is an application."""
    return any(command.do == "record-application" for command in meaning.commands)
