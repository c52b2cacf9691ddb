"""The event log in this process only: the twin of the PostgreSQL log, for tests and for trying things out.

It keeps every promise of the port; the contract suite runs on both, so change them together.
"""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zlib import crc32

from events.envelope import AppendRequest, Stored, category_of
from events.log.hashing import link
from events.log.keys import KeyStore, MemoryKeys
from events.log.port import (
    Appended,
    AppendResult,
    CommandIdReused,
    Conflict,
    Fenced,
    LogHead,
    PolicyChanged,
    Receipt,
    StreamClosed,
    StreamHead,
    Taken,
    WrongPhase,
)
from events.log.results import misplaced, spans_of
from events.log.rows import stored_from_sealed
from events.log.sealing import SealedRequest, open_sealed, seal_request


@dataclass
class _Stream:
    head: StreamHead
    events: list[Stored] = field(default_factory=list)
    receipts: dict[str, tuple[bytes, Receipt]] = field(default_factory=dict)


@dataclass
class _Agency:
    events: list[Stored] = field(default_factory=list)
    head_hash: bytes = b""
    streams: dict[str, _Stream] = field(default_factory=dict)
    reservations: dict[tuple[str, str], str] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)
    sealed: dict[int, dict[str, str]] = field(default_factory=dict)


class MemoryLog:
    """An :class:`events.log.port.EventLog` that forgets everything with its process."""

    def __init__(
        self, keys: KeyStore | None = None, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._keys = keys or MemoryKeys()
        self._clock = clock
        self._logs: dict[str, _Agency] = {}
        self._grown = asyncio.Event()

    async def append_many(self, requests: Sequence[AppendRequest]) -> list[AppendResult]:
        """Seal, hash and append each request."""
        sealed = [await seal_request(request, self._keys) for request in requests]
        done: list[AppendResult] = []
        misfits: list[WrongPhase] = []
        for request in sealed:
            # As in PostgreSQL, one caller's mistake does not keep the other requests out.
            try:
                done.append(self._append(request))
            except WrongPhase as error:
                misfits.append(error)
        if misfits:
            raise misfits[0]
        return done

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
        found = self._stream(agency, stream)
        events = found.events[after:][:limit] if found else []
        if not open_personal:
            return list(events)
        sealed = self._log(agency).sealed
        return [
            event.model_copy(
                update={
                    "opened": await open_sealed(
                        agency, event.event_id, sealed.get(event.position, {}), self._keys
                    )
                }
            )
            for event in events
        ]

    async def read_all(
        self, agency: str, *, after: int = 0, limit: int = 1000, category: str | None = None
    ) -> list[Stored]:
        """Read an agency's events after a position, in commit order."""
        events = self._log(agency).events[after:]
        return [event for event in events if category in (None, category_of(event.stream))][:limit]

    async def worlds(
        self, agency: str, *, share: int = 0, shares: int = 1
    ) -> AsyncGenerator[Sequence[Stored], None]:
        """Yield each engagement's events that are not the engine's, a stream at a time, by its name."""
        for head in await self.streams(agency, category="engagement", limit=sys.maxsize):
            found = await self.read_stream(agency, head.stream)
            world = [each for each in found if each.origin != "engine"]
            if world and crc32(head.stream.encode()) % shares == share:
                yield world

    async def chain_hashes(self, agency: str, *, after: int = 0, limit: int = 1000) -> list[bytes]:
        """Read the chain hashes of an agency's events after a position, in commit order."""
        return [event.chain_hash for event in self._log(agency).events[after:][:limit]]

    async def subscribe(
        self, agency: str, *, after: int = 0, category: str | None = None
    ) -> AsyncGenerator[Sequence[Stored], None]:
        """Yield batches of events after a position for ever."""
        while True:
            grown = self._grown
            if page := await self.read_all(agency, after=after, category=category):
                yield page
                after = page[-1].position
            else:
                await grown.wait()

    async def open_writer(self, agency: str, stream: str, clock: str | None = None) -> int:
        """Begin a new run of the stream's writer; returns its epoch."""
        found = self._made(agency, stream)
        if found.head.phase == "importing":
            raise WrongPhase(f"{stream} has no writer yet: it is being imported; turn it live first")
        epoch, kept = found.head.run_epoch + 1, found.head.clock
        found.head = replace(found.head, run_epoch=epoch, clock=clock if kept is None else kept)
        return found.head.run_epoch

    async def acknowledge(self, agency: str, stream: str, version: int) -> None:
        """Note that the writer has folded the stream up to a version."""
        if found := self._stream(agency, stream):
            version = min(version, found.head.version)
            found.head = replace(found.head, acked_version=max(found.head.acked_version, version))

    async def claim_poke(self, head: StreamHead, *, lease: timedelta) -> bool:
        """Take it on to poke a stream's writer for the version of *head*; False: somebody else has."""
        found, now = self._stream(head.agency, head.stream), self._clock()
        if found is None or found.head.poked_at != head.poked_at or found.head.poked_version > head.version:
            return False
        at, under_way = found.head.poked_at, found.head.poked_run is None
        if at is not None and under_way and at > now - lease:
            return False
        found.head = replace(found.head, poked_version=head.version, poked_run=None, poked_at=now)
        return True

    async def mark_poked(self, agency: str, stream: str, version: int, run_id: str) -> None:
        """Note that a run of the stream's writer was told of its events up to a version, now."""
        if found := self._stream(agency, stream):
            version = min(version, found.head.version)
            if version >= found.head.poked_version:
                found.head = replace(
                    found.head, poked_version=version, poked_run=run_id, poked_at=self._clock()
                )

    async def head(self, agency: str, stream: str) -> StreamHead | None:
        """Tell where a stream stands."""
        found = self._stream(agency, stream)
        return found.head if found else None

    async def log_head(self, agency: str) -> LogHead:
        """Tell how far an agency's log reaches."""
        log = self._log(agency)
        return LogHead(len(log.events), log.head_hash)

    async def agencies(self) -> list[str]:
        """List the agencies that have events, sorted."""
        return sorted(agency for agency, log in self._logs.items() if log.events)

    async def streams(
        self, agency: str, *, category: str | None = None, after: str | None = None, limit: int = 1000
    ) -> list[StreamHead]:
        """List an agency's streams after a name, sorted by name."""
        found = (
            stream.head
            for name, stream in sorted(self._log(agency).streams.items())
            if category in (None, category_of(name)) and (after is None or name > after)
        )
        return list(found)[:limit]

    async def ahead(
        self,
        agency: str,
        *,
        category: str = "engagement",
        after: str | None = None,
        limit: int = 1000,
        quiet_for: timedelta = timedelta(),
    ) -> list[StreamHead]:
        """List the streams with events that their writer has not acknowledged, poked for them or not."""
        quiet_since = self._clock() - quiet_for
        behind = (
            stream.head
            for name, stream in sorted(self._log(agency).streams.items())
            if category_of(name) == category and (after is None or name > after)
            if stream.head.version > stream.head.acked_version and stream.head.phase != "importing"
            if stream.events[-1].recorded_at <= quiet_since
        )
        return list(behind)[:limit]

    async def receipt(self, agency: str, stream: str, command_id: str) -> Receipt | None:
        """Tell what a command came to."""
        found = self._stream(agency, stream)
        known = found.receipts.get(command_id) if found else None
        return known[1] if known else None

    async def reservation_holders(self, agency: str, kind: str, key_prefix: str) -> dict[str, str]:
        """Map each claimed key with this prefix to the stream that holds it."""
        held = sorted(self._log(agency).reservations.items())
        return {key: stream for (of, key), stream in held if of == kind and key.startswith(key_prefix)}

    async def streams_saying(
        self, agency: str, type: str, field: str, value: str, *, before: int
    ) -> list[str]:
        """List the streams that hold, before a position, an event of a type with a text in a plain field."""
        events = self._log(agency).events[: before - 1]
        return sorted(
            {
                each.stream
                for each in events
                if each.type == type and json.loads(each.body).get(field) == value
            }
        )

    async def closed_owing(
        self, agency: str, asked: str, answers: Sequence[str], field: str
    ) -> list[StreamHead]:
        """List the closed streams with an event of type *asked* that none of type *answers* answers."""

        def owes(stream: _Stream) -> bool:
            open_: set[str] = set()
            for each in stream.events:
                if each.type == asked:
                    open_.add(json.loads(each.body)[field])
                elif each.type in answers:
                    open_.discard(json.loads(each.body)[field])
            return stream.head.phase == "closed" and bool(open_)

        return [stream.head for _, stream in sorted(self._log(agency).streams.items()) if owes(stream)]

    async def begin_import(self, agency: str, stream: str) -> None:
        """Make a new stream that takes imported events only, until it turns live."""
        found = self._stream(agency, stream)
        if found is None:
            found = self._made(agency, stream)
            found.head = replace(found.head, phase="importing")
        if found.head.phase != "importing":
            raise WrongPhase(f"{stream} is live or closed already; import writes new streams only")

    async def turn_live(self, agency: str, stream: str) -> None:
        """End a stream's import."""
        found = self._stream(agency, stream)
        if found and found.head.phase == "importing":
            found.head = replace(found.head, phase="live")

    async def save_policy(self, agency: str, digest: str, body: str) -> None:
        """Keep a policy's body under its digest."""
        if self._log(agency).policies.setdefault(digest, body) != body:
            raise PolicyChanged(f"the policy {digest} stands for another body already")

    async def load_policy(self, agency: str, digest: str) -> str | None:
        """Return a policy's body."""
        return self._log(agency).policies.get(digest)

    async def ciphertexts(self, agency: str, stream: str) -> dict[int, dict[str, str]]:
        """Map versions to their sealed fields in base64."""
        sealed = self._log(agency).sealed
        events = await self.read_stream(agency, stream)
        return {event.version: sealed[event.position] for event in events if event.position in sealed}

    def _append(self, sealed: SealedRequest) -> AppendResult:
        request = sealed.request
        found = self._stream(request.agency, request.stream)
        head = found.head if found else _new_head(request.agency, request.stream)
        receipts = found.receipts if found else {}
        for group in sorted(sealed.groups, key=lambda group: group.group.command_id):
            known = receipts.get(group.group.command_id)
            if known is not None and known[0] != group.digest:
                return CommandIdReused(group.group.command_id)
        seen = [receipts[id][1] for group in sealed.groups if (id := group.group.command_id) in receipts]
        outcomes = {receipt.command_id: receipt.outcome for receipt in seen}
        if found and seen and len(seen) == len(sealed.groups):
            spans = spans_of((receipt.first, receipt.last) for receipt in seen)
            events = tuple(event for first, last in spans for event in found.events[first - 1 : last])
            return Appended(head.version, events, outcomes)
        if (request.run_epoch or 0) != head.run_epoch:
            return Fenced(head.run_epoch)
        if head.version != request.expected or seen:
            missing = found.events[request.expected :] if found else []
            return Conflict(head.version, tuple(missing), outcomes)
        return self._refusal(sealed, head.phase) or self._write(sealed)

    def _refusal(self, sealed: SealedRequest, phase: str) -> AppendResult | None:
        imported = any(group.imported for group in sealed.groups)
        business = any(group.business for group in sealed.groups)
        if business if phase == "importing" else imported:
            raise misplaced(sealed.request.stream)
        late = [group.group.command_id for group in sealed.groups if group.needs_open]
        if phase == "closed" and late:
            return StreamClosed(late[0])
        if sealed.late_command is not None:
            return StreamClosed(sealed.late_command)
        reservations = self._log(sealed.request.agency).reservations
        for group in sealed.groups:
            for claim in group.group.claims:
                holder = reservations.get((claim.kind, claim.key), sealed.request.stream)
                if holder != sealed.request.stream:
                    return Taken(group.group.command_id, claim.kind, claim.key, holder)
        return None

    def _write(self, sealed: SealedRequest) -> Appended:
        request, log = sealed.request, self._log(sealed.request.agency)
        found = self._made(request.agency, request.stream)
        recorded_at = self._clock()
        chain = found.events[-1].chain_hash if found.events else b""
        events = []
        for event in sealed.events:
            chain = link(chain, event.content_hash)
            log.head_hash = link(log.head_hash, chain)
            position = len(log.events) + 1
            stored = stored_from_sealed(sealed, event, position, recorded_at, chain)
            events.append(stored)
            log.events.append(stored)
            if event.sealed:
                log.sealed[position] = event.sealed
        found.events.extend(events)
        for group in sealed.groups:
            command = group.group
            receipt = Receipt(command.command_id, command.outcome, group.first, group.last)
            found.receipts[command.command_id] = (group.digest, receipt)
        self._reserve(sealed)
        found.head = replace(
            found.head,
            version=len(found.events),
            acked_version=max(found.head.acked_version, min(request.acked, request.expected)),
            phase="closed" if sealed.closes else found.head.phase,
        )
        self._grown.set()
        self._grown = asyncio.Event()
        outcomes = {group.group.command_id: group.group.outcome for group in sealed.groups}
        return Appended(len(found.events), tuple(events), outcomes)

    def _reserve(self, sealed: SealedRequest) -> None:
        stream, reservations = sealed.request.stream, self._log(sealed.request.agency).reservations
        for group in sealed.groups:
            for claim in group.group.releases:
                if reservations.get((claim.kind, claim.key)) == stream:
                    del reservations[claim.kind, claim.key]
            for claim in group.group.claims:
                reservations[claim.kind, claim.key] = stream

    def _log(self, agency: str) -> _Agency:
        return self._logs.setdefault(agency, _Agency())

    def _stream(self, agency: str, stream: str) -> _Stream | None:
        return self._log(agency).streams.get(stream)

    def _made(self, agency: str, stream: str) -> _Stream:
        streams = self._log(agency).streams
        return streams.setdefault(stream, _Stream(_new_head(agency, stream)))


def _new_head(agency: str, stream: str) -> StreamHead:
    return StreamHead(agency, stream, 0, 0, 0, 0, "live")
