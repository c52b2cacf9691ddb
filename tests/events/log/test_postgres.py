"""What only the database can promise: an unchangeable past, agencies that cannot see each other, roles."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from events.envelope import Claim
from events.log.connect import ConnectionsClosed
from events.log.effects_postgres import PostgresEffects
from events.log.keys import Keyring, KeyStore, development_kek
from events.log.keys_postgres import PostgresKeys
from events.log.migrate import migrate
from events.log.port import Appended
from events.log.postgres import PostgresLog
from events.log.verify import broken_at, missing_positions

pytestmark = pytest.mark.postgres

STREAM = "engagement:e-1"
TABLES = ("log_heads", "streams", "events", "receipts", "reservations", "effects", "policies", "keys")


@pytest.fixture
async def filled(postgres_log: PostgresLog, database: str, make: Any, agency: str) -> PostgresLog:
    """A log with a row of this agency in every table."""
    seat = Claim(kind="seat", key="k")
    request = make.one(STREAM, 0, "c-1", 3, claims=(seat,), personal=("words",), words="hello")
    await postgres_log.append_many([request])
    await postgres_log.save_policy(agency, "digest", "body")
    effects = PostgresEffects(database)
    await effects.claim(agency, "effect", STREAM, "email", "<m>", stale_after=timedelta(minutes=1))
    await effects.close()
    return postgres_log


async def as_role(connection: Any, role: str, agency: str, query: str) -> Any:
    """Run one query as a role that looks at one agency, and leave nothing behind."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"SET LOCAL ROLE {role}")
        await connection.execute("SELECT set_config('rapport.agency', $1, true)", agency)
        return await connection.fetch(query)
    finally:
        await transaction.rollback()


class TestThePast:
    @pytest.mark.parametrize("role", ["rapport_app", "rapport_owner", "rapport_projector", "postgres"])
    @pytest.mark.parametrize(
        "attack",
        [
            "UPDATE rapport.events SET body = '{}'",
            "DELETE FROM rapport.events",
            "TRUNCATE rapport.events",
            "DELETE FROM rapport.receipts",
            "UPDATE rapport.policies SET body = ''",
        ],
    )
    async def test_is_refused_any_change(
        self, filled: PostgresLog, superuser: Any, agency: str, role: str, attack: str
    ) -> None:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await as_role(superuser, role, agency, attack)

    async def test_cannot_be_added_to_but_through_the_function(
        self, filled: PostgresLog, superuser: Any, agency: str
    ) -> None:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await as_role(
                superuser, "rapport_app", agency, "INSERT INTO rapport.events SELECT * FROM rapport.events"
            )


class TestTampering:
    async def forge(self, superuser: Any, statement: str, agency: str) -> None:
        async with superuser.transaction():
            await superuser.execute("ALTER TABLE rapport.events DISABLE TRIGGER append_only")
            await superuser.execute(statement, agency)
            await superuser.execute("ALTER TABLE rapport.events ENABLE TRIGGER append_only")

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ("body = replace(body, '\"number\":1', '\"number\":9')", "content of version 2"),
            ("actor_id = 'somebody-else'", "content of version 2"),
            ("decided_at = decided_at + interval '1 microsecond'", "content of version 2"),
            ("content_hash = sha256('x'), body = body || ' '", "content of version 2"),
            ("chain_hash = sha256('x')", "version 2 does not follow"),
            ('sealed = \'{"words":"AAAA"}\'', "sealed value of words in version 2"),
            ("sealed = NULL", "sealed value of words in version 2"),
        ],
    )
    async def test_breaks_the_chain_at_a_named_version(
        self, filled: PostgresLog, superuser: Any, agency: str, change: str, reason: str
    ) -> None:
        await self.forge(
            superuser, f"UPDATE rapport.events SET {change} WHERE agency = $1 AND version = 2", agency
        )
        broken = broken_at(await filled.read_stream(agency, STREAM), await filled.ciphertexts(agency, STREAM))
        assert broken is not None
        assert (broken.stream, broken.version) == (STREAM, 2)
        assert reason in broken.reason

    async def test_by_deleting_leaves_a_hole(self, filled: PostgresLog, superuser: Any, agency: str) -> None:
        await self.forge(superuser, "DELETE FROM rapport.events WHERE agency = $1 AND version = 2", agency)
        broken = broken_at(await filled.read_stream(agency, STREAM))
        positions = [event.position for event in await filled.read_all(agency)]
        head = await filled.log_head(agency)
        assert broken is not None
        assert broken.version == 2
        assert missing_positions(positions, upto=head.position) == [2]


class TestRowLevelSecurity:
    @pytest.mark.parametrize("table", TABLES)
    async def test_shows_an_agency_its_own_rows_only(
        self, filled: PostgresLog, superuser: Any, agency: str, table: str
    ) -> None:
        query = f"SELECT DISTINCT agency FROM rapport.{table}"
        own = await as_role(superuser, "rapport_app", agency, query)
        assert [row["agency"] for row in own] == [agency]
        assert await as_role(superuser, "rapport_app", agency + "-b", query) == []
        assert await as_role(superuser, "rapport_app", "", query) == []

    async def test_shows_the_projector_all_but_keys(
        self, filled: PostgresLog, superuser: Any, agency: str
    ) -> None:
        for table in TABLES[:-1]:
            query = f"SELECT agency FROM rapport.{table} WHERE agency = '{agency}'"
            assert await as_role(superuser, "rapport_projector", "", query)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await as_role(superuser, "rapport_projector", "", "SELECT FROM rapport.keys")

    async def test_shows_the_eraser_keys_only(self, filled: PostgresLog, superuser: Any, agency: str) -> None:
        query = f"SELECT subject FROM rapport.keys WHERE agency = '{agency}'"
        assert len(await as_role(superuser, "rapport_eraser", "", query)) == 2
        for table in TABLES[:-1]:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await as_role(superuser, "rapport_eraser", "", f"SELECT FROM rapport.{table}")

    async def test_covers_every_table_and_no_role_passes_it(self, superuser: Any, database: str) -> None:
        bare = await superuser.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'rapport'::regnamespace "
            "AND relkind = 'r' AND NOT relrowsecurity AND relname <> 'migrations'"
        )
        strong = await superuser.fetch(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'rapport_%' AND (rolsuper OR rolbypassrls)"
        )
        assert (bare, strong) == ([], [])

    async def test_functions_run_with_a_fixed_path_and_not_for_everyone(
        self, superuser: Any, database: str
    ) -> None:
        loose = await superuser.fetch(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'rapport'::regnamespace AND prosecdef "
            "AND (proconfig IS NULL OR has_function_privilege('rapport_eraser', oid, 'EXECUTE'))"
        )
        assert loose == []


class TestWriters:
    async def test_in_two_processes_never_both_win(
        self, database: str, postgres_keys: KeyStore, postgres_log: PostgresLog, make: Any
    ) -> None:
        async with PostgresLog(database, postgres_keys) as rival:
            for version in range(20):
                results = await asyncio.gather(
                    postgres_log.append_many([make.one(STREAM, version, f"a-{version}")]),
                    rival.append_many([make.one(STREAM, version, f"b-{version}")]),
                )
                kinds = sorted(type(result).__name__ for (result,) in results)
                assert kinds == ["Appended", "Conflict"]

    async def test_with_crossing_claims_do_not_deadlock(
        self, database: str, postgres_keys: KeyStore, postgres_log: PostgresLog, make: Any, make_for: Any
    ) -> None:
        """Two logs, two agencies, the same keys in the opposite order."""
        seats = Claim(kind="seat", key="1"), Claim(kind="seat", key="2")
        other = make_for(make.agency + "-b")
        async with PostgresLog(database, postgres_keys) as rival:

            async def race(log: PostgresLog, name: str, first: Any, second: Any, claims: Any) -> None:
                for turn in range(15):
                    await log.append_many(
                        [
                            first.one(f"engagement:{name}-{turn}", 0, "c", claims=claims, closes=True),
                            second.one(f"engagement:{name}-{turn}", 0, "c"),
                        ]
                    )

            await asyncio.gather(
                race(postgres_log, "x", make, other, seats), race(rival, "y", other, make, seats[::-1])
            )

    async def test_outlive_their_connection(
        self, postgres_log: PostgresLog, superuser: Any, make: Any
    ) -> None:
        await postgres_log.append_many([make.one(STREAM, 0, "c-1")])
        await superuser.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        (result,) = await postgres_log.append_many([make.one(STREAM, 1, "c-2")])
        assert isinstance(result, Appended)
        assert result.version == 2

    async def test_who_stop_waiting_harm_nobody(self, postgres_log: PostgresLog, make: Any) -> None:
        async def write(number: int) -> Any:
            return await postgres_log.append_many([make.one(f"engagement:{number}", 0, "c-1")])

        tasks = [asyncio.create_task(write(number)) for number in range(30)]
        await asyncio.sleep(0)
        for task in tasks[::3]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        kept = [result for number, result in enumerate(results) if number % 3]
        assert all(isinstance(result, list) for result in kept)


class TestReaders:
    async def test_are_woken_by_a_notification(
        self, database: str, postgres_keys: KeyStore, make: Any, agency: str
    ) -> None:
        """Polling every ten minutes, the event is there at once."""
        async with (
            PostgresLog(database, postgres_keys, poll_interval=600) as log,
            asyncio.timeout(20),
            aclosing(log.subscribe(agency)) as batches,
        ):
            await log.append_many([make.one(STREAM, 0, "c-1")])
            assert len(await anext(batches)) == 1
            following = asyncio.create_task(anext(batches))
            await log.append_many([make.one(STREAM, 1, "c-2")])
            assert [event.version for event in await following] == [2]

    async def test_are_told_of_the_last_of_a_crowd(
        self, database: str, postgres_keys: KeyStore, make: Any, agency: str
    ) -> None:
        """Of many appends only some notify; what comes after those is told all the same."""
        async with (
            PostgresLog(database, postgres_keys, poll_interval=600) as log,
            asyncio.timeout(20),
            aclosing(log.subscribe(agency)) as batches,
        ):
            await log.append_many([make.one(STREAM, 0, "c-0")])
            seen = len(await anext(batches))
            for number in range(1, 60):
                await log.append_many([make.one(STREAM, number, f"c-{number}")])
            while seen < 60:
                seen += len(await anext(batches))

    async def test_end_with_their_log(
        self, database: str, postgres_keys: KeyStore, make: Any, agency: str
    ) -> None:
        log = PostgresLog(database, postgres_keys, poll_interval=0.05)
        await log.append_many([make.one(STREAM, 0, "c-1")])
        async with asyncio.timeout(20), aclosing(log.subscribe(agency)) as batches:
            await anext(batches)
            await log.close()
            with pytest.raises(ConnectionsClosed):
                await anext(batches)

    async def test_come_back_after_a_lost_connection(
        self, postgres_log: PostgresLog, superuser: Any, make: Any, agency: str
    ) -> None:
        await postgres_log.append_many([make.one(STREAM, 0, "c-1")])
        seen: list[int] = []
        async with asyncio.timeout(20), aclosing(postgres_log.subscribe(agency)) as batches:
            async for batch in batches:
                seen += [event.position for event in batch]
                if seen == [1]:
                    await superuser.fetch(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                    await postgres_log.append_many([make.one(STREAM, 1, "c-2")])
                else:
                    break
        assert seen == [1, 2]

    async def test_of_another_role_cannot_write(
        self, database: str, postgres_keys: KeyStore, filled: PostgresLog, make: Any, agency: str
    ) -> None:
        async with PostgresLog(database, postgres_keys, role="rapport_projector") as projector:
            assert len(await projector.read_all(agency)) == 3
            assert agency in await projector.agencies()
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await projector.append_many([make.one(STREAM, 3, "c-2")])


class TestAnotherDatabaseForKeys:
    async def test_works_alike(
        self, empty_database: Callable[[], str], database: str, make: Any, agency: str
    ) -> None:
        elsewhere = empty_database()
        await migrate(elsewhere)
        keys = PostgresKeys(elsewhere, Keyring([development_kek("far")]))
        async with PostgresLog(database, keys) as log:
            await log.append_many([make.one(STREAM, 0, "c-1", personal=("words",), words="hello")])
            (event,) = await log.read_stream(agency, STREAM, open_personal=True)
        await keys.close()
        assert event.opened == {"words": '"hello"'}
