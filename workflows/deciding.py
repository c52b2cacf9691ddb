"""Decides a handful of letters against a scratch copy of the state, for one append.

Nothing here is true before the log has taken it: the caller folds what the append returns, not this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from events.admission import must_be_at
from events.clock import ClockSpec, decision_time
from events.commands import Order
from events.decider import Prepared, prepare, tick
from events.envelope import CommandGroup, Stored
from events.errors import CallerError
from events.policy import Policy
from events.receipts import input_of
from events.state import Engagement
from workflows.inbox import Entry


@dataclass(frozen=True)
class Desk:
    """All that a decision looks at besides the command."""

    agency: str
    engagement_id: str
    state: Engagement
    policy: Policy | None
    clock: ClockSpec
    now: datetime
    history: tuple[Stored, ...] = ()
    offices: Mapping[str, str] = field(default_factory=dict)

    def time_of(self, entry: Entry, state: Engagement) -> datetime:
        """Give the time at which a command is decided."""
        return decision_time(self.clock, self.now, entry.letter.order.at, state.decided_at)


@dataclass
class Plan:
    """What to append, for whom, and who made a mistake."""

    groups: list[CommandGroup] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    mistaken: list[tuple[Entry, CallerError]] = field(default_factory=list)


def plan(entries: Sequence[Entry], desk: Desk, *, steps_apart: bool) -> Plan:
    """Decide each letter after the steps due before it.

    *steps_apart*: if steps are due, plan these alone, so that a command which the log knows already
    does not share a request with steps it has never seen.
    """
    planned, state = Plan(), desk.state
    for entry in entries:
        moment = desk.time_of(entry, state)
        try:
            must_be_at(state.version, entry.letter.order.expected_version)
        except CallerError as error:
            planned.mistaken.append((entry, error))
            continue
        steps = tick(state, moment, agency=desk.agency, inclusive=False, stepped=desk.clock.kind == "stepped")
        if steps and steps_apart:
            return Plan(groups=[step.group for step in steps], entries=list(entries))
        try:
            prepared = _prepare(entry, steps[-1].state if steps else state, desk, moment)
        except CallerError as error:
            # A mistake writes nothing, not even the steps that were due: its time may be the mistake.
            planned.mistaken.append((entry, error))
            continue
        entry.group = prepared.group
        planned.groups += [*(step.group for step in steps), prepared.group]
        planned.entries.append(entry)
        state = prepared.state
    return planned


def due_groups(desk: Desk, moment: datetime) -> list[CommandGroup]:
    """Give the steps that a timer finds due: at equality too, for no command came in time."""
    steps = tick(desk.state, moment, agency=desk.agency, inclusive=True, stepped=desk.clock.kind == "stepped")
    return [step.group for step in steps]


def asking_group(order: Order) -> CommandGroup:
    """Make a group that only asks the log whether it knows the command: appended nowhere, see the writer."""
    return CommandGroup(
        command_id=order.command_id, input=input_of(order.command, order.at), outcome="unknown"
    )


def _prepare(entry: Entry, state: Engagement, desk: Desk, moment: datetime) -> Prepared:
    return prepare(
        entry.letter.order,
        state,
        desk.policy,
        moment,
        agency=desk.agency,
        engagement_id=desk.engagement_id,
        history=desk.history,
        taken=entry.taken,
        offices=desk.offices,
    )
