"""What one event of a foreign log stands for: its commands, given what is known of its applicant so far.

It knows one applicant at a time and nothing else of the log, so a log of any length can pass through it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from events.envelope import Actor, derived_id
from events.sources.errors import SourceError
from events.sources.mapping import MappedActivity, MappedCommand, Mapping
from events.sources.ocel import SourceEvent
from events.sources.pseudonyms import Pseudonyms
from events.sources.references import Unknown, resolve
from events.sources.situation import Situation, holds
from events.sources.track import TrackedApplicant


@dataclass(frozen=True, slots=True)
class Step:
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


class Interpreter:
    """Reads events by a mapping, under pseudonyms."""

    def __init__(self, mapping: Mapping, pseudonyms: Pseudonyms) -> None:
        self.mapping, self.pseudonyms = mapping, pseudonyms.standing_in(mapping.people)
        self._meanings = {each.name: each for each in mapping.activity}
        self._itself = Actor(kind="integration", id=mapping.name)

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
        return Situation(event, self.mapping.objects, self.pseudonyms, applicant)

    def steps(
        self, situation: Situation, meaning: MappedActivity
    ) -> tuple[Sequence[Step], TrackedApplicant | None]:
        """Give an event's commands, and what is known of its applicant after them.

        :raises Unknown: it cannot be applied, and why.
        """
        if meaning.lands_on == "engagement" and situation.application is None and not submits(meaning):
            raise Unknown("concerns an application that no event before it brings")
        steps: list[Step] = []
        for ordinal, command in enumerate(meaning.commands):
            if not all(holds(each, situation) for each in command.when):
                continue
            step = self._step(situation, meaning, command, ordinal)
            situation = situation.after(step.name, step.data) if command.on == "engagement" else situation
            steps.append(step)
        if not steps:
            raise Unknown("stands for no command in the state it meets")
        return steps, situation.applicant

    def _step(
        self, situation: Situation, meaning: MappedActivity, command: MappedCommand, ordinal: int
    ) -> Step:
        event = situation.event
        stream = f"{command.on.removeprefix('named-')}:{resolve('$' + command.on, situation)}"
        data = {name: resolve(value, situation) for name, value in command.fields.items()}
        actor = self._itself
        if meaning.actor is not None:
            actor = Actor(kind=meaning.actor.kind, id=resolve(meaning.actor.id, situation))
        return Step(
            at=event.at,
            place=event.place,
            stream=stream,
            name=command.do,
            data={name: value for name, value in data.items() if value is not None},
            command_id=str(derived_id(stream, str(event.place), str(ordinal))),
            actor=actor,
            assumes=command.assumes,
        )


def submits(meaning: MappedActivity) -> bool:
    """Tell whether such an event is an application."""
    return any(command.do == "record-application" for command in meaning.commands)
