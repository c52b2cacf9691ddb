"""Backup and restore on real servers: every row comes back, and nothing is ever half there."""

import asyncio
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from activities.agency_load import load_agency
from events.decider import prepare
from events.envelope import Actor, AppendRequest
from events.fold import fold
from events.log.followers import PostgresPlaces
from events.log.migrate import migrate
from events.orders import parse_order
from workers.backup import archive, restoring
from workers.backup.archive import AgencyHead, Facts
from workers.backup.errors import BackupError
from workers.backup.restoring import restore_backup
from workers.backup.taking import Taken, take_backup
from workers.embedded import swap
from workers.embedded.stack import EmbeddedStack
from workers.settings import KEYS_FILE, Settings
from workers.shipped import deploy_policy
from workers.wiring import Adapters, adapters

pytestmark = pytest.mark.postgres

Until = Callable[[Callable[[], bool], float], None]
RECRUITER = Actor(kind="person", id="r-1")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
NAME = "Candidate Quuxworth"
NEEDED = """
    SELECT attname AS name, format_type(atttypid, NULL) AS kind FROM pg_attribute
    WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
      AND attidentity = '' AND attnotnull AND NOT atthasdef
"""
SAID = {"agency": "'acme'", "role": "'operator'", "kind": "'signing'", "how": "'learnt'"}
VALUES = {
    "text": "'x-1'",
    "text[]": "'{}'",
    "uuid": "gen_random_uuid()",
    "uuid[]": "'{}'",
    "bytea": "sha256('x')",
    "jsonb": "'{}'",
    "boolean": "true",
    "integer": "1",
    "bigint": "1",
    "timestamp with time zone": "clock_timestamp()",
    "interval": "interval '1 s'",
}


def on(data_dir: Path) -> Settings:
    """Give the settings of a process that was told nothing else."""
    # Not validated: what this machine's environment names must not count.
    alone = {"database_url": None, "temporal_address": None, "key_encryption_keys": ()}
    return Settings().model_copy(update={"data_dir": data_dir, **alone})


async def fill(url: str, having: Adapters) -> None:
    """Write at least one row into every table of the log."""
    await load_agency(having.service, "acme", policy=deploy_policy("starter"), actor=RECRUITER)
    data = {"candidate_id": "c-1", "candidate_name": NAME, "owner": "r-1"}
    order = parse_order("open-engagement", data, command_id="k-1", actor_default=RECRUITER, source="test")
    ready = prepare(order, fold([]), None, NOON, agency="acme", engagement_id="e-1")
    request = AppendRequest(agency="acme", stream="engagement:e-1", expected=0, groups=(ready.group,))
    await having.log.append_many([request])
    await having.log.save_policy("acme", "d-1", "a policy's body")
    await having.ledger.claim(
        "acme", "effect-1", "engagement:e-1", "email", "<m-1@localhost>", stale_after=NOON - NOON
    )
    await having.digests.join(
        "acme", "r-1", "effect-2", "engagement:e-1", "{}", digest_id="digest-1", window=NOON - NOON
    )
    places = PostgresPlaces(url)
    await places.note("acme", "consequences", 1)
    await places.close()
    await fill_the_doors(url)


async def fill_the_doors(url: str) -> None:
    """Write a row into every table that is empty still; what other tables name comes first."""
    connection = await asyncpg.connect(url)
    try:
        for table in ["connections", "subscriptions", *await rows(url)]:
            if await connection.fetchval(f"SELECT count(*) FROM rapport.{table}"):
                continue
            columns = await connection.fetch(NEEDED, f"rapport.{table}")
            names = ", ".join(f'"{each["name"]}"' for each in columns)
            values = ", ".join(SAID.get(each["name"]) or VALUES[each["kind"]] for each in columns)
            await connection.execute(f"INSERT INTO rapport.{table} ({names}) VALUES ({values})")
    finally:
        await connection.close()


async def with_database(data_dir: Path, work: Callable[[str], Any]) -> Any:
    async with EmbeddedStack(data_dir, temporal=False, smtp_sink=False) as stack:
        return await work(stack.database_url)


async def rows(url: str) -> dict[str, list[str]]:
    """Read every table of the log, whole."""
    connection = await asyncpg.connect(url)
    try:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'rapport'")
        return {
            name: sorted(row[0] for row in await connection.fetch(f"SELECT t::text FROM rapport.{name} t"))
            for (name,) in names
        }
    finally:
        await connection.close()


class Source:
    """A log that was filled and stopped, and its backup."""

    def __init__(self, place: Path) -> None:
        self.data_dir, self.file = place / "source", place / "backup"
        self.keys = self.data_dir / KEYS_FILE
        self.rows: dict[str, list[str]] = asyncio.run(with_database(self.data_dir, self._filled))
        self.taken: Taken = asyncio.run(take_backup(on(self.data_dir), self.file))

    async def _filled(self, url: str) -> dict[str, list[str]]:
        await migrate(url)
        async with adapters(on(self.data_dir), url) as having:
            await fill(url, having)
        return await rows(url)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """This will be a log with a row in every table, backed up while no stack runs."""
    return Source(tmp_path_factory.mktemp("source"))


def state(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.name != "lock")


class TestTakeBackup:
    def test_names_the_key_that_is_not_in_it(self, source: Source) -> None:
        """Who has the file alone must not be able to read about anybody."""
        assert [each.id for each in source.taken.manifest.key_encryption_keys] == ["local-1"]
        assert (source.taken.keys_in, source.taken.lacking) == (str(source.keys), ())
        secret = on(source.data_dir).encryption_keys()[0].secret.get_secret_value()
        content = source.file.read_bytes()
        assert source.keys.read_bytes().strip().partition(b":")[2] not in content
        assert secret not in content
        assert stat.S_IMODE(source.file.stat().st_mode) == 0o600

    async def test_makes_no_log_where_there_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(BackupError, match=r"there is no log in .* to back up"):
            await take_backup(on(tmp_path / "data"), tmp_path / "b")
        assert state(tmp_path) == []

    async def test_leaves_a_database_of_your_own_to_its_own_tools(self, tmp_path: Path) -> None:
        settings = Settings(database_url="postgresql://db.example.test/rapport", data_dir=tmp_path)
        for attempt in (take_backup(settings, tmp_path / "b"), restore_backup(settings, tmp_path / "b")):
            with pytest.raises(BackupError, match=r"its own tools \(pg_dump"):
                await attempt
        assert state(tmp_path) == []


class TestRestoreBackup:
    async def test_brings_every_row_back(self, source: Source, tmp_path: Path) -> None:
        """On a path of 150 characters; and where the move was cut off, the next start finishes it."""
        assert all(source.rows.values()), "a table of the log is empty: the test would not see it missing"
        data_dir = tmp_path / ("long name? " * 8) / ("x%" * 50)
        restored = await restore_backup(on(data_dir), source.file, keys_file=source.keys)
        assert (restored.mismatches, restored.streams, restored.kept) == (0, 2, None)
        assert state(data_dir) == [KEYS_FILE, "postgres", "postgres.password"]
        assert (data_dir / KEYS_FILE).read_bytes() == source.keys.read_bytes()

        (data_dir / "restored-1").mkdir()
        for part in state(data_dir):
            if part != "restored-1":
                (data_dir / part).rename(data_dir / "restored-1" / part)
        assert await with_database(data_dir, self._opens(data_dir)) == source.rows

    def _opens(self, data_dir: Path) -> Callable[[str], Any]:
        async def look(url: str) -> dict[str, list[str]]:
            found = await rows(url)
            async with adapters(on(data_dir), url) as having:
                events = await having.log.read_stream("acme", "engagement:e-1", open_personal=True)
            assert NAME in str(events[0].opened)
            return found

        return look

    async def test_leaves_every_engagement_to_the_sweep(self, tmp_path: Path) -> None:
        """Temporal is empty afterwards: an engagement that counted as folded would stay silent for ever."""
        source, data_dir = tmp_path / "source", tmp_path / "data"

        async def folded(url: str) -> None:
            await migrate(url)
            async with adapters(on(source), url) as having:
                await fill(url, having)
                head = await having.log.head("acme", "engagement:e-1")
                assert head is not None
                assert await having.log.claim_poke(head, lease=timedelta(minutes=1))
                await having.log.mark_poked("acme", head.stream, head.version, "run-1")
                await having.log.acknowledge("acme", head.stream, head.version)
                assert await having.log.ahead("acme") == []

        async def ahead(url: str) -> list[tuple[str, datetime | None]]:
            async with adapters(on(data_dir), url) as having:
                return [(each.stream, each.poked_at) for each in await having.log.ahead("acme")]

        await with_database(source, folded)
        await take_backup(on(source), tmp_path / "b")
        await restore_backup(on(data_dir), tmp_path / "b", keys_file=source / KEYS_FILE)
        assert await with_database(data_dir, ahead) == [("engagement:e-1", None)]

    async def test_asks_for_the_right_key_before_it_begins(self, source: Source, tmp_path: Path) -> None:
        """Every directory calls its first key local-1, so a name proves nothing."""
        with pytest.raises(BackupError, match=r"'local-1', and .* holds no such key; give the key file"):
            await restore_backup(on(tmp_path), source.file)
        on(tmp_path).encryption_keys()
        with pytest.raises(BackupError, match=r"'local-1', and .* holds another key of that name"):
            await restore_backup(on(tmp_path), source.file)
        assert state(tmp_path) == [KEYS_FILE]

    async def test_refuses_a_log_of_a_newer_version(
        self, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(restoring, "needed_level", lambda: "0001_roles")
        with pytest.raises(BackupError, match="this version knows 0001_roles"):
            await restore_backup(on(tmp_path), source.file, keys_file=source.keys)
        assert state(tmp_path) == []

    @pytest.mark.parametrize(
        ("dump", "position", "complaint"),
        [
            (b"not a dump", 0, r"pg_restore ended with code 1 \(.*\); nothing was changed"),
            (None, 1, r"is not what its manifest names; nothing was changed"),
        ],
    )
    async def test_leaves_everything_as_it_was_where_it_fails(
        self, source: Source, tmp_path: Path, dump: bytes | None, position: int, complaint: str
    ) -> None:
        facts = Facts(**source.taken.manifest.model_dump(include=set(Facts.model_fields)))
        heads = tuple(AgencyHead(**{**each.model_dump(), "position": position}) for each in facts.agencies)
        with archive.Writer(tmp_path / "b") as writer:
            for chunk in [dump] if dump is not None else archive.dump(source.file):
                writer.write(chunk)
            writer.complete(facts.model_copy(update={"agencies": heads}))
        with pytest.raises(BackupError, match=complaint):
            await restore_backup(on(tmp_path / "data"), tmp_path / "b", keys_file=source.keys)
        assert state(tmp_path / "data") == []

    def test_killed_in_the_middle_counts_for_nothing(
        self, source: Source, tmp_path: Path, root_env: dict[str, str], until: Until
    ) -> None:
        command = [sys.executable, "-m", "gateway", "restore", str(source.file), "--data", str(tmp_path)]
        command += ["--keys", str(source.keys)]
        with subprocess.Popen(command, env=root_env, stdout=subprocess.DEVNULL) as process:
            until(lambda: any(tmp_path.glob("restoring-*/postgres/data.tmp/base")), 60)
            process.kill()
        assert not swap.holds_log(tmp_path)
        done = subprocess.run(command, env=root_env, capture_output=True, text=True, check=True)
        assert "2 streams verified (chain, density, fold), 0 mismatches" in done.stdout
        assert state(tmp_path) == [KEYS_FILE, "postgres", "postgres.password"]

    async def test_replaces_a_log_only_when_told_and_tells_what_was_unsound(
        self, source: Source, tmp_path: Path
    ) -> None:
        """A log that does not hold is still the only one there is: it is restored, and said to be so."""
        data_dir, file = tmp_path / "data", tmp_path / "b"
        shutil.copytree(source.data_dir, data_dir)
        owner = (source.data_dir / "postgres").stat()
        for path in [data_dir / "postgres", *(data_dir / "postgres").rglob("*")]:
            os.chown(path, owner.st_uid, owner.st_gid)
        await with_database(data_dir, _tamper)
        await take_backup(on(data_dir), file)

        with pytest.raises(BackupError, match=r"holds a log already; give an empty directory .* --replace"):
            await restore_backup(on(data_dir), file)
        restored = await restore_backup(on(data_dir), file, replace=True)

        assert restored.mismatches == 1
        assert restored.reports[0].engagements[0].broken_at == 1
        assert restored.kept is not None
        assert state(restored.kept) == ["postgres", "postgres.password"]
        assert state(data_dir) == sorted(
            ["children.json", KEYS_FILE, "logs", "postgres", "postgres.password", restored.kept.name]
        )


async def _tamper(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("ALTER TABLE rapport.events DISABLE TRIGGER append_only")
        await connection.execute("UPDATE rapport.events SET body = '{}' WHERE stream LIKE 'engagement:%'")
        await connection.execute("ALTER TABLE rapport.events ENABLE TRIGGER append_only")
    finally:
        await connection.close()
