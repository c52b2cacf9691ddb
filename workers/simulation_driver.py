"""Gives a plan's commands to live workflows, at the dates of the log they come from.

Nothing is sent while the engagement owes something for an earlier moment: the log says when it does not.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from activities.commands import CommandService
from activities.types import StreamCommand
from events.canonical import instant
from events.clock import ClockSpec
from events.errors import CallerError
from events.fold import fold
from events.log.port import EventLog
from events.sources.plan import Plan, Step
from events.state import Engagement
from events.steps import next_due
from workers.client import CommandFailed, Engagements
from workers.time_skipping import ServerTime

# The server's time stands here before each command, so that its own second of work is not the next promise's.
BEFORE: Final = timedelta(seconds=1)
PATIENCE: Final = 60.0
_A_MOMENT: Final = 0.003


class SimulationStuck(Exception):
    """An engagement did not come to rest; one sentence says which and when."""


class Driver:
    """Walks through a plan, once.  ``refused``: what a stream did not take, by the source event's place."""

    def __init__(
        self,
        plan: Plan,
        agency: str,
        clock: ClockSpec,
        log: EventLog,
        service: CommandService,
        engagements: Engagements,
        time: ServerTime,
    ) -> None:
        self.refused: dict[int, str] = {}
        self._plan, self._agency, self._clock = plan, agency, clock
        self._log, self._service, self._engagements, self._time = log, service, engagements, time
        self._states: dict[str, Engagement] = {}

    async def run(self, on_progress: Callable[[datetime], None] | None = None) -> dict[str, Engagement]:
        """Give every command, then wait for the end of the log; returns each engagement's state by its id.

        :raises SimulationStuck: an engagement did not come to rest.
        :raises NotAnswered: a workflow does not answer.
        """
        for step in self._plan.steps:
            await self._move_to(step.at - BEFORE)
            await self._give(step)
            if on_progress is not None:
                on_progress(step.at)
        await self._move_to(self._plan.until)
        for engagement in self._plan.engagements:
            await self._at_rest(engagement, self._plan.until)
        return self._states

    async def _move_to(self, moment: datetime) -> None:
        origin, started = self._clock.origin, self._clock.started
        assert origin is not None
        assert started is not None
        await self._time.move_to(started + (moment - origin) / self._clock.rate)

    async def _give(self, step: Step) -> None:
        try:
            if step.category == "engagement":
                await self._to_engagement(step)
            else:
                await self._to_job_order(step)
        except (CallerError, CommandFailed) as error:
            self.refused.setdefault(step.place, f"{step.name}: {error}")

    async def _to_engagement(self, step: Step) -> None:
        engagement = step.stream.partition(":")[2]
        if engagement in self._states or step.name != "open-engagement":
            await self._at_rest(engagement, step.at - BEFORE)
        content = {
            **step.data,
            "at": instant(step.at),
            "actor": step.actor.model_dump(),
            "source": self._plan.source,
        }
        await self._engagements.command(engagement, step.name, content, command_id=step.command_id)
        self._states.setdefault(engagement, Engagement())

    async def _to_job_order(self, step: Step) -> None:
        await self._service.give(
            StreamCommand(
                agency=self._agency,
                stream=step.stream,
                command_id=step.command_id,
                name=step.name,
                data=step.data,
                actor=step.actor,
                source=self._plan.source,
                at=step.at,
                decided_at=step.at,
            )
        )

    async def _at_rest(self, engagement: str, moment: datetime) -> None:
        """Wait until every step due up to a moment is in the log, and no message is under way."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not await self._is_at_rest(engagement, moment):  # noqa: ASYNC110 (a database's state)
                    await asyncio.sleep(_A_MOMENT)
        except TimeoutError:
            raise SimulationStuck(
                f"engagement {engagement} does not come to rest at {instant(moment)}; "
                f"its workflow did not take the steps that are due within {PATIENCE:.0f} seconds"
            ) from None

    async def _is_at_rest(self, engagement: str, moment: datetime) -> bool:
        known = self._states.get(engagement, Engagement())
        events = await self._log.read_stream(self._agency, f"engagement:{engagement}", after=known.version)
        if events:
            known = self._states[engagement] = fold(events, known)
        due = next_due(known)
        return not known.owed and (due is None or due > moment)
