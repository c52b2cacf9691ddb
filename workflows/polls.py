"""The workflow that a schedule starts to poll providers' APIs: one activity, and its count.

It keeps no state: which connections are due, and from when on to look, stands beside the connections.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.types import PollReply
    from workflows.types import POLL


@workflow.defn(name=POLL)
class Poll:
    """One look at every connection whose poll is due."""

    @workflow.run
    async def run(self) -> PollReply:
        """Poll; the next tick comes anyway, so this one gives up after a few attempts."""
        reply: PollReply = await workflow.execute_activity(
            "poll",
            result_type=PollReply,
            start_to_close_timeout=timedelta(minutes=30),
            heartbeat_timeout=timedelta(seconds=60),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=5), maximum_attempts=3),
            summary="Ask providers what changed",
        )
        return reply
