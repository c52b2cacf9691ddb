"""A foreign log and its mapping become a plan: which command goes to which stream, when, and why.

The plan is whole before anything is sent, and no event is lost: applied, beyond the limit, or left aside.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle

from events.agency import Entry, Role
from events.sources.errors import SourceError
from events.sources.interpreter import Interpreter, Step, submits
from events.sources.mapping import MappedActivity, Mapping
from events.sources.ocel import SourceEvent, SourceLog
from events.sources.pseudonyms import SHORTEST_KEY, Pseudonyms
from events.sources.references import Unknown, resolve
from events.sources.situation import Situation, holds
from events.sources.track import TrackedApplicant

__all__ = ["Finding", "LeftAside", "Plan", "Step", "check_source", "people_of", "plan_of"]


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
    interpreter = Interpreter(mapping, Pseudonyms(bytes(SHORTEST_KEY)))
    for event in log.events:
        interpreter.meaning(event)


class _Planner:
    def __init__(self, log: SourceLog, mapping: Mapping, pseudonyms: Pseudonyms, limit: int | None) -> None:
        self._log, self._mapping = log, mapping
        self._interpreter = Interpreter(mapping, pseudonyms)
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
            meaning = self._interpreter.meaning(event)
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

    def _understand(
        self, event: SourceEvent, meaning: MappedActivity
    ) -> tuple[Sequence[Step], list[Finding]]:
        name = self._applicant(event)
        known = None if name is None else self._applicants.get(name, TrackedApplicant(name))
        situation = self._interpreter.situation(event, known)
        steps, applicant = self._interpreter.steps(situation, meaning)
        findings = list(self._findings(situation, meaning))
        if applicant is not None:
            self._applicants[applicant.name] = applicant
        return steps, findings

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
            if submits(self._interpreter.meaning(event)) and event.named(self._mapping.objects.applicant)
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
        named = (name for event in self._log.events for name in event.named(self._mapping.objects.recruiter))
        return people_of(self._mapping, self._interpreter.pseudonyms, dict.fromkeys(named))


def people_of(mapping: Mapping, pseudonyms: Pseudonyms, recruiters: Iterable[str]) -> tuple[Entry, ...]:
    """Make up the agency that a log does not show: its recruiters are dealt to the leads in turn."""
    agency, director = mapping.agency, mapping.agency.director
    return (
        _entry(director, "director"),
        *(_entry(lead, "team-lead", director=director) for lead in agency.leads),
        *(
            _entry(pseudonyms.of("recruiter", name), "recruiter", lead=lead, director=director)
            for name, lead in zip(recruiters, cycle(agency.leads), strict=False)
        ),
    )


def _entry(person: str, role: Role, *, lead: str | None = None, director: str | None = None) -> Entry:
    # Nobody's address: the domain is reserved for examples, and a simulation's mail never leaves it.
    return Entry(
        person_id=person, role=role, team_lead=lead, director=director, email=f"{person}@agency.example"
    )


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
