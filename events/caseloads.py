"""Handing over a caseload: who gets which engagement and client's job, written down before anything moves.

What is written down is carried out, or skipped with its reason; nobody allots one caseload twice at once.
"""

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from events.catalogue import Event
from events.commands import Command
from events.errors import InvalidCommand, WrongState
from events.kinds import Code, Id, Moment


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Handed(_Plain):
    """One candidate's engagement, and who answers for it from now on."""

    engagement: Id
    to: Id


class HandedJob(_Plain):
    """One client's job, and who answers for it from now on."""

    job_order: Id
    to: Id


class Skipped(_Plain):
    """What was allotted and did not move, and why."""

    stream: str = Field(description="e.g. engagement:e-1")
    why: Code


# -- events -------------------------------------------------------------------------------------


class CaseloadReassignmentStarted(Event):
    """What one person answered for is allotted to others; each engagement's own event says that it moved."""

    type: Literal["caseload-reassignment-started"] = "caseload-reassignment-started"
    reassignment_id: Id
    from_person: Id
    reason: Code = "unspecified"
    allotment: tuple[Handed, ...] = ()
    job_orders: tuple[HandedJob, ...] = ()


class CaseloadReassignmentCompleted(Event):
    """Everything that was allotted has moved, or was skipped."""

    type: Literal["caseload-reassignment-completed"] = "caseload-reassignment-completed"
    reassignment_id: Id
    moved: int = Field(ge=0, description="engagements")
    job_orders_moved: int = Field(default=0, ge=0)
    skipped: tuple[Skipped, ...] = ()


# -- commands -----------------------------------------------------------------------------------


class StartReassignment(Command):
    """Allot what one person answers for to others, before any of it moves."""

    name: Literal["start-reassignment"] = "start-reassignment"
    reassignment_id: Id
    from_person: Id
    reason: Code = "unspecified"
    allotment: tuple[Handed, ...] = ()
    job_orders: tuple[HandedJob, ...] = ()


class CompleteReassignment(Command):
    """Report that everything allotted has moved, or was skipped."""

    name: Literal["complete-reassignment"] = "complete-reassignment"
    reassignment_id: Id
    moved: int = Field(ge=0)
    job_orders_moved: int = Field(default=0, ge=0)
    skipped: tuple[Skipped, ...] = ()


# -- state --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reassignment:
    """One that has begun and is not finished."""

    reassignment_id: str
    from_person: str
    reason: str
    started_at: Moment
    allotment: tuple[Handed, ...]
    job_orders: tuple[HandedJob, ...]


def begun(event: CaseloadReassignmentStarted) -> Reassignment:
    """Fold a beginning."""
    return Reassignment(
        reassignment_id=event.reassignment_id,
        from_person=event.from_person,
        reason=event.reason,
        started_at=event.at,
        allotment=event.allotment,
        job_orders=event.job_orders,
    )


# -- decisions ----------------------------------------------------------------------------------


def start_reassignment(
    command: StartReassignment,
    people: Container[str],
    left: Container[str],
    unfinished: Mapping[str, Reassignment],
    at: Moment,
) -> list[CaseloadReassignmentStarted]:
    """Write down who gets what; where there is nothing to hand over it says nothing.

    :raises InvalidCommand: somebody named does not work here, or something is allotted twice.
    :raises WrongState: one from the same person has begun and is not finished.
    """
    if command.from_person not in people and command.from_person not in left:
        raise InvalidCommand("start-reassignment: 'from_person' names nobody who works here or did")
    receivers = [each.to for each in command.allotment] + [each.to for each in command.job_orders]
    if any(each not in people for each in receivers):
        raise InvalidCommand("start-reassignment: 'to' names somebody who does not work here; allot it anew")
    if command.from_person in receivers:
        raise InvalidCommand(f"start-reassignment: '{command.from_person}' cannot hand over to themselves")
    _must_come_once([each.engagement for each in command.allotment], "engagement")
    _must_come_once([each.job_order for each in command.job_orders], "job order")
    running = next((each for each in unfinished.values() if each.from_person == command.from_person), None)
    if running is not None and running.reassignment_id != command.reassignment_id:
        raise WrongState(
            f"'{command.from_person}' is being handed over already ({running.reassignment_id}); "
            "finish that first with 'rapport reassign --resume'"
        )
    if running is not None or not receivers:
        return []
    return [
        CaseloadReassignmentStarted(
            at=at,
            reassignment_id=command.reassignment_id,
            from_person=command.from_person,
            reason=command.reason,
            allotment=command.allotment,
            job_orders=command.job_orders,
        )
    ]


def complete_reassignment(
    command: CompleteReassignment, unfinished: Container[str], at: Moment
) -> list[CaseloadReassignmentCompleted]:
    """Note what became of it, once."""
    if command.reassignment_id not in unfinished:
        return []
    return [
        CaseloadReassignmentCompleted(
            at=at,
            reassignment_id=command.reassignment_id,
            moved=command.moved,
            job_orders_moved=command.job_orders_moved,
            skipped=command.skipped,
        )
    ]


def allot(things: Iterable[str], receivers: Iterable[str], load: Mapping[str, int]) -> dict[str, str]:
    """Give each next thing to whoever has the fewest; of equals, to the first by id.

    *load* is what each receiver has already; the same input always gives the same allotment.
    """
    counts = Counter({each: load.get(each, 0) for each in receivers})
    found: dict[str, str] = {}
    for thing in sorted(things):
        found[thing] = min(counts, key=lambda each: (counts[each], each))
        counts[found[thing]] += 1
    return found


def _must_come_once(things: list[str], what: str) -> None:
    twice = next((each for each, count in Counter(things).items() if count > 1), None)
    if twice is not None:
        raise InvalidCommand(f"start-reassignment: {what} '{twice}' is allotted twice; keep one of them")
