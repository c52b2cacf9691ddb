"""What the rest of Rapport may ask of an event log, whatever holds it.

A result is a value, never an exception, wherever a caller must decide again; only an unknown outcome raises.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from events.envelope import AppendRequest, Stored


@dataclass(frozen=True, slots=True)
class Appended:
    """All groups are in the log; *events* are those stored for them, in version order."""

    version: int
    events: tuple[Stored, ...]
    outcomes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Conflict:
    """The stream is ahead of what the writer expected, or some of its commands are known already.

    Nothing was written.  The writer folds *missing*, answers the *known* commands by their stored
    outcomes, and decides the others again: a request that mixes known and unknown commands was decided
    on events that do not exist, so its versions and hashes would be wrong.
    """

    version: int
    missing: tuple[Stored, ...]
    known: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CommandIdReused:
    """A command id came again with another content; nothing was written."""

    command_id: str


@dataclass(frozen=True, slots=True)
class Taken:
    """Another stream holds what a group claims; nothing was written."""

    command_id: str
    kind: str
    key: str
    holder: str


@dataclass(frozen=True, slots=True)
class Fenced:
    """A newer run writes this stream; nothing was written."""

    run_epoch: int


@dataclass(frozen=True, slots=True)
class StreamClosed:
    """The stream is closed and a group holds what a closed stream may not have; nothing was written."""

    command_id: str


AppendResult = Appended | Conflict | CommandIdReused | Taken | Fenced | StreamClosed


@dataclass(frozen=True, slots=True)
class StreamHead:
    """Where a stream stands."""

    agency: str
    stream: str
    version: int
    acked_version: int
    poked_version: int
    run_epoch: int
    phase: str
    poked_at: datetime | None = None
    poked_run: str | None = None
    clock: str | None = None
    """The JSON of the writer's :class:`events.clock.ClockSpec`; None until a writer has brought one."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a command came to; one without events has *last* = *first* - 1."""

    command_id: str
    outcome: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class LogHead:
    """How far an agency's log reaches, and the hash that vouches for all of it."""

    position: int
    head_hash: bytes


class WrongPhase(Exception):
    """Imported events go only to a stream that is being imported, and the business's own never there."""


class PolicyChanged(Exception):
    """A policy's digest stands for another body already; digests are made from bodies, so one is wrong."""


class EventLog(Protocol):
    """An append-only log per agency."""

    async def append_many(self, requests: Sequence[AppendRequest]) -> list[AppendResult]:
        """Seal, hash and append each request; one result per request, in order.

        If every group of a request has a receipt with its digest, its stored events come back.
        Events in results are never opened.  Any other error: the outcome is unknown; send the same again.

        :raises WrongPhase: imported events for a live stream, or others for one being imported.
        :raises KeyDestroyed: the person is erased, so nothing personal can be written for them.
        """

    async def read_stream(
        self,
        agency: str,
        stream: str,
        *,
        after: int = 0,
        limit: int | None = None,
        open_personal: bool = False,
    ) -> list[Stored]:
        """Read a stream's events after a version, oldest first."""

    async def read_all(
        self, agency: str, *, after: int = 0, limit: int = 1000, category: str | None = None
    ) -> list[Stored]:
        """Read an agency's events after a position, in commit order."""

    def worlds(
        self, agency: str, *, share: int = 0, shares: int = 1
    ) -> AsyncGenerator[Sequence[Stored], None]:
        """Yield each engagement's events that are not the engine's, a stream at a time, by its name.

        *share* of *shares* takes the streams that fall to it, so that several readers have each stream once.
        """

    async def chain_hashes(self, agency: str, *, after: int = 0, limit: int = 1000) -> list[bytes]:
        """Read the chain hashes of an agency's events after a position, in commit order."""

    def subscribe(
        self, agency: str, *, after: int = 0, category: str | None = None
    ) -> AsyncGenerator[Sequence[Stored], None]:
        """Yield batches of events after a position for ever, each event once and in order, until closed."""

    async def open_writer(self, agency: str, stream: str, clock: str | None = None) -> int:
        """Begin a new run of the stream's writer; returns its epoch, which fences all earlier ones.

        The first *clock* that a writer brings stays the stream's.

        :raises WrongPhase: the stream is being imported.
        """

    async def acknowledge(self, agency: str, stream: str, version: int) -> None:
        """Note that the writer has folded the stream up to a version."""

    async def head(self, agency: str, stream: str) -> StreamHead | None:
        """Tell where a stream stands, or None if it has no event and no writer."""

    async def log_head(self, agency: str) -> LogHead:
        """Tell how far an agency's log reaches; position 0 if it is empty."""

    async def agencies(self) -> list[str]:
        """List the agencies that have events, sorted."""

    async def streams(
        self, agency: str, *, category: str | None = None, after: str | None = None, limit: int = 1000
    ) -> list[StreamHead]:
        """List an agency's streams after a name, sorted by name; page on with the last one's."""

    async def ahead(
        self,
        agency: str,
        *,
        category: str = "engagement",
        after: str | None = None,
        limit: int = 1000,
        quiet_for: timedelta = timedelta(),
    ) -> list[StreamHead]:
        """List the streams with events that their writer has not acknowledged, poked for them or not.

        One that grew within *quiet_for* is left out; page on with the last one's name.
        """

    async def claim_poke(self, head: StreamHead, *, lease: timedelta) -> bool:
        """Take it on to poke a stream's writer for the version of *head*; False: somebody else has.

        Without :meth:`mark_poked` the claim lapses after *lease*, so that it can be made again.
        """

    async def mark_poked(self, agency: str, stream: str, version: int, run_id: str) -> None:
        """Note that a run of the stream's writer was told of its events up to a version, now."""

    async def receipt(self, agency: str, stream: str, command_id: str) -> Receipt | None:
        """Tell what a command came to, or None if the stream never saw it."""

    async def reservation_holders(self, agency: str, kind: str, key_prefix: str) -> dict[str, str]:
        """Map each claimed key with this prefix to the stream that holds it."""

    async def streams_saying(
        self, agency: str, type: str, field: str, value: str, *, before: int
    ) -> list[str]:
        """List the streams that hold, before a position, an event of a type with a text in a plain field."""

    async def closed_owing(
        self, agency: str, asked: str, answers: Sequence[str], field: str
    ) -> list[StreamHead]:
        """List the closed streams with an event of type *asked* that none of type *answers* answers.

        An answer repeats its plain text *field*.
        """

    async def begin_import(self, agency: str, stream: str) -> None:
        """Make a new stream that takes imported events only, until :meth:`turn_live`.

        :raises WrongPhase: the stream exists and is not being imported.
        """

    async def turn_live(self, agency: str, stream: str) -> None:
        """End a stream's import; from now on its own writer writes it."""

    async def save_policy(self, agency: str, digest: str, body: str) -> None:
        """Keep a policy's body under its digest; again with the same body changes nothing.

        :raises PolicyChanged: the digest stands for another body.
        """

    async def load_policy(self, agency: str, digest: str) -> str | None:
        """Return a policy's body, or None if the agency never saved it."""

    async def ciphertexts(self, agency: str, stream: str) -> dict[int, dict[str, str]]:
        """Map versions to their sealed fields in base64, for verification."""
