"""Hands a caseload over, engagement by engagement; killed anywhere, it goes on where it was.

Every command's id is made from the reassignment and what it moves, so nothing moves twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Container, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from activities.caseload import Caseload, caseloads, job_order_of
from activities.commands import CommandService, ReusedCommandId
from activities.types import StreamCommand
from events.agency import Agency
from events.caseloads import HandedJob, Reassignment, Skipped
from events.commands import Order, Reassign, RecordPositionOwner
from events.envelope import Actor, derived_id
from events.fold import fold
from events.kinds import Moment
from events.log.port import EventLog
from events.reaching import is_there
from events.state import Engagement
from workers.client import CommandFailed, NotAnswered

AT_ONCE: Final = 8
Told = Callable[[int, int], None]


class Engaging(Protocol):
    """Gives commands to engagements."""

    async def command(self, engagement_id: str, command: Order) -> Any:
        """Give one, and wait until it is in the log.

        :raises CommandFailed: a caller's mistake; nothing happened.
        """


@dataclass(frozen=True, slots=True)
class Notes:
    """What the next one must know: of single engagements, and of all the others."""

    of: Mapping[str, str] = field(default_factory=dict, repr=False)
    others: str | None = field(default=None, repr=False)

    def about(self, engagement: str) -> str | None:
        """Give the note that goes with an engagement."""
        return self.of.get(engagement, self.others)

    def without(self, engagements: Iterable[str]) -> int:
        """Count those that no note goes with."""
        return sum(self.about(each) is None for each in engagements)

    def strangers(self, engagements: Container[str]) -> list[str]:
        """Name what has a note of its own, and is none of these engagements."""
        return sorted(each for each in self.of if each not in engagements)


@dataclass(slots=True)
class Outcome:
    """What became of a reassignment."""

    moved: int = 0
    without_note: int = 0
    job_orders_moved: int = 0
    skipped: list[Skipped] = field(default_factory=list)


def receivers(state: Agency, from_person: str, now: Moment) -> list[str]:
    """Name who may take over a share: recruiters of the same team who are there, else all of the agency's."""
    entry = state.people.get(from_person) or state.left.get(from_person)
    there = [
        each
        for each in state.people.values()
        if each.role == "recruiter" and each.person_id != from_person and is_there(state, each.person_id, now)
    ]
    team = [each for each in there if entry is not None and entry.team and each.team == entry.team]
    return sorted(each.person_id for each in team or there)


class Reassigning:
    """Moves the caseloads of one agency."""

    def __init__(
        self, log: EventLog, service: CommandService, engagements: Engaging, agency: str, actor: Actor
    ) -> None:
        self._log, self._service, self._engagements = log, service, engagements
        self._agency, self._actor = agency, actor

    async def start(self, reassignment_id: str, data: Mapping[str, Any]) -> Reassignment | None:
        """Write down who gets what; None: there is nothing to hand over.

        :raises CallerError: somebody does not work here, or another one of the same person is not finished.
        """
        await self._give(f"agency:{self._agency}", "start-reassignment", reassignment_id, data)
        state: Agency = await self._service.state(self._agency, f"agency:{self._agency}")
        return state.reassignments.get(reassignment_id)

    async def finish(
        self, running: Reassignment, notes: Notes, told: Told = lambda _done, _all: None
    ) -> Outcome:
        """Move what is left to move, and note what became of all of it.

        :raises NotAnswered: an engagement's outcome is unknown; what else could move has; finish again.
        """
        outcome = Outcome()
        state: Agency = await self._service.state(self._agency, f"agency:{self._agency}")
        done, of = 0, len(running.allotment) + len(running.job_orders)
        gate = asyncio.Semaphore(AT_ONCE)
        silent: list[NotAnswered] = []
        in_a_row = 0

        async def one(move: Awaitable[None]) -> None:
            nonlocal done, in_a_row
            async with gate:
                try:
                    await move
                except NotAnswered as error:
                    # A stuck one keeps no other; as many in a row as are tried at once: nobody is there.
                    silent.append(error)
                    in_a_row += 1
                    if in_a_row >= AT_ONCE:
                        raise
                    return
            done, in_a_row = done + 1, 0
            told(done, of)

        await _together(
            one(self._engagement(running, each.engagement, each.to, state, notes, outcome))
            for each in running.allotment
        )
        theirs = (await caseloads(self._log, self._agency)).get(running.from_person, Caseload())
        await _together(one(self._job(running, job, theirs, state, outcome)) for job in running.job_orders)
        if silent:
            raise silent[0]
        outcome.skipped.sort(key=lambda each: each.stream)
        await self._complete(running, outcome)
        return outcome

    async def _complete(self, running: Reassignment, outcome: Outcome) -> None:
        completed = {
            "reassignment_id": running.reassignment_id,
            "moved": outcome.moved,
            "job_orders_moved": outcome.job_orders_moved,
            "skipped": [each.model_dump() for each in outcome.skipped],
        }
        # Somebody else who finished it at the same time may have counted otherwise: theirs stands.
        with suppress(ReusedCommandId):
            await self._give(
                f"agency:{self._agency}", "complete-reassignment", running.reassignment_id, completed
            )

    async def _engagement(
        self,
        running: Reassignment,
        engagement: str,
        to: str,
        agency: Agency,
        notes: Notes,
        outcome: Outcome,
    ) -> None:
        why = await self._hand_over(running, engagement, to, agency, notes, outcome)
        if why is None:
            outcome.moved += 1
        else:
            outcome.skipped.append(Skipped(stream=f"engagement:{engagement}", why=why))

    async def _hand_over(
        self,
        running: Reassignment,
        engagement: str,
        to: str,
        agency: Agency,
        notes: Notes,
        outcome: Outcome,
    ) -> str | None:
        """Move one engagement, or say why not."""
        state = await self._state(engagement)
        if state.candidate_owner == to:
            return None
        if why := _unmoved(state, running.from_person, to, agency):
            return why
        team = tuple(dict.fromkeys(to if each == running.from_person else each for each in state.team))
        command = Reassign(owner=to, team=team, reason=running.reason, handover=notes.about(engagement))
        try:
            await self._engagements.command(engagement, self._order(running, command, engagement))
        except CommandFailed:
            # Given before with another note, by whoever was killed before hearing of it: then it has moved.
            return None if (await self._state(engagement)).candidate_owner == to else "not-taken"
        outcome.without_note += notes.without([engagement])
        return None

    async def _job(
        self, running: Reassignment, job: HandedJob, theirs: Caseload, agency: Agency, outcome: Outcome
    ) -> None:
        """Move a client's job: its own stream if there is one, and every engagement that names who had it."""
        if job.to not in agency.people:
            outcome.skipped.append(Skipped(stream=f"job-order:{job.job_order}", why="to-has-left"))
            return
        stream = f"job-order:{job.job_order}"
        events = await self._log.read_stream(self._agency, stream)
        if events and job_order_of(events).owner == running.from_person:
            given = {"owner": job.to, "reason": running.reason}
            await self._give(stream, "change-job-order-owner", running.reassignment_id, given)
        # The follower tells them as well; whoever comes second has nothing to say.
        command = RecordPositionOwner(
            job_order_id=job.job_order, owner=job.to, previous=(running.from_person,)
        )
        for engagement in theirs.positions.get(job.job_order, ()):
            order = self._order(running, command, engagement, job.job_order)
            try:
                await self._engagements.command(engagement, order)
            except CommandFailed:
                # E.g. closed since: nothing is owed there any more.
                outcome.skipped.append(Skipped(stream=f"engagement:{engagement}", why="not-taken"))
        outcome.job_orders_moved += 1

    async def _state(self, engagement: str) -> Engagement:
        return fold(await self._log.read_stream(self._agency, f"engagement:{engagement}"))

    def _order(self, running: Reassignment, command: Reassign | RecordPositionOwner, *about: str) -> Order:
        return Order(
            command_id=str(derived_id("reassignment", running.reassignment_id, *about)),
            command=command,
            actor=self._actor,
            source="reassign",
        )

    async def _give(self, stream: str, name: str, reassignment_id: str, data: Mapping[str, Any]) -> None:
        await self._service.give(
            StreamCommand(
                agency=self._agency,
                stream=stream,
                command_id=str(derived_id("reassignment", reassignment_id, stream, name)),
                name=name,
                data=dict(data),
                actor=self._actor,
                source="reassign",
            )
        )


async def _together(moves: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all of it; the first that fails ends the others, and none is left behind unseen."""
    tasks = [asyncio.create_task(each) for each in moves]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _unmoved(state: Engagement, from_person: str, to: str, agency: Agency) -> str | None:
    if state.opened_at is None or state.closed:
        return "closed"
    if state.candidate_owner != from_person:
        return "another-owner"
    return "to-has-left" if to not in agency.people else None
