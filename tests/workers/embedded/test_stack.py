"""The stack on real servers: it starts everywhere, keeps its data, and leaves no process behind."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiosmtplib
import asyncpg
import psutil
import pytest
from temporalio.client import Client

from workers.embedded.errors import EmbeddedError
from workers.embedded.keeper import Keeper
from workers.embedded.stack import EmbeddedStack

pytestmark = [pytest.mark.postgres, pytest.mark.temporal]

Until = Callable[[Callable[[], bool], float], None]
Family = Callable[[int], list[psutil.Process]]
Hold = Callable[..., Any]
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")


def only_postgres(directory: Path) -> EmbeddedStack:
    return EmbeddedStack(directory, temporal=False, smtp_sink=False)


async def ask(url: str, statement: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def gone(processes: list[psutil.Process]) -> Callable[[], bool]:
    return lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


def mode(directory: Path) -> int:
    return directory.stat().st_mode & 0o777


class TestStart:
    async def test_serves_a_database_workflows_and_mail(self, stack: EmbeddedStack) -> None:
        assert await ask(stack.database_url, "SELECT current_database()") == "rapport"
        assert await ask(stack.database_url, "SHOW server_encoding") == "UTF8"
        client = await Client.connect(stack.temporal_address)
        assert await client.service_client.check_health()
        words = b"Subject: hello\r\n\r\nwords\r\n"
        await aiosmtplib.send(
            words,
            sender="from@example.org",
            recipients=["to@example.org"],
            hostname=stack.smtp_host,
            port=stack.smtp_port,
        )
        assert await stack.smtp_sink.count() == 1

    async def test_keeps_its_data(self, tmp_path: Path) -> None:
        async with only_postgres(tmp_path) as first:
            await ask(first.database_url, "CREATE TABLE kept AS SELECT 7 AS answer")
        async with only_postgres(tmp_path) as second:
            assert await ask(second.database_url, "SELECT answer FROM kept") == 7

    async def test_refuses_who_does_not_know_the_password(self, stack: EmbeddedStack) -> None:
        other = stack.database_url.replace("postgres:", "postgres:x", 1).replace("postgresx:", "postgres:")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(other, "SELECT 1")

    async def test_names_who_holds_the_directory(self, tmp_path: Path, hold: Hold) -> None:
        holder = hold(tmp_path, temporal=False, smtp_sink=False)
        holder.says()
        with pytest.raises(
            EmbeddedError, match=f"in use by process {holder.process.pid} .* since 20.*--data"
        ):
            await only_postgres(tmp_path).start()

    async def test_refuses_a_directory_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(EmbeddedError, match="choose another directory"):
            await only_postgres(tmp_path / "file" / "below").start()

    @ROOT_ONLY
    async def test_opens_no_directory_to_others(self, tmp_path: Path) -> None:
        """Started by root below a closed directory, PostgreSQL still runs as somebody else."""
        assert mode(tmp_path) == 0o700
        async with only_postgres(tmp_path / "data") as stack:
            assert psutil.Process(stack.pids["postgres"]).uids().effective != 0
        assert mode(tmp_path) == 0o700
        assert mode(tmp_path / "data") == 0o700

    @ROOT_ONLY
    def test_works_as_an_ordinary_user(self, hold: Hold) -> None:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("setpriv is not installed")
        nobody = 65534
        home = Path("/var/tmp") / f"rapport-test-{os.getpid()}"
        home.mkdir(mode=0o700)
        os.chown(home, nobody, nobody)
        # The interpreter may lie below root's closed home: the user may read there, and only read.
        reading = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
        prefix = [setpriv, "--reuid", str(nobody), "--regid", str(nobody), "--clear-groups", *reading]
        try:
            holder = hold(home / "data", prefix=prefix, env={"HOME": str(home)}, smtp_sink=False)
            said = holder.says()
            assert psutil.Process(said["pids"]["temporal"]).uids().effective == nobody
            holder.process.send_signal(signal.SIGINT)
            holder.process.wait(20)
        finally:
            shutil.rmtree(home)


class TestStop:
    async def test_leaves_no_process(self, tmp_path: Path, family: Family) -> None:
        async with EmbeddedStack(tmp_path, smtp_sink=False) as stack:
            processes = family(stack.pids["watchdog"])
        assert len(processes) > 2
        assert gone(processes)()

    async def test_removes_an_ephemeral_directory(self, tmp_path: Path) -> None:
        async with EmbeddedStack(tmp_path, temporal=False, ephemeral=True):
            assert os.listdir(tmp_path)
        assert not os.listdir(tmp_path)


class TestKill9:
    async def test_leaves_no_process_and_all_data(
        self, tmp_path: Path, hold: Hold, until: Until, family: Family
    ) -> None:
        holder = hold(tmp_path, smtp_sink=False)
        said = holder.says()
        await ask(said["url"], "CREATE TABLE kept AS SELECT 7 AS answer")
        processes = family(holder.process.pid)
        holder.kill()
        until(gone(processes), 30)
        async with only_postgres(tmp_path) as stack:
            assert await ask(stack.database_url, "SELECT answer FROM kept") == 7

    async def test_lets_the_next_start_wait_for_the_servers_of_the_last(
        self, tmp_path: Path, hold: Hold
    ) -> None:
        holder = hold(tmp_path, smtp_sink=False)
        holder.says()
        holder.kill()
        async with EmbeddedStack(tmp_path, smtp_sink=False) as stack:
            assert await ask(stack.database_url, "SELECT 1") == 1

    async def test_in_the_middle_of_initdb_is_repaired(
        self, tmp_path: Path, hold: Hold, until: Until, family: Family
    ) -> None:
        holder = hold(tmp_path, temporal=False, smtp_sink=False)
        until((tmp_path / "postgres" / "data.tmp" / "base").exists, 20)
        processes = family(holder.process.pid)
        holder.kill()
        until(gone(processes), 30)
        assert not (tmp_path / "postgres" / "data").exists()
        async with only_postgres(tmp_path) as stack:
            assert await ask(stack.database_url, "SELECT 1") == 1

    @pytest.mark.skipif(
        not sys.platform.startswith("linux"), reason="only Linux tells children of a parent's end"
    )
    def test_of_the_watchdog_ends_the_servers_and_is_reported(
        self, tmp_path: Path, hold: Hold, until: Until, family: Family
    ) -> None:
        holder = hold(tmp_path, smtp_sink=False)
        watchdog = holder.says()["pids"]["watchdog"]
        processes = family(watchdog)
        os.kill(watchdog, signal.SIGKILL)
        until(gone(processes), 30)
        assert "watchdog" in holder.says()["died"]

    def test_of_everything_but_the_servers_ends_the_servers(
        self, tmp_path: Path, hold: Hold, until: Until, family: Family
    ) -> None:
        holder = hold(tmp_path, smtp_sink=False)
        watchdog = holder.says()["pids"]["watchdog"]
        processes = family(watchdog)
        os.kill(watchdog, signal.SIGSTOP)  # so that it cannot act between the two
        holder.kill()
        os.kill(watchdog, signal.SIGKILL)
        until(gone(processes), 30)

    def test_removes_an_ephemeral_directory(self, tmp_path: Path, hold: Hold, until: Until) -> None:
        holder = hold(tmp_path, temporal=False, smtp_sink=False, ephemeral=True)
        directory = Path(holder.says()["data_dir"])
        holder.kill()
        until(lambda: not directory.exists(), 10)


class TestWatchdog:
    async def test_is_out_of_reach_of_the_terminal(self, stack: EmbeddedStack) -> None:
        """Ctrl-C goes to a whole process group: the servers must end when we are done, not before."""
        assert os.getsid(stack.pids["watchdog"]) == stack.pids["watchdog"]
        assert os.getpgid(stack.pids["postgres"]) != os.getpgid(0)


class TestDied:
    async def test_tells_which_server_ended(self, stack: EmbeddedStack) -> None:
        os.kill(stack.pids["temporal"], signal.SIGKILL)
        assert (await stack.died()).startswith("temporal was killed by SIGKILL")


class TestRestart:
    async def test_brings_a_killed_server_back_with_its_data(self, stack: EmbeddedStack) -> None:
        await ask(stack.database_url, "CREATE TABLE kept AS SELECT 7 AS answer")
        await stack.kill("postgres")
        await stack.restart("postgres")
        assert await ask(stack.database_url, "SELECT answer FROM kept") == 7

    async def test_tries_again_where_temporal_lost_a_port_of_its_own_choice(
        self, stack: EmbeddedStack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It finds ports free and binds them a moment later; what another took in between, it panics over."""
        await stack.kill("temporal")
        wait_once, failures = stack._wait_once, 0

        async def fail_once(name: str, keeper: Keeper) -> None:
            nonlocal failures
            if failures == 0:
                failures += 1
                await keeper.kill(name)
                (stack.data_dir / "logs" / "temporal.log").write_text("panic: nil pointer dereference")
                raise EmbeddedError("temporal ended with code 2")
            await wait_once(name, keeper)

        monkeypatch.setattr(stack, "_wait_once", fail_once)
        await stack.restart("temporal")
        assert failures == 1
        assert "temporal" in stack.pids


class TestPassword:
    async def test_that_was_lost_is_asked_for_in_one_sentence(self, tmp_path: Path) -> None:
        async with only_postgres(tmp_path):
            pass
        (tmp_path / "postgres.password").write_text("another\n")
        with pytest.raises(EmbeddedError, match="does not hold the password"):
            await only_postgres(tmp_path).start()
        (tmp_path / "postgres.password").unlink()
        with pytest.raises(EmbeddedError, match="is missing"):
            await only_postgres(tmp_path).start()
