"""Ground for the crash tests: real servers of the test's own, and workers in processes that may die.

The test itself is only a client and a reader of the log: all that it knows survived the crash.
"""

import asyncio
import base64
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.update.v1 import UpdateRef, WaitPolicy
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.common import RawValue
from temporalio.envconfig import ClientConnectConfig
from temporalio.service import RPCError, RPCStatusCode

import workers
from activities.agency_load import load_agency
from events.agency import Entry
from events.envelope import Actor, Stored
from events.fold import fold
from events.log.migrate import migrate
from events.log.verify import broken_at
from events.state import Engagement
from workers.client import Engagements
from workers.embedded.stack import EmbeddedStack
from workers.settings import KeyEncryptionKey, Settings
from workers.shipped import deploy_policy
from workers.wiring import Adapters, adapters, connect
from workflows.types import ENGAGEMENTS_QUEUE, WORKFLOW, CommandReply, EngagementInput, workflow_id

ROOT = Path(workers.__file__).parent.parent
PROGRAM = Path(__file__).with_name("worker_program.py")
KEY = f"test-1:{base64.b64encode(b'k' * 32).decode()}"
AGENCY = "acme"
PATIENCE = 60.0
SEARCH_ATTRIBUTES = {
    "RapportAgency": "Keyword",
    "RapportStage": "Keyword",
    "RapportOwner": "Keyword",
    "RapportLevel": "Int",
}
PEOPLE = (
    Entry(person_id="d-1", role="director", name="Director One", email="director@example.test"),
    Entry(person_id="t-1", role="team-lead", director="d-1", name="Lead One", email="lead@example.test"),
    Entry(
        person_id="r-1",
        role="recruiter",
        team_lead="t-1",
        name="Recruiter One",
        email="recruiter@example.test",
    ),
)


async def until(condition: Callable[[], Awaitable[Any]]) -> Any:
    """Wait until something is so; returns what it was."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await condition()):  # noqa: ASYNC110 (what other processes do)
            await asyncio.sleep(0.05)
    return found


def content(data: Mapping[str, Any]) -> RawValue:
    """Write a signal's content as any sender would."""
    return RawValue(Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(data).encode()))


@dataclass
class WorkerProcess:
    """A worker in a process of its own."""

    process: asyncio.subprocess.Process
    marker: Path

    async def says(self) -> dict[str, Any]:
        """Wait until it is ready."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = await self.process.stdout.readline()
        assert line, "the worker ended before it was ready"
        said: dict[str, Any] = json.loads(line)
        return said

    async def died(self) -> None:
        """Wait until its fault has killed it."""
        async with asyncio.timeout(PATIENCE):
            code = await self.process.wait()
        assert code == 9
        assert self.marker.exists()

    async def stop(self) -> None:
        """Let it finish in good order."""
        if self.process.returncode is None:
            self.process.terminate()
            async with asyncio.timeout(PATIENCE):
                await self.process.wait()


class Ground:
    """One agency on real ground, and its workers' processes."""

    def __init__(self, stack: EmbeddedStack, having: Adapters, client: Client, directory: Path) -> None:
        self.stack = stack
        self.having = having
        self.client = client
        self._directory = directory
        self._workers: list[WorkerProcess] = []

    @property
    def log(self) -> Any:
        """The log, as the product reads it."""
        return self.having.log

    async def worker(
        self,
        *,
        dies: str | None = None,
        at: str = "",
        ready: bool = True,
        pokes: bool = True,
        temporal: str | None = None,
        digest_minutes: float = 15,
    ) -> WorkerProcess:
        """Start a worker; *dies* (after-append, inside-data, …) at the command *at*, as kill -9 does."""
        marker = self._directory / f"fault-{len(self._workers)}"
        told = {
            "where": dies,
            "command_id": at,
            "marker": str(marker),
            "smtp": [self.stack.smtp_host, self.stack.smtp_port],
            "pokes": pokes,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(PROGRAM),
            json.dumps(told),
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "DATABASE_URL": self.stack.database_url,
                "TEMPORAL_ADDRESS": temporal or self.stack.temporal_address,
                "RAPPORT_KEY_ENCRYPTION_KEYS": KEY,
                "RAPPORT_OUTREACH_DIGEST_MINUTES": str(digest_minutes),
            },
            stdout=asyncio.subprocess.PIPE,
        )
        self._workers.append(WorkerProcess(process, marker))
        if ready:
            await self._workers[-1].says()
        return self._workers[-1]

    def engagements(self, client: Client | None = None) -> Engagements:
        """Make a client of the agency's engagements."""
        return Engagements(client or self.client, AGENCY, patience=timedelta(seconds=PATIENCE))

    async def give(
        self, engagement_id: str, name: str, data: Mapping[str, Any] | None = None, *, command_id: str
    ) -> CommandReply:
        """Give a command and wait for its reply, through whatever happens meanwhile."""
        return await self.engagements().command(engagement_id, name, data, command_id=command_id)

    async def opening(self, engagement_id: str = "e-1", **more: Any) -> None:
        """Ask for an engagement to be opened, whose workflow tasks are given up soon after a crash.

        Ten seconds, the usual patience of Temporal with a worker that is silent, would be most of a test.
        """
        data = {
            "candidate_id": f"c-{engagement_id}",
            "owner": "r-1",
            "candidate_name": "Candidate Quux",
            "command_id": f"open-{engagement_id}",
            **more,
        }
        await self.client.start_workflow(
            WORKFLOW,
            EngagementInput(agency=AGENCY, engagement_id=engagement_id),
            id=workflow_id(AGENCY, engagement_id),
            task_queue=ENGAGEMENTS_QUEUE,
            task_timeout=timedelta(seconds=2),
            start_signal="open-engagement",
            start_signal_args=[content(data)],
        )

    async def opened(self, engagement_id: str = "e-1", **more: Any) -> None:
        """Open an engagement."""
        await self.opening(engagement_id, **more)
        await self.engagements().poke(engagement_id)
        assert (await self.of(f"open-{engagement_id}", engagement_id))[0] == "engagement-opened"

    async def reconnect(self) -> None:
        """Take a new connection to Temporal, after its server was gone."""
        self.client = await self.client_at(self.stack.temporal_address)

    async def client_at(self, address: str) -> Client:
        """Connect to a Temporal server with the agency's keys."""
        return await connect(ClientConnectConfig(target_host=address), self.having.keys)

    def handle(self, engagement_id: str = "e-1") -> WorkflowHandle[Any, Any]:
        """Give the engagement's workflow."""
        return self.client.get_workflow_handle(workflow_id(AGENCY, engagement_id))

    async def admitted(self, *update_ids: str) -> None:
        """Wait until Temporal holds all these updates, though nobody works on them yet."""
        workflow = WorkflowExecution(workflow_id=workflow_id(AGENCY, "e-1"))

        async def held(update_id: str) -> bool:
            asked = PollWorkflowExecutionUpdateRequest(
                namespace=self.client.namespace,
                update_ref=UpdateRef(workflow_execution=workflow, update_id=update_id),
                wait_policy=WaitPolicy(),
            )
            try:
                await self.client.workflow_service.poll_workflow_execution_update(asked)
            except RPCError as error:
                if error.status != RPCStatusCode.NOT_FOUND:
                    raise
                return False
            return True

        for update_id in update_ids:
            await until(partial(held, update_id))

    async def events(self, engagement_id: str = "e-1") -> list[Stored]:
        """Read the engagement's stream."""
        found: list[Stored] = await self.log.read_stream(AGENCY, f"engagement:{engagement_id}")
        return found

    async def of(self, command_id: str, engagement_id: str = "e-1") -> list[str]:
        """List the types of what a command has led to."""
        return [each.type for each in await self.events(engagement_id) if each.command_id == command_id]

    async def history_has(self, text: str, engagement_id: str = "e-1") -> bool:
        """Tell whether Temporal's history of the newest run names something in clear."""
        history = await self.handle(engagement_id).fetch_history()
        return text in history.to_json()

    async def caught_up(self) -> None:
        """Wait until every engagement has acknowledged all that is in its record."""

        async def none_ahead() -> bool:
            return not await self.log.ahead(AGENCY)

        await until(none_ahead)

    async def sound(self, engagement_id: str = "e-1") -> Engagement:
        """Assert that the record is dense, its chain whole, and its fold what the workflow holds."""
        await self.engagements().poke(engagement_id)
        state = await self.engagements().state(engagement_id)
        events = await self.events(engagement_id)
        assert [each.version for each in events] == list(range(1, len(events) + 1))
        assert len({each.event_id for each in events}) == len(events)
        sealed = await self.log.ciphertexts(AGENCY, f"engagement:{engagement_id}")
        assert broken_at(events, sealed) is None
        assert fold(events[: state.version]) == state
        assert state.version == len(events)
        return state

    async def leave(self) -> None:
        """End every worker that is left."""
        for worker in self._workers:
            with suppress(ProcessLookupError):
                await worker.stop()


def _settings(stack: EmbeddedStack) -> Settings:
    return Settings(
        database_url=SecretStr(stack.database_url),
        temporal_address=stack.temporal_address,
        key_encryption_keys=(KeyEncryptionKey.parse(KEY),),
    )


@pytest.fixture
async def ground(stack: EmbeddedStack, tmp_path: Path) -> AsyncIterator[Ground]:
    """This will yield an agency with people and a policy, on servers that the test may kill."""
    await migrate(stack.database_url)
    settings = _settings(stack)
    async with adapters(settings, stack.database_url, smtp=(stack.smtp_host, stack.smtp_port)) as having:
        client = await connect(settings.temporal_connect(), having.keys)
        actor = Actor(kind="operator", id="o-1")
        policy = deploy_policy("starter")
        await load_agency(having.service, AGENCY, people=PEOPLE, policy=policy, actor=actor)
        place = Ground(stack, having, client, tmp_path)
        yield place
        await place.leave()


@pytest.fixture
async def other_cluster() -> AsyncIterator[str]:
    """This will yield the address of another Temporal server, which knows nothing of the first."""
    async with EmbeddedStack(
        ephemeral=True, postgres=False, smtp_sink=False, search_attributes=SEARCH_ATTRIBUTES
    ) as running:
        yield running.temporal_address


@pytest.fixture
def poll() -> Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]:
    """This will wait until something is so."""
    return until
