"""The messages an engagement owes: each is asked of the outreach queue until it is known what became of it.

Asking twice is safe, because the ledger of effects claims a message before it leaves.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.types import OUTREACH_QUEUE, OutreachOrder, OutreachOutcome
from events.clock import ClockSpec
from events.commands import Order
from events.envelope import ENGINE
from events.policy import Policy
from events.state import Engagement, OwedOutreach
from workflows.types import Letter

ACTIVITY: Final = "send-outreach"
_FOR_EVER: Final = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(minutes=2)
)
_ONE_TRY: Final = timedelta(minutes=2)


class Outreach:
    """Keeps one activity running for each owed message; *report* takes the outcome as a letter."""

    def __init__(self, agency: str, engagement_id: str, report: Callable[[Letter], None]) -> None:
        self._agency, self._engagement_id = agency, engagement_id
        self._report = report
        self._asked: dict[UUID, asyncio.Task[None]] = {}

    def lacks(self, state: Engagement, now: datetime) -> bool:
        """Tell whether something is owed that may leave and was not asked for yet."""
        return any(key not in self._asked and _may_leave(owed, now) for key, owed in state.owed.items())

    def ask(self, state: Engagement, policy: Policy | None, clock: ClockSpec, now: datetime) -> None:
        """Start what is owed and not yet asked for, and forget what is owed no more."""
        self._asked = {key: task for key, task in self._asked.items() if key in state.owed}
        for key, owed in state.owed.items():
            if key not in self._asked and _may_leave(owed, now):
                order = self._order(key, owed, state, policy, clock, now)
                self._asked[key] = task = asyncio.create_task(self._send(order))
                task.add_done_callback(_complain)

    def _order(
        self,
        key: UUID,
        owed: OwedOutreach,
        state: Engagement,
        policy: Policy | None,
        clock: ClockSpec,
        now: datetime,
    ) -> OutreachOrder:
        promise = None if owed.obligation_id is None else state.obligations.get(owed.obligation_id)
        rule = policy.obligation(owed.rule) if policy is not None and owed.rule is not None else None
        return OutreachOrder(
            agency=self._agency,
            engagement_id=self._engagement_id,
            effect_id=key,
            to=owed.to,
            owner=owed.owner,
            template=owed.template,
            rule=owed.rule,
            says=rule.says if rule is not None else "",
            subject=owed.subject,
            level=owed.level,
            since=promise.since if promise is not None else None,
            due_at=owed.due_at,
            useful_until=owed.useful_until,
            now=now,
            rate=0 if clock.kind == "stepped" else clock.rate,
        )

    async def _send(self, order: OutreachOrder) -> None:
        try:
            outcome: OutreachOutcome = await workflow.execute_activity(
                ACTIVITY,
                order,
                result_type=OutreachOutcome,
                task_queue=OUTREACH_QUEUE,
                start_to_close_timeout=_ONE_TRY,
                retry_policy=_FOR_EVER,
                summary=f"Message '{order.template}' to the {order.to}",
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            outcome = OutreachOutcome(effect_id=order.effect_id, outcome="failed", reason="not-sendable")
        command_id = f"effect:{order.effect_id}:{outcome.outcome}"
        report = Order(command_id=command_id, command=outcome.command(), actor=ENGINE, source="rapport")
        self._report(Letter(order=report))


def _may_leave(owed: OwedOutreach, now: datetime) -> bool:
    return owed.not_before is None or owed.not_before <= now


def _complain(task: asyncio.Task[None]) -> None:
    # Nobody awaits the task: without this a mistake in it would go unheard.
    if not task.cancelled() and task.exception() is not None:
        workflow.logger.error("a message was given up in this run", exc_info=task.exception())
