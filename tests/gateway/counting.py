"""A log that counts what is read of its streams, and lets another take its place."""

import asyncio
from typing import Any
from uuid import UUID

from events.catalogue import Event
from events.codec import draft
from events.envelope import ENGINE, Actor, AppendRequest, CommandGroup, Stored, event_id
from events.log.memory import MemoryLog
from events.log.port import Appended

PERSON = Actor(kind="person", id="r-1")


class CountingLog:
    """An event log over another; reading a stream takes its time, as from a database."""

    def __init__(self, beneath: MemoryLog) -> None:
        self.beneath = beneath
        self.reads: list[int] = []
        """How many rows each reading of a stream gave."""

    async def read_stream(self, agency: str, stream: str, **more: Any) -> list[Stored]:
        """Read from the log beneath."""
        await asyncio.sleep(0)
        found = await self.beneath.read_stream(agency, stream, **more)
        self.reads.append(len(found))
        # What is read may be old by the time it arrives.
        await asyncio.sleep(0)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.beneath, name)


async def append(
    log: MemoryLog,
    agency: str,
    stream: str,
    *events: Event,
    command_id: str | None = None,
    causes: UUID | None = None,
) -> tuple[Stored, ...]:
    """Append events as one command; returns them as they are stored."""
    head = await log.head(agency, stream)
    version = head.version if head is not None else 0
    command_id = command_id or f"command-{version}"
    drafts = tuple(
        draft(
            event,
            event_id=event_id(agency, stream, command_id, ordinal),
            decided_at=event.at,
            actor=ENGINE if event.by_engine else PERSON,
            source="test",
            causation_id=causes,
        )
        for ordinal, event in enumerate(events)
    )
    group = CommandGroup(command_id=command_id, input="{}", outcome="accepted", drafts=drafts)
    request = AppendRequest(agency=agency, stream=stream, expected=version, groups=(group,))
    [result] = await log.append_many([request])
    assert isinstance(result, Appended)
    return result.events
