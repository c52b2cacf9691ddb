"""More than one run that believes it is the writer: after a reset, and in a second cluster.

Whoever took the pen last writes; what an earlier run sends is not written, in whole or in part.
"""

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import ResetReapplyType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowExecutionStatus

from events.commands import Order, RecordCheck
from events.decider import prepare
from events.envelope import Actor, AppendRequest
from events.log.port import Fenced
from workflows.types import workflow_id

if TYPE_CHECKING:
    from tests.crash.conftest import Ground

pytestmark = [pytest.mark.postgres, pytest.mark.temporal, pytest.mark.slow]

TALK = {"by": "r-1", "channel": "phone"}
CHECK = {"check": "references", "outcome": "good"}
FIRST_TASK = 4  # started, signalled, scheduled, started: the run is taken back to here


async def reset(ground: "Ground", *, reapply: bool) -> str:
    """Take the engagement's workflow back to its first workflow task; returns the new run's id."""
    reply = await ground.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=ground.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id("acme", "e-1")),
            reason="a test",
            request_id=str(uuid4()),
            workflow_task_finish_event_id=FIRST_TASK,
            reset_reapply_type=(
                ResetReapplyType.RESET_REAPPLY_TYPE_ALL_ELIGIBLE
                if reapply
                else ResetReapplyType.RESET_REAPPLY_TYPE_NONE
            ),
        )
    )
    return reply.run_id


async def late(ground: "Ground", run_epoch: int) -> AppendRequest:
    """Make what a run of an earlier epoch would still send, decided on the newest state."""
    state = await ground.engagements().state("e-1")
    order = Order(
        command_id="late-1",
        command=RecordCheck(check="references", outcome="good"),
        actor=Actor(kind="person", id="r-1"),
    )
    assert state.decided_at is not None
    prepared = prepare(order, state, None, state.decided_at, agency="acme", engagement_id="e-1")
    assert prepared.group.drafts
    return AppendRequest(
        agency="acme",
        stream="engagement:e-1",
        expected=state.version,
        acked=state.version,
        run_epoch=run_epoch,
        groups=(prepared.group,),
    )


class TestReset:
    @pytest.mark.parametrize("reapply", [True, False], ids=["commands-come-again", "commands-are-gone"])
    async def test_behind_the_log_catches_up_and_goes_on(self, ground: "Ground", reapply: bool) -> None:
        """The log wins: what a reset forgets is in the log, and what it repeats is recognised there."""
        await ground.worker()
        await ground.opened()
        first = await ground.give("e-1", "record-contact", TALK, command_id="talk-1")
        await ground.give("e-1", "complete-intake", {}, command_id="intake-1")
        before = await ground.events()
        epoch = (await ground.log.head("acme", "engagement:e-1")).run_epoch
        run_id = await reset(ground, reapply=reapply)
        state = await ground.sound()
        assert (await ground.handle().describe()).run_id == run_id
        assert state.stage == "matching"
        assert await ground.events() == before
        again = await ground.give("e-1", "record-contact", TALK, command_id="talk-1")
        assert again == first
        proposed = await ground.give(
            "e-1", "record-proposal", {"job_order_id": "j-1", "by": "r-1"}, command_id="p-1"
        )
        assert proposed.outcome == "accepted"
        newer = (await ground.log.head("acme", "engagement:e-1")).run_epoch
        assert newer > epoch
        [refused] = await ground.log.append_many([await late(ground, epoch)])
        assert refused == Fenced(newer)
        assert await ground.of("late-1") == []
        await ground.sound()


class TestTwoEpochs:
    async def test_write_one_after_the_other_and_never_together(
        self, ground: "Ground", other_cluster: str
    ) -> None:
        """Two clusters, one log: the zombie is fenced, gives way, and its callers are answered."""
        elsewhere = await ground.client_at(other_cluster)
        here, there = ground.engagements(), ground.engagements(elsewhere)
        await ground.worker()
        await ground.opened()
        first = (await ground.log.head("acme", "engagement:e-1")).run_epoch
        zombie = (await ground.handle().describe()).run_id
        await ground.worker(temporal=other_cluster)
        assert (
            await there.command("e-1", "record-contact", TALK, command_id="there-1")
        ).outcome == "accepted"
        second = (await ground.log.head("acme", "engagement:e-1")).run_epoch
        assert second > first
        [refused] = await ground.log.append_many([await late(ground, first)])
        assert refused == Fenced(second)
        # The run here does not know yet that it has lost the pen.
        assert (await ground.handle().describe()).run_id == zombie
        assert (await here.command("e-1", "complete-intake", {}, command_id="here-1")).outcome == "accepted"
        ended = await ground.client.get_workflow_handle(ground.handle().id, run_id=zombie).describe()
        assert ended.status == WorkflowExecutionStatus.CONTINUED_AS_NEW
        both = [
            by.command("e-1", "record-check", CHECK, command_id=f"{place}-check-{number}")
            for number in range(4)
            for place, by in (("here", here), ("there", there))
        ]
        replies = await asyncio.gather(*both)
        assert [each.outcome for each in replies] == ["accepted"] * 8
        assert [each.type for each in await ground.events()].count("check-recorded") == 8
        assert await ground.of("late-1") == []
        await ground.sound()
        await there.poke("e-1")
        assert await there.state("e-1") == await here.state("e-1")
