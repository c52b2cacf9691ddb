"""Clients that never give up: the product's own, asked again under the same command id after every crash.

The same id must bring the same content, so a command is worded once and only its sending is repeated.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from temporalio.service import RPCError, RPCStatusCode

from activities.commands import CommandService
from activities.types import CommandReply as StreamReply
from activities.types import StreamCommand
from events.commands import Order
from events.log.connect import LOST
from events.log.port import EventLog
from gateway.demo.stage import LiveStage
from tests.crash.soak.acknowledgements import Acknowledgement, Acknowledgements
from tests.crash.soak.ground import Ground
from workers.client import Engagements, NotAnswered
from workflows.types import CommandReply

T = TypeVar("T")

PAUSE: Final = 0.25
_AWAY: Final = (
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.UNKNOWN,
    RPCStatusCode.INTERNAL,
    RPCStatusCode.CANCELLED,
)
_PATIENCE: Final = timedelta(seconds=20)


async def through(work: Callable[[], Awaitable[T]]) -> T:
    """Do it until the servers let it through."""
    while True:
        try:
            return await work()
        except (NotAnswered, *LOST):
            pass
        except RPCError as error:
            # What gives a signal raises what Temporal says; a command's client has told these apart before.
            if error.status not in _AWAY:
                raise
        await asyncio.sleep(PAUSE)


@dataclass
class Lateness:
    """By how much a story runs behind its own days, because of what was killed."""

    late: timedelta = timedelta()


@dataclass(frozen=True)
class PatientStage(LiveStage):
    """A live stage whose story waits for whoever was killed, and goes on at its own pace."""

    behind: Lateness = field(default_factory=Lateness)

    async def wait_for(self, moment: datetime) -> None:
        """Wait until the story's clock shows this moment, and as much longer as the story is late."""
        planned = moment + self.behind.late
        self.behind.late += max(timedelta(), self.now() - planned)
        await super().wait_for(planned)


class PatientLog:
    """The log for a reader who comes back after a crash."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._log, name)

        async def patient(*arguments: Any, **named: Any) -> Any:
            return await through(lambda: method(*arguments, **named))

        return patient


class PatientEngagements(Engagements):
    """The product's client, which also writes down what it was told."""

    def __init__(self, ground: Ground, agency: str, told: Acknowledgements) -> None:
        super().__init__(ground.client, agency, clock=ground.clock, patience=_PATIENCE)
        self._told = told

    async def command(
        self,
        engagement_id: str,
        command: Order | str,
        data: Mapping[str, Any] | None = None,
        *,
        command_id: str | None = None,
    ) -> CommandReply:
        """Give a command until it is answered."""
        give = super().command
        reply = await through(lambda: give(engagement_id, command, data, command_id=command_id))
        self._told.note(
            Acknowledgement(
                agency=self._agency,
                stream=f"engagement:{engagement_id}",
                command_id=reply.command_id,
                outcome=reply.outcome,
                version=reply.version,
                events=reply.events,
            )
        )
        return reply

    async def signal(self, engagement_id: str, name: str, data: Mapping[str, Any]) -> None:
        """Send a signal until Temporal has it: its command id makes a second one harmless."""
        send = super().signal
        await through(lambda: send(engagement_id, name, data))

    async def poke(self, engagement_id: str) -> CommandReply:
        """Poke until somebody answers."""
        poke = super().poke
        return await through(lambda: poke(engagement_id))


class PatientService(CommandService):
    """The product's service for the other streams, which also writes down what it was told."""

    def __init__(self, log: EventLog, told: Acknowledgements) -> None:
        super().__init__(log)
        self._told = told

    async def give(self, order: StreamCommand) -> StreamReply:
        """Give a command until it is answered."""
        give = super().give
        reply = await through(lambda: give(order))
        self._told.note(
            Acknowledgement(
                agency=order.agency,
                stream=order.stream,
                command_id=order.command_id,
                outcome=reply.outcome,
                version=reply.version,
            )
        )
        return reply
