"""Commands to the streams that have no workflow: load, decide, append at the expected version, try again.

The log decides who was first: nothing is answered before the append has said so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, assert_never

from pydantic import TypeAdapter, ValidationError
from temporalio import activity

from activities.errors import for_temporal
from activities.types import CommandReply, StreamCommand
from events import agency, job_order
from events.canonical import canonical
from events.catalogue import Event, PolicyAdopted
from events.codec import Registry, decode, draft
from events.commands import Command
from events.envelope import AppendRequest, CommandGroup, Stored, event_id
from events.errors import CallerError, InvalidCommand, WrongState
from events.log.port import Appended, CommandIdReused, Conflict, EventLog, Fenced, StreamClosed, Taken

ATTEMPTS: Final = 12


@dataclass(frozen=True, slots=True)
class StreamKind:
    """One category's decider, as its module in ``events`` tells it."""

    commands: TypeAdapter[Any]
    registry: Registry
    initial: Callable[[str], Any]
    evolve: Callable[[Any, Any], Any]
    decide: Callable[[Any, Any, datetime], Sequence[Event]]
    closes: Callable[[Any], bool]
    opens_personal: bool = False


KINDS: Final[dict[str, StreamKind]] = {
    "job-order": StreamKind(
        job_order.COMMANDS,
        job_order.EVENTS,
        job_order.initial,
        job_order.evolve,
        job_order.decide,
        job_order.closes,
    ),
    # Opened, because only then can it be seen whether a name or an address has changed.
    "agency": StreamKind(
        agency.COMMANDS,
        agency.EVENTS,
        agency.initial,
        agency.evolve,
        agency.decide,
        agency.closes,
        opens_personal=True,
    ),
}


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
            decided_at = order.decided_at or self._now()
            if loaded.decided_at is not None and loaded.decided_at > decided_at:
                decided_at = loaded.decided_at
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


def kind_of(stream: str) -> StreamKind:
    """Find the decider of a stream's category.

    :raises InvalidCommand: streams of this category are not written here.
    """
    category, _, identity = stream.partition(":")
    if category not in KINDS or not identity:
        raise InvalidCommand(f"'{stream}' is no stream of {' or '.join(KINDS)}; write e.g. job-order:j-1")
    return KINDS[category]


def parse(stream: str, name: str, data: dict[str, Any]) -> Command:
    """Read a command to a stream from plain data.

    :raises InvalidCommand: one sentence that names the field, never its value.
    """
    adapter = kind_of(stream).commands
    try:
        command: Command = adapter.validate_python({**data, "name": name})
    except ValidationError as error:
        raise InvalidCommand(_sentence(stream, name, error)) from None
    return command


def _sentence(stream: str, name: str, error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    category = stream.partition(":")[0]
    if first["type"] == "union_tag_invalid":
        return f"'{name}' is no command of a {category}; there are {', '.join(names(category))}"
    place = ".".join(str(part) for part in first["loc"][1:] if part not in ("str", "Erased"))
    if first["type"] == "missing":
        return f"{name} needs '{place}'"
    if first["type"] == "extra_forbidden":
        return f"{name} has no field '{place}'"
    return f"{name}: '{place}' is not right: {first['msg'][0].lower()}{first['msg'][1:]}"


def names(category: str) -> list[str]:
    """List the commands that a category of streams understands."""
    mapping: dict[str, str] = KINDS[category].commands.json_schema()["discriminator"]["mapping"]
    return sorted(mapping)


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
        input=canonical({"command": command.model_dump(), "at": order.at}),
        outcome="accepted" if events else "nothing-to-do",
        drafts=drafts,
        closes=any(kind.closes(event) for event in events),
    )
