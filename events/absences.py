"""Absences of an agency's people, and who stands in for them: the events, the commands, the decisions.

Every moment here is the domain's: whoever asks who is away says for when, and never looks at a clock.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from events.canonical import instant
from events.catalogue import Event
from events.commands import Command
from events.errors import InvalidCommand, UnknownReference, WrongState
from events.kinds import Code, GivenMoment, Id, Moment

# -- events -------------------------------------------------------------------------------------


class AbsenceRecorded(Event):
    """Somebody is away for a while; what would come to them goes to their cover, else up their line."""

    type: Literal["absence-recorded"] = "absence-recorded"
    absence_id: Id
    person_id: Id
    starts_at: Moment
    ends_at: Moment = Field(description="the first moment at which they are back")
    cover: Id | None = Field(default=None, description="who stands in; None: the next of their line")
    kind: Code = Field(default="away", description="e.g. away, leave, training; never a diagnosis")


class AbsenceEnded(Event):
    """Somebody is back sooner than was recorded, or was never away."""

    type: Literal["absence-ended"] = "absence-ended"
    absence_id: Id
    ended_at: Moment = Field(description="not after the start: the absence never came to be")


# -- commands -----------------------------------------------------------------------------------


class RecordAbsence(Command):
    """Report that somebody is away, was or will be, and who stands in for them."""

    name: Literal["record-absence"] = "record-absence"
    absence_id: Id
    person_id: Id
    starts_at: GivenMoment
    ends_at: GivenMoment
    cover: Id | None = None
    absence_kind: Code = "away"


class EndAbsence(Command):
    """Report that somebody is back before the end that was recorded."""

    name: Literal["end-absence"] = "end-absence"
    absence_id: Id
    ended_at: GivenMoment | None = Field(default=None, description="None: when the command says it happened")


# -- state --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Absence:
    """One absence as far as it is known."""

    absence_id: str
    person_id: str
    starts_at: Moment
    until: Moment
    """The first moment at which the person is back; the end that was recorded, or an earlier one."""
    cover: str | None
    kind: str

    def holds(self, at: Moment) -> bool:
        """Tell whether the person is away at a moment."""
        return self.starts_at <= at < self.until


Absences = Mapping[str, Absence]


def absence_of(absences: Absences, person_id: str, at: Moment) -> Absence | None:
    """Find the absence of a person at a moment; None: they are there."""
    return next((each for each in absences.values() if each.person_id == person_id and each.holds(at)), None)


def began(absences: Absences, event: AbsenceRecorded) -> dict[str, Absence]:
    """Fold a new absence in."""
    absence = Absence(
        absence_id=event.absence_id,
        person_id=event.person_id,
        starts_at=event.starts_at,
        until=event.ends_at,
        cover=event.cover,
        kind=event.kind,
    )
    return {**absences, event.absence_id: absence}


# -- decisions ----------------------------------------------------------------------------------


def record_absence(
    command: RecordAbsence, people: Container[str], absences: Absences, at: Moment
) -> list[AbsenceRecorded]:
    """Note who is away and who stands in, once; the same again says nothing new.

    :raises InvalidCommand: nobody of that id works here, the cover is no other person, or the end is no end.
    :raises WrongState: the person is away at that time already, or the id stands for another absence.
    """
    if command.person_id not in people:
        raise InvalidCommand(
            "record-absence: 'person_id' names nobody who works here; name one of the people"
        )
    if command.cover is not None and command.cover not in people:
        raise InvalidCommand(
            "record-absence: 'cover' names nobody who works here; name one of the people, or nobody"
        )
    if command.cover == command.person_id:
        raise InvalidCommand(
            f"record-absence: '{command.cover}' cannot stand in for themselves; name somebody else as cover"
        )
    if command.ends_at <= command.starts_at:
        raise InvalidCommand(
            "record-absence: 'ends_at' must be later than 'starts_at'; give the day they are back"
        )
    if any(_says_the_same(each, command) for each in absences.values()):
        return []
    if command.absence_id in absences:
        raise WrongState(f"'{command.absence_id}' is the id of another absence; give a new one")
    _must_be_there(command, absences)
    return [
        AbsenceRecorded(
            at=at,
            absence_id=command.absence_id,
            person_id=command.person_id,
            starts_at=command.starts_at,
            ends_at=command.ends_at,
            cover=command.cover,
            kind=command.absence_kind,
        )
    ]


def end_absence(command: EndAbsence, absences: Absences, at: Moment) -> list[AbsenceEnded]:
    """Note that somebody is back sooner; of an absence that is over by then it says nothing new.

    :raises UnknownReference: there is no such absence.
    :raises InvalidCommand: it would make the absence longer.
    """
    found = absences.get(command.absence_id)
    if found is None:
        raise UnknownReference(
            "absence", command.absence_id, "'rapport agency absence list' names those there are"
        )
    ended_at = command.ended_at or at
    if command.ended_at is not None and command.ended_at > found.until:
        raise InvalidCommand(
            f"end-absence: '{command.absence_id}' ends at {instant(found.until)} anyway; "
            "to make it longer, record another one from there"
        )
    if found.until <= ended_at or found.until <= found.starts_at:
        return []
    return [AbsenceEnded(at=at, absence_id=command.absence_id, ended_at=ended_at)]


def _says_the_same(absence: Absence, command: RecordAbsence) -> bool:
    return (absence.person_id, absence.starts_at, absence.until, absence.cover, absence.kind) == (
        command.person_id,
        command.starts_at,
        command.ends_at,
        command.cover,
        command.absence_kind,
    )


def _must_be_there(command: RecordAbsence, absences: Absences) -> None:
    for each in absences.values():
        apart = command.ends_at <= each.starts_at or each.until <= command.starts_at
        if each.person_id == command.person_id and not apart and each.starts_at < each.until:
            raise WrongState(
                f"'{each.person_id}' is away from {instant(each.starts_at)} until {instant(each.until)} "
                f"already (absence '{each.absence_id}'); end that one first, or give other days"
            )
