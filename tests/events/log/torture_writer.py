"""A writer for the torture test: races others for streams, and names each command it was promised.

Run as ``torture_writer.py URL NAMES SECONDS`` with the agency in front of the names; prints command ids.
"""

import asyncio
import json
import random
import sys
import time
from datetime import UTC, datetime

from events.envelope import Actor, AppendRequest, CommandGroup, Draft, event_id
from events.log.keys import Keyring, development_kek
from events.log.keys_postgres import PostgresKeys
from events.log.port import Appended, Conflict
from events.log.postgres import PostgresLog

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def request(agency: str, stream: str, expected: int, command_id: str, events: int) -> AppendRequest:
    """Build a command of some events."""
    drafts = tuple(
        Draft(
            event_id=event_id(agency, stream, command_id, ordinal),
            type="noted",
            schema_version=1,
            occurred_at=NOON,
            decided_at=NOON,
            origin="business",
            actor=Actor(kind="person", id="p-1"),
            source="test",
            body="{}",
        )
        for ordinal in range(events)
    )
    group = CommandGroup(command_id=command_id, input="{}", outcome="accepted", drafts=drafts)
    return AppendRequest(agency=agency, stream=stream, expected=expected, groups=(group,))


async def write(log: PostgresLog, agency: str, name: str, until: float) -> dict[str, int]:
    """Append until the time is up; returns each acknowledged command with its number of events."""
    dice = random.Random(name)
    versions: dict[str, int] = {}
    acknowledged: dict[str, int] = {}
    while time.monotonic() < until:
        # Its own first: on the shared one a slow machine may never let it win.
        own = not acknowledged or dice.random() < 0.5
        stream = f"engagement:{name}" if own else "engagement:shared"
        command_id, events = f"{name}-{len(acknowledged)}", dice.randint(1, 3)
        while True:
            expected = versions.get(stream, 0)
            (result,) = await log.append_many([request(agency, stream, expected, command_id, events)])
            if isinstance(result, Conflict):
                versions[stream] = result.version
                continue
            assert isinstance(result, Appended)
            if dice.random() < 0.1:
                # The answer is lost on its way, and the caller asks again.
                (again,) = await log.append_many([request(agency, stream, expected, command_id, events)])
                assert isinstance(again, Appended)
                assert again.events == result.events
            versions[stream] = result.version
            acknowledged[command_id] = events
            break
    return acknowledged


async def write_all(url: str, agency: str, names: list[str], seconds: float) -> dict[str, int]:
    """Let several writers share one log."""
    keys = PostgresKeys(url, Keyring([development_kek("test")]))
    until = time.monotonic() + seconds
    async with PostgresLog(url, keys) as log:
        found = await asyncio.gather(*(write(log, agency, name, until) for name in names))
    await keys.close()
    return {command_id: events for each in found for command_id, events in each.items()}


if __name__ == "__main__":
    _, address, agency_and_names, duration = sys.argv
    owner, *writers = agency_and_names.split(",")
    print(json.dumps(asyncio.run(write_all(address, owner, writers, float(duration)))))
