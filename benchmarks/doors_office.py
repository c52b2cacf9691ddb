"""What the load on the HTTP door is about: an agency with engagements, keys and a connection; and the proof.

The proof reads the log itself: that the door said yes counts for nothing.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

from activities.types import StreamCommand
from benchmarks.giving import ACTOR, open_one
from benchmarks.ground import Ground, at_once
from events.envelope import Actor
from gateway.access.opening import opened_access
from gateway.access.who import Role
from gateway.webhooks.registry import PROVIDERS
from workers.inbox.connections import Connection, Secret

PROVIDER: Final = "standard-webhooks"
# Of each command the one event that tells what was reported; others may follow from it.
TELLS: Final = {
    "record-contact": "contact-made",
    "record-attempt": "attempt-made",
    "record-message": "candidate-wrote",
}


class NotAsAcknowledged(Exception):
    """Something that was acknowledged is not in the log, or is there twice."""


@dataclass(frozen=True)
class Office:
    """An agency that load may come to."""

    agency: str
    engagements: list[str]
    tokens: list[str]
    connection: Connection
    secret: str


async def office(ground: Ground, engagements: int) -> Office:
    """This will make an agency; a worker must run."""
    agency = await ground.agency()
    names = [f"e-{number}" for number in range(engagements)]
    await at_once(10, partial(open_one, ground.engagements(agency)), names)
    order = StreamCommand(
        agency=agency,
        stream="job-order:jo-1",
        command_id="bench-job-order",
        name="open-job-order",
        data={"job_order_id": "jo-1", "title": "A job of a benchmark", "client_id": "cl-1", "owner": "r-1"},
        actor=Actor(**ACTOR),
    )
    await ground.having.service.give(order)
    people = await ground.having.directory.agency(agency)
    async with opened_access(ground.having, ground.database_url, size=1) as access:
        roles: tuple[tuple[Role, str], ...] = (("recruiter", "r-1"), ("director", "d-1"))
        keys = [
            await access.keys.create(agency, role, people=people, person_id=person) for role, person in roles
        ]
    secret = PROVIDERS[PROVIDER].new_secret()
    assert secret is not None
    connection = await ground.having.connections.add(
        agency, provider=PROVIDER, name="benchmark", secrets_=[Secret("signing", secret)]
    )
    return Office(agency, names, [text for _, text in keys], connection, secret)


async def inbox_empty(ground: Ground, place: Office, patience: float = 600) -> float:
    """This will wait until every message has come to its end; returns the seconds that took."""
    began = time.perf_counter()
    async with asyncio.timeout(patience):
        # A database, asked again and again.
        while await ground.having.inbox.list(place.agency, states=["received"], limit=1):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return time.perf_counter() - began


async def verify(
    ground: Ground,
    place: Office,
    commands: Iterable[tuple[str, str, str]],
    webhooks: Iterable[tuple[str, str]],
) -> int:
    """This will make sure that each of them is in the log once; returns how many that are.

    :raises NotAsAcknowledged: one is not.
    """
    wanted = [(engagement, command_id, TELLS[name]) for engagement, command_id, name in commands]
    for engagement, key in webhooks:
        message_id = await ground.having.inbox.message_id(place.connection, key)
        wanted.append((engagement, f"hook:{message_id}:0", TELLS["record-message"]))
    found: Counter[tuple[str, str, str]] = Counter()
    for engagement in place.engagements:
        for stored in await ground.having.log.read_stream(place.agency, f"engagement:{engagement}"):
            found[engagement, stored.command_id, stored.type] += 1
    wrong = [each for each in wanted if found[each] != 1]
    if wrong or len(set(wanted)) != len(wanted):
        raise NotAsAcknowledged(f"{len(wrong)} of {len(wanted)}, the first: {wrong[:3]}")
    return len(wanted)
