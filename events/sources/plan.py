"""A foreign log and its mapping become a plan: which command goes to which stream, when, and why.

The plan is whole before anything is sent, and no event is lost: applied, beyond the limit, or left aside.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle
from typing import Any

from events.agency import Entry, Role
from events.envelope import Actor, derived_id
from events.sources.errors import SourceError
from events.sources.mapping import MappedActivity, MappedCommand, Mapping
from events.sources.ocel import SourceEvent, SourceLog
from events.sources.pseudonyms import Pseudonyms
from events.sources.references import Unknown, resolve
from events.sources.situation import Situation, holds
from events.sources.track import TrackedApplicant


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the plan; *place* is its source event's, from 1 in the file's own order."""

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
class Finding:
    """What a person should look at: a fact about the source, never an event of ours."""

    kind: str
    says: str
    place: int
    at: datetime
    stream: str


@dataclass(frozen=True, slots=True)
class LeftAside:
    """An event that cannot be applied, and why."""

    place: int
    reason: str


@dataclass(slots=True)
class Plan:
    """All that is to be sent, and an account of every event that was read."""

    source: str
    observes: tuple[str, ...]
    until: datetime
    read: int
    people: tuple[Entry, ...]
    steps: list[Step] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    left_aside: list[LeftAside] = field(default_factory=list)
    beyond_limit: int = 0
    applied: dict[str, int] = field(default_factory=lambda: {"engagement": 0, "job-order": 0})

    @property
    def assumed(self) -> int:
        """Count the commands that the mapping assumes."""
        return sum(step.assumed for step in self.steps)

    @property
    def engagements(self) -> list[str]:
        """List the engagements' ids in the order of their first command."""
        streams = dict.fromkeys(step.stream for step in self.steps if step.category == "engagement")
        return [stream.partition(":")[2] for stream in streams]


def plan_of(log: SourceLog, mapping: Mapping, pseudonyms: Pseudonyms, *, limit: int | None = None) -> Plan:
    """Work out every command that a foreign log stands for, in the log's own order.

    *limit* takes the applicants whose first application comes first.

    :raises SourceError: see :func:`check_source`.
    """
    check_source(log, mapping, limit=limit)
    return _Planner(log, mapping, pseudonyms, limit).plan()


def check_source(log: SourceLog, mapping: Mapping, *, limit: int | None = None) -> None:
    """Make sure that a plan can be made, before anything is.

    :raises SourceError: the mapping does not say what an event means, or the limit is no number of people.
    """
    if limit is not None and limit < 1:
        raise SourceError("the limit is a number of applicants: give at least 1")
    known = {each.name for each in mapping.activity}
    for event in log.events:
        if event.activity not in known:
            shown = event.activity if event.activity.isprintable() and len(event.activity) < 60 else "?"
            raise SourceError(f"the mapping does not say what '{shown}' means (event {event.place}); add it")


class _Planner:
    def __init__(self, log: SourceLog, mapping: Mapping, pseudonyms: Pseudonyms, limit: int | None) -> None:
        self._log, self._mapping, self._pseudonyms = log, mapping, pseudonyms
        self._meanings = {each.name: each for each in mapping.activity}
        self._applicant_of = _applicants(log, mapping)
        self._chosen = self._choose(limit)
        self._linked = self._job_orders_of(self._chosen or frozenset())
        self._applicants: dict[str, TrackedApplicant] = {}

    def plan(self) -> Plan:
        plan = Plan(
            source=self._mapping.name,
            observes=self._mapping.observes,
            until=self._log.until,
            read=len(self._log.events),
            people=self._people(),
        )
        for event in self._log.events:
            meaning = self._meanings[event.activity]
            if not self._within(event, meaning):
                plan.beyond_limit += 1
                continue
            try:
                steps, findings = self._understand(event, meaning)
            except Unknown as unknown:
                plan.left_aside.append(LeftAside(event.place, f"'{event.activity}' {unknown}"))
                continue
            plan.steps += steps
            plan.findings += findings
            plan.applied[meaning.lands_on] += 1
        return plan

    def _understand(self, event: SourceEvent, meaning: MappedActivity) -> tuple[list[Step], list[Finding]]:
        situation = self._situation(event)
        if meaning.lands_on == "engagement" and situation.application is None and not _submits(meaning):
            raise Unknown("concerns an application that no event before it brings")
        findings = list(self._findings(situation, meaning))
        steps: list[Step] = []
        for ordinal, command in enumerate(meaning.commands):
            if not all(holds(each, situation) for each in command.when):
                continue
            step = self._step(situation, meaning, command, ordinal)
            situation = situation.after(step.name, step.data) if command.on == "engagement" else situation
            steps.append(step)
        if not steps:
            raise Unknown("stands for no command in the state it meets")
        if situation.applicant is not None:
            self._applicants[situation.applicant.name] = situation.applicant
        return steps, findings

    def _situation(self, event: SourceEvent) -> Situation:
        name = self._applicant(event)
        return Situation(
            event=event,
            objects=self._mapping.objects,
            pseudonyms=self._pseudonyms,
            applicant=None if name is None else self._applicants.get(name, TrackedApplicant(name)),
        )

    def _step(
        self, situation: Situation, meaning: MappedActivity, command: MappedCommand, ordinal: int
    ) -> Step:
        event = situation.event
        stream = f"{command.on.removeprefix('named-')}:{resolve('$' + command.on, situation)}"
        data = {name: resolve(value, situation) for name, value in command.fields.items()}
        actor = Actor(kind="integration", id=self._mapping.name)
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

    def _findings(self, situation: Situation, meaning: MappedActivity) -> Iterator[Finding]:
        event = situation.event
        for found in meaning.findings:
            if not all(holds(each, situation) for each in found.when):
                continue
            streams: Iterable[str] = self._others_alive(situation)
            if found.each == "event":
                streams = (f"{meaning.lands_on}:{resolve('$' + meaning.commands[0].on, situation)}",)
            for stream in streams:
                yield Finding(found.kind, found.says, event.place, event.at, stream)

    def _others_alive(self, situation: Situation) -> Iterator[str]:
        job_order = situation.named_job_order
        for other in self._applicants.values():
            is_own = situation.applicant is not None and other.name == situation.applicant.name
            if job_order is not None and not is_own and other.alive_on(job_order):
                yield f"engagement:{situation.engagement_of(other.name)}"

    # -- who and what lies within the limit ---------------------------------------------------------

    def _applicant(self, event: SourceEvent) -> str | None:
        named = event.named(self._mapping.objects.applicant)
        if named:
            return named[0]
        applications = event.named(self._mapping.objects.application)
        return self._applicant_of.get(applications[0]) if applications else None

    def _choose(self, limit: int | None) -> frozenset[str] | None:
        if limit is None:
            return None
        first = dict.fromkeys(
            event.named(self._mapping.objects.applicant)[0]
            for event in self._log.events
            if _submits(self._meanings[event.activity]) and event.named(self._mapping.objects.applicant)
        )
        return frozenset(list(first)[:limit])

    def _job_orders_of(self, chosen: frozenset[str]) -> frozenset[str]:
        return frozenset(
            job_order
            for event in self._log.events
            if self._applicant(event) in chosen
            for job_order in event.named(self._mapping.objects.job_order)
        )

    def _within(self, event: SourceEvent, meaning: MappedActivity) -> bool:
        if self._chosen is None:
            return True
        if meaning.lands_on == "engagement":
            applicant = self._applicant(event)
            return applicant is None or applicant in self._chosen
        named = event.named(self._mapping.objects.job_order)
        return not named or named[0] in self._linked

    def _people(self) -> tuple[Entry, ...]:
        recruiters = dict.fromkeys(
            name for event in self._log.events for name in event.named(self._mapping.objects.recruiter)
        )
        agency, director = self._mapping.agency, self._mapping.agency.director
        return (
            _entry(director, "director"),
            *(_entry(lead, "team-lead", director=director) for lead in agency.leads),
            *(
                _entry(self._pseudonyms.of("recruiter", name), "recruiter", lead=lead, director=director)
                for name, lead in zip(recruiters, cycle(agency.leads), strict=False)
            ),
        )


def _entry(person: str, role: Role, *, lead: str | None = None, director: str | None = None) -> Entry:
    # Nobody's address: the domain is reserved for examples, and a simulation's mail never leaves it.
    return Entry(
        person_id=person, role=role, team_lead=lead, director=director, email=f"{person}@agency.example"
    )


def _submits(meaning: MappedActivity) -> bool:
    return any(command.do == "record-application" for command in meaning.commands)


def _applicants(log: SourceLog, mapping: Mapping) -> dict[str, str]:
    found: dict[str, str] = {}
    for event in log.events:
        people, applications = (
            event.named(mapping.objects.applicant),
            event.named(mapping.objects.application),
        )
        if people and applications:
            found.setdefault(applications[0], people[0])
    return found
