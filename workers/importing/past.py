"""A plan's commands, decided as the past of their streams, before anything is written.

A row counts whole or not at all: if one of its commands contradicts what went before, none of them is told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from activities.streams import kind_of, parse
from events.canonical import instant
from events.codec import draft
from events.decider import recall
from events.envelope import CommandGroup, event_id
from events.errors import CallerError, InvalidCommand, WrongState
from events.orders import parse_order
from events.receipts import input_of
from events.sources.plan import LeftAside, Plan, Step
from events.state import Engagement

HELD: Final = "the candidate has an engagement with the agency already, not imported from this source"


@dataclass(frozen=True, slots=True)
class Told:
    """One command with what it means for its stream."""

    step: Step
    group: CommandGroup


@dataclass(slots=True)
class PastStream:
    """All that a source tells of one stream, in order; *closed*: it ends there."""

    stream: str
    told: list[Told] = field(default_factory=list)
    closed: bool = False

    @property
    def events(self) -> int:
        """Count its events."""
        return sum(len(each.group.drafts) for each in self.told)

    @property
    def groups(self) -> list[CommandGroup]:
        """Give the groups to append: the stream is closed by the last alone, once all of it is there."""
        groups = [each.group.model_copy(update={"closes": False}) for each in self.told]
        if self.closed and groups:
            groups[-1] = groups[-1].model_copy(update={"closes": True})
        return groups


@dataclass(slots=True)
class Past:
    """Every stream of a plan by its name, and the rows that could not be told."""

    streams: dict[str, PastStream] = field(default_factory=dict)
    left_aside: list[LeftAside] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _State:
    """Where a stream stands; *now* is when its last command was decided."""

    state: Any
    now: datetime | None = None
    closed: bool = False


def past_of(plan: Plan, agency: str, until: datetime, holders: Mapping[str, str] | None = None) -> Past:
    """Decide a plan's commands, each at its own time; what is said to happen after *until* is left aside.

    *holders* says which stream is a candidate's engagement already.
    """
    past, states = Past(), dict[str, _State]()
    held = _held(plan, holders or {})
    for place, steps in groupby(plan.steps, key=attrgetter("place")):
        # On a copy, because a row that fails in the middle must leave nothing behind.
        after, told = dict[str, _State](), list[Told]()
        try:
            for step in steps:
                if step.at > until:
                    raise InvalidCommand("its time lies in the future; correct it")
                if step.stream in held:
                    raise WrongState(HELD)
                before = after.get(step.stream) or states.get(step.stream) or _initial(step.stream)
                group, after[step.stream] = _decide(step, before, agency, plan.source)
                told.append(Told(step, group))
        except CallerError as error:
            past.left_aside.append(LeftAside(place, f"{step.name}: {error}"))
            continue
        states.update(after)
        for each in told:
            past.streams.setdefault(each.step.stream, PastStream(each.step.stream)).told.append(each)
    for stream, found in past.streams.items():
        found.closed = states[stream].closed
    return past


def _held(plan: Plan, holders: Mapping[str, str]) -> frozenset[str]:
    """Name the streams that cannot be: their candidate has another one."""
    return frozenset(
        step.stream
        for step in plan.steps
        if holders.get(step.data.get("candidate_id", ""), step.stream) != step.stream
    )


def rows_of(told: list[Told]) -> Iterator[int]:
    """Name the rows that some commands come from, each once."""
    yield from dict.fromkeys(each.step.place for each in told)


def _initial(stream: str) -> _State:
    category, _, key = stream.partition(":")
    return _State(Engagement() if category == "engagement" else kind_of(stream).initial(key))


def _decide(step: Step, before: _State, agency: str, source: str) -> tuple[CommandGroup, _State]:
    now = step.at if before.now is None else max(step.at, before.now)
    if step.category == "engagement":
        order = parse_order(
            step.name,
            content_of(step),
            command_id=step.command_id,
            actor_default=step.actor,
            source=source,
        )
        key = step.stream.partition(":")[2]
        prepared = recall(order, before.state, now, agency=agency, engagement_id=key)
        return prepared.group, _State(prepared.state, now, prepared.state.closed)
    return _of_a_job_order(step, before, now, agency, source)


def content_of(step: Step) -> Mapping[str, Any]:
    """Write a step's command as a door takes it, with its own time."""
    return {**step.data, "at": instant(step.at), "actor": step.actor.model_dump()}


def _of_a_job_order(
    step: Step, before: _State, now: datetime, agency: str, source: str
) -> tuple[CommandGroup, _State]:
    kind, command = kind_of(step.stream), parse(step.stream, step.name, step.data)
    events = kind.decide(command, before.state, step.at)
    after, closed = before.state, before.closed
    for event in events:
        after, closed = kind.evolve(after, event), closed or kind.closes(event)
    drafts = tuple(
        draft(
            event,
            event_id=event_id(agency, step.stream, step.command_id, ordinal),
            decided_at=now,
            actor=step.actor,
            source=source,
            origin="imported",
        )
        for ordinal, event in enumerate(events)
    )
    group = CommandGroup(
        command_id=step.command_id,
        input=input_of(command, step.at),
        outcome="accepted" if events else "nothing-to-do",
        drafts=drafts,
    )
    return group, _State(after, now, closed)
