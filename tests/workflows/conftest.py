"""Ground for the workflow's tests: a real Temporal server, a log to be troubled, keys that never change.

The keys are derived from their names, so that a recorded history can be opened by a later test run.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowHandle
from temporalio.converter import SerializationContext
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from activities.agency_load import load_agency
from activities.commands import Commands, CommandService
from activities.directory import Directory
from activities.polling import Polling
from activities.recording import Recording
from activities.sweeping import Sweeping
from activities.types import OUTREACH_QUEUE, OutreachOrder, OutreachOutcome
from events.clock import ClockSpec
from events.commands import AnyCommand, Order
from events.decider import prepare
from events.envelope import NAMESPACE, Actor, AppendRequest, Stored
from events.fold import fold
from events.log.keys import DataKey
from events.log.memory import MemoryLog
from events.log.port import AppendResult
from workers.client import Engagements
from workers.codec import EngagementCodec
from workers.data_converter import data_converter
from workers.poking import Poking
from workers.shipped import deploy_policy
from workers.worker import engagement_worker
from workflows.types import CommandReply, RunSettings, workflow_id

PATIENCE = 20.0


class DerivedKeys:
    """Keys that follow from their names; they protect nothing."""

    def __init__(self) -> None:
        self.destroyed: set[tuple[str, str]] = set()
        self._known: dict[UUID, tuple[str, str]] = {}

    async def get_or_create(self, agency: str, subject: str) -> DataKey:
        """Derive the subject's key."""
        key_id = uuid5(NAMESPACE, f"test key {agency} {subject}")
        self._known[key_id] = (agency, subject)
        return DataKey(key_id, hashlib.sha256(key_id.bytes).digest())

    async def find(self, agency: str, subject: str) -> DataKey | None:
        """Derive the subject's key, unless it is destroyed."""
        return None if (agency, subject) in self.destroyed else await self.get_or_create(agency, subject)

    async def find_by_id(self, agency: str, key_id: UUID) -> DataKey | None:
        """Derive the key from its id."""
        if self._known.get(key_id) in self.destroyed:
            return None
        return DataKey(key_id, hashlib.sha256(key_id.bytes).digest())

    async def destroy(self, agency: str, subject: str) -> None:
        """Hide the key."""
        self.destroyed.add((agency, subject))


class Listening(EngagementCodec):
    """Reads what is encrypted and encrypts nothing: a sender without Rapport's codec."""

    def with_context(self, context: SerializationContext) -> "Listening":
        """Stay as it is."""
        return self

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Send in clear."""
        return list(payloads)


class TroubledLog(MemoryLog):
    """A log that fails as often as a test says, before or after it has written."""

    fails_before = 0
    fails_after = 0
    appends = 0

    async def append_many(self, requests: Sequence[AppendRequest]) -> list[AppendResult]:
        """Append, or fail."""
        self.appends += 1
        if self.fails_before > 0:
            self.fails_before -= 1
            raise ConnectionError("the log is away")
        results = await super().append_many(requests)
        if self.fails_after > 0:
            self.fails_after -= 1
            raise ConnectionError("the log went away after it had written")
        return results


class Postman:
    """Takes the place of outreach: sends into a list, or cannot."""

    def __init__(self) -> None:
        self.away = False
        self.sent: list[OutreachOrder] = []

    @activity.defn(name="send-outreach")
    async def send(self, order: OutreachOrder) -> OutreachOutcome:
        """Send, or fail."""
        if self.away:
            raise ConnectionError("no mail server")
        self.sent.append(order)
        return OutreachOutcome(
            effect_id=order.effect_id, outcome="sent", message_id=f"<{order.effect_id}@test>"
        )


class NothingToPoll:
    """No connection's poll is due."""

    async def due(self) -> list[tuple[str, str]]:
        """Name none."""
        return []

    async def poll(self, agency: str, connection_id: str, /) -> None:
        """Poll none."""
        raise AssertionError("none was due")


class Ground:
    """One agency on real ground, with workers of its own."""

    def __init__(self, client: Client, stranger: Client, agency: str) -> None:
        self.client = client
        self.stranger = stranger
        self.agency = agency
        self.queue = f"engagements-{uuid4()}"
        self.keys = DerivedKeys()
        self.log = TroubledLog(self.keys)
        self.postman = Postman()
        self.started: set[str] = set()

    @classmethod
    async def at(cls, address: str, agency: str) -> "Ground":
        """Connect: once as ourselves, once as a stranger who has no keys."""
        ours = data_converter(DerivedKeys())
        client = await Client.connect(address, data_converter=ours)
        theirs = replace(ours, payload_codec=Listening(DerivedKeys()))
        return cls(client, await Client.connect(address, data_converter=theirs), agency)

    def worker(self) -> Worker:
        """Make the agency's engagement worker."""
        recording = Recording(self.log, Directory(self.log, fresh_for=0))
        commands = Commands(CommandService(self.log))
        polling = Polling(NothingToPoll())
        return engagement_worker(
            self.client, recording, commands, self.sweeping(), polling, task_queue=self.queue
        )

    def sweeping(self) -> Sweeping:
        """Make what sweeps the agency's log, and leaves out nobody for having just grown."""
        return Sweeping(self.log, Poking(self.client, task_queue=self.queue), quiet=timedelta())

    @asynccontextmanager
    async def outreach(self) -> AsyncIterator[Postman]:
        """Run the outreach worker."""
        async with Worker(self.client, task_queue=OUTREACH_QUEUE, activities=[self.postman.send]):
            yield self.postman

    async def adopt(self, policy: str = "starter", *only: str) -> str:
        """Let the agency adopt a policy that ships with Rapport, or some of it; returns its digest."""
        actor = Actor(kind="operator", id="test")
        body = deploy_policy(policy)
        if only:
            kept = tuple(each for each in body.obligations if each.id in only)
            body = body.model_copy(update={"obligations": kept})
        await load_agency(CommandService(self.log), self.agency, policy=body, actor=actor)
        return body.digest()

    def engagements(self, *, clock: ClockSpec | None = None, **settings: Any) -> Engagements:
        """Make a client of the agency's engagements."""
        return Engagements(
            self.client,
            self.agency,
            clock=clock,
            settings=RunSettings(**settings),
            task_queue=self.queue,
            patience=timedelta(seconds=PATIENCE),
        )

    async def give(
        self, engagement_id: str, name: str, data: Mapping[str, Any] | None = None, **options: Any
    ) -> CommandReply:
        """Give a command with the usual settings."""
        return await self.engagements().command(engagement_id, name, data, **options)

    async def opened(self, engagement_id: str = "e-1", by: Engagements | None = None) -> CommandReply:
        """Open an engagement."""
        self.started.add(engagement_id)
        data = {"candidate_id": f"c-{engagement_id}", "owner": "r-1", "opened_from": "direct"}
        return await (by or self.engagements()).command(
            engagement_id, "open-engagement", data, command_id=f"open-{engagement_id}"
        )

    def handle(self, engagement_id: str = "e-1", *, stranger: bool = False) -> WorkflowHandle[Any, Any]:
        """Give the engagement's workflow, as ourselves or as a stranger sees it."""
        client = self.stranger if stranger else self.client
        return client.get_workflow_handle(workflow_id(self.agency, engagement_id))

    async def events(self, engagement_id: str = "e-1") -> list[Stored]:
        """Read the engagement's stream."""
        return await self.log.read_stream(self.agency, f"engagement:{engagement_id}")

    async def commit_unheard(self, **commands: AnyCommand) -> None:
        """Append to e-1 as its run would, and lose what it knows of it, as a crash of all servers does."""
        stream, events = "engagement:e-1", await self.events()
        before = state = fold(events)
        head = await self.log.head(self.agency, stream)
        assert head is not None
        assert before.decided_at is not None
        groups, now, actor = [], before.decided_at, Actor(kind="person", id="r-1")
        for command_id, command in commands.items():
            order = Order(command_id=command_id, command=command, actor=actor)
            prepared = prepare(order, state, None, now, agency=self.agency, engagement_id="e-1")
            groups.append(prepared.group)
            state = prepared.state
        request = AppendRequest(
            agency=self.agency,
            stream=stream,
            expected=before.version,
            acked=head.acked_version,
            run_epoch=head.run_epoch,
            groups=tuple(groups),
        )
        await self.log.append_many([request])
        assert len(await self.events()) > len(events)

    async def types(self, engagement_id: str = "e-1") -> list[str]:
        """List the types of the engagement's events."""
        return [event.type for event in await self.events(engagement_id)]

    async def runs(self, engagement_id: str = "e-1") -> list[str]:
        """List the ids of the engagement's runs."""
        query = f"WorkflowId = '{workflow_id(self.agency, engagement_id)}'"
        return [run.run_id async for run in self.client.list_workflows(query)]

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(PATIENCE):
            while not await condition():  # noqa: ASYNC110 - what we wait for is in a server
                await asyncio.sleep(0.02)

    async def running(self, engagement_id: str = "e-1") -> bool:
        """Tell whether the engagement has a live run."""
        return (await self.handle(engagement_id).describe()).close_time is None

    async def leave(self) -> None:
        """End the workflows that are still running."""
        query = f"TaskQueue = '{self.queue}' AND ExecutionStatus = 'Running'"
        async for run in self.client.list_workflows(query):
            try:
                await self.client.get_workflow_handle(run.id).terminate("the test is over")
            except RPCError as error:
                # The list may be a moment behind.
                if error.status != RPCStatusCode.NOT_FOUND:
                    raise


@pytest.fixture
async def ground(temporal_server: str) -> AsyncIterator[Ground]:
    """This will yield an agency with a policy and a running worker."""
    place = await Ground.at(temporal_server, f"a-{uuid4().hex[:12]}")
    await place.adopt()
    async with place.worker():
        yield place
        await place.leave()


@pytest.fixture
async def idle_ground(temporal_server: str) -> AsyncIterator[Ground]:
    """This will yield an agency with a policy, whose worker comes and goes as a test says."""
    place = await Ground.at(temporal_server, f"a-{uuid4().hex[:12]}")
    await place.adopt()
    yield place
    await place.leave()


@pytest.fixture
def derived_keys() -> DerivedKeys:
    """This will return the keys under which the corpus was recorded."""
    return DerivedKeys()
