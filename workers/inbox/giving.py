"""Gives a message's commands, each under an id made of the message's: giving them again does nothing.

What only a person can mend is told from what passes by itself; whoever cannot tell tries again.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from temporalio.client import Client
from temporalio.service import RPCError

from activities.commands import CommandService
from activities.types import StreamCommand
from events.clock import ClockSpec
from events.envelope import Actor
from events.errors import CallerError
from events.log.keys import KeyDestroyed
from workers.client import CommandFailed, Engagements, NotAnswered
from workers.inbox.plan import Plan, Step
from workers.inbox.rehearsing import order_of
from workflows.types import REUSED

# Other messages go on meanwhile, and this one is tried again.
PATIENCE: Final = timedelta(seconds=10)
# How long it is believed that Temporal answers, or does not; and how long it may take to answer.
BELIEVED: Final = 1.0
_ANSWERS_WITHIN: Final = timedelta(seconds=5)
_ERASED: Final = "KeyDestroyed"


class NotThere(Exception):
    """Temporal does not answer, so nothing is begun; it is asked again."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a command came to."""

    command_id: str
    stream: str
    outcome: str
    version: int

    def plain(self) -> dict[str, Any]:
        """Write it as the inbox keeps it."""
        return {
            "command_id": self.command_id,
            "stream": self.stream,
            "outcome": self.outcome,
            "version": self.version,
        }


class Giver:
    """Gives commands to engagements and job orders."""

    def __init__(
        self, client: Client, service: CommandService, clock: ClockSpec, patience: timedelta = PATIENCE
    ) -> None:
        self._client = client
        self._service = service
        self._clock = clock
        self._patience = patience
        self._asking = asyncio.Lock()
        self._there = False
        self._believed_until = 0.0

    async def ready(self, plan: Plan) -> None:
        """Make sure that Temporal answers where a plan needs it.

        :raises NotThere: it did not, a moment ago.
        """
        if any(each.engagement is not None for each in plan.steps) and not await self._answers():
            raise NotThere

    async def _answers(self) -> bool:
        async with self._asking:
            if time.monotonic() >= self._believed_until:
                try:
                    self._there = await self._client.service_client.check_health(timeout=_ANSWERS_WITHIN)
                except RPCError:
                    self._there = False
                self._believed_until = time.monotonic() + BELIEVED
            return self._there

    async def give(self, agency: str, step: Step, actor: Actor, source: str, command_id: str) -> Given:
        """Give one command, as :class:`workers.inbox.applying.Gives` says."""
        if step.engagement is None:
            reply = await self._service.give(_stream_command(agency, step, actor, source, command_id))
            return Given(command_id, step.about, reply.outcome, reply.version)
        engagements = Engagements(self._client, agency, clock=self._clock, patience=self._patience)
        order = order_of(step, actor, source, command_id)
        try:
            told = await engagements.command(step.engagement, order)
        except CommandFailed as error:
            raise _translated(error) from None
        except NotAnswered:
            # Ask before anything else is begun.
            self._believed_until = 0.0
            raise
        return Given(command_id, f"engagement:{step.engagement}", told.outcome, told.version)


def _translated(error: CommandFailed) -> Exception:
    if error.code == _ERASED:
        return KeyDestroyed(str(error))
    if error.code[:1].isupper() and error.code != REUSED:
        # A class's name, not a mistake's code: the log did not take it, and may after an upgrade.
        return error
    mistake = CallerError(str(error))
    mistake.code = error.code
    return mistake


def _stream_command(agency: str, step: Step, actor: Actor, source: str, command_id: str) -> StreamCommand:
    return StreamCommand(
        agency=agency,
        stream=step.about,
        command_id=command_id,
        name=step.name,
        data=dict(step.fields),
        actor=actor,
        source=source,
        at=step.at,
    )
