"""Writes the past of a stream into the log, or finds out how much of it is there already.

The log's receipts decide what is new: nothing is remembered outside it, so it may be killed at any moment.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from events.envelope import AppendRequest, CommandGroup
from events.log.keys import KeyDestroyed
from events.log.port import (
    Appended,
    AppendResult,
    CommandIdReused,
    Conflict,
    EventLog,
    Fenced,
    StreamClosed,
    StreamHead,
    Taken,
    WrongPhase,
)
from events.sources.errors import SourceError
from workers.importing.account import Account
from workers.importing.past import HELD, PastStream, Told, rows_of

# No stream ever gets there, so what is sent to this version is only asked about.
_NEVER: Final = 2**62
_CHUNK: Final = 200
_TRIES: Final = 5
OTHERWISE: Final = (
    "the source says something else here than when it was imported before, or another mapping was used; "
    "what was imported stays"
)
ERASED: Final = "the person was erased, so nothing more is written about them"
T = TypeVar("T")
Phase = Literal["importing", "live", "closed"]


@dataclass(frozen=True, slots=True)
class Written:
    """Where a stream stands after its past was written; *fresh* is what a live one does not know yet."""

    past: PastStream
    phase: Phase
    events: int = 0
    fresh: tuple[Told, ...] = ()
    left_aside: bool = False


class History:
    """Writes into one agency's log."""

    def __init__(self, log: EventLog, agency: str, account: Account) -> None:
        self._log, self._agency, self._account = log, agency, account

    async def write(self, past: PastStream) -> Written:
        """Bring a stream's past into the log, once, and note what became of each row.

        :raises SourceError: somebody else imports the same stream at the same time.
        """
        for _ in range(_TRIES):
            try:
                written = await self._write(past)
            except KeyDestroyed:
                return self._aside(past, past.told, ERASED)
            except WrongPhase:
                # Another import has turned it live meanwhile.
                continue
            if written is not None:
                return written
        raise SourceError("another import writes the same streams; let one end before the next begins")

    async def _write(self, past: PastStream) -> Written | None:
        head = await self._log.head(self._agency, past.stream)
        if head is None:
            await self._log.begin_import(self._agency, past.stream)
            return await self._append(past, past.told, 0)
        known, otherwise = await self._known(past, head)
        self._account.aside(rows_of(otherwise), OTHERWISE)
        odd = {each.step.command_id for each in otherwise}
        fresh = [each for each in past.told if each.step.command_id not in known | odd]
        self._account.note(
            rows_of([each for each in past.told if each.step.command_id in known]), "already-there"
        )
        if head.phase == "closed" and not head.run_epoch:
            await self._log.acknowledge(self._agency, past.stream, head.version)
        if head.phase != "importing":
            return Written(past, "closed" if head.phase == "closed" else "live", fresh=tuple(fresh))
        if otherwise or not _follows(past.told, fresh):
            return self._aside(past, fresh, OTHERWISE)
        return await self._append(past, fresh, head.version)

    async def _append(self, past: PastStream, fresh: Sequence[Told], version: int) -> Written | None:
        """Append what is not there yet; None asks for another look, because somebody else writes too."""
        groups = past.groups[len(past.told) - len(fresh) :]
        events = 0
        for told, chunk in zip(_chunks(fresh), _chunks(groups), strict=True):
            result = await self._send(past.stream, chunk, version)
            if isinstance(result, Taken):
                return self._aside(past, fresh, HELD)
            if not isinstance(result, Appended):
                return None
            events, version = events + result.version - version, result.version
            self._account.note(rows_of(list(told)), "imported")
        if past.closed:
            # Nobody writes it any more: the sweep need not look after it.
            await self._log.acknowledge(self._agency, past.stream, version)
        return Written(past, "closed" if past.closed else "importing", events)

    async def _known(self, past: PastStream, head: StreamHead) -> tuple[set[str], list[Told]]:
        """Ask which commands the stream has, and which it has with another content."""
        known: set[str] = set()
        otherwise: list[Told] = []
        for told in _chunks(past.told):
            asked = list(told)
            while asked:
                groups = [each.group for each in asked]
                result = await self._send(past.stream, groups, _NEVER, head.run_epoch)
                match result:
                    case Appended(outcomes=found) | Conflict(known=found):
                        known |= found.keys()
                        break
                    case CommandIdReused(command_id=odd):
                        otherwise += [each for each in asked if each.step.command_id == odd]
                        asked = [each for each in asked if each.step.command_id != odd]
                    case Fenced(run_epoch=epoch):
                        head = await self._log.head(self._agency, past.stream) or head
                        if head.run_epoch != epoch:
                            continue
                    case Taken() | StreamClosed():
                        raise RuntimeError(f"{past.stream} takes what it was only asked about")
        return known, otherwise

    async def _send(
        self, stream: str, groups: Sequence[CommandGroup], version: int, epoch: int | None = None
    ) -> AppendResult:
        request = AppendRequest(
            agency=self._agency, stream=stream, expected=version, run_epoch=epoch, groups=tuple(groups)
        )
        [result] = await self._log.append_many([request])
        return result

    def _aside(self, past: PastStream, told: Sequence[Told], reason: str) -> Written:
        self._account.aside(rows_of(list(told)), reason)
        return Written(past, "importing", left_aside=True)


def _follows(told: Sequence[Told], fresh: Sequence[Told]) -> bool:
    """Tell whether what is new comes after all that is known."""
    return not fresh or list(told[len(told) - len(fresh) :]) == list(fresh)


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
