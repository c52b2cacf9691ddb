"""The servers, the worker's process and our own adapters: what the kills may hit, and how it comes back.

The servers are the product's embedded stack, fsync on: only its watchdog may hold them, so none outlives us.
"""

import asyncio
import base64
import json
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import psutil
from pydantic import SecretBytes
from temporalio.client import Client

import workers
from events.clock import ClockSpec
from events.log.followers import PostgresPlaces
from events.log.migrate import migrate
from tests.crash.soak.kills import WORKER, Blow, Kill, done
from tests.crash.soak.mail import Mail
from workers.client import Engagements
from workers.embedded.stack import EmbeddedStack
from workers.search_attributes import SEARCH_ATTRIBUTES
from workers.settings import KeyEncryptionKey, Settings
from workers.wiring import Adapters, adapters, connect

ROOT: Final = Path(workers.__file__).resolve().parent.parent
# The product waits five minutes, which would be most of a short soak; longer than any letter takes here.
SETTLES_AFTER: Final = timedelta(seconds=15)
_STOPS_WITHIN: Final = 20.0
_REMAINS: Final = 15.0


class ProcessKeeper:
    """Keeps one process running, as a supervisor does; *fell* counts the ends that nobody here caused."""

    def __init__(
        self, program: tuple[str, ...], environment: dict[str, str], log: Path, pause: float = 1.0
    ) -> None:
        self.fell = 0
        self.pids: list[int] = []
        self.environment = environment
        self._program, self._log, self._pause = program, log, pause
        self._process: asyncio.subprocess.Process | None = None
        self._away: float | None = None
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to keep it."""
        self._keeping = asyncio.create_task(self._keep())

    def kill(self, away: float) -> None:
        """End it as a crash does; another starts after *away* seconds."""
        self._away = away
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def stop(self) -> None:
        """End it as a deployment does, and start no other."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(_STOPS_WITHIN):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _keep(self) -> None:
        while True:
            self._away = None
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", *self._program),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    env=self.environment,
                    cwd=ROOT,
                )
            self.pids.append(self._process.pid)
            await self._process.wait()
            if self._away is None:
                # Its server was away when it started, or too long: whoever runs it starts it again.
                self.fell += 1
            await asyncio.sleep(self._pause if self._away is None else self._away)


@dataclass
class Ground:
    """All that a soak stands on."""

    place: Path
    stack: EmbeddedStack
    worker: ProcessKeeper
    mail: Mail
    having: Adapters
    places: PostgresPlaces
    client: Client
    clock: ClockSpec
    kills: list[Kill] = field(default_factory=list)
    died_alone: list[str] = field(default_factory=list)

    def engagements(self, agency: str, patience: timedelta = timedelta(seconds=60)) -> Engagements:
        """Speak to an agency's engagements, as the product does."""
        return Engagements(self.client, agency, clock=self.clock, patience=patience)

    async def strike(self, blow: Blow) -> None:
        """Kill what a blow names, all at once, and return when the servers of it are back."""
        together = len(blow.targets) > 1
        await asyncio.gather(
            *(self._strike(each, away, together) for each, away in zip(blow.targets, blow.away, strict=True))
        )

    async def _strike(self, target: str, away: float, together: bool) -> None:
        self.kills.append(done(target, together=together))
        if target == WORKER:
            self.worker.kill(away)
            return
        if target not in self.stack.pids:
            self.died_alone.append(target)
        await self.stack.kill(target)
        await asyncio.sleep(away)
        await self.stack.restart(target)


@asynccontextmanager
async def ground(seed: int, clock: ClockSpec, place: Path) -> AsyncIterator[Ground]:
    """This will bring everything up in *place*, and leave no process behind."""
    key = KeyEncryptionKey(id="soak", secret=SecretBytes(secrets.token_bytes(32)))
    settings = Settings(key_encryption_keys=(key,), data_dir=place)
    mail = Mail(seed)
    await mail.start()
    try:
        async with EmbeddedStack(
            place, smtp_sink=False, search_attributes=SEARCH_ATTRIBUTES, usual_ports=False
        ) as stack:
            await migrate(stack.database_url)
            worker = _keeper(stack, mail, key, clock)
            places = PostgresPlaces(stack.database_url)
            try:
                async with adapters(settings, stack.database_url, smtp=(mail.host, mail.port)) as having:
                    client = await connect(settings.temporal_connect(stack.temporal_address), having.keys)
                    worker.start()
                    yield Ground(place, stack, worker, mail, having, places, client, clock)
                    # In good order, so that what it holds is finished while the servers are there.
                    await worker.stop()
            finally:
                await worker.stop()
                await places.close()
    finally:
        await mail.stop()


def make_place(of: str = "soak") -> Path:
    """This will make a new directory; started by root, PostgreSQL is another user and must get through."""
    place = Path(tempfile.mkdtemp(prefix=f"rapport-{of}-"))
    place.chmod(0o711)
    return place


def remove_place(place: Path) -> None:
    """This will take the directory away."""
    shutil.rmtree(place, ignore_errors=True)


async def left_over(place: Path, pids: list[int]) -> list[str]:
    """This will name the processes that are still there a while after everything was stopped."""
    found: list[str] = []
    try:
        async with asyncio.timeout(_REMAINS):
            while found := await asyncio.to_thread(_running, place, frozenset(pids)):  # noqa: ASYNC110 (processes)
                await asyncio.sleep(0.2)
    except TimeoutError:
        pass
    return found


def _running(place: Path, pids: frozenset[int]) -> list[str]:
    found, me = [], os.getpid()
    for process in psutil.process_iter(["pid", "ppid", "name", "cmdline", "cwd", "status"]):
        told = process.info
        words = " ".join([*(told["cmdline"] or ()), told["cwd"] or ""])
        ours = (told["pid"] in pids and told["ppid"] == me) or str(place) in words
        if ours and told["pid"] != me and told["status"] != psutil.STATUS_ZOMBIE:
            found.append(f"{told['name']} ({told['pid']})")
    return found


def _keeper(stack: EmbeddedStack, mail: Mail, key: KeyEncryptionKey, clock: ClockSpec) -> ProcessKeeper:
    ours = {
        name: value for name, value in os.environ.items() if not name.startswith(("RAPPORT_", "TEMPORAL_"))
    }
    environment = ours | {
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": stack.database_url,
        "TEMPORAL_ADDRESS": stack.temporal_address,
        "RAPPORT_KEY_ENCRYPTION_KEYS": f"{key.id}:{base64.b64encode(key.secret.get_secret_value()).decode()}",
        "RAPPORT_SMTP_HOST": mail.host,
        "RAPPORT_SMTP_PORT": str(mail.port),
        "RAPPORT_LOG_LEVEL": "INFO",
        "RAPPORT_LOG_FORMAT": "json",
    }
    told = {"clock": clock.model_dump(mode="json"), "settles_after": SETTLES_AFTER.total_seconds()}
    program = ("tests.crash.soak.worker", json.dumps(told))
    return ProcessKeeper(program, environment, stack.data_dir / "logs" / "worker.log")
