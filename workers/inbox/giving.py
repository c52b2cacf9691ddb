"""Gives a message's commands, each under an id made of the message's: giving them again does nothing.

What only a person can mend is told from what passes by itself; whoever cannot tell tries again.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from temporalio.client import Client

from activities.commands import CommandService
from activities.types import StreamCommand
from events.clock import ClockSpec
from events.envelope import Actor
from events.errors import CallerError
from events.log.keys import KeyDestroyed
from workers.client import CommandFailed, Engagements
from workers.inbox.plan import Step
from workers.inbox.rehearsing import order_of
from workflows.types import REUSED

# Other messages go on meanwhile, and this one is tried again.
PATIENCE: Final = timedelta(seconds=10)
_ERASED: Final = "KeyDestroyed"


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
