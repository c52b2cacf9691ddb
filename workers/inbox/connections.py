"""An agency's connections to other systems: what they are called, what they mean, which secrets they hold.

A connection's id is all that a door knows at first: one look-up by the whole id says whose it is, and
nothing here lists across agencies.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field

from events.errors import CallerError
from events.log import connect
from events.log.boxes import find_and_open, shut
from events.log.keys import KeyStore

SecretKind = Literal["signing", "api", "handshake"]
# How long an old secret is valid beside the new one, so that nothing under way is turned away.
GRACE: Final = timedelta(hours=24)
_FIND: Final = "SELECT * FROM rapport.find_connection($1)"
_LIST: Final = """
    SELECT c.*, (SELECT max(i.received_at) FROM rapport.inbox i
                 WHERE i.agency = c.agency AND i.connection_id = c.connection_id) AS last_received_at
    FROM rapport.connections c WHERE c.agency = $1 ORDER BY c.created_at, c.connection_id
"""
_ADD: Final = """
    INSERT INTO rapport.connections (
        agency, connection_id, provider, name, mapping, mapping_digest, api_base, settings)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_ADD_SECRET: Final = """
    INSERT INTO rapport.connection_secrets (agency, connection_id, secret_id, kind, sealed)
    VALUES ($1, $2, $3, $4, $5)
"""
_EXPIRE: Final = """
    UPDATE rapport.connection_secrets SET expires_at = clock_timestamp() + $4
    WHERE agency = $1 AND connection_id = $2 AND kind = $3 AND expires_at IS NULL
"""
_MAP: Final = """
    UPDATE rapport.connections SET mapping = $3, mapping_digest = $4 WHERE agency = $1 AND connection_id = $2
"""
# What a mapping may mend: it is read again, in the order of the source's times.
_AGAIN: Final = """
    UPDATE rapport.inbox SET state = 'received', says = NULL, needs = NULL, settled_at = NULL, attempts = 0,
        next_at = clock_timestamp()
    WHERE agency = $1 AND connection_id = $2 AND state IN ('waiting', 'unmatched') AND purged_at IS NULL
"""


class UnknownConnection(CallerError):
    """The agency has no such connection."""

    code = "unknown-connection"

    def __init__(self) -> None:
        super().__init__("the agency has no such connection; 'rapport connection list' names them")


class AmbiguousConnection(CallerError):
    """Several of the agency's connections have the name."""

    code = "ambiguous-connection"

    def __init__(self) -> None:
        super().__init__("several connections have that name; 'rapport connection list' names their ids")


class ConnectionSettings(BaseModel):
    """What an agency may set for a connection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep_days: int = Field(default=30, ge=1, le=3650)
    settle_seconds: float = Field(default=1.0, ge=0, le=60)
    tolerance_seconds: int = Field(default=300, ge=1, le=86_400)
    poll_minutes: int = Field(default=15, ge=0, le=1440)
    """0: no polls.  The schedule ticks every five minutes."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that is valid now."""

    kind: SecretKind
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection; *secrets* are there if it was found by its id, the newest first."""

    agency: str
    id: str
    provider: str
    name: str
    mapping: str | None = field(repr=False)
    mapping_digest: str | None
    api_base: str | None
    settings: ConnectionSettings
    created_at: datetime
    disabled_at: datetime | None = None
    last_polled_at: datetime | None = None
    last_poll_says: str | None = None
    last_received_at: datetime | None = None
    """Only in a list."""
    secrets: tuple[Secret, ...] = field(default=(), repr=False)

    def valid(self, kind: SecretKind) -> tuple[str, ...]:
        """Give the secrets of a kind that are valid now, the newest first."""
        return tuple(each.value for each in self.secrets if each.kind == kind)


class Connections:
    """Connections in PostgreSQL; the pool is the caller's to close."""

    def __init__(self, pool: connect.Connections, keys: KeyStore) -> None:
        self._pool = pool
        self._keys = keys

    async def find(self, connection_id: str) -> Connection | None:
        """Find a connection of any agency by its whole id, with its valid secrets."""
        async with self._pool.borrow() as connection:
            row = await connection.fetchrow(_FIND, connection_id)
        if row is None:
            return None
        return _connection(row, await self._open(row))

    async def get(self, agency: str, connection_id: str) -> Connection:
        """Find one of an agency's connections, with its valid secrets.

        :raises UnknownConnection: it has none of this id.
        """
        found = await self.find(connection_id)
        if found is None or found.agency != agency:
            raise UnknownConnection
        return found

    async def named(self, agency: str, named: str) -> Connection:
        """Find one of an agency's connections by its id, or by its name if no other in use has it.

        :raises UnknownConnection: there is none.
        :raises AmbiguousConnection: there are several.
        """
        every = await self.list(agency)
        if not any(each.id == named for each in every):
            found = [each for each in every if each.name == named]
            found = [each for each in found if each.disabled_at is None] or found
            if len(found) > 1:
                raise AmbiguousConnection
            named = found[0].id if found else named
        return await self.get(agency, named)

    async def list(self, agency: str) -> Sequence[Connection]:
        """List an agency's connections, the oldest first, without secrets."""
        async with self._pool.scoped(agency) as connection:
            return [_connection(row, ()) for row in await connection.fetch(_LIST, agency)]

    async def add(
        self,
        agency: str,
        *,
        provider: str,
        name: str,
        mapping: str | None = None,
        api_base: str | None = None,
        settings: ConnectionSettings | None = None,
        secrets_: Sequence[Secret] = (),
    ) -> Connection:
        """Make a connection, with its secrets, and say its id."""
        made = f"c-{secrets.token_urlsafe(12)}"
        kept = (settings or ConnectionSettings()).model_dump_json()
        sealed = [await self._seal(agency, made, each) for each in secrets_]
        async with self._pool.scoped(agency) as connection:
            await connection.execute(
                _ADD, agency, made, provider, name, mapping, _digest(mapping), api_base, kept
            )
            for row in sealed:
                await connection.execute(_ADD_SECRET, agency, made, *row)
        return await self.get(agency, made)

    async def rotate(
        self, agency: str, connection_id: str, secret: Secret, *, grace: timedelta = GRACE
    ) -> None:
        """Add a secret and let those of its kind expire after *grace*; both are valid meanwhile.

        :raises UnknownConnection: the agency has none of this id.
        """
        await self.get(agency, connection_id)
        sealed = await self._seal(agency, connection_id, secret)
        async with self._pool.scoped(agency) as connection:
            await connection.execute(_EXPIRE, agency, connection_id, secret.kind, grace)
            await connection.execute(_ADD_SECRET, agency, connection_id, *sealed)

    async def set_mapping(self, agency: str, connection_id: str, mapping: str | None) -> int:
        """Replace what a connection's messages mean; returns how many that waited are read again.

        :raises UnknownConnection: the agency has none of this id.
        """
        async with self._pool.scoped(agency) as connection:
            done = await connection.execute(_MAP, agency, connection_id, mapping, _digest(mapping))
            if not connect.count(done):
                raise UnknownConnection
            return connect.count(await connection.execute(_AGAIN, agency, connection_id))

    async def disable(self, agency: str, connection_id: str) -> None:
        """Let no door take anything for a connection any more; what it has brought stays."""
        await self._set(agency, connection_id, "disabled_at = coalesce(disabled_at, clock_timestamp())")

    async def enable(self, agency: str, connection_id: str) -> None:
        """Take messages for a connection again."""
        await self._set(agency, connection_id, "disabled_at = NULL")

    async def change(
        self, agency: str, connection_id: str, *, api_base: str | None, settings: ConnectionSettings
    ) -> None:
        """Replace where its API is asked, and its settings.

        :raises UnknownConnection: the agency has none of this id.
        """
        kept = settings.model_dump_json()
        await self._set(agency, connection_id, "api_base = $3, settings = $4", api_base, kept)

    async def _set(self, agency: str, connection_id: str, values: str, *more: Any) -> None:
        query = f"UPDATE rapport.connections SET {values} WHERE agency = $1 AND connection_id = $2"
        async with self._pool.scoped(agency) as connection:
            if not connect.count(await connection.execute(query, agency, connection_id, *more)):
                raise UnknownConnection

    async def _seal(self, agency: str, connection_id: str, secret: Secret) -> tuple[UUID, str, bytes]:
        key = await self._keys.get_or_create(agency, subject(connection_id))
        made = uuid4()
        return made, secret.kind, shut(key, secret.value.encode(), agency, connection_id, str(made))

    async def _open(self, row: Any) -> tuple[Secret, ...]:
        found = []
        several = zip(row["kinds"] or (), row["secret_ids"] or (), row["sealed"] or (), strict=True)
        for kind, secret_id, sealed in several:
            place = (row["connection_id"], str(secret_id))
            plain = await find_and_open(self._keys, row["agency"], sealed, *place)
            if plain is not None:
                found.append(Secret(kind, plain.decode()))
        return tuple(found)


def subject(connection_id: str) -> str:
    """Name whose key seals what a connection brings."""
    return f"connection:{connection_id}"


def _connection(row: Any, opened: tuple[Secret, ...]) -> Connection:
    given = dict(row)
    return Connection(
        agency=given["agency"],
        id=given["connection_id"],
        provider=given["provider"],
        name=given["name"],
        mapping=given["mapping"],
        mapping_digest=given["mapping_digest"],
        api_base=given["api_base"],
        settings=ConnectionSettings.model_validate(json.loads(given["settings"])),
        created_at=given["created_at"],
        disabled_at=given["disabled_at"],
        last_polled_at=given["last_polled_at"],
        last_poll_says=given["last_poll_says"],
        last_received_at=given.get("last_received_at"),
        secrets=opened,
    )


def _digest(mapping: str | None) -> str | None:
    return None if mapping is None else hashlib.sha256(mapping.encode()).hexdigest()
