"""Eight writers in two processes against a reader that is killed and resumes."""

import asyncio
import importlib.util
import json
import os
import random
import sys
from collections import Counter
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import pytest

from events.envelope import Stored
from events.log.postgres import PostgresLog
from events.log.verify import broken_at, head_is_sound

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(60)]

HERE = Path(__file__).parent
SECONDS = 2.5


@pytest.fixture
def writers() -> Any:
    """This will load the writer's module, which a second process runs as well."""
    spec = importlib.util.spec_from_file_location("torture_writer", HERE / "torture_writer.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Reader:
    """Follows the log and remembers; a killed one starts again after what it remembers."""

    def __init__(self, log: PostgresLog, agency: str) -> None:
        self.log, self.agency = log, agency
        self.seen: list[Stored] = []
        self.lives = 0
        self.grown = asyncio.Event()

    async def live(self) -> None:
        self.lives += 1
        after = self.seen[-1].position if self.seen else 0
        async with aclosing(self.log.subscribe(self.agency, after=after)) as batches:
            async for batch in batches:
                self.seen += batch
                self.grown.set()

    async def reach(self, position: int) -> None:
        while not self.seen or self.seen[-1].position < position:
            self.grown.clear()
            await self.grown.wait()

    async def live_and_die(self, done: asyncio.Event) -> None:
        dice = random.Random(7)
        while not done.is_set():
            life = asyncio.create_task(self.live())
            with suppress(TimeoutError):
                async with asyncio.timeout(dice.uniform(0.05, 0.4)):
                    await done.wait()
            life.cancel()
            with suppress(asyncio.CancelledError):
                await life


async def elsewhere(url: str, agency: str) -> dict[str, int]:
    """Run two of the writers in a process of their own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "torture_writer.py"),
        url,
        f"{agency},w7,w8",
        str(SECONDS),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(HERE.parents[2])},
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    acknowledged: dict[str, int] = json.loads(output)
    return acknowledged


class TestTheLogUnderTorture:
    async def test_loses_nothing_doubles_nothing_and_stays_dense(
        self, postgres_log: PostgresLog, database: str, agency: str, writers: Any
    ) -> None:
        reader, done = Reader(postgres_log, agency), asyncio.Event()
        reading = asyncio.create_task(reader.live_and_die(done))
        names = [f"w{number}" for number in range(1, 7)]
        here, there = await asyncio.gather(
            writers.write_all(database, agency, names, SECONDS), elsewhere(database, agency)
        )
        head = await postgres_log.log_head(agency)
        async with asyncio.timeout(20):
            await reader.reach(head.position)
        done.set()
        await reading

        acknowledged = here | there
        assert [event.position for event in reader.seen] == list(range(1, head.position + 1))
        assert Counter(event.command_id for event in reader.seen) == Counter(acknowledged)
        assert head_is_sound(reader.seen, head.head_hash)
        streams = {event.stream for event in reader.seen}
        assert len(streams) == 9
        for stream in streams:
            assert broken_at([event for event in reader.seen if event.stream == stream]) is None
        assert reader.lives > 3
        assert len(there) > 10
