"""Follows each agency's log and passes on what one stream's event means for another stream.

Everything passed on has a command id made from its event's id: doing it again does nothing.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing, suppress
from functools import partial
from typing import Any, Final, Protocol
from uuid import UUID

import structlog

from activities.commands import CommandService
from activities.types import StreamCommand
from events.envelope import Actor, Stored
from events.errors import CallerError
from events.log.connect import LOST
from events.log.followers import Places
from events.log.port import EventLog
from workers.consequences import ALONE, LEADING, NAMING, consequences, job_order_beside
from workers.lanes import Errand, Lanes, pauses
from workers.passing_on import Consequence

FOLLOWER: Final = "job-orders"
SOURCE: Final = "follower"
# Through a door like everybody else: the engine's own name opens none.
ACTOR: Final = Actor(kind="integration", id="follower")
LOOK_FOR_AGENCIES: Final = 1.0
_log = structlog.get_logger(__name__)


class Teller(Protocol):
    """Gives a command to an engagement."""

    async def tell(
        self, agency: str, engagement_id: str, name: str, data: dict[str, Any], command_id: str, cause: UUID
    ) -> None:
        """Give a command as :data:`ACTOR`; safe to repeat.

        :raises CallerError: the engagement does not take it, now or ever; any other error may pass.
        """


class Follower:
    """Runs until it is cancelled; one task an agency, so that none waits for another."""

    def __init__(self, log: EventLog, places: Places, service: CommandService, teller: Teller) -> None:
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
        again = pauses()
        async with Lanes(agency, partial(self._places.note, agency, FOLLOWER)) as lanes:
            while True:
                try:
                    if lanes.reached is None:
                        lanes.reach(await self._places.place(agency, FOLLOWER))
                    # Closed before another begins: each holds a connection to be woken by.
                    async with aclosing(self._log.subscribe(agency, after=lanes.reached or 0)) as batches:
                        async for batch in batches:
                            await self._pass_on(lanes, batch)
                            again = pauses()
                except Exception as error:
                    # Whatever it was, nothing is skipped: reading goes on after the last event that was read.
                    _log.warning("following is interrupted", agency=agency, error=type(error).__name__)
                    await asyncio.sleep(next(again))

    async def _pass_on(self, lanes: Lanes, batch: Sequence[Stored]) -> None:
        for stored in batch:
            # What followed from an imported past is part of that past, as far as its source tells.
            if stored.type in LEADING and stored.origin != "imported":
                await self._take_up(lanes, stored)
            lanes.reach(stored.position)
        await lanes.calm()

    async def _take_up(self, lanes: Lanes, stored: Stored) -> None:
        # Only an event that cannot be read gets a lane: those after it in its stream wait for it there.
        unread = f"unread {stored.stream}"
        if unread not in lanes:
            try:
                return await self._read(lanes, stored)
            except LOST:
                raise
            except Exception as error:
                _log.debug("an event is not read", agency=stored.agency, error=type(error).__name__)
        return lanes.add(unread, Errand(stored, f"read {stored.type}", partial(self._read, lanes, stored)))

    async def _read(self, lanes: Lanes, stored: Stored) -> None:
        for each in await what_follows(self._log, stored):
            lanes.add(each.stream, Errand(stored, each.name, partial(self._give, stored, each)))

    async def _give(self, stored: Stored, consequence: Consequence) -> None:
        category, _, key = consequence.stream.partition(":")
        command_id = consequence.command_id(stored.event_id)
        try:
            if category == "engagement":
                await self._teller.tell(
                    stored.agency, key, consequence.name, consequence.data, command_id, stored.event_id
                )
            else:
                await self._service.give(stream_command(stored, consequence, command_id))
        except CallerError as error:
            # E.g. a job order that this agency does not keep: the event stands, nothing follows from it.
            _log.info(
                "an event has no consequence",
                agency=stored.agency,
                event_id=str(stored.event_id),
                command=consequence.name,
                why=error.code,
            )


async def what_follows(log: EventLog, stored: Stored) -> list[Consequence]:
    """Read what an event is to be read beside, and say which commands it leads to."""
    history: list[Stored] = []
    if stored.type not in ALONE:
        history = await log.read_stream(stored.agency, stored.stream, limit=stored.version)
    others = {name: await _until(log, stored, name) for name in await _beside(log, stored, history)}
    return consequences(stored, history, others)


async def _beside(log: EventLog, stored: Stored, history: Sequence[Stored]) -> Sequence[str]:
    """Name the streams that an event is read beside."""
    if types := NAMING.get(stored.type):
        key = stored.stream.partition(":")[2]
        found = [
            await log.streams_saying(stored.agency, each, "job_order_id", key, before=stored.position)
            for each in types
        ]
        return sorted({stream for streams in found for stream in streams})
    its = job_order_beside(stored, history)
    return [] if its is None else [its]


async def _until(log: EventLog, stored: Stored, stream: str) -> list[Stored]:
    # What came after would make another reading of the same event another one.
    events = await log.read_stream(stored.agency, stream)
    return [each for each in events if each.position < stored.position]


def stream_command(stored: Stored, consequence: Consequence, command_id: str) -> StreamCommand:
    """Write a consequence as the command to a stream without a workflow."""
    return StreamCommand(
        agency=stored.agency,
        stream=consequence.stream,
        command_id=command_id,
        name=consequence.name,
        data=consequence.data,
        actor=ACTOR,
        source=SOURCE,
        at=stored.occurred_at,
        decided_at=stored.decided_at,
        causation_id=stored.event_id,
    )
