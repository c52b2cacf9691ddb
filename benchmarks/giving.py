"""Commands as the benchmarks give them, and the bare updates beside them.

Every second command carries personal words, so that the codec and the log have something to seal.
"""

import json
from typing import Any

from temporalio.client import Client, WorkflowHandle

from benchmarks.bare import QUEUE, BareUpdates
from benchmarks.ground import Ground
from workers.client import Engagements
from workflows.types import CommandReply

ACTOR = {"kind": "person", "id": "r-1"}
WORDS = "Would rather lead a small team than earn more; call again after the holidays."


def check() -> tuple[str, dict[str, Any]]:
    """This will be a report that opens and meets no promise."""
    return "record-check", {"check": "reference", "outcome": "fine", "actor": ACTOR, "source": "bench"}


def contact() -> tuple[str, dict[str, Any]]:
    """This will be a talk: it meets the promise to keep in touch, and opens the next week's."""
    data = {"channel": "phone", "by": "r-1", "note": WORDS, "actor": ACTOR, "source": "bench"}
    return "record-contact", data


def nth(number: int) -> tuple[str, dict[str, Any]]:
    """This will be a contact and a check, by turns."""
    return check() if number % 2 else contact()


async def open_one(engagements: Engagements, name: str, **fields: Any) -> CommandReply:
    """This will open an engagement."""
    data = {
        "candidate_id": f"c-{name}",
        "candidate_name": "Candidate of a benchmark",
        "email": f"{name}@example.test",
        "owner": "r-1",
        "actor": ACTOR,
        "source": "bench",
        **fields,
    }
    return await engagements.command(name, "open-engagement", data)


async def start_bare(client: Client, ground: Ground, name: str) -> WorkflowHandle[Any, Any]:
    """This will start a workflow that answers bare updates."""
    return await client.start_workflow(BareUpdates.run, id=ground.bare_id(name), task_queue=QUEUE)


async def give_bare(handle: WorkflowHandle[Any, Any], number: int) -> None:
    """This will give a bare update with the content of the command of the same number."""
    await handle.execute_update(BareUpdates.give, json.dumps(nth(number)[1]))
