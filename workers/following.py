"""Follows each agency's log and passes on what one stream's event means for another stream.

Everything passed on has a command id made from its event's id: doing it again does nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

import structlog

from activities.commands import CommandService
from activities.types import StreamCommand
from events import job_order
from events.codec import ENGAGEMENT_EVENTS, decode
from events.envelope import ENGINE, Stored
from events.errors import CallerError
from events.log.connect import LOST
from events.log.followers import Places
from events.log.port import EventLog

FOLLOWER: Final = "job-orders"
SOURCE: Final = "follower"
LOOK_FOR_AGENCIES: Final = 1.0
_log = structlog.get_logger(__name__)


class Log(EventLog, Protocol):
    """The log, with the names of its agencies."""

    async def agencies(self) -> list[str]:
        """List the agencies that have events."""


class Teller(Protocol):
    """Gives a command to an engagement."""

    async def tell(
        self, agency: str, engagement_id: str, name: str, data: dict[str, Any], command_id: str, cause: UUID
    ) -> None:
        """Give a command; safe to repeat.

        :raises CallerError: the engagement does not take it, now or ever.
        """


@dataclass(frozen=True, slots=True)
class Consequence:
    """A command to another stream that an event leads to."""

    stream: str
    name: str
    data: dict[str, Any]


class Follower:
    """Runs until it is cancelled; one task an agency, so that none waits for another."""

    def __init__(self, log: Log, places: Places, service: CommandService, teller: Teller) -> None:
        self._log, self._places = log, places
        self._service, self._teller = service, teller

    async def run(self) -> None:
        """Follow every agency there is, and each new one."""
        followed: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                with suppress(*LOST):
                    for agency in await self._log.agencies():
                        if agency not in followed or followed[agency].done():
                            followed[agency] = asyncio.create_task(self._follow(agency))
                await asyncio.sleep(LOOK_FOR_AGENCIES)
        finally:
            for task in followed.values():
                task.cancel()
            await asyncio.gather(*followed.values(), return_exceptions=True)

    async def _follow(self, agency: str) -> None:
        pause = 0.2
        while True:
            try:
                # Closed before another begins: each holds a connection to be woken by.
                async with aclosing(self._batches(agency)) as batches:
                    async for batch in batches:
                        await self.pass_on(agency, batch)
                        pause = 0.2
            except Exception as error:
                # Whatever it was, nothing is skipped: the place is not noted until all is passed on.
                _log.warning("following is interrupted", agency=agency, error=type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 30.0)

    async def _batches(self, agency: str) -> AsyncGenerator[Sequence[Stored], None]:
        place = await self._places.place(agency, FOLLOWER)
        async with aclosing(self._log.subscribe(agency, after=place)) as batches:
            async for batch in batches:
                yield batch

    async def pass_on(self, agency: str, batch: Sequence[Stored]) -> None:
        """Do what a batch of events leads to, then note the place."""
        for stored in batch:
            for place, consequence in enumerate(await self._consequences(stored)):
                await self._give(stored, consequence, f"follow:{stored.event_id}:{place}")
        await self._places.note(agency, FOLLOWER, batch[-1].position)

    async def _consequences(self, stored: Stored) -> list[Consequence]:
        match stored.type:
            case "submitted":
                event = decode(stored)
                engagement = stored.stream.partition(":")[2]
                given = {"engagement_id": engagement, "submission_id": event.submission_id}
                return [Consequence(f"job-order:{event.job_order_id}", "record-submission-received", given)]
            case "offer-accepted":
                return await self._filled(stored)
            case "job-order-filled" | "job-order-closed":
                return await self._tell_the_others(stored)
            case _:
                return []

    async def _filled(self, stored: Stored) -> list[Consequence]:
        accepted = decode(stored)
        for each in await self._log.read_stream(stored.agency, stored.stream):
            if each.type == "submitted":
                submitted = decode(each, ENGAGEMENT_EVENTS)
                if submitted.submission_id == accepted.submission_id:
                    engagement = stored.stream.partition(":")[2]
                    given = {"engagement_id": engagement, "submission_id": accepted.submission_id}
                    return [Consequence(f"job-order:{submitted.job_order_id}", "fill-job-order", given)]
        return []

    async def _tell_the_others(self, stored: Stored) -> list[Consequence]:
        event = decode(stored, job_order.EVENTS)
        if isinstance(event, job_order.JobOrderFilled) and event.openings_left > 0:
            return []
        state = await self._service.state(stored.agency, stored.stream)
        how = "filled" if isinstance(event, job_order.JobOrderFilled) else "closed"
        given = {"job_order_id": stored.stream.partition(":")[2], "how": how}
        waiting = sorted(set(state.alive.values()))
        return [Consequence(f"engagement:{each}", "record-position-filled", given) for each in waiting]

    async def _give(self, stored: Stored, consequence: Consequence, command_id: str) -> None:
        category, _, key = consequence.stream.partition(":")
        try:
            if category == "engagement":
                await self._teller.tell(
                    stored.agency, key, consequence.name, consequence.data, command_id, stored.event_id
                )
            else:
                await self._service.give(self._command(stored, consequence, command_id))
        except CallerError as error:
            # E.g. a job order that this agency does not keep: the event stands, nothing follows from it.
            _log.info(
                "an event has no consequence",
                agency=stored.agency,
                event_id=str(stored.event_id),
                command=consequence.name,
                why=error.code,
            )

    def _command(self, stored: Stored, consequence: Consequence, command_id: str) -> StreamCommand:
        return StreamCommand(
            agency=stored.agency,
            stream=consequence.stream,
            command_id=command_id,
            name=consequence.name,
            data=consequence.data,
            actor=ENGINE,
            source=SOURCE,
            at=stored.occurred_at,
            decided_at=stored.decided_at,
            causation_id=stored.event_id,
        )
