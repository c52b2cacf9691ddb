"""Keys in PostgreSQL, wrapped under key-encryption keys that the database never sees.

Destroying is the only way a key changes its meaning; rotation rewraps and touches no sealed value.
"""

from typing import Any, Final
from uuid import UUID

import asyncpg

from events.log.connect import Connections
from events.log.keys import Cache, DataKey, KeyDestroyed, Keyring, new_key

_CREATE: Final = """
    INSERT INTO rapport.keys (agency, subject, key_id, kek_id, wrapped) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING
"""
_DESTROY: Final = """
    INSERT INTO rapport.keys (agency, subject, key_id, destroyed_at)
    VALUES ($1, $2, gen_random_uuid(), clock_timestamp())
    ON CONFLICT (agency, subject) DO UPDATE
    SET wrapped = NULL, kek_id = NULL, destroyed_at = coalesce(keys.destroyed_at, clock_timestamp())
"""
_OUTDATED: Final = """
    SELECT agency, subject, key_id, kek_id, wrapped FROM rapport.keys
    WHERE wrapped IS NOT NULL AND kek_id <> $1 ORDER BY key_id LIMIT 200 FOR UPDATE
"""


class PostgresKeys:
    """The key store in a database of its own or beside the log; its login is a member of both roles it uses.

    A cached key outlives its destruction by another process for at most *ttl* seconds.
    """

    def __init__(self, dsn: str, keyring: Keyring, *, cache_size: int = 4096, ttl: float = 60.0) -> None:
        self._connections = Connections(dsn, role="rapport_app")
        self._keyring = keyring
        self._cache: Cache[tuple[str, str | UUID], DataKey] = Cache(cache_size, ttl)
        # Whoever knows a key's id has seen it in use, so a key that is not there will never be.
        self._gone: Cache[tuple[str, UUID], bool] = Cache(cache_size, ttl)

    async def close(self) -> None:
        """Give the connections back and forget every key."""
        self._cache.clear()
        await self._connections.close()

    async def get_or_create(self, agency: str, subject: str) -> DataKey:
        """Return the subject's key, made now if it is new."""
        if found := self._cache.get((agency, subject)) or await self.find(agency, subject):
            return found
        key = new_key()
        async with self._connections.scoped(agency) as connection:
            wrapped = self._keyring.wrap(agency, subject, key)
            await connection.execute(_CREATE, agency, subject, key.id, self._keyring.current, wrapped)
        if found := await self.find(agency, subject):
            return found
        raise KeyDestroyed(f"the key of {subject} is destroyed; nothing new can be sealed for it")

    async def find(self, agency: str, subject: str) -> DataKey | None:
        """Return the subject's key, or None if it is destroyed or was never made."""
        return await self._find(agency, subject, "subject = $2")

    async def find_by_id(self, agency: str, key_id: UUID) -> DataKey | None:
        """Return the key with this id, or None if it is destroyed or was never made."""
        if self._gone.get((agency, key_id)):
            return None
        key = await self._find(agency, key_id, "key_id = $2")
        if key is None:
            self._gone.put((agency, key_id), True)
        return key

    async def destroy(self, agency: str, subject: str) -> None:
        """Erase the subject's key for ever, also one not made yet."""
        async with self._connections.scoped(agency) as connection:
            await connection.execute("SET LOCAL ROLE rapport_eraser")
            await connection.execute(_DESTROY, agency, subject)
        self._cache.clear()

    async def rewrap(self) -> int:
        """Wrap every key under the ring's first key-encryption key; returns how many were not.

        A process whose ring begins with an older one still wraps new keys under that: start it again before.
        """
        count = 0
        while rows := await self._rewrap_some():
            count += rows
        return count

    async def _rewrap_some(self) -> int:
        async with self._connections.scoped("") as connection:
            await connection.execute("SET LOCAL ROLE rapport_eraser")
            rows = await connection.fetch(_OUTDATED, self._keyring.current)
            for row in rows:
                key = self._unwrap(row)
                wrapped = self._keyring.wrap(row["agency"], row["subject"], key)
                await connection.execute(
                    "UPDATE rapport.keys SET kek_id = $2, wrapped = $3 WHERE key_id = $1",
                    key.id,
                    self._keyring.current,
                    wrapped,
                )
        return len(rows)

    async def _find(self, agency: str, name: str | UUID, where: str) -> DataKey | None:
        if cached := self._cache.get((agency, name)):
            return cached
        query = (
            "SELECT agency, subject, key_id, kek_id, wrapped FROM rapport.keys "
            f"WHERE agency = $1 AND wrapped IS NOT NULL AND {where}"
        )
        async with self._connections.scoped(agency) as connection:
            row = await connection.fetchrow(query, agency, name)
        if row is None:
            return None
        key = self._unwrap(row)
        # Under both names: sealing asks by subject and opening by id, and a key holds a cipher of 2.7 KiB.
        self._cache.put((agency, row["subject"]), key)
        self._cache.put((agency, key.id), key)
        return key

    def _unwrap(self, row: "asyncpg.Record | dict[str, Any]") -> DataKey:
        return self._keyring.unwrap(
            row["agency"], row["subject"], row["key_id"], row["kek_id"], row["wrapped"]
        )
