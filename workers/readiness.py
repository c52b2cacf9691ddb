"""What Temporal must hold before engagements can live there: namespace, search attributes, a scheduled sweep.

All of it goes with Temporal's data; none of it is in the log.
"""

import asyncio
from datetime import timedelta
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from workers.search_attributes import SEARCH_ATTRIBUTES, register_search_attributes
from workers.sweep_schedule import NO_SCHEDULES, ensure_sweep, sweep_is_scheduled
from workflows.types import ENGAGEMENTS_QUEUE

PATIENCE: Final = timedelta(seconds=10)
# A worker whose server was away asks again after ten seconds at most.
COMES_BACK: Final = timedelta(seconds=15)


class NotReady(Exception):
    """Nothing could live there yet; one sentence says what an operator must do first."""


async def make_ready(client: Client) -> bool:
    """This will make what is missing; True if the sweep had to be scheduled.

    :raises NotReady: an operator must make something first.
    """
    await _has_namespace(client)
    await register_search_attributes(client)
    await knows_attributes(client)
    return await schedule_sweep(client)


async def schedule_sweep(client: Client) -> bool:
    """This will schedule the sweep where it is not; True if it had to and could."""
    try:
        if await sweep_is_scheduled(client):
            return False
    except RPCError as error:
        if error.status in NO_SCHEDULES:
            return False  # each worker sweeps by itself
        raise
    return await ensure_sweep(client)


async def worker_comes(client: Client, patience: timedelta = COMES_BACK) -> bool:
    """This will tell whether a worker asks for engagements, or comes to do so within *patience*."""
    deadline = asyncio.get_running_loop().time() + patience.total_seconds()
    while not await worker_asks(client):
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(0.5)
    return True


async def worker_asks(client: Client) -> bool:
    """This will tell whether a worker asks for engagements at this moment."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=ENGAGEMENTS_QUEUE),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    return bool((await client.workflow_service.describe_task_queue(request, timeout=PATIENCE)).pollers)


async def _has_namespace(client: Client) -> None:
    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        await client.workflow_service.describe_namespace(request, timeout=PATIENCE)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            create = f"temporal operator namespace create --namespace {client.namespace}"
            says = f"Temporal has no namespace '{client.namespace}'; make it with '{create}'"
            raise NotReady(f"{says}, then run this again") from None
        if error.status != RPCStatusCode.PERMISSION_DENIED:
            raise


async def knows_attributes(client: Client) -> None:
    """This will make sure that the namespace and our search attributes are there.

    :raises NotReady: an operator must make something first.
    """
    await _has_namespace(client)
    request = ListSearchAttributesRequest(namespace=client.namespace)
    try:
        known = await client.operator_service.list_search_attributes(request, timeout=PATIENCE)
    except RPCError:
        return  # it lets nobody look; the worker's own log says what it needs
    missing = [
        f"{name} ({kind})" for name, kind in SEARCH_ATTRIBUTES.items() if name not in known.custom_attributes
    ]
    if missing:
        says = f"Temporal lacks the search attributes {', '.join(missing)} and does not let us make them"
        raise NotReady(f"{says}; make them there, then run this again")
