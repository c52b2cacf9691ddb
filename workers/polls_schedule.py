"""The schedule in Temporal that polls providers' APIs: one for a deployment, whoever starts first.

It only ticks: which connections a tick asks stands beside them, so no schedule has to be kept in step with a
connection that comes, changes or goes.
"""

from datetime import timedelta
from typing import Final

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)

from workers.sweep_schedule import CATCH_UP, ensure
from workflows.types import ENGAGEMENTS_QUEUE, POLL, POLLS_ID

EVERY: Final = timedelta(minutes=5)
# Longer than the activity may take: after it, a tick without a worker makes place for the next.
GIVES_UP_AFTER: Final = timedelta(minutes=35)


def wanted_polls(schedule_id: str, every: timedelta, task_queue: str) -> Schedule:
    """This will be the schedule as this code wants it."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            POLL, id=schedule_id, task_queue=task_queue, execution_timeout=GIVES_UP_AFTER
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
        state=ScheduleState(note="Asks connections' providers what changed, where that is due"),
    )


async def ensure_polls(
    client: Client,
    *,
    schedule_id: str = POLLS_ID,
    every: timedelta = EVERY,
    task_queue: str = ENGAGEMENTS_QUEUE,
) -> bool:
    """This will make sure that the schedule is there and as wanted, and look at once unless it is paused.

    False: this server lets us have no schedule, so poll without.

    :raises RPCError: the server does not answer now; try again.
    """
    return await ensure(client, schedule_id, wanted_polls(schedule_id, every, task_queue))
