"""The floor under an engagement: workflows that keep nothing and a local activity that does nothing.

Workflow code, which the sandbox loads again for each run: import nothing here that the floor would pay for.
"""

from datetime import datetime, timedelta

from temporalio import activity, workflow

QUEUE = "rapport-bench-bare"
SOON = timedelta(seconds=10)


@activity.defn(name="bare-nothing")
async def nothing(content: str) -> str:
    """Do nothing."""
    return content


@workflow.defn(name="BareUpdates")
class BareUpdates:
    """Answers updates, for ever."""

    @workflow.run
    async def run(self) -> None:
        """Wait."""
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def give(self, content: str) -> str:
        """Answer once the local activity is done."""
        return await workflow.execute_local_activity(nothing, content, start_to_close_timeout=SOON)


@workflow.defn(name="BareTimer")
class BareTimer:
    """Waits for a moment, and ends."""

    @workflow.run
    async def run(self, due: datetime) -> None:
        """Sleep until the moment, then do nothing."""
        await workflow.sleep(max(due - workflow.now(), timedelta(milliseconds=1)))
        await workflow.execute_local_activity(nothing, "due", start_to_close_timeout=SOON)
