"""An agency's office in memory: a log, a desk that stands for its engagements, and the follower."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from activities.commands import CommandService
from activities.types import StreamCommand
from events.decider import prepare
from events.envelope import Actor, AppendRequest, Stored
from events.errors import CallerError
from events.fold import fold
from events.log.followers import MemoryPlaces
from events.log.memory import MemoryLog
from events.log.port import Appended
from events.orders import parse_order
from workers.client import NotAnswered
from workers.following import FOLLOWER, Follower

PERSON: Final = Actor(kind="person", id="r-1")
NOW: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
PATIENCE: Final = 30.0


class Desk:
    """Stands where the engagements' workflows stand: decides at the newest version and appends."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log
        self.told: list[tuple[str, str, str, str]] = []
        self.asked: list[tuple[str, str]] = []
        self.away: set[str] = set()
        self.silent: set[str] = set()
        self.refusing: set[str] = set()
        self._now = NOW

    async def give(self, agency: str, engagement_id: str, name: str, command_id: str, **data: Any) -> None:
        """Carry out a command."""
        stream = f"engagement:{engagement_id}"
        history = await self.log.read_stream(agency, stream)
        state = fold(history)
        self._now += timedelta(seconds=1)
        order = parse_order(name, data, command_id=command_id, actor_default=PERSON, source="test")
        prepared = prepare(
            order, state, None, self._now, agency=agency, engagement_id=engagement_id, history=history
        )
        request = AppendRequest(
            agency=agency, stream=stream, expected=state.version, groups=(prepared.group,)
        )
        [result] = await self.log.append_many([request])
        assert isinstance(result, Appended)

    async def tell(
        self, agency: str, engagement_id: str, name: str, data: dict[str, Any], command_id: str, cause: UUID
    ) -> None:
        """Take a command from the follower."""
        if agency in self.away:
            raise ConnectionError("no workflow answers")
        self.asked.append((engagement_id, data.get("job_order_id", "")))
        if engagement_id in self.silent:
            raise NotAnswered(command_id, timedelta(seconds=10))
        if engagement_id in self.refusing:
            raise CallerError("this engagement takes nothing")
        self.told.append((agency, engagement_id, name, command_id))
        await self.give(agency, engagement_id, name, command_id, **data)

    async def submitted(self, agency: str, engagement_id: str, submission_id: str, **more: str) -> None:
        """Open an engagement and present its candidate for job order j-1."""
        given = {"candidate_id": f"c-{engagement_id}", "owner": "r-1"}
        await self.give(agency, engagement_id, "open-engagement", f"open-{engagement_id}", **given)
        await self.presented(agency, engagement_id, submission_id, **more)

    async def presented(
        self, agency: str, engagement_id: str, submission_id: str, job_order_id: str = "j-1", **more: str
    ) -> None:
        """Present a candidate for a job order."""
        given = {"job_order_id": job_order_id, "submission_id": submission_id, **more}
        await self.give(agency, engagement_id, "record-submission", f"submit-{submission_id}", **given)

    async def types(self, agency: str, stream: str) -> list[str]:
        """List the types of a stream's events."""
        return [each.type for each in await self.log.read_stream(agency, stream)]


class Office:
    """One log, the follower's place in it, and the follower when it runs."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self.places = MemoryPlaces()
        self.desk = Desk(self.log)
        self.service = CommandService(self.log, now=lambda: NOW)

    async def job_order(self, agency: str, name: str, *, key: str = "j-1", **data: Any) -> None:
        """Give a command to a job order."""
        await CommandService(self.log, now=lambda: NOW).give(
            StreamCommand(
                agency=agency,
                stream=f"job-order:{key}",
                command_id=f"{name}-{len(data)}",
                name=name,
                data=data,
                actor=PERSON,
            )
        )

    @asynccontextmanager
    async def follower(self) -> AsyncIterator[Follower]:
        """Follow the log until left, as a process does that is stopped at any moment."""
        follower = Follower(self.log, self.places, self.service, self.desk)
        running = asyncio.create_task(follower.run())
        try:
            yield follower
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    async def followed(self, agency: str) -> None:
        """Wait until everything in an agency's log has been passed on."""

        async def at_the_end() -> bool:
            place = await self.places.place(agency, FOLLOWER)
            return place == (await self.log.log_head(agency)).position

        await self.until(at_the_end)

    async def received(self, key: str = "j-1") -> dict[str, str]:
        """Give the submissions that a job order of a-1 knows, with their engagements."""
        received: dict[str, str] = (await self.service.state("a-1", f"job-order:{key}")).received
        return received

    async def last(self, of: str) -> Stored:
        """Find the newest event of a type in a-1's log."""
        return [each for each in await self.log.read_all("a-1") if each.type == of][-1]

    async def position_filled(self, agency: str, engagement_id: str) -> int:
        """Count how often an engagement was told that the job is gone."""
        return (await self.desk.types(agency, f"engagement:{engagement_id}")).count("position-filled")

    @staticmethod
    async def until(condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(PATIENCE):
            while not await condition():  # noqa: ASYNC110 (a log, read again and again)
                await asyncio.sleep(0.01)
