"""The ground to measure on: the embedded servers on a data directory that waits for its disk, and workers.

Workers are processes of their own, ours the very ``rapport worker``: no caller shares their interpreter.
"""

import asyncio
import base64
import contextlib
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar
from uuid import uuid4

from pydantic import SecretBytes
from temporalio.client import Client

from activities.agency_file import read_people
from activities.agency_load import load_agency
from events.envelope import Actor
from events.log.migrate import migrate
from events.policy import Policy
from workers.client import Engagements
from workers.embedded.stack import EmbeddedStack
from workers.search_attributes import SEARCH_ATTRIBUTES
from workers.settings import KeyEncryptionKey, Settings
from workers.shipped import POLICIES, deploy_policy
from workers.wiring import Adapters, adapters, connect
from workflows.types import workflow_id

T = TypeVar("T")
R = TypeVar("R")

OURS: Final = ("-m", "gateway", "worker")
BARE: Final = ("-m", "benchmarks.bare_worker")
PEOPLE: Final = POLICIES.parent / "agencies" / "example.toml"
ROOT: Final = Path(__file__).resolve().parent.parent
PATIENCE: Final = timedelta(minutes=20)


@dataclass
class WorkerProcess:
    """A worker that runs."""

    process: asyncio.subprocess.Process

    @property
    def pid(self) -> int:
        """This will be the process's id."""
        return self.process.pid

    async def kill(self) -> None:
        """This will end it as a crash does."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def stop(self) -> None:
        """This will end it as a deployment does."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(30):
                    await self.process.wait()
        await self.kill()


@dataclass(frozen=True)
class Ground:
    """Servers, adapters and a client."""

    stack: EmbeddedStack
    having: Adapters
    client: Client
    environment: dict[str, str] = field(repr=False)
    bare_agency: str = "bare"

    @property
    def database_url(self) -> str:
        """This will connect to PostgreSQL as its superuser."""
        return self.stack.database_url

    async def agency(self, policy: Policy | None = None) -> str:
        """This will make a new agency with the example's people and the starter's policy."""
        name = f"bench-{uuid4().hex[:8]}"
        await load_agency(
            self.having.service,
            name,
            people=read_people(PEOPLE),
            policy=policy or deploy_policy("starter"),
            actor=Actor(kind="operator", id="bench"),
            source="bench",
        )
        return name

    def engagements(self, agency: str, patience: timedelta = PATIENCE) -> Engagements:
        """This will speak to an agency's engagements, patiently."""
        return Engagements(self.client, agency, patience=patience)

    def bare_id(self, name: str) -> str:
        """This will name a bare workflow so that the codec finds a key for it, as for ours."""
        return workflow_id(self.bare_agency, name)

    async def start(self, program: tuple[str, ...]) -> WorkerProcess:
        """This will start a worker and return at once."""
        with (self.stack.data_dir / "logs" / "bench-workers.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, *profiled(program), stdout=log, stderr=log, env=self.environment, cwd=ROOT
            )
        return WorkerProcess(process)

    @asynccontextmanager
    async def worker(self, program: tuple[str, ...]) -> AsyncIterator[WorkerProcess]:
        """This will run a worker from ``async with`` to its end."""
        running = await self.start(program)
        try:
            yield running
        finally:
            await running.stop()


@asynccontextmanager
async def ground() -> AsyncIterator[Ground]:
    """This will bring the servers up on a new directory, and take all down and away again."""
    place = await asyncio.to_thread(_place)
    key = KeyEncryptionKey(id="bench", secret=SecretBytes(secrets.token_bytes(32)))
    try:
        async with EmbeddedStack(place / "data", search_attributes=SEARCH_ATTRIBUTES) as stack:
            await migrate(stack.database_url)
            settings = Settings(key_encryption_keys=(key,), data_dir=place / "data")
            smtp = (stack.smtp_host, stack.smtp_port)
            async with adapters(settings, stack.database_url, smtp=smtp) as having:
                temporal = settings.temporal_connect(stack.temporal_address)
                client = await connect(temporal, having.keys)
                yield Ground(stack, having, client, _environment(stack, key))
    finally:
        shutil.rmtree(place, ignore_errors=True)


async def at_once(most: int, work: Callable[[T], Awaitable[R]], items: Iterable[T]) -> list[R]:
    """This will do the work on every item, on at most so many at once, and return the results in order."""
    gate = asyncio.Semaphore(most)

    async def one(item: T) -> R:
        async with gate:
            return await work(item)

    return await asyncio.gather(*map(one, items))


def profiled(program: tuple[str, ...]) -> tuple[str, ...]:
    """This will profile a program into the directory of ``BENCH_PROFILE``, to find out, not for figures."""
    place = os.environ.get("BENCH_PROFILE")
    return ("-m", "benchmarks.profiled", place, *program[1:]) if place else program


def _place() -> Path:
    place = Path(tempfile.mkdtemp(prefix="rapport-bench-"))
    # Started by root, PostgreSQL runs as another user, who must get to its directory.
    place.chmod(0o711)
    return place


def _environment(stack: EmbeddedStack, key: KeyEncryptionKey) -> dict[str, str]:
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("RAPPORT_", "TEMPORAL_"))}
    return ours | {
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": stack.database_url,
        "TEMPORAL_ADDRESS": stack.temporal_address,
        "RAPPORT_KEY_ENCRYPTION_KEYS": f"{key.id}:{base64.b64encode(key.secret.get_secret_value()).decode()}",
        "RAPPORT_SMTP_HOST": stack.smtp_host,
        "RAPPORT_SMTP_PORT": str(stack.smtp_port),
        "RAPPORT_LOG_LEVEL": "WARNING",
        "RAPPORT_LOG_FORMAT": "json",
    }
