"""The workflow that a schedule starts to sweep: one activity, and its count.

It keeps no state: what was poked at which version stands in the log, where the next sweep finds it.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.types import SweepReply
    from workflows.types import SWEEP


@workflow.defn(name=SWEEP)
class Sweep:
    """One sweep over every agency's log."""

    @workflow.run
    async def run(self) -> SweepReply:
        """Sweep; the next one comes anyway, so this one gives up after a few attempts."""
        reply: SweepReply = await workflow.execute_activity(
            "sweep",
            result_type=SweepReply,
            start_to_close_timeout=timedelta(minutes=10),
            heartbeat_timeout=timedelta(seconds=60),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=5), maximum_attempts=3),
            summary="Poke whose log is ahead",
        )
        return reply
