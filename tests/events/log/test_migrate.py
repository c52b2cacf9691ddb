"""Bringing a database to its level: once, together, and never by rewriting what was applied."""

import asyncio
from collections.abc import Callable

import asyncpg
import pytest

from events.log.migrate import (
    Migration,
    MigrationChanged,
    TablesInUse,
    migrate,
    migration_level,
    migrations,
    needed_level,
)

pytestmark = pytest.mark.postgres


async def level(url: str) -> str | None:
    connection = await asyncpg.connect(url)
    try:
        return await migration_level(connection)
    finally:
        await connection.close()


class TestMigrate:
    async def test_applies_everything_once(self, empty_database: Callable[[], str]) -> None:
        url = empty_database()
        assert await level(url) is None
        assert await migrate(url) == [migration.name for migration in migrations()]
        assert await migrate(url) == []
        assert await level(url) == needed_level()

    async def test_is_safe_when_two_start_at_once(self, empty_database: Callable[[], str]) -> None:
        url = empty_database()
        results = await asyncio.gather(migrate(url), migrate(url), migrate(url))
        assert sorted(map(len, results)) == [0, 0, len(migrations())]

    async def test_is_safe_in_two_databases_of_one_cluster(self, empty_database: Callable[[], str]) -> None:
        """Roles belong to the cluster, and a lock to one database only."""
        results = await asyncio.gather(*(migrate(empty_database()) for _ in range(3)))
        assert {len(result) for result in results} == {len(migrations())}

    async def test_refuses_an_edited_file(self, empty_database: Callable[[], str]) -> None:
        url = empty_database()
        await migrate(url)
        connection = await asyncpg.connect(url)
        await connection.execute("UPDATE rapport.migrations SET checksum = 'x' WHERE name = '0002_tables'")
        await connection.close()
        with pytest.raises(MigrationChanged, match="0002_tables"):
            await migrate(url)

    async def test_steps_back_from_tables_in_use_and_says_so(
        self, empty_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever appends waits behind a migration that waits."""
        url = empty_database()
        before = await migrate(url)
        one_more = Migration("9999_more", "ALTER TABLE rapport.events ADD COLUMN more text")
        monkeypatch.setattr("events.log.migrate.migrations", lambda: [*migrations(), one_more])
        monkeypatch.setattr("events.log.migrate.PATIENCE", 0.02)
        monkeypatch.setattr("events.log.migrate.TRIES", 3)
        reader = await asyncpg.connect(url)
        try:
            await reader.execute("BEGIN; SELECT FROM rapport.events")
            with pytest.raises(TablesInUse, match="run 'rapport migrate' again"):
                await migrate(url)
            assert await level(url) == before[-1]
            await reader.execute("COMMIT")
            assert await migrate(url) == ["9999_more"]
        finally:
            await reader.close()

    async def test_needs_no_superuser(self, empty_database: Callable[[], str]) -> None:
        """A managed database gives its customers less."""
        url = empty_database()
        connection = await asyncpg.connect(url)
        name = url.rpartition("/")[2]
        await connection.execute(f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD 'p'")
        await connection.execute(f'ALTER DATABASE "{name}" OWNER TO {name}')
        for role in ("rapport_owner", "rapport_app", "rapport_projector", "rapport_eraser"):
            if await connection.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = $1", role):
                await connection.execute(f"GRANT {role} TO {name}")
        await connection.close()
        scheme, _, rest = url.partition("://")
        mine = f"{scheme}://{name}:p@{rest.rpartition('@')[2]}"
        assert await migrate(mine) == [migration.name for migration in migrations()]
