"""The inbox in PostgreSQL: what a door keeps before it acknowledges, and what a person sees of it.

A message's body is sealed under its connection's key and may be about people who are nobody's here: it is
opened to be understood or shown, and never logged.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, cast
from uuid import UUID

from events.canonical import canonical
from events.envelope import derived_id
from events.errors import CallerError, WrongState
from events.integrations.message import Message, Received
from events.log import connect
from events.log.boxes import find_and_open, keyed_digest, shut
from events.log.keys import DIGEST_SUBJECT, DataKey, KeyStore
from workers.inbox.connections import Connection, subject

State = Literal["received", "applied", "ignored", "waiting", "unmatched", "discarded", "superseded"]
_LENGTH: Final = 4
_LONGEST_NAME: Final = 200
# Nothing has happened after we were told of it, whatever the source's clock says: the body still holds that.
_RECEIVE: Final = """
    SELECT rapport.receive_message($1, $2, $3, $4, $5,
        CASE WHEN $6::timestamptz <= clock_timestamp() THEN $6 END, $7, $8, $9)
"""
COLUMNS: Final = """message_id, connection_id, event, occurred_at, received_at, delivered_at, deliveries,
    state, says, needs, engagements, attempts, next_at, settled_at, purged_at, outcome"""
_LIST: Final = f"""
    SELECT {COLUMNS} FROM rapport.inbox
    WHERE agency = $1 AND ($2::text[] IS NULL OR state = ANY($2)) AND ($3::text IS NULL OR connection_id = $3)
      AND ($4::text IS NULL OR $4 = ANY(engagements))
      AND ($5::uuid IS NULL OR (received_at, message_id) < (
        SELECT x.received_at, x.message_id FROM rapport.inbox x WHERE x.agency = $1 AND x.message_id = $5))
    ORDER BY received_at DESC, message_id DESC LIMIT $6
"""
_ONE: Final = f"SELECT {COLUMNS}, sealed FROM rapport.inbox WHERE agency = $1 AND message_id = $2"
_RETRY: Final = """
    UPDATE rapport.inbox SET state = 'received', says = NULL, needs = NULL, settled_at = NULL, attempts = 0,
        next_at = clock_timestamp()
    WHERE agency = $1 AND purged_at IS NULL AND state = ANY($2)
      AND ($3::uuid IS NULL OR message_id = $3) AND ($4::text IS NULL OR connection_id = $4)
"""
_DISCARD: Final = """
    UPDATE rapport.inbox SET state = 'discarded', says = $3, settled_at = clock_timestamp()
    WHERE agency = $1 AND message_id = $2 AND state IN ('received', 'waiting', 'unmatched')
"""
_HELD_UP: Final = """
    SELECT connection_id, count(*) FILTER (WHERE state = 'waiting') AS waiting,
        min(received_at) FILTER (WHERE state = 'waiting') AS waiting_since,
        count(*) FILTER (WHERE state = 'unmatched') AS unmatched,
        min(received_at) FILTER (WHERE state = 'unmatched') AS unmatched_since,
        count(*) FILTER (WHERE state = 'received') AS late,
        min(received_at) FILTER (WHERE state = 'received') AS late_since,
        max(attempts) FILTER (WHERE state = 'received') AS attempts
    FROM rapport.inbox
    WHERE agency = $1
      AND (state = 'waiting' OR (state = 'unmatched' AND purged_at IS NULL)
           OR (state = 'received' AND received_at <= clock_timestamp() - $2::interval))
    GROUP BY connection_id ORDER BY connection_id
"""


class UnknownMessage(CallerError):
    """The agency has no such message."""

    code = "unknown-message"

    def __init__(self) -> None:
        super().__init__("the inbox has no such message; 'rapport inbox list' names them")


@dataclass(frozen=True, slots=True)
class Kept:
    """A message as people see it: everything but its content."""

    message_id: UUID
    connection_id: str
    event: str
    occurred_at: datetime
    received_at: datetime
    delivered_at: datetime
    """The newest delivery."""
    deliveries: int
    state: State
    says: str | None
    needs: str | None
    """What a waiting message lacks: mapping, link, fetch, or command where its command was a mistake."""
    engagements: tuple[str, ...]
    attempts: int
    next_at: datetime
    settled_at: datetime | None
    purged_at: datetime | None
    outcome: Mapping[str, Any] | None
    """Of an applied one: its commands with what each came to."""


@dataclass(frozen=True, slots=True)
class HeldUp:
    """How many of a connection's messages do not get on."""

    connection_id: str
    waiting: int
    waiting_since: datetime | None
    unmatched: int
    """About nobody of ours, as far as anybody has linked."""
    unmatched_since: datetime | None
    late: int
    late_since: datetime | None
    attempts: int | None
    """Of the late one that was tried most often."""


class Inbox:
    """What a door and a person need; the pool is the caller's to close."""

    def __init__(self, pool: connect.Connections, keys: KeyStore) -> None:
        self._pool = pool
        self._keys = keys

    async def receive(self, connection: Connection, received: Received) -> bool:
        """Keep a verified delivery, committed when this returns; False: it was here before, and is counted.

        :raises KeyDestroyed: what the connection brings is to be erased; it takes nothing any more.
        """
        agency = connection.agency
        digest_key = await self._keys.get_or_create(agency, DIGEST_SUBJECT)
        key = await self._keys.get_or_create(agency, subject(connection.id))
        dedupe = _dedupe(digest_key, connection, received.dedupe)
        message_id = _message_id(connection, dedupe)
        async with self._pool.borrow() as lent:
            fresh = await lent.fetchval(
                _RECEIVE,
                agency,
                connection.id,
                message_id,
                dedupe,
                _shown(received.event),
                received.occurred_at,
                keyed_digest(digest_key, "body", received.body),
                shut(key, _pack(received), agency, str(message_id)),
                timedelta(seconds=connection.settings.settle_seconds),
            )
        return bool(fresh)

    async def message_id(self, connection: Connection, dedupe: str) -> UUID:
        """Give the id under which a message is kept, by its provider's key for it."""
        digest_key = await self._keys.get_or_create(connection.agency, DIGEST_SUBJECT)
        return _message_id(connection, _dedupe(digest_key, connection, dedupe))

    async def list(
        self,
        agency: str,
        *,
        states: Sequence[State] | None = None,
        connection_id: str | None = None,
        engagement: str | None = None,
        after: UUID | None = None,
        limit: int = 100,
    ) -> Sequence[Kept]:
        """List messages, the newest first; *after* is the last message of the page before."""
        wanted = None if states is None else list(states)
        async with self._pool.scoped(agency) as lent:
            rows = await lent.fetch(_LIST, agency, wanted, connection_id, engagement, after, limit)
        return [kept(row) for row in rows]

    async def show(self, agency: str, message_id: UUID) -> tuple[Kept, Message | None]:
        """Give one message with its content; None once that is purged or its connection's key destroyed.

        :raises UnknownMessage: the agency has none of this id.
        """
        async with self._pool.scoped(agency) as lent:
            row = await lent.fetchrow(_ONE, agency, message_id)
        if row is None:
            raise UnknownMessage
        return kept(row), await open_message(self._keys, agency, row)

    async def retry(
        self, agency: str, message_id: UUID | None = None, *, connection_id: str | None = None
    ) -> int:
        """Read what waits again, one message or all (of a connection); returns how many that are.

        :raises UnknownMessage: the agency has none of this id.
        :raises WrongState: this one is settled, or its body is purged.
        """
        states = ["waiting", "unmatched"]
        if message_id is not None:
            # Who names one means it: also one that was set aside, and one that is to be tried at once.
            states += ["received", "discarded", "ignored"]
        async with self._pool.scoped(agency) as lent:
            done = connect.count(await lent.execute(_RETRY, agency, states, message_id, connection_id))
        if message_id is not None and not done:
            found, _ = await self.show(agency, message_id)
            why = "its body is purged" if found.purged_at is not None else f"it is {found.state}"
            raise WrongState(f"this message cannot be tried again: {why}")
        return done

    async def discard(self, agency: str, message_id: UUID, reason: str, *, by: str) -> None:
        """Set a message aside for good, with whoever did it and why; nothing of it is applied.

        :raises UnknownMessage: the agency has none of this id.
        :raises WrongState: it is settled.
        """
        says = f"discarded by {by}: {reason}"
        async with self._pool.scoped(agency) as lent:
            done = connect.count(await lent.execute(_DISCARD, agency, message_id, says))
        if not done:
            found, _ = await self.show(agency, message_id)
            raise WrongState(f"this message cannot be discarded: it is {found.state}")

    async def held_up(self, agency: str, patience: timedelta) -> Sequence[HeldUp]:
        """Count what waits, and what is received for longer than *patience* and still not settled."""
        async with self._pool.scoped(agency) as lent:
            return [HeldUp(**row) for row in await lent.fetch(_HELD_UP, agency, patience)]


def kept(row: Any) -> Kept:
    """Read a row of :data:`COLUMNS`."""
    given = {each: row[each] for each in Kept.__slots__}
    outcome = given["outcome"]
    given["outcome"] = None if outcome is None else json.loads(outcome)
    given["engagements"] = tuple(given["engagements"])
    return Kept(**given)


async def open_message(keys: KeyStore, agency: str, row: Any) -> Message | None:
    """Open a row's content; None where it is purged, or its key is destroyed."""
    sealed: bytes | None = row["sealed"]
    if sealed is None:
        return None
    packed = await find_and_open(keys, agency, sealed, str(row["message_id"]))
    if packed is None:
        return None
    length = int.from_bytes(packed[:_LENGTH], "big")
    headers = cast("dict[str, str]", json.loads(packed[_LENGTH : _LENGTH + length]))
    return Message(
        event=row["event"],
        occurred_at=row["occurred_at"],
        body=_json(packed[_LENGTH + length :]),
        headers=headers,
    )


def _dedupe(digest_key: DataKey, connection: Connection, dedupe: str) -> bytes:
    # Keyed: a provider's key for a message may be made of its body.
    return keyed_digest(digest_key, "message", connection.id, dedupe)


def _message_id(connection: Connection, dedupe: bytes) -> UUID:
    return derived_id(connection.agency, connection.id, dedupe.hex())


def _pack(received: Received) -> bytes:
    headers = canonical(dict(received.headers)).encode()
    return b"".join((len(headers).to_bytes(_LENGTH, "big"), headers, received.body))


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _shown(name: str) -> str:
    # A provider's own word; PostgreSQL keeps no NUL, and a list no endless line.
    return "".join(each for each in name if each.isprintable())[:_LONGEST_NAME]
