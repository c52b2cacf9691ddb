"""The embedded stack: PostgreSQL, Temporal and an SMTP sink on one data directory.

Whoever holds a stack holds its servers' lives: they end with the process that started it, even on kill -9.
"""

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from workers.embedded import binaries, swap
from workers.embedded.errors import EmbeddedError
from workers.embedded.keeper import WATCHDOG_DIED, Keeper, describe_exit
from workers.embedded.lock import DirectoryLock, end_orphans, record_children
from workers.embedded.postgres import Postgres
from workers.embedded.temporal import Temporal
from workers.smtp_sink import SmtpSink

USUAL_SMTP_PORT = 1025
PATIENCE = 90.0  # seconds until a server that neither serves nor ends counts as failed
PASSES = 10.0  # seconds for what keeps a server from starting and passes by itself
ATTEMPTS = 3  # a port found free can be taken before the server binds it


class EmbeddedStack:
    """The servers, from ``async with`` to its end.

    *ephemeral* makes a directory of its own below *data_dir* (or the system's temporary one), waits for no
    disk, takes any free ports and is removed at the end, also when we are killed.  Without *usual_ports* it
    takes any free ones as well: who kills a server and wants its port back must not share it with others.

    :raises EmbeddedError: on entering; one sentence says why and what to do.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        postgres: bool = True,
        temporal: bool = True,
        smtp_sink: bool = True,
        codec_endpoint: str | None = None,
        search_attributes: Mapping[str, str] | None = None,
        ephemeral: bool = False,
        time_skipping: bool = False,
        usual_ports: bool = True,
    ) -> None:
        if data_dir is None and not ephemeral:
            raise ValueError("a stack that keeps its data needs a data_dir")
        self._asked_dir = data_dir
        self._ephemeral = ephemeral
        self._usual_ports = usual_ports and not ephemeral
        self._with_smtp_sink = smtp_sink
        self._data_dir: Path | None = None
        self._lock: DirectoryLock | None = None
        self._keeper: Keeper | None = None
        self._smtp_sink: SmtpSink | None = None
        self._servers: dict[str, Postgres | Temporal] = {}
        if postgres:
            self._servers["postgres"] = Postgres(ephemeral=ephemeral)
        if temporal:
            self._servers["temporal"] = Temporal(
                ephemeral=ephemeral,
                codec_endpoint=codec_endpoint,
                search_attributes=search_attributes or {},
                time_skipping=time_skipping,
            )

    @property
    def data_dir(self) -> Path:
        """This will be the directory that holds everything the stack writes."""
        assert self._data_dir is not None, "the stack has not been started"
        return self._data_dir

    @property
    def database_url(self) -> str:
        """This will connect to database ``rapport`` as the superuser.  It holds the password."""
        return self._postgres.url

    @property
    def postgres_port(self) -> int:
        """This will be PostgreSQL's port on loopback."""
        return self._postgres.port

    @property
    def temporal_address(self) -> str:
        """This will be Temporal's host and port."""
        return self._temporal.address

    @property
    def temporal_ui_url(self) -> str:
        """This will be the address of Temporal's own pages."""
        return self._temporal.ui_url

    @property
    def smtp_sink(self) -> SmtpSink:
        """This will be the sink, with the messages it keeps."""
        assert self._smtp_sink is not None, "the stack runs no SMTP sink"
        return self._smtp_sink

    @property
    def smtp_host(self) -> str:
        """This will be the sink's host."""
        return self.smtp_sink.host

    @property
    def smtp_port(self) -> int:
        """This will be the sink's port."""
        return self.smtp_sink.port

    @property
    def pids(self) -> dict[str, int]:
        """This will name our processes: ``watchdog``, and ``postgres`` and ``temporal`` while they run."""
        return {} if self._keeper is None else {"watchdog": self._keeper.pid, **self._keeper.pids}

    async def start(self) -> Self:
        """This will start everything and return once it serves; ``async with`` does it for you."""
        try:
            await asyncio.to_thread(self._take_directory)
            if self._with_smtp_sink:
                self._smtp_sink = SmtpSink(self.data_dir / "mail")
                await self._start_sink(self._smtp_sink)
            for attempt in range(1, ATTEMPTS + 1):
                usual = attempt == 1 and self._usual_ports
                if await self._start_servers(usual=usual, last=attempt == ATTEMPTS):
                    break
        except BaseException:
            await self.stop()
            raise
        return self

    async def stop(self) -> None:
        """This will stop everything and return when no process of the stack is left."""
        if self._smtp_sink is not None:
            await self._smtp_sink.stop()
        if self._keeper is not None:
            await _whatever_happens(self._keeper.stop())
            self._keeper = None
        if self._ephemeral and self._data_dir is not None:
            await asyncio.to_thread(shutil.rmtree, self._data_dir, ignore_errors=True)
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    async def died(self) -> str:
        """This will wait until a server ends by itself and return a sentence that says so."""
        assert self._keeper is not None
        keeper = self._keeper
        waits = {asyncio.ensure_future(keeper.exited(name)): name for name in self._servers}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        first = done.pop()
        return self._obituary(waits[first], first.result())

    async def kill(self, name: str) -> None:
        """This will end ``postgres`` or ``temporal`` as a crash does; the rest goes on."""
        assert self._keeper is not None
        await self._keeper.kill(name)

    async def restart(self, name: str) -> None:
        """This will start a killed server again, on the same port and the same data."""
        assert self._keeper is not None
        keeper = self._keeper
        await keeper.run(name)
        await self._wait_ready(name, keeper)
        record_children(self.data_dir, keeper.pids)

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def _postgres(self) -> Postgres:
        server = self._servers["postgres"]
        assert isinstance(server, Postgres)
        return server

    @property
    def _temporal(self) -> Temporal:
        server = self._servers["temporal"]
        assert isinstance(server, Temporal)
        return server

    async def _start_sink(self, sink: SmtpSink) -> None:
        try:
            await sink.start(USUAL_SMTP_PORT if self._usual_ports else 0)
        except OSError:
            await sink.start()

    def _take_directory(self) -> None:
        needed = [server.find_binary for server in self._servers.values()]
        binaries.require([*needed, binaries.smtp_sink] if self._with_smtp_sink else needed)
        try:
            if self._ephemeral:
                self._data_dir = Path(tempfile.mkdtemp(prefix="rapport-", dir=self._asked_dir)).resolve()
            else:
                assert self._asked_dir is not None
                self._asked_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._data_dir = self._asked_dir.resolve()
            (self._data_dir / "logs").mkdir(mode=0o700, exist_ok=True)
            self._lock = DirectoryLock(self._data_dir)
            self._lock.take()
            end_orphans(self._data_dir)
            swap.finish(self._data_dir)
            for server in self._servers.values():
                server.prepare(self._data_dir)
        except OSError as error:
            raise EmbeddedError(
                f"{self._data_dir or self._asked_dir} cannot hold our data ({error}); "
                "make it writable for you, or choose another directory with --data."
            ) from error

    async def _start_servers(self, *, usual: bool, last: bool) -> bool:
        """Start the servers side by side; False if one of them lost its port and should be tried again."""
        programs = []
        for server in self._servers.values():
            server.choose_ports(usual=usual)
            _keep_previous(server.log)
            programs.append(await asyncio.to_thread(server.program))
        assert self._lock is not None
        keeper = Keeper(
            programs,
            log=self.data_dir / "logs" / "watchdog.log",
            remove=[self.data_dir] if self._ephemeral else [],
        )
        self._keeper = keeper
        keeper.start(self._lock.fd)
        waits = [self._wait_ready(name, keeper) for name in self._servers]
        failures = [f for f in await asyncio.gather(*waits, return_exceptions=True) if f is not None]
        if failures:
            if last or not any(server.lost_its_port() for server in self._servers.values()):
                raise failures[0]
            await keeper.stop(keep=True)
            return False
        record_children(self.data_dir, keeper.pids)
        return True

    async def _wait_once(self, name: str, keeper: Keeper) -> None:
        exited = asyncio.ensure_future(keeper.exited(name))
        ready = asyncio.ensure_future(self._serves(name, keeper))
        try:
            await asyncio.wait((exited, ready), timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                ready.result()
            elif exited.done():
                raise EmbeddedError(self._obituary(name, exited.result()))
            else:
                raise EmbeddedError(
                    f"{name} does not answer after {PATIENCE:.0f} seconds; see {self._servers[name].log}."
                )
        finally:
            exited.cancel()
            ready.cancel()

    async def _wait_ready(self, name: str, keeper: Keeper) -> None:
        deadline = time.monotonic() + PASSES
        while True:
            try:
                return await self._wait_once(name, keeper)
            except EmbeddedError:
                if time.monotonic() > deadline or not self._servers[name].passes_by_itself():
                    raise
                await asyncio.sleep(0.1)
                await keeper.run(name)

    async def _serves(self, name: str, keeper: Keeper) -> None:
        await keeper.serving(name)
        await self._servers[name].ready()

    def _obituary(self, name: str, code: int) -> str:
        if code == WATCHDOG_DIED:
            return (
                f"The watchdog of the embedded servers died; see {self.data_dir / 'logs' / 'watchdog.log'}."
            )
        log = self._servers[name].log
        if not log.exists() and (log.parent / "initdb.log").exists():
            log = log.parent / "initdb.log"
        words = _last_words(log)
        return f"{name} {describe_exit(code)}" + (f" ({words})" if words else "") + f"; see {log}."


async def _whatever_happens(work: Coroutine[None, None, None]) -> None:
    """Finish *work* even when we are cancelled meanwhile: a second Ctrl-C must not overtake the servers."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


def _keep_previous(log: Path) -> None:
    if log.exists():
        os.replace(log, log.with_suffix(".log.1"))


def _last_words(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    telling = [line for line in lines if "FATAL" in line or "rror:" in line or "panic:" in line]
    return (telling or lines or [""])[-1][-300:]
