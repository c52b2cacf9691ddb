"""A worker for the bare workflows, with Rapport's own codec, converter and sandbox.

Told by the same environment as ``rapport worker``.
"""

import asyncio

from temporalio.worker import Worker

from benchmarks.bare import QUEUE, BareTimer, BareUpdates, nothing
from workers.ending import end_process
from workers.settings import load_settings
from workers.wiring import adapters, connect
from workers.worker import GRACE, run_until, stop_on_signals, workflow_runner


async def serve() -> None:
    """Run until told to stop."""
    settings = load_settings()
    assert settings.database_url is not None
    stopping = asyncio.Event()
    stop_on_signals(stopping)
    async with adapters(settings, settings.database_url.get_secret_value()) as having:
        client = await connect(settings.temporal_connect(), having.keys)
        worker = Worker(
            client,
            task_queue=QUEUE,
            workflows=[BareUpdates, BareTimer],
            activities=[nothing],
            workflow_runner=workflow_runner(),
            graceful_shutdown_timeout=GRACE,
        )
        await run_until(stopping, [worker])


if __name__ == "__main__":
    asyncio.run(serve())
    end_process(0)
