"""API keys: made once, shown once, kept as a hash, expiring, revocable.

Nothing here judges a request: :mod:`gateway.access.knowing` does, in the same time whatever is wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from events.agency import Agency
from events.log.connect import Connections
from gateway.access.credentials import mint
from gateway.access.roles import RANKS, may_stand_as
from gateway.access.who import Role

# Whoever asks for no end gets one all the same.
USUAL_LIFE: Final = timedelta(days=90)
LONGEST_LIFE: Final = timedelta(days=731)
_COLUMNS: Final = "key_id, role, person_id, connection, label, made_at, expires_at, revoked_at, last_used_at"


class AccessError(Exception):
    """A credential cannot be made or found.  The message is one sentence."""


@dataclass(frozen=True, slots=True)
class Key:
    """What may be shown of a key."""

    key_id: str
    role: Role
    person_id: str | None
    connection: str | None
    label: str | None
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


class Keys:
    """The keys of every agency, one agency at a time."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def create(
        self,
        agency: str,
        role: Role,
        *,
        people: Agency,
        person_id: str | None = None,
        connection: str | None = None,
        label: str | None = None,
        life: timedelta = USUAL_LIFE,
    ) -> tuple[Key, str]:
        """Make a key; the text that comes with it is not kept anywhere and cannot be shown again.

        :raises AccessError: the role needs a person or a connection, or is more than the person's own.
        """
        check(role, people, person_id, connection)
        if not timedelta() < life <= LONGEST_LIFE:
            raise AccessError("a key lives at least a moment and at most two years; give e.g. 90d")
        minted = mint("rpk")
        query = f"""
            INSERT INTO rapport.api_keys
                (key_id, agency, secret_hash, role, person_id, connection, label, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + $8::interval) RETURNING {_COLUMNS}
        """
        async with self._connections.scoped(agency) as db:
            row = await db.fetchrow(
                query, minted.id, agency, minted.secret_hash, role, person_id, connection, label, life
            )
        return Key(**row), minted.text

    async def list(self, agency: str) -> Sequence[Key]:
        """List an agency's keys, also those that open nothing any more, oldest first."""
        query = f"SELECT {_COLUMNS} FROM rapport.api_keys WHERE agency = $1 ORDER BY made_at, key_id"
        async with self._connections.scoped(agency) as db:
            return [Key(**row) for row in await db.fetch(query, agency)]

    async def revoke(self, agency: str, key_id: str) -> Key:
        """End a key for good; again changes nothing.

        :raises AccessError: the agency has no such key.
        """
        query = f"""
            UPDATE rapport.api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp())
            WHERE agency = $1 AND key_id = $2 RETURNING {_COLUMNS}
        """
        async with self._connections.scoped(agency) as db:
            row: Any = await db.fetchrow(query, agency, key_id)
        if row is None:
            raise AccessError("the agency has no key of this id; 'rapport key list' shows those there are")
        return Key(**row)


def check(role: Role, people: Agency, person_id: str | None, connection: str | None) -> None:
    """Make sure that a key says for whom it speaks, and gives nobody more than they are.

    :raises AccessError: one sentence about what is missing or too much.
    """
    if role == "candidate":
        raise AccessError("a candidate gets a link, not a key; make one with POST /v1/engagements/ID/links")
    if (role == "integration") != (connection is not None):
        raise AccessError("an integration's key names its connection, and no other key does: --connection C")
    if role in RANKS and person_id is None:
        raise AccessError(f"a key with the role {role} names whose it is: --person P")
    if person_id is None or not people.people:
        return
    entry = people.people.get(person_id)
    if entry is None:
        raise AccessError("nobody of this id works at the agency; 'rapport agency people' lists everybody")
    if not may_stand_as(cast("Role", entry.role), role):
        raise AccessError(
            f"'{person_id}' is a {entry.role}, so their key cannot be a {role}'s; change their role first"
        )
