"""Plays a scenario's steps on a live engagement, and goes on where an earlier play was cut off.

A step that has a receipt in the log has been played: the log remembers, the player does not.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from activities.commands import CommandService
from activities.types import StreamCommand
from events.clock import ClockSpec, domain_now, timer_delay
from events.envelope import Actor, Stored
from events.errors import CallerError
from events.fold import fold
from events.log.port import EventLog
from events.state import Engagement
from gateway.demo.scenario import Scenario, Step
from workers.client import CommandFailed, Engagements

PLAYER: Final = Actor(kind="person", id="demo")
LOOK_AGAIN: Final = 0.1
PATIENCE: Final = timedelta(days=60)

Say = Callable[[str, str], None]


class StoryBroken(Exception):
    """A step did not come out as its scenario says; the message names both."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a play takes place."""

    agency: str
    clock: ClockSpec
    log: EventLog
    service: CommandService
    engagements: Engagements

    def now(self) -> datetime:
        """Tell the time in the story."""
        return domain_now(self.clock, datetime.now(UTC))

    async def wait_for(self, moment: datetime) -> None:
        """Wait until the story's clock shows this moment."""
        await asyncio.sleep(timer_delay(self.clock, datetime.now(UTC), moment).total_seconds())

    async def state(self, engagement: str) -> Engagement:
        """Fold an engagement as the log has it now."""
        return fold(await self.events(engagement))

    async def events(self, engagement: str) -> list[Stored]:
        """Read an engagement's events."""
        return await self.log.read_stream(self.agency, f"engagement:{engagement}")


async def play(scenario: Scenario, stage: Stage, say: Say) -> None:
    """Play every step in its order, each at its time.

    :raises StoryBroken: a step came out otherwise, or what was waited for never came.
    """
    assert stage.clock.origin is not None
    last = stage.clock.origin
    for number, step in enumerate(scenario.step):
        command_id = f"{scenario.engagement}-{number}"
        stream = step.stream or f"engagement:{scenario.engagement}"
        if step.do is not None and await stage.log.receipt(stage.agency, stream, command_id) is not None:
            continue
        if step.day is not None:
            last = stage.clock.origin + timedelta(days=step.day)
            await stage.wait_for(last)
        elif step.after is not None:
            last = stage.now() + timedelta(days=step.after)
            await stage.wait_for(last)
        if step.until is not None:
            await _until(step.until, scenario, stage)
        if step.say:
            say(scenario.engagement, step.say)
        if step.do is not None:
            await _give(step, scenario, stage, stream, command_id)


async def _give(step: Step, scenario: Scenario, stage: Stage, stream: str, command_id: str) -> None:
    assert step.do is not None
    fields = step.fields(stage.now())
    try:
        if step.stream is None:
            # The acting person is named by the step, as a door would know who is logged in.
            given = {
                **fields,
                "actor": {"kind": "person", "id": fields.get("by", PLAYER.id)},
                "source": "demo",
            }
            reply = await stage.engagements.command(
                scenario.engagement, step.do, given, command_id=command_id
            )
            outcome = reply.outcome
        else:
            outcome = (await stage.service.give(_stream_command(step, fields, stage, command_id))).outcome
    except (CommandFailed, CallerError) as error:
        raise StoryBroken(f"{scenario.engagement}: {step.do} was not possible: {error}") from None
    if outcome != step.expect:
        raise StoryBroken(f"{scenario.engagement}: {step.do} came out as {outcome}, not {step.expect}")


def _stream_command(step: Step, fields: dict[str, Any], stage: Stage, command_id: str) -> StreamCommand:
    assert step.do is not None
    assert step.stream is not None
    return StreamCommand(
        agency=stage.agency,
        stream=step.stream,
        command_id=command_id,
        name=step.do,
        data=fields,
        actor=PLAYER,
        source="demo",
        decided_at=stage.now(),
    )


async def _until(condition: str, scenario: Scenario, stage: Stage) -> None:
    deadline = stage.now() + PATIENCE
    while not holds(condition, await stage.events(scenario.engagement)):
        if stage.now() > deadline:
            raise StoryBroken(f"{scenario.engagement}: '{condition}' never came")
        await asyncio.sleep(LOOK_AGAIN)


def holds(condition: str, events: list[Stored]) -> bool:
    """Tell whether what a step waits for has come about, ever (a level) or now (met)."""
    state = fold(events)
    if condition == "met":
        return not any(each.breached for each in state.obligations.values())
    wanted = int(condition.removeprefix("level "))
    return level_reached(state) >= wanted


def level_reached(state: Engagement) -> int:
    """Give the highest level that any promise of this engagement ever climbed to."""
    return max((state.level, *(each.level for each in state.breaches.values())))
