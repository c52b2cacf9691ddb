"""An agency's own stream: its people, their lines, and the policies it adopted, told in one file.

The events are stored formats.  People are opaque ids; only the sealed name and address say who they are.
"""

from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar, Final, Literal, assert_never, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from events.absences import (
    Absence,
    AbsenceEnded,
    AbsenceRecorded,
    EndAbsence,
    RecordAbsence,
    began,
    end_absence,
    record_absence,
)
from events.caseloads import (
    CaseloadReassignmentCompleted,
    CaseloadReassignmentStarted,
    CompleteReassignment,
    Reassignment,
    StartReassignment,
    begun,
    complete_reassignment,
    start_reassignment,
)
from events.catalogue import Event, PolicyAdopted
from events.codec import registry_of
from events.commands import Command
from events.errors import InvalidCommand
from events.glass import BreakGlass, BreakGlassUsed, break_glass, broken
from events.kinds import Code, Id, Moment
from events.personal import Personal
from events.policy import LARGEST_COMPILED, read_policy
from events.policy_checks import problems_of

Role = Literal["recruiter", "team-lead", "director", "compliance"]


def key_subject_of(person_id: str) -> str:
    """Name the subject whose key seals one person's name and address."""
    return f"person:{person_id}"


# -- events -------------------------------------------------------------------------------------


class PersonJoined(Event):
    """Somebody works for the agency from now on."""

    schema_version: ClassVar[int] = 2
    type: Literal["person-joined"] = "person-joined"
    person_id: Id
    role: Role
    team_lead: Id | None = None
    director: Id | None = None
    name: Personal[str | None] = None
    email: Personal[str | None] = None
    team: Code | None = None
    office: Code | None = Field(default=None, description="whose calendar counts: one of the policy's")

    def key_subject(self) -> str | None:
        """Name the person: each can be erased alone."""
        return key_subject_of(self.person_id)


class PersonChanged(Event):
    """A person's role, line, name or address is another now; the event holds all of them."""

    schema_version: ClassVar[int] = 2
    type: Literal["person-changed"] = "person-changed"
    person_id: Id
    role: Role
    team_lead: Id | None = None
    director: Id | None = None
    name: Personal[str | None] = None
    email: Personal[str | None] = None
    team: Code | None = None
    office: Code | None = Field(default=None, description="whose calendar counts: one of the policy's")

    def key_subject(self) -> str | None:
        """Name the person: each can be erased alone."""
        return key_subject_of(self.person_id)


class PersonLeft(Event):
    """Somebody no longer works for the agency; what they owed climbs their line."""

    type: Literal["person-left"] = "person-left"
    person_id: Id


class OutreachHeld(Event):
    """Nothing leaves the house until the release: what is owed waits, and is neither lost nor failed."""

    type: Literal["outreach-held"] = "outreach-held"
    reason: Code = Field(description="e.g. wrong-template, wrong-recipients, client-request")
    by: Id | None = None
    words: Personal[str | None] = None


class OutreachReleased(Event):
    """What was held may leave again."""

    type: Literal["outreach-released"] = "outreach-released"
    by: Id | None = None


AnyAgencyEvent = Annotated[
    PersonJoined
    | PersonChanged
    | PersonLeft
    | PolicyAdopted
    | OutreachHeld
    | OutreachReleased
    | AbsenceRecorded
    | AbsenceEnded
    | CaseloadReassignmentStarted
    | CaseloadReassignmentCompleted
    | BreakGlassUsed,
    Field(discriminator="type"),
]
EVENTS: Final[dict[str, type[Event]]] = registry_of(AnyAgencyEvent)

# -- commands -----------------------------------------------------------------------------------


class Entry(BaseModel):
    """A person as the agency's file describes them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    person_id: Id
    role: Role
    team_lead: Id | None = None
    director: Id | None = None
    name: Personal[str | None] = None
    email: Personal[str | None] = None
    team: Code | None = None
    office: Code | None = None


class LoadPeople(Command):
    """Say who works here, all of them: who is missing from the list has left."""

    name: Literal["load-people"] = "load-people"
    people: tuple[Entry, ...]


class AdoptAgencyPolicy(Command):
    """Let this policy govern every engagement that opens from now on."""

    name: Literal["adopt-policy"] = "adopt-policy"
    body: str = Field(description="the canonical text, as Policy.body() writes it")


class HoldOutreach(Command):
    """Let no message leave, of any engagement, until the release."""

    name: Literal["hold-outreach"] = "hold-outreach"
    reason: Code
    by: Id | None = None
    words: Personal[str | None] = None


class ReleaseOutreach(Command):
    """Let what was held leave."""

    name: Literal["release-outreach"] = "release-outreach"
    by: Id | None = None


AnyAgencyCommand = Annotated[
    LoadPeople
    | AdoptAgencyPolicy
    | HoldOutreach
    | ReleaseOutreach
    | RecordAbsence
    | EndAbsence
    | StartReassignment
    | CompleteReassignment
    | BreakGlass,
    Field(discriminator="name"),
]
COMMANDS: Final[dict[str, type[Command]]] = {
    each.model_fields["name"].default: each for each in get_args(get_args(AnyAgencyCommand)[0])
}

# -- state --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """Whom a person's duties climb to, as far as the file says."""

    team_lead: str | None
    director: str | None


@dataclass(frozen=True, slots=True)
class Hold:
    """Since when nothing leaves, and why; what was said about it is in the event alone."""

    since: Moment
    reason: str
    by: str | None


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency after its events; entries hold names only where the reader opened them."""

    agency: str = ""
    people: dict[str, Entry] = field(default_factory=dict)
    """Who works here now."""
    left: dict[str, Entry] = field(default_factory=dict)
    """Who worked here once; their lines still say who answers for what they owed."""
    policy_digest: str | None = None
    policy_name: str | None = None
    outreach_held: Hold | None = None
    """None: messages may leave."""
    absences: dict[str, Absence] = field(default_factory=dict)
    """Every absence there was, is or will be, by its id."""
    reassignments: dict[str, Reassignment] = field(default_factory=dict)
    """Caseloads whose handing over has begun and is not finished."""
    glasses: dict[str, Moment] = field(default_factory=dict)
    """Until when an engagement's personal fields are open to a credential that may not see them."""

    def lines(self) -> dict[str, Line]:
        """Give everybody's line, of those who left too; only people who work here now stand in one.

        A missing director is the team lead's.
        """
        return {each: self._line(entry) for each, entry in {**self.left, **self.people}.items()}

    def line(self, person_id: str) -> Line | None:
        """Give one person's line, as :meth:`lines` does; None: nobody of this id works or worked here."""
        entry = self.people.get(person_id) or self.left.get(person_id)
        return None if entry is None else self._line(entry)

    def _line(self, entry: Entry) -> Line:
        team_lead = entry.team_lead if entry.team_lead in self.people else None
        above = self.people.get(entry.team_lead or "") or self.left.get(entry.team_lead or "")
        candidates = (entry.director, above.director if above else None)
        return Line(team_lead, next((each for each in candidates if each in self.people), None))


def initial(agency: str) -> Agency:
    """Give the state before the first event."""
    return Agency(agency=agency)


def evolve(state: Agency, event: AnyAgencyEvent) -> Agency:
    """Fold one event in.  Never raises: the past is not open to objection."""
    match event:
        case PersonJoined() | PersonChanged():
            entry = Entry.model_construct(**{name: getattr(event, name) for name in Entry.model_fields})
            left = {each: was for each, was in state.left.items() if each != event.person_id}
            return replace(state, people={**state.people, event.person_id: entry}, left=left)
        case PersonLeft():
            people = {each: entry for each, entry in state.people.items() if each != event.person_id}
            was = state.people.get(event.person_id)
            return replace(
                state, people=people, left={**state.left, event.person_id: was} if was else state.left
            )
        case PolicyAdopted():
            return replace(state, policy_digest=event.digest, policy_name=event.name)
        case OutreachHeld():
            return replace(state, outreach_held=Hold(event.at, event.reason, event.by))
        case OutreachReleased():
            return replace(state, outreach_held=None)
        case AbsenceRecorded():
            return replace(state, absences=began(state.absences, event))
        case AbsenceEnded():
            return _back(state, event)
        case CaseloadReassignmentStarted():
            running = {**state.reassignments, event.reassignment_id: begun(event)}
            return replace(state, reassignments=running)
        case CaseloadReassignmentCompleted():
            left_over = {
                each: running
                for each, running in state.reassignments.items()
                if each != event.reassignment_id
            }
            return replace(state, reassignments=left_over)
        case BreakGlassUsed():
            return replace(state, glasses=broken(state.glasses, event))
        case _:
            assert_never(event)


def _back(state: Agency, event: AbsenceEnded) -> Agency:
    found = state.absences.get(event.absence_id)
    if found is None:
        return state
    return replace(state, absences={**state.absences, event.absence_id: replace(found, until=event.ended_at)})


# -- decisions ----------------------------------------------------------------------------------


def decide(command: AnyAgencyCommand, state: Agency, at: Moment) -> list[AnyAgencyEvent]:
    """Give the events that a command leads to; none when it says what is known already.

    The state must be folded from opened events, else every name and address looks changed.

    :raises CallerError: e.g. a person comes twice, a line names somebody unknown, the policy is malformed.
    """
    match command:
        case LoadPeople():
            check_people(command.people)
            return _load(command, state, at)
        case AdoptAgencyPolicy():
            return _adopt(command, state, at)
        case HoldOutreach():
            if state.outreach_held is not None:
                return []
            return [OutreachHeld(at=at, reason=command.reason, by=command.by, words=command.words)]
        case ReleaseOutreach():
            return [] if state.outreach_held is None else [OutreachReleased(at=at, by=command.by)]
        case RecordAbsence():
            return [*record_absence(command, state.people, state.absences, at)]
        case EndAbsence():
            return [*end_absence(command, state.absences, at)]
        case StartReassignment():
            return [*start_reassignment(command, state.people, state.left, state.reassignments, at)]
        case CompleteReassignment():
            return [*complete_reassignment(command, state.reassignments, at)]
        case BreakGlass():
            return [*break_glass(command, state.glasses, at)]
        case _:
            assert_never(command)


def closes(event: AnyAgencyEvent) -> bool:
    """Tell whether the stream ends with this event; an agency's never does."""
    return False


def check_people(people: tuple[Entry, ...]) -> None:
    """Make sure that everybody comes once, and that the lines lead to people of the right role.

    :raises InvalidCommand: with one sentence about the first mistake.
    """
    roles: dict[str, Role] = {}
    for entry in people:
        if entry.person_id in roles:
            raise InvalidCommand(f"person '{entry.person_id}' comes twice; keep one of them")
        roles[entry.person_id] = entry.role
    for entry in people:
        for wanted, named in (("team-lead", entry.team_lead), ("director", entry.director)):
            if named is not None and named not in roles:
                raise InvalidCommand(
                    f"the {wanted} '{named}' of '{entry.person_id}' is not in the list; add them or mend it"
                )
            if named is not None and roles[named] not in (wanted, "director"):
                raise InvalidCommand(
                    f"the {wanted} '{named}' of '{entry.person_id}' has the role {roles[named]}; "
                    f"name somebody with the role {wanted}"
                )


def _load(command: LoadPeople, state: Agency, at: Moment) -> list[AnyAgencyEvent]:
    events: list[AnyAgencyEvent] = []
    for entry in command.people:
        fields = {name: getattr(entry, name) for name in Entry.model_fields}
        known = state.people.get(entry.person_id)
        if known is None:
            events.append(PersonJoined(at=at, **fields))
        elif known != entry:
            events.append(PersonChanged(at=at, **fields))
    named = {entry.person_id for entry in command.people}
    events += [PersonLeft(at=at, person_id=each) for each in sorted(state.people) if each not in named]
    return events


def _adopt(command: AdoptAgencyPolicy, state: Agency, at: Moment) -> list[AnyAgencyEvent]:
    try:
        policy = read_policy(command.body)
    except ValidationError as error:
        raise InvalidCommand(
            f"the policy's body is not a compiled policy ({error.error_count()} problems); "
            "compile it with 'rapport agency load --policy FILE'"
        ) from None
    if len(command.body.encode()) > LARGEST_COMPILED:
        raise InvalidCommand(
            "the compiled policy is larger than 32 KiB; shorten its texts or split its rules"
        )
    if policy.body() != command.body:
        raise InvalidCommand("the policy's body is not in canonical form; write it with Policy.body()")
    if policy.digest() == state.policy_digest:
        return []
    if problems := problems_of(policy):
        raise InvalidCommand(f"the policy cannot be run: {problems[0]}")
    return [PolicyAdopted(at=at, digest=policy.digest(), name=policy.name, body=command.body)]
