"""The Temporal workers: one for engagements and their records, one for outreach.

They share nothing but the adapters: a mail server that is down fills the outreach queue and no other.
"""

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, Final

from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.commands import Commands
from activities.outreach import Outreach
from activities.polling import Polling
from activities.recording import Recording
from activities.sweeping import Sweeping
from activities.types import OUTREACH_QUEUE
from events.quiet import warm
from workflows.engagement import Engagement
from workflows.polls import Poll
from workflows.sweep import Sweep
from workflows.types import ENGAGEMENTS_QUEUE

GRACE: Final = timedelta(seconds=5)
# A mail server that is slow to answer must be waited for, or a letter that left would leave again.
OUTREACH_GRACE: Final = timedelta(seconds=20)
WORKFLOWS: Final[Sequence[type]] = (Engagement, Sweep, Poll)


def workflow_runner() -> SandboxedWorkflowRunner:
    """Make the sandbox; our modules pass through, or every run would import them again and keep them.

    What the sandbox would have caught in them, ``tests/workflows/test_determinism.py`` looks for.
    """
    ours = ("events", "activities", "workflows", "pydantic", "pydantic_core")
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*ours))


def engagement_worker(
    client: Client,
    recording: Recording,
    commands: Commands,
    sweeping: Sweeping | None = None,
    polling: Polling | None = None,
    *,
    task_queue: str = ENGAGEMENTS_QUEUE,
) -> Worker:
    """Make the worker that runs engagements and records what they decide, and may sweep and poll."""
    warm()
    activities: list[Callable[..., Any]] = [
        recording.append,
        recording.load,
        recording.load_policy,
        recording.load_offices,
        commands.give,
    ]
    if sweeping is not None:
        activities.append(sweeping.sweep)
    if polling is not None:
        activities.append(polling.poll)
    return Worker(
        client,
        task_queue=task_queue,
        workflows=WORKFLOWS,
        activities=activities,
        workflow_runner=workflow_runner(),
        graceful_shutdown_timeout=GRACE,
    )


def outreach_worker(client: Client, outreach: Outreach) -> Worker:
    """Make the worker that sends messages."""
    return Worker(
        client,
        task_queue=OUTREACH_QUEUE,
        activities=[outreach.send],
        graceful_shutdown_timeout=OUTREACH_GRACE,
    )


async def run_until(stopping: asyncio.Event, workers: Sequence[Worker]) -> None:
    """Run workers until told to stop, then let them finish what they hold, for a few seconds.

    A worker that fails raises here at once.
    """
    async with AsyncExitStack() as stack:
        for worker in workers:
            await stack.enter_async_context(worker)
        await stopping.wait()


def stop_on_signals(stopping: asyncio.Event) -> None:
    """Turn SIGTERM and SIGINT into a request to stop: the SDK's worker heeds neither."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
