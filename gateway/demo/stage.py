"""Where a story is played: what the player needs of it, and the live one, on running workflows.

Every stage keeps the same log and the same receipts; only whose time runs there differs.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from activities.commands import CommandService
from activities.types import StreamCommand
from events.clock import ClockSpec, domain_now, timer_delay
from events.envelope import Stored
from events.log.port import EventLog, Receipt
from workers.client import Engagements

LOOK_AGAIN: Final = 0.1
# Seconds, of the server's time, within which a signal is recorded.
SIGNAL_PATIENCE: Final = 60.0


class Unheard(Exception):
    """A signal left no receipt; the engagement may have refused it: look at its events."""


class Stage(Protocol):
    """Where a play takes place."""

    @property
    def origin(self) -> datetime:
        """Tell when the story began, in its own time."""

    def now(self) -> datetime:
        """Tell the time in the story."""

    async def wait_for(self, moment: datetime) -> None:
        """Let time pass until the story's clock shows this moment."""

    async def look_again(self) -> None:
        """Let a little time pass, or as much as it takes until something may have changed."""

    async def events(self, engagement: str) -> list[Stored]:
        """Read an engagement's events."""

    async def receipt(self, stream: str, command_id: str) -> Receipt | None:
        """Tell what a command came to, if it was ever given."""

    async def give(self, engagement: str, name: str, data: dict[str, Any], command_id: str) -> str:
        """Give a command to an engagement; returns its outcome.

        :raises CommandFailed, CallerError: a mistake; nothing was written.
        """

    async def signal(self, engagement: str, name: str, data: dict[str, Any], command_id: str) -> str:
        """Send a command as a signal, and return its outcome once it is recorded.

        :raises Unheard: it never was.
        """

    async def give_stream(self, order: StreamCommand) -> str:
        """Give a command to a stream without a workflow; returns its outcome.

        :raises CallerError: a mistake; nothing was written.
        """


@dataclass(frozen=True, slots=True)
class LiveStage:
    """Running workflows under a fast clock."""

    agency: str
    clock: ClockSpec
    log: EventLog
    service: CommandService
    engagements: Engagements
    begins: timedelta = timedelta()
    """How long after the demo's own beginning this story's begins."""

    @property
    def origin(self) -> datetime:
        """Tell when the story began."""
        assert self.clock.origin is not None
        return self.clock.origin + self.begins

    def now(self) -> datetime:
        """Tell the time in the story."""
        return domain_now(self.clock, datetime.now(UTC))

    async def wait_for(self, moment: datetime) -> None:
        """Wait until the story's clock shows this moment."""
        await asyncio.sleep(timer_delay(self.clock, datetime.now(UTC), moment).total_seconds())

    async def look_again(self) -> None:
        """Wait a moment."""
        await asyncio.sleep(LOOK_AGAIN)

    async def events(self, engagement: str) -> list[Stored]:
        """Read an engagement's events."""
        return await self.log.read_stream(self.agency, f"engagement:{engagement}")

    async def receipt(self, stream: str, command_id: str) -> Receipt | None:
        """Ask the log for a command's receipt."""
        return await self.log.receipt(self.agency, stream, command_id)

    async def give(self, engagement: str, name: str, data: dict[str, Any], command_id: str) -> str:
        """Give a command as an update."""
        reply = await self.engagements.command(engagement, name, data, command_id=command_id)
        return reply.outcome

    async def signal(self, engagement: str, name: str, data: dict[str, Any], command_id: str) -> str:
        """Send a signal, and wait until the engagement has read it and the log holds its receipt."""
        await self.engagements.signal(engagement, name, {**data, "command_id": command_id})
        # Taken after the signal, so what was sent before it has been read by then, a repetition too.
        await self.engagements.poke(engagement)
        patience = SIGNAL_PATIENCE
        while (found := await self.receipt(f"engagement:{engagement}", command_id)) is None:
            if patience <= 0:
                raise Unheard(f"no receipt within {SIGNAL_PATIENCE:.0f} seconds")
            await asyncio.sleep(LOOK_AGAIN)
            patience -= LOOK_AGAIN
        return found.outcome

    async def give_stream(self, order: StreamCommand) -> str:
        """Give a command to the service."""
        return (await self.service.give(order)).outcome
