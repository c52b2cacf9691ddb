"""Plays a scenario's steps on a stage, and goes on where an earlier play was cut off.

A step that has a receipt in the log has been played: the log remembers, the player does not.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

from activities.types import StreamCommand
from events.envelope import Actor
from events.errors import CallerError
from gateway.demo.conditions import holds
from gateway.demo.naming import Unnamed, fields_at
from gateway.demo.scenario import Scenario
from gateway.demo.stage import Stage, Unheard
from workers.client import CommandFailed

PLAYER: Final = Actor(kind="person", id="demo")
SOURCE: Final = "demo"
PATIENCE: Final = timedelta(days=60)

Say = Callable[[str, str], Awaitable[None]]


class StoryBroken(Exception):
    """A step did not come out as its scenario says; the message names both."""


async def play(scenario: Scenario, stage: Stage, agency: str, say: Say) -> None:
    """Play every step in its order, each at its time.

    :raises StoryBroken: a step came out otherwise, or what was waited for never came.
    """
    begin = await _played(scenario, stage, agency)
    late = _late(scenario, begin, stage)
    for number in range(begin, len(scenario.step)):
        step, planned = scenario.step[number], None
        if step.day is not None:
            planned = stage.origin + timedelta(days=step.day) + late
        elif step.after is not None:
            planned = stage.now() + timedelta(days=step.after)
        if planned is not None:
            await stage.wait_for(planned)
        if step.until is not None:
            await _until(step.until, scenario.of(step), stage)
        if step.say:
            await say(scenario.of(step), step.say)
        if step.do is not None:
            await _Turn(scenario, number, stage, agency, planned).take()


async def _played(scenario: Scenario, stage: Stage, agency: str) -> int:
    """Count the steps of an earlier play: all up to the last one that left a receipt of its own."""
    left = [
        number
        for number, step in enumerate(scenario.step)
        if step.do is not None and step.expect != "repeated"
    ]
    if not left or await _receipt(scenario, left[0], stage, agency) is None:
        return 0
    for number in reversed(left):
        if await _receipt(scenario, number, stage, agency) is not None:
            return number + 1
    return 0


def _late(scenario: Scenario, begin: int, stage: Stage) -> timedelta:
    """Tell by how much all that is left comes later, so that a story cut off goes on at its own pace."""
    days = (step.day for step in scenario.step[begin:] if step.day is not None)
    planned = stage.origin + timedelta(days=next(days, 0.0))
    return max(timedelta(), stage.now() - planned) if begin else timedelta()


async def _receipt(scenario: Scenario, number: int, stage: Stage, agency: str) -> Any:
    stream = scenario.stream(scenario.step[number], agency)
    return await stage.receipt(stream, scenario.command_id(number))


class _Turn:
    """One step's command, from its fields to what came of it."""

    def __init__(
        self, scenario: Scenario, number: int, stage: Stage, agency: str, planned: datetime | None
    ) -> None:
        self._step, self._scenario, self._number = scenario.step[number], scenario, number
        self._stage, self._agency, self._planned = stage, agency, planned
        self._engagement = scenario.of(self._step)
        self._stream, self._command_id = scenario.stream(self._step, agency), scenario.command_id(number)

    async def take(self) -> None:
        """Give the command.

        :raises StoryBroken: it came out otherwise.
        """
        wanted = self._step.expect
        before = await self._trace() if wanted == "repeated" else None
        try:
            outcome = await self._give()
        except (CommandFailed, CallerError, Unnamed, Unheard) as error:
            if getattr(error, "code", "") != "command-id-reused" or before is not None:
                raise StoryBroken(f"{self._where}: not possible: {error}") from None
            # An earlier play gave it, at another moment, and was killed before it heard the answer.
            outcome = (await self._trace())[0]
        if before is not None:
            if (outcome, *(await self._trace())[1:]) != before:
                raise StoryBroken(f"{self._where}: '{self._command_id}' did something the second time")
        elif outcome != wanted:
            raise StoryBroken(f"{self._where}: came out as {outcome}, not {wanted}")

    @property
    def _where(self) -> str:
        return f"{self._engagement}, step {self._number + 1}, {self._step.do}"

    async def _give(self) -> str:
        step = self._step
        assert step.do is not None
        events = await self._stage.events(self._engagement) if "$" in str(step.given) else []
        fields = fields_at(step.given, self._moment(), events)
        if step.stream is not None:
            return await self._stage.give_stream(self._order(step.do, self._stream, fields))
        # The acting person is named by the step, as a door would know who is logged in.
        data = {**fields, "actor": step.who(PLAYER.id).model_dump(), "source": SOURCE}
        send = self._stage.signal if step.signal else self._stage.give
        return await send(self._engagement, step.do, data, self._command_id)

    def _moment(self) -> datetime:
        """Give the moment that times are counted from: as planned, so that they fit what comes later.

        A machine that is late gives a command later, and a repetition counts as the first time did.
        """
        first = self._scenario.first_given(self._step)
        if first.command_id is not None and first.day is not None:
            return self._stage.origin + timedelta(days=first.day)
        return self._planned or self._stage.now()

    def _order(self, name: str, stream: str, fields: dict[str, Any]) -> StreamCommand:
        return StreamCommand(
            agency=self._agency,
            stream=stream,
            command_id=self._command_id,
            name=name,
            data=fields,
            actor=PLAYER if self._step.actor is None else self._step.who(PLAYER.id),
            source=SOURCE,
            decided_at=self._stage.now(),
        )

    async def _trace(self) -> tuple[str, int, int, int]:
        """Give what the log holds of the command: outcome, first and last version, number of events."""
        receipt = await self._stage.receipt(self._stream, self._command_id)
        if receipt is None:
            raise StoryBroken(f"{self._where}: '{self._command_id}' was never given before")
        events = await self._stage.events(self._engagement)
        count = sum(each.command_id == self._command_id for each in events)
        return receipt.outcome, receipt.first, receipt.last, count


async def _until(condition: str, engagement: str, stage: Stage) -> None:
    deadline = stage.now() + PATIENCE
    while not holds(condition, await stage.events(engagement)):
        if stage.now() > deadline:
            raise StoryBroken(f"{engagement}: '{condition}' never came")
        await stage.look_again()


async def silent(engagement: str, text: str) -> None:
    """Say nothing."""
