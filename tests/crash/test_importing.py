"""An import dies at a third, at two thirds and while it goes live, and is run again: all is there, once."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from activities.agency_load import load_agency
from events.clock import ClockSpec
from events.envelope import Actor, Stored
from events.fold import fold
from events.log.verify import broken_at
from events.sources.mapping import read_mapping
from events.sources.ocel import read_ocel
from events.sources.plan import Plan, plan_of
from events.sources.pseudonyms import Pseudonyms
from tests.generated_log import generate
from workers.importing.past import Past, past_of

if TYPE_CHECKING:
    from tests.crash.conftest import Ground

pytestmark = [pytest.mark.postgres, pytest.mark.temporal, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("import_program.py")
MAPPING = ROOT / "deploy" / "mappings" / "recruiting.toml"
KEY = "a key for the tests only"
AGENCY = "acme"
KEK = "RAPPORT_KEY_ENCRYPTION_KEYS"
DAY = 86_400
Poll = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]


def cut(content: bytes, share: float) -> bytes:
    """Leave out the end of a log, so that some things in it are still under way."""
    document = json.loads(content)
    events = list(document["ocel:events"].items())
    document["ocel:events"] = dict(events[: round(len(events) * share)])
    return json.dumps(document).encode()


@dataclass
class Import:
    """One log on its way into the agency, in a process of its own each time."""

    ground: "Ground"
    file: Path
    clock: ClockSpec
    key: str

    def plan(self) -> Plan:
        """Give what the log stands for."""
        mapping = read_mapping(MAPPING.read_text(encoding="utf-8"))
        return plan_of(read_ocel(self.file.read_bytes()), mapping, Pseudonyms(KEY.encode()))

    def past(self) -> Past:
        """Give what must be in the record."""
        return past_of(self.plan(), AGENCY, datetime.now(UTC))

    async def run(
        self, *, lives_for: int | None = None, takes_on: int | None = None
    ) -> dict[str, Any] | None:
        """Import until it is done, or dies; returns its report, or None."""
        told = {
            "file": str(self.file),
            "mapping": str(MAPPING),
            "key": KEY,
            "agency": AGENCY,
            "clock": self.clock.model_dump(mode="json"),
            "lives_for": lives_for,
            "takes_on": takes_on,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(PROGRAM),
            json.dumps(told),
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "DATABASE_URL": self.ground.stack.database_url,
                "TEMPORAL_ADDRESS": self.ground.stack.temporal_address or "",
                KEK: self.key,
            },
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        if lives_for is None and takes_on is None:
            assert process.returncode == 0
            report: dict[str, Any] = json.loads(out)
            return report
        assert process.returncode == 9
        return None

    async def stored(self) -> dict[str, list[Stored]]:
        """Read every stream of the import."""
        log = self.ground.log
        return {stream: await log.read_stream(AGENCY, stream) for stream in self.past().streams}


@pytest.fixture
async def moving(ground: "Ground", tmp_path: Path) -> Import:
    """This will be a log that breaks off in the middle, and an agency whose days last a second."""
    from tests.crash.conftest import KEY as KEK_OF_THE_TESTS

    file = tmp_path / "log.jsonocel"
    file.write_bytes(cut(generate(applicants=10, vacancies=5), 0.6))
    now = datetime.now(UTC)
    clock = ClockSpec(origin=now, started=now, rate=DAY)
    moving = Import(ground, file, clock, KEK_OF_THE_TESTS)
    people, actor = moving.plan().people, Actor(kind="operator", id="o-1")
    await load_agency(ground.having.service, AGENCY, people=people, actor=actor)
    return moving


class TestAnImportThatIsKilled:
    async def test_tells_everything_once_and_goes_live(self, moving: Import, poll: Poll) -> None:
        """Every source event is accounted for, none twice; what is open lives, and its first steps come."""
        await moving.ground.worker()
        past, before = moving.past(), (await moving.ground.log.log_head(AGENCY)).position
        total = sum(each.events for each in past.streams.values())
        for share in (1 / 3, 2 / 3):
            await moving.run(lives_for=before + round(total * share))
            written = (await moving.ground.log.log_head(AGENCY)).position - before
            assert total * share <= written < total
        await moving.run(takes_on=len(past.streams) - 3)

        report = await moving.run()

        assert report is not None
        assert report["accounted"]
        assert report["rows"]["left-aside"] == 0
        await self.everything_is_there(moving, past)
        await self.what_is_open_lives(moving, past)

        async def first_step() -> bool:
            return any(await self.steps(moving))

        await poll(first_step)
        again = await moving.run()
        assert again is not None
        assert again["events"] == 0
        assert again["rows"]["already-there"] == again["read"]

    async def everything_is_there(self, moving: Import, past: Past) -> None:
        """Assert that each stream begins with exactly what the source says of it, at its own times."""
        for stream, found in (await moving.stored()).items():
            drafts = [draft for each in past.streams[stream].told for draft in each.group.drafts]
            imported = [each for each in found if each.origin == "imported"]
            assert [each.event_id for each in imported] == [each.event_id for each in drafts]
            assert [each.occurred_at for each in imported] == [each.occurred_at for each in drafts]
            assert imported == found[: len(imported)]

    async def what_is_open_lives(self, moving: Import, past: Past) -> None:
        """Assert that each engagement went live once, told nobody of the past, and is sound."""
        owed = Counter[str]()
        for stream, found in (await moving.stored()).items():
            category, _, key = stream.partition(":")
            if category != "engagement":
                head = await moving.ground.log.head(AGENCY, stream)
                assert head.phase == ("closed" if past.streams[stream].closed else "live")
                continue
            types = [each.type for each in found]
            assert types.count("went-live") == 1
            live = found[types.index("went-live")]
            assert not [
                each.type
                for each in found
                if each.type in ("rung-reached", "escalation-raised", "outreach-requested")
                and each.occurred_at < live.occurred_at
            ]
            # Days last a second here, so that the record may have grown since.
            state = await moving.ground.engagements().state(key)
            assert fold(found[: state.version]) == state or state.version > len(found)
            sealed = await moving.ground.log.ciphertexts(AGENCY, stream)
            assert (
                broken_at(found, {version: sealed[version] for version in sealed if version <= len(found)})
                is None
            )
            owed.update(each.type for each in found if each.command_id == live.command_id)
            assert fold(found).policy_digest is not None
        assert owed["obligation-breached"] == owed["obligation-dropped"] > 0
        assert owed["obligation-opened"] > owed["obligation-breached"]

    async def steps(self, moving: Import) -> list[Stored]:
        """List the steps that timers took since the engagements went live."""
        return [
            each
            for found in (await moving.stored()).values()
            for each in found
            if each.command_id.startswith("step:") and each.type in ("rung-reached", "obligation-breached")
        ]
