"""A process that imports a log, and may die in the middle of it as kill -9 does.

The product has no hooks for faults: its own steps are made smaller here, so that there is a middle to die in.
"""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from events.clock import ClockSpec
from events.envelope import AppendRequest
from events.log.port import Appended, AppendResult
from events.sources.plan import plan_of
from events.sources.pseudonyms import Pseudonyms
from workers.client import Engagements
from workers.ending import end_process
from workers.importing import history, run
from workers.settings import load_settings
from workers.simulate import read_mapping_file, read_source
from workers.wiring import adapters, connect


class MortalLog:
    """The product's log, but for the moment after a commit that brings it to so many events."""

    def __init__(self, log: Any, lives_for: int | None) -> None:
        self._log = log
        self._lives_for = lives_for

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def append_many(self, requests: Sequence[AppendRequest]) -> list[AppendResult]:
        """Append, then perhaps die."""
        results: list[AppendResult] = await self._log.append_many(requests)
        written = any(isinstance(each, Appended) for each in results)
        if written and self._lives_for is not None:
            head = await self._log.log_head(requests[0].agency)
            if head.position >= self._lives_for:
                os._exit(9)
        return results


async def main(told: dict[str, Any]) -> None:
    """Import, and say what became of it."""
    vars(history).update(_CHUNK=7)
    vars(run).update(WRITING=2, GOING_LIVE=2)
    settings = load_settings()
    assert settings.database_url is not None
    mapping = read_mapping_file(Path(told["mapping"]))
    plan = plan_of(read_source(Path(told["file"])), mapping, Pseudonyms(told["key"].encode()))

    def progress(stage: str, done: int, of: int) -> None:
        if stage == "going live" and told["takes_on"] is not None and done >= told["takes_on"]:
            os._exit(9)

    async with adapters(settings, settings.database_url.get_secret_value()) as having:
        client = await connect(settings.temporal_connect(), having.keys)
        clock = ClockSpec.model_validate(told["clock"])
        ground = run.Ground(
            log=MortalLog(having.log, told["lives_for"]),
            service=having.service,
            engagements=Engagements(client, told["agency"], clock=clock),
            agency=told["agency"],
            now=lambda: datetime.now(UTC),
            on_progress=progress,
        )
        report = await run.run_import(plan, ground)
    sys.stdout.write(json.dumps(report.plain()) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
    end_process(0)
