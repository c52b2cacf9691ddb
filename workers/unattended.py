"""Which engagements need a workflow, and who has one: what ``stuck`` tells and ``rehydrate`` mends.

Both must ask here, or one would name what the other does not find.
"""

from collections.abc import AsyncIterator
from typing import Final

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from events.log.port import EventLog, StreamHead
from workflows.types import WORKFLOW, workflow_id

AT_ONCE: Final = 16
PAGE: Final = 1000
# A closed engagement still needs its workflow while a message of it is on its way.
_ASKED: Final = "outreach-requested"
_ANSWERS: Final = ("outreach-sent", "outreach-failed", "outreach-withheld")
_EFFECT: Final = "effect_id"


def open_workflows(agency: str | None) -> str:
    """Give the visibility query for the engagements' open workflows, of one agency or of all."""
    query = f"WorkflowType = '{WORKFLOW}' AND ExecutionStatus = 'Running'"
    # Not by our search attribute: a workflow whose first task fails has none yet.
    return query if agency is None else f"{query} AND WorkflowId STARTS_WITH '{workflow_id(agency, '')}'"


def engagement_of(head: StreamHead) -> str:
    """Give the id of the engagement whose stream this is."""
    return head.stream.partition(":")[2]


async def engagements(log: EventLog, agency: str) -> AsyncIterator[StreamHead]:
    """This will list an agency's engagements, the closed ones too, by name."""
    after: str | None = None
    while page := await log.streams(agency, category="engagement", after=after, limit=PAGE):
        for head in page:
            if head.version > 0:
                yield head
        after = page[-1].stream


async def closed_owing(log: EventLog, agency: str) -> list[StreamHead]:
    """This will list the engagements that are closed and still owe somebody a message."""
    return await log.closed_owing(agency, _ASKED, _ANSWERS, _EFFECT)


async def in_need(log: EventLog, agency: str) -> list[StreamHead]:
    """This will list who needs a workflow: each engagement that is open, or still owes a message."""
    needing = [head async for head in engagements(log, agency) if head.phase == "live"]
    return needing + await closed_owing(log, agency)


async def running(client: Client, agency: str) -> set[str]:
    """This will name the engagements whose workflow Temporal lists as open; the list may trail a moment."""
    found = [each.id async for each in client.list_workflows(open_workflows(agency))]
    return {name.removeprefix(workflow_id(agency, "")) for name in found}


async def open_run(client: Client, name: str) -> WorkflowExecutionDescription | None:
    """This will ask Temporal itself for a workflow's newest run, if it is open."""
    try:
        described = await client.get_workflow_handle(name).describe()
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return None
        raise
    return described if described.status == WorkflowExecutionStatus.RUNNING else None
