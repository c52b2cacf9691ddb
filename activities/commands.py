"""Commands to the streams that have no workflow: load, decide, append at the expected version, try again.

The log decides who was first: nothing is answered before the append has said so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, assert_never

from temporalio import activity

from activities.errors import for_temporal
from activities.streams import StreamKind, kind_of, parse
from activities.types import CommandReply, StreamCommand
from events.admission import FUTURE_TOLERANCE, must_be_at
from events.catalogue import Event, PolicyAdopted
from events.codec import decode, draft
from events.commands import Command
from events.envelope import AppendRequest, CommandGroup, Stored, event_id
from events.errors import CallerError, InvalidCommand, WrongState
from events.log.port import Appended, CommandIdReused, Conflict, EventLog, Fenced, StreamClosed, Taken
from events.receipts import input_of

# Of N that write at once one wins each round, so the last of them needs N rounds.
ATTEMPTS: Final = 64


class ReusedCommandId(CallerError):
    """A command id was given again with another content."""

    code = "command-id-reused"

    def __init__(self, command_id: str) -> None:
        super().__init__(f"command id '{command_id}' was used before with another content; give a new one")


class StreamBusy(Exception):
    """Others kept writing to the stream; give the same command again."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    state: Any
    version: int
    decided_at: datetime | None


class CommandService:
    """The one writer of job orders' and agencies' streams, in whatever process it lives."""

    def __init__(self, log: EventLog, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._log = log
        self._now = now

    async def give(self, order: StreamCommand) -> CommandReply:
        """Carry out a command once, however often it is given; ``nothing-to-do`` if it says nothing new.

        :raises CallerError: one sentence about the mistake; nothing was written.
        :raises StreamBusy: the outcome is that nothing was written; give it again.
        """
        kind = kind_of(order.stream)
        command = parse(order.stream, order.name, order.data)
        known = await self._log.receipt(order.agency, order.stream, order.command_id)
        if known is not None:
            # The log compares the content, and answers with what was stored.
            reply = await self._append(order, command, kind, (), None, known.last)
            if reply is not None:
                return reply
        for _ in range(ATTEMPTS):
            loaded = await self._fold(order.agency, order.stream, kind)
            must_be_at(loaded.version, order.expected_version)
            decided_at = order.decided_at or self._now()
            if loaded.decided_at is not None and loaded.decided_at > decided_at:
                decided_at = loaded.decided_at
            if order.at is not None and order.at > decided_at + FUTURE_TOLERANCE:
                raise InvalidCommand(f"{order.name}: 'at' lies in the future; tell what has happened already")
            events = kind.decide(command, loaded.state, order.at or decided_at)
            for event in events:
                # Its body lies under its digest before any event can name it.
                if isinstance(event, PolicyAdopted) and event.body is not None:
                    await self._log.save_policy(order.agency, event.digest, event.body)
            reply = await self._append(order, command, kind, events, decided_at, loaded.version)
            if reply is not None:
                return reply
        raise StreamBusy(f"stream '{order.stream}' was written to by others {ATTEMPTS} times; give it again")

    async def state(self, agency: str, stream: str) -> Any:
        """Fold a stream as it is now: a ``JobOrder`` or an ``Agency``."""
        return (await self._fold(agency, stream, kind_of(stream))).state

    async def _fold(self, agency: str, stream: str, kind: StreamKind) -> _Loaded:
        found: list[Stored] = await self._log.read_stream(agency, stream, open_personal=kind.opens_personal)
        state = kind.initial(stream.partition(":")[2])
        for stored in found:
            state = kind.evolve(state, decode(stored, kind.registry))
        last = max((stored.decided_at for stored in found), default=None)
        return _Loaded(state, found[-1].version if found else 0, last)

    async def _append(
        self,
        order: StreamCommand,
        command: Command,
        kind: StreamKind,
        events: Sequence[Event],
        decided_at: datetime | None,
        version: int,
    ) -> CommandReply | None:
        group = _group(order, command, kind, events, decided_at)
        request = AppendRequest(
            agency=order.agency, stream=order.stream, expected=version, acked=version, groups=(group,)
        )
        [result] = await self._log.append_many([request])
        match result:
            case Appended(version=now_at, outcomes=outcomes):
                return CommandReply(outcome=outcomes[order.command_id], version=now_at)
            case Conflict():
                return None
            case CommandIdReused():
                raise ReusedCommandId(order.command_id)
            case StreamClosed():
                raise WrongState(f"'{order.stream}' is closed; it takes late reports only")
            case Taken() | Fenced():
                raise RuntimeError(f"stream '{order.stream}' has no claims and no runs, but the log says so")
            case _:
                assert_never(result)


class Commands:
    """The same service for workflows."""

    def __init__(self, service: CommandService) -> None:
        self._service = service

    @activity.defn(name="give-command")
    async def give(self, order: StreamCommand) -> CommandReply:
        """Carry out a command on a stream without a workflow; safe to repeat."""
        with for_temporal("carry out a command"):
            return await self._service.give(order)


def _group(
    order: StreamCommand,
    command: Command,
    kind: StreamKind,
    events: Sequence[Event],
    decided_at: datetime | None,
) -> CommandGroup:
    drafts = tuple(
        draft(
            event,
            event_id=event_id(order.agency, order.stream, order.command_id, ordinal),
            decided_at=decided_at or event.at,
            actor=order.actor,
            source=order.source,
            causation_id=order.causation_id,
            correlation_id=order.correlation_id,
        )
        for ordinal, event in enumerate(events)
    )
    return CommandGroup(
        command_id=order.command_id,
        input=input_of(command, order.at),
        outcome="accepted" if events else "nothing-to-do",
        drafts=drafts,
        closes=any(kind.closes(event) for event in events),
    )
