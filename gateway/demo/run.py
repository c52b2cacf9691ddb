"""Runs the demo: brings all up, plays the scenarios on a fast clock, verifies, and tells what to try next.

A play that was cut off is taken up again: same agency, same clock, same engagements, no new one.
"""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from activities.agency_file import read_people
from activities.agency_load import load_agency
from events.clock import ClockSpec
from events.envelope import Actor
from events.fold import fold
from gateway.demo.conditions import unfulfilled
from gateway.demo.curtain import beginnings, look_after
from gateway.demo.player import play
from gateway.demo.scenario import PEOPLE, Scenario, chosen_scenarios
from gateway.demo.stage import LOOK_AGAIN, LiveStage
from gateway.demo.story import Story
from gateway.demo.summary import Summary, last_line, summarise
from workers.client import Engagements
from workers.settings import Settings
from workers.shipped import deploy_policy
from workers.up import Up, up
from workers.verify import verify_agency

T = TypeVar("T")

BEGINNING: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
SECONDS_A_DAY: Final = 86_400.0
PLAY_FILE: Final = "demo.json"
OWED_PATIENCE: Final = timedelta(seconds=20)


class Fallen(Exception):
    """A server or worker ended by itself while the demo was playing."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line says; *scenarios* names those to play, all if none."""

    settings: Settings
    once: bool = False
    as_json: bool = False
    scenarios: tuple[str, ...] = ()
    days_a_second: float = 1.0


class Play(BaseModel):
    """Which play this is; kept in the data directory, so that the next start takes it up again."""

    number: int = 1
    scenarios: tuple[str, ...] = ()
    clock: ClockSpec
    done: bool = False

    @property
    def agency(self) -> str:
        """Each play has an agency of its own."""
        return "demo" if self.number == 1 else f"demo-{self.number}"


async def run_demo(options: DemoOptions) -> int:
    """Play the demo and return the exit code: 0 if everything came out as announced and verified."""
    began = time.monotonic()
    file = options.settings.data_dir / PLAY_FILE
    story = Story(sys.stdout)
    story.heading("Rapport: bringing up PostgreSQL, Temporal, a mail sink and the workers …")
    kept = _kept(file)
    current = _next(kept, options)
    scenarios = chosen_scenarios(current.scenarios)
    # Found out beside the waiting for servers: the core alone plays each story in a moment.
    rehearsal = asyncio.create_task(beginnings(scenarios))
    async with up(options.settings, clock=current.clock) as at_work:
        begins = await rehearsal
        if current is not kept:
            # The story begins now that everything is up; until here nothing has run by its clock.
            current = current.model_copy(update={"clock": _clock(options.days_a_second)})
            _keep(file, current)
        summary, broken = await _or_fall(_play(scenarios, begins, current, at_work, story, began), at_work)
        _keep(file, current.model_copy(update={"done": True}))
        for sentence in broken:
            story.heading(f"Not as announced: {sentence}")
        good = not broken and summary.mismatches == 0 and summary.verified == summary.engagements
        if not options.once:
            _what_to_try(story, options.settings, current.agency, at_work, _engaged(scenarios))
            with suppress(asyncio.CancelledError):
                await at_work.fell()
    if options.as_json:
        print(last_line(summary), flush=True)
    return 0 if good else 1


async def _play(
    scenarios: Sequence[Scenario],
    begins: Mapping[str, timedelta],
    current: Play,
    at_work: Up,
    story: Story,
    began: float,
) -> tuple[Summary, list[str]]:
    agency = current.agency
    engagements = Engagements(at_work.client, agency, clock=current.clock)
    stage = LiveStage(agency, current.clock, at_work.having.log, at_work.having.service, engagements)
    await load_agency(
        at_work.having.service,
        agency,
        people=read_people(PEOPLE),
        policy=deploy_policy("starter"),
        actor=Actor(kind="operator", id="demo"),
        source="demo",
        decided_at=BEGINNING,
    )
    for scenario in scenarios:
        story.heading(f"{scenario.engagement}: {scenario.title}")
    engaged = _engaged(scenarios)
    await story.open(stage, engaged)
    telling = asyncio.create_task(story.follow())
    try:
        await _play_all(scenarios, {key: replace(stage, begins=begins[key]) for key in begins}, story)
        await _settled(engaged, stage)
        await story.catch_up()
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
    # Read first: while the workflows are asked, the story's clock runs on.
    streams = {each: await stage.events(each) for each in engaged}
    head = await stage.log.log_head(agency)
    report = await verify_agency(stage.log, stage.engagements, agency)
    summary = summarise(
        list(streams.values()),
        events=head.position,
        verified=report.verified,
        mismatches=report.mismatches,
        seconds=time.monotonic() - began,
    )
    story.summary(summary)
    return summary, [each for scenario in scenarios for each in unfulfilled(scenario, streams)]


async def _play_all(scenarios: Sequence[Scenario], stages: Mapping[str, LiveStage], story: Story) -> None:
    """Play every story at its time; whoever's has been told is looked after until the last one has."""
    playing = {each.engagement for each in scenarios}

    async def whole(scenario: Scenario) -> None:
        stage = stages[scenario.engagement]
        await play(scenario, stage, stage.agency, story.say)
        playing.discard(scenario.engagement)
        await look_after(scenario, stage, lambda: bool(playing))

    await asyncio.gather(*map(whole, scenarios))


async def _settled(engaged: Sequence[str], stage: LiveStage) -> None:
    """Wait a while until no message is owed any more, so that the figures count what was sent.

    A message whose sender was killed is owed for minutes: it may have left, so it is not hurried.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(OWED_PATIENCE.total_seconds()):
            await _nothing_owed(engaged, stage)


async def _nothing_owed(engaged: Sequence[str], stage: LiveStage) -> None:
    while any([fold(await stage.events(each)).owed for each in engaged]):  # noqa: ASYNC110 (the log is asked)
        await asyncio.sleep(LOOK_AGAIN)


async def _or_fall(work: Coroutine[Any, Any, T], at_work: Up) -> T:
    """Do the work, unless a server or worker ends by itself first."""
    task, falling = asyncio.ensure_future(work), asyncio.ensure_future(at_work.fell())
    try:
        await asyncio.wait({task, falling}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Fallen(falling.result())
        return task.result()
    finally:
        for each in (task, falling):
            each.cancel()
        await asyncio.gather(task, falling, return_exceptions=True)


def _kept(file: Path) -> Play | None:
    try:
        return Play.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None


def _next(kept: Play | None, options: DemoOptions) -> Play:
    if kept is not None and not kept.done:
        return kept
    number = 1 if kept is None else kept.number + 1
    return Play(number=number, scenarios=options.scenarios, clock=_clock(options.days_a_second))


def _clock(days_a_second: float) -> ClockSpec:
    rate = days_a_second * SECONDS_A_DAY
    return ClockSpec(origin=BEGINNING, started=datetime.now(UTC), rate=rate)


def _keep(file: Path, current: Play) -> None:
    waiting = file.with_suffix(".tmp")
    waiting.write_text(current.model_dump_json(), encoding="utf-8")
    waiting.replace(file)


def _engaged(scenarios: Sequence[Scenario]) -> list[str]:
    return [engagement for scenario in scenarios for engagement in scenario.engagements]


def _what_to_try(story: Story, settings: Settings, agency: str, at_work: Up, engaged: Sequence[str]) -> None:
    one, other = ("neglected", "placed") if "neglected" in engaged else (engaged[0], engaged[-1])
    data = f"--data-dir {settings.data_dir}"
    rapport = _program()
    story.heading(
        "Everything stays up until Ctrl-C. Nobody calls the candidates now: watch the promises climb."
    )
    for line in (
        f"{rapport} waiting --agency {agency} {data}",
        f"{rapport} show {one} --depth business --agency {agency} {data}",
        f"{rapport} show {other} --diff 30 --at 60 --agency {agency} {data}",
        f"{rapport} timers --agency {agency} {data}",
        f"{rapport} do {one} record-contact channel=phone by=r-2 --agency {agency} {data}",
        f"{rapport} verify --all --agency {agency} {data}",
    ):
        story.line(f"  {line}")
    story.line(f"Messages that were sent lie in {settings.data_dir / 'mail'}.")
    if at_work.servers.file.temporal_ui_url:
        story.line(f"Temporal's own page: {at_work.servers.file.temporal_ui_url}")
    codec, address = at_work.servers.file.codec_endpoint, at_work.servers.file.temporal_address
    if address:
        temporal = _program("temporal")
        story.line(f"  {temporal} --address {address} --codec-endpoint {codec} workflow list")


def _program(name: str = "rapport") -> str:
    """Name a program as it can be typed here, on the PATH or not."""
    beside = Path(sys.executable).with_name(name)
    if shutil.which(name) or not beside.exists():
        return name
    return os.path.relpath(beside)
