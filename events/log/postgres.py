"""The event log in PostgreSQL.

All writing goes through the database's own functions; nothing here inserts.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Final

import asyncpg

from events.envelope import AppendRequest, Stored
from events.log import rows
from events.log.combiner import Combiner
from events.log.connect import Connections
from events.log.keys import KeyStore
from events.log.plain import APPEND_ONWARD, Prepared, answers, is_refusal, onward_arguments, prepare
from events.log.port import (
    Appended,
    AppendResult,
    Conflict,
    LogHead,
    PolicyChanged,
    Receipt,
    StreamHead,
    WrongPhase,
)
from events.log.results import Known, Stale, judge
from events.log.rows import Row
from events.log.sealing import SealedRequest, open_sealed, seal_request
from events.log.subscription import follow
from events.log.telling import Teller, notify
from events.log.writers import Writers

_APPEND: Final = "SELECT * FROM rapport.append_many($1, $2, $3, $4)"
PREFETCH: Final = 1000
_LIVE_ONLY: Final = "the stream is being imported; turn it live first"


class PostgresLog:
    """An :class:`events.log.port.EventLog`; use it as ``async with PostgresLog(...) as log`` or close it.

    The login named in *dsn* is a member of the role; *role* may be ``rapport_projector`` for reading only.
    """

    def __init__(
        self,
        dsn: str,
        keys: KeyStore,
        *,
        role: str = "rapport_app",
        pool_size: int = 4,
        poll_interval: float = 1.0,
    ) -> None:
        self._connections = Connections(dsn, role=role, size=pool_size)
        self._keys = keys
        self._poll_interval = poll_interval
        self._writers = Writers(self._connections)
        self._teller = Teller(lambda: notify(self._connections))
        self._combiner: Combiner[Prepared, Row] = Combiner(
            self._perform,
            lane=lambda each: (each.sealed.request.agency, each.sealed.request.stream),
            weight=lambda each: len(each.sealed.events),
        )

    async def __aenter__(self) -> "PostgresLog":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Finish the appends under way and close every connection; close subscriptions before."""
        await self._combiner.close()
        await self._teller.close()
        await self._writers.close()
        await self._connections.close()

    async def append_many(self, requests: Sequence[AppendRequest]) -> list[AppendResult]:
        """Seal, hash and append each request, together with those of other callers."""
        if len(requests) == 1:
            return [await self._append(await seal_request(requests[0], self._keys))]
        sealed = [await seal_request(request, self._keys) for request in requests]
        # Every request is finished before the first error is raised: none is left behind unwatched.
        results = await asyncio.gather(*map(self._append, sealed), return_exceptions=True)
        done: list[AppendResult] = []
        for result in results:
            if isinstance(result, BaseException):
                raise result
            done.append(result)
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
        query = f"""
            SELECT {rows.EVENT_COLUMNS} FROM rapport.events
            WHERE agency = $1 AND stream = $2 AND version > $3 ORDER BY version LIMIT $4
        """
        found = await self._fetch(agency, query, agency, stream, after, limit)
        return [await self._stored(row, open_personal) for row in found]

    async def read_all(
        self, agency: str, *, after: int = 0, limit: int = 1000, category: str | None = None
    ) -> list[Stored]:
        """Read an agency's events after a position, in commit order."""
        query = f"""
            SELECT {rows.EVENT_COLUMNS} FROM rapport.events
            WHERE agency = $1 AND position > $2 AND ($4::text IS NULL OR split_part(stream, ':', 1) = $4)
            ORDER BY position LIMIT $3
        """
        found = await self._fetch(agency, query, agency, after, limit, category)
        return [await self._stored(row, False) for row in found]

    async def worlds(
        self, agency: str, *, share: int = 0, shares: int = 1
    ) -> AsyncGenerator[Sequence[Stored], None]:
        """Yield each engagement's events that are not the engine's, a stream at a time, by its name."""
        # Between two marks of the index's own order: a semicolon comes right behind the colon.
        query = f"""
            SELECT {rows.EVENT_COLUMNS} FROM rapport.events
            WHERE agency = $1 AND stream > 'engagement:' AND stream < 'engagement;' AND origin <> 'engine'
              AND abs(hashtext(stream)::bigint) % $3 = $2
            ORDER BY stream, version
        """
        stream: list[Stored] = []
        async with self._connections.scoped(agency) as connection:
            async for row in connection.cursor(query, agency, share, shares, prefetch=PREFETCH):
                stored = rows.stored_from_row(row, {})
                if stream and stored.stream != stream[0].stream:
                    yield stream
                    stream = []
                stream.append(stored)
        if stream:
            yield stream

    async def chain_hashes(self, agency: str, *, after: int = 0, limit: int = 1000) -> list[bytes]:
        """Read the chain hashes of an agency's events after a position, in commit order."""
        query = """
            SELECT chain_hash FROM rapport.events
            WHERE agency = $1 AND position > $2 ORDER BY position LIMIT $3
        """
        return [row["chain_hash"] for row in await self._fetch(agency, query, agency, after, limit)]

    def subscribe(
        self, agency: str, *, after: int = 0, category: str | None = None
    ) -> AsyncGenerator[Sequence[Stored], None]:
        """Yield batches of events after a position for ever; close the iterator to end it."""
        return follow(self, self._connections, agency, after, category, self._poll_interval)

    async def open_writer(self, agency: str, stream: str, clock: str | None = None) -> int:
        """Begin a new run of the stream's writer; returns its epoch."""
        epoch = await self._call(agency, "open_writer", agency, stream, clock)
        if epoch is None:
            raise WrongPhase(f"{stream} has no writer yet: {_LIVE_ONLY}")
        return int(epoch)

    async def acknowledge(self, agency: str, stream: str, version: int) -> None:
        """Note that the writer has folded the stream up to a version."""
        await self._call(agency, "acknowledge", agency, stream, version)

    async def head(self, agency: str, stream: str) -> StreamHead | None:
        """Tell where a stream stands."""
        query = f"SELECT {rows.HEAD_COLUMNS} FROM rapport.streams WHERE agency = $1 AND stream = $2"
        found = await self._fetch(agency, query, agency, stream)
        return rows.head_from_row(found[0]) if found else None

    async def log_head(self, agency: str) -> LogHead:
        """Tell how far an agency's log reaches."""
        query = "SELECT position, head_hash FROM rapport.log_heads WHERE agency = $1"
        found = await self._fetch(agency, query, agency)
        return LogHead(found[0]["position"], found[0]["head_hash"]) if found else LogHead(0, b"")

    async def agencies(self) -> list[str]:
        """List the agencies that have events, sorted."""
        found = await self._fetch("", "SELECT name FROM rapport.list_agencies() AS name")
        return [row["name"] for row in found]

    async def streams(
        self, agency: str, *, category: str | None = None, after: str | None = None, limit: int = 1000
    ) -> list[StreamHead]:
        """List an agency's streams after a name, sorted by name."""
        query = f"""
            SELECT {rows.HEAD_COLUMNS} FROM rapport.streams
            WHERE agency = $1 AND ($2::text IS NULL OR category = $2) AND ($3::text IS NULL OR stream > $3)
            ORDER BY stream LIMIT $4
        """
        return [
            rows.head_from_row(row)
            for row in await self._fetch(agency, query, agency, category, after, limit)
        ]

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
        query = f"""
            SELECT {rows.HEAD_COLUMNS} FROM rapport.streams s
            WHERE agency = $1 AND category = $2 AND ($3::text IS NULL OR stream > $3)
              AND version > acked_version AND phase <> 'importing'
              AND NOT EXISTS (
                  SELECT FROM rapport.events e
                  WHERE e.agency = s.agency AND e.stream = s.stream AND e.version = s.version
                    AND e.recorded_at > clock_timestamp() - $5::interval)
            ORDER BY stream LIMIT $4
        """
        return [
            rows.head_from_row(row)
            for row in await self._fetch(agency, query, agency, category, after, limit, quiet_for)
        ]

    async def claim_poke(self, head: StreamHead, *, lease: timedelta) -> bool:
        """Take it on to poke a stream's writer for the version of *head*; False: somebody else has."""
        seen = (head.agency, head.stream, head.version, head.poked_at)
        return bool(await self._call(head.agency, "claim_poke", *seen, lease))

    async def mark_poked(self, agency: str, stream: str, version: int, run_id: str) -> None:
        """Note that a run of the stream's writer was told of its events up to a version, now."""
        await self._call(agency, "mark_poked", agency, stream, version, run_id)

    async def receipt(self, agency: str, stream: str, command_id: str) -> Receipt | None:
        """Tell what a command came to."""
        query = """
            SELECT command_id, outcome, first, last FROM rapport.receipts
            WHERE agency = $1 AND stream = $2 AND command_id = $3
        """
        found = await self._fetch(agency, query, agency, stream, command_id)
        return Receipt(**found[0]) if found else None

    async def reservation_holders(self, agency: str, kind: str, key_prefix: str) -> dict[str, str]:
        """Map each claimed key with this prefix to the stream that holds it."""
        query = """
            SELECT key, stream FROM rapport.reservations
            WHERE agency = $1 AND kind = $2 AND starts_with(key, $3) ORDER BY key
        """
        return {
            row["key"]: row["stream"] for row in await self._fetch(agency, query, agency, kind, key_prefix)
        }

    async def streams_saying(
        self, agency: str, type: str, field: str, value: str, *, before: int
    ) -> list[str]:
        """List the streams that hold, before a position, an event of a type with a text in a plain field."""
        query = """
            SELECT DISTINCT stream FROM rapport.events
            WHERE agency = $1 AND type = $2 AND position < $5 AND body::jsonb ->> $3 = $4 ORDER BY stream
        """
        found = await self._fetch(agency, query, agency, type, field, value, before)
        return [row["stream"] for row in found]

    async def closed_owing(
        self, agency: str, asked: str, answers: Sequence[str], field: str
    ) -> list[StreamHead]:
        """List the closed streams with an event of type *asked* that none of type *answers* answers."""
        query = f"""
            SELECT {rows.HEAD_COLUMNS} FROM rapport.streams s
            WHERE agency = $1 AND phase = 'closed' AND EXISTS (
                SELECT FROM rapport.events e
                WHERE e.agency = s.agency AND e.stream = s.stream AND e.type = $2
                  AND NOT EXISTS (
                      SELECT FROM rapport.events a
                      WHERE a.agency = s.agency AND a.stream = s.stream AND a.version > e.version
                        AND a.type = ANY ($3) AND a.body::jsonb ->> $4 = e.body::jsonb ->> $4))
            ORDER BY stream
        """
        found = await self._fetch(agency, query, agency, asked, list(answers), field)
        return [rows.head_from_row(row) for row in found]

    async def begin_import(self, agency: str, stream: str) -> None:
        """Make a new stream that takes imported events only, until it turns live."""
        if not await self._call(agency, "begin_import", agency, stream):
            raise WrongPhase(f"{stream} is live or closed already; import writes new streams only")

    async def turn_live(self, agency: str, stream: str) -> None:
        """End a stream's import."""
        await self._call(agency, "turn_live", agency, stream)

    async def save_policy(self, agency: str, digest: str, body: str) -> None:
        """Keep a policy's body under its digest."""
        if not await self._call(agency, "save_policy", agency, digest, body):
            raise PolicyChanged(f"the policy {digest} stands for another body already")

    async def load_policy(self, agency: str, digest: str) -> str | None:
        """Return a policy's body."""
        query = "SELECT body FROM rapport.policies WHERE agency = $1 AND digest = $2"
        found = await self._fetch(agency, query, agency, digest)
        return found[0]["body"] if found else None

    async def ciphertexts(self, agency: str, stream: str) -> dict[int, dict[str, str]]:
        """Map versions to their sealed fields in base64."""
        query = """
            SELECT version, sealed FROM rapport.events
            WHERE agency = $1 AND stream = $2 AND sealed IS NOT NULL ORDER BY version
        """
        found = await self._fetch(agency, query, agency, stream)
        return {row["version"]: json.loads(row["sealed"]) for row in found}

    async def _append(self, sealed: SealedRequest) -> AppendResult:
        verdict = judge(sealed, await self._combiner.submit(prepare(sealed)))
        request = sealed.request
        match verdict:
            case Stale(version, known):
                missing = await self._span(request, request.expected + 1, version)
                return Conflict(version, tuple(missing), known)
            case Known(version, spans, outcomes):
                events = [event for first, last in spans for event in await self._span(request, first, last)]
                return Appended(version, tuple(events), outcomes)
            case _:
                return verdict

    async def _perform(self, batch: Sequence[Prepared]) -> Sequence[Row]:
        if onward := onward_arguments(batch):
            turn, told = self._teller.begin(), False
            try:
                [row] = await self._writers.fetch(APPEND_ONWARD, *onward, turn is not None)
                told = True
                return answers(batch, row)
            except asyncpg.PostgresError as error:
                if not is_refusal(error):
                    raise
            finally:
                self._teller.end(turn, told=told)
        return await self._writers.fetch(_APPEND, *rows.append_arguments([each.sealed for each in batch]))

    async def _span(self, request: AppendRequest, first: int, last: int) -> list[Stored]:
        if last < first:
            return []
        return await self.read_stream(request.agency, request.stream, after=first - 1, limit=last - first + 1)

    async def _stored(self, row: asyncpg.Record, open_personal: bool) -> Stored:
        opened: dict[str, str] = {}
        if open_personal and row["sealed"] is not None:
            opened = await open_sealed(row["agency"], row["event_id"], json.loads(row["sealed"]), self._keys)
        return rows.stored_from_row(row, opened)

    async def _fetch(self, agency: str, query: str, *arguments: Any) -> list[asyncpg.Record]:
        async with self._connections.scoped(agency) as connection:
            found: list[asyncpg.Record] = await connection.fetch(query, *arguments)
        return found

    async def _call(self, agency: str, function: str, *arguments: Any) -> Any:
        places = ", ".join(f"${number}" for number in range(1, len(arguments) + 1))
        async with self._connections.borrow() as connection:
            return await connection.fetchval(f"SELECT rapport.{function}({places})", *arguments)
