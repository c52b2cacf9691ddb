"""What matters to another stream is passed on to it once, whatever stops the follower meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest

from activities.commands import CommandService
from activities.types import StreamCommand
from events.decider import prepare
from events.envelope import Actor, AppendRequest
from events.errors import CallerError
from events.fold import fold
from events.log.followers import MemoryPlaces
from events.log.memory import MemoryLog
from events.log.port import Appended
from events.orders import parse_order
from workers.following import FOLLOWER, Follower

PERSON: Final = Actor(kind="person", id="r-1")
NOW: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
PATIENCE: Final = 10.0


class Desk:
    """Stands where the engagements' workflows stand: decides at the newest version and appends."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log
        self.told: list[tuple[str, str, str, str]] = []
        self.away: set[str] = set()
        self._now = NOW

    async def give(self, agency: str, engagement_id: str, name: str, command_id: str, **data: Any) -> None:
        """Carry out a command."""
        stream = f"engagement:{engagement_id}"
        state = fold(await self.log.read_stream(agency, stream))
        self._now += timedelta(seconds=1)
        order = parse_order(name, data, command_id=command_id, actor_default=PERSON, source="test")
        group = prepare(order, state, None, self._now, agency=agency, engagement_id=engagement_id).group
        request = AppendRequest(agency=agency, stream=stream, expected=state.version, groups=(group,))
        [result] = await self.log.append_many([request])
        assert isinstance(result, Appended)

    async def tell(
        self, agency: str, engagement_id: str, name: str, data: dict[str, Any], command_id: str, cause: UUID
    ) -> None:
        """Take a command from the follower."""
        if agency in self.away:
            raise ConnectionError("no workflow answers")
        self.told.append((agency, engagement_id, name, command_id))
        await self.give(agency, engagement_id, name, command_id, **data)

    async def submitted(self, agency: str, engagement_id: str, submission_id: str) -> None:
        """Open an engagement and present its candidate for job order j-1."""
        given = {"candidate_id": f"c-{engagement_id}", "owner": "r-1"}
        await self.give(agency, engagement_id, "open-engagement", f"open-{engagement_id}", **given)
        given = {"job_order_id": "j-1", "submission_id": submission_id}
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

    async def job_order(self, agency: str, name: str, **data: Any) -> None:
        """Give a command to job order j-1."""
        await self.service.give(
            StreamCommand(
                agency=agency,
                stream="job-order:j-1",
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

        await until(at_the_end)

    async def position_filled(self, agency: str, engagement_id: str) -> int:
        """Count how often an engagement was told that the job is gone."""
        return (await self.desk.types(agency, f"engagement:{engagement_id}")).count("position-filled")


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110 (a log, read again and again)
            await asyncio.sleep(0.01)


@pytest.fixture
async def office() -> Office:
    """This will be an office with a job order for which two candidates are presented."""
    place = Office()
    await place.job_order("a-1", "open-job-order", job_order_id="j-1", client_id="k-1")
    await place.desk.submitted("a-1", "e-1", "s-1")
    await place.desk.submitted("a-1", "e-2", "s-2")
    return place


class TestSubmission:
    async def test_reaches_its_job_order_once(self, office: Office) -> None:
        async with office.follower():
            await office.followed("a-1")
        assert (await office.desk.types("a-1", "job-order:j-1")).count("submission-received") == 2
        state = await office.service.state("a-1", "job-order:j-1")
        assert state.received == {"s-1": "e-1", "s-2": "e-2"}

    async def test_to_a_job_order_of_nobody_has_no_consequence(self, office: Office) -> None:
        await office.desk.give(
            "a-1", "e-1", "record-submission", "elsewhere", job_order_id="j-9", submission_id="s-9"
        )
        async with office.follower():
            await office.followed("a-1")
        assert await office.desk.types("a-1", "job-order:j-9") == []


class TestJobOrder:
    @pytest.mark.parametrize("command", ["fill-job-order", "close-job-order"])
    async def test_that_is_gone_tells_everybody_still_alive_once(self, office: Office, command: str) -> None:
        """Nobody who was in the running is left to find out from a newspaper."""
        async with office.follower():
            await office.followed("a-1")
            await office.job_order("a-1", command)
            await office.followed("a-1")
        assert await office.position_filled("a-1", "e-1") == 1
        assert await office.position_filled("a-1", "e-2") == 1

    async def test_filled_and_then_closed_tells_nobody_twice(self, office: Office) -> None:
        async with office.follower():
            await office.followed("a-1")
            await office.job_order("a-1", "fill-job-order")
            await office.job_order("a-1", "close-job-order")
            await office.followed("a-1")
        assert await office.position_filled("a-1", "e-1") == 1

    async def test_is_filled_by_an_accepted_offer_and_the_others_are_told(self, office: Office) -> None:
        async with office.follower():
            await office.desk.give("a-1", "e-1", "record-offer", "offer", submission_id="s-1", offer_id="o-1")
            await office.desk.give("a-1", "e-1", "accept-offer", "accept", offer_id="o-1")
            await office.followed("a-1")
        state = await office.service.state("a-1", "job-order:j-1")
        assert (state.phase, state.filled_by) == ("filled", (("e-1", "s-1"),))
        assert await office.position_filled("a-1", "e-1") == 0
        assert await office.position_filled("a-1", "e-2") == 1

    async def test_with_openings_left_tells_nobody(self) -> None:
        office = Office()
        await office.job_order("a-1", "open-job-order", job_order_id="j-1", client_id="k-1", openings=2)
        await office.desk.submitted("a-1", "e-1", "s-1")
        await office.desk.submitted("a-1", "e-2", "s-2")
        async with office.follower():
            await office.followed("a-1")
            await office.job_order("a-1", "fill-job-order", engagement_id="e-1", submission_id="s-1")
            await office.followed("a-1")
        assert office.desk.told == []


class TestFollower:
    async def test_goes_on_from_its_place(self, office: Office) -> None:
        async with office.follower():
            await office.followed("a-1")
        await office.job_order("a-1", "fill-job-order")
        place = await office.places.place("a-1", FOLLOWER)
        async with office.follower():
            await office.followed("a-1")
        assert await office.places.place("a-1", FOLLOWER) > place
        assert [each[1] for each in office.desk.told] == ["e-1", "e-2"]

    async def test_that_forgets_its_place_doubles_nothing(self, office: Office) -> None:
        """It acts first and notes its place after, so a crash between repeats what was done."""
        async with office.follower():
            await office.job_order("a-1", "fill-job-order")
            await office.followed("a-1")
        before = await office.log.read_all("a-1")
        office.places = MemoryPlaces()
        async with office.follower():
            await office.followed("a-1")
        assert await office.log.read_all("a-1") == before
        # The same consequence has the same id each time: the log knows it.
        ids = [each[3] for each in office.desk.told]
        assert len(ids) == 4
        assert ids[:2] == ids[2:]

    async def test_tries_again_what_nobody_answered(self, office: Office) -> None:
        office.desk.away.add("a-1")
        await office.job_order("a-1", "fill-job-order")
        async with office.follower():

            async def both_received() -> bool:
                return (await office.desk.types("a-1", "job-order:j-1")).count("submission-received") == 2

            await until(both_received)
            assert office.desk.told == []
            office.desk.away.clear()
            await office.followed("a-1")
        assert await office.position_filled("a-1", "e-1") == 1
        assert await office.position_filled("a-1", "e-2") == 1

    async def test_of_one_agency_does_not_wait_for_another(self, office: Office) -> None:
        """Law 9: one failure never stops another's work."""
        office.desk.away.add("a-1")
        await office.job_order("a-1", "fill-job-order")
        await office.job_order("a-2", "open-job-order", job_order_id="j-1", client_id="k-1")
        await office.desk.submitted("a-2", "e-1", "s-1")
        async with office.follower():
            await office.followed("a-2")
            await office.job_order("a-2", "fill-job-order")
            await office.followed("a-2")
        assert await office.position_filled("a-2", "e-1") == 1
        assert await office.position_filled("a-1", "e-1") == 0

    async def test_takes_no_for_an_answer(self, office: Office) -> None:
        """An engagement that refuses for good must not hold up what comes after it."""

        class Refusing(Desk):
            async def tell(
                self,
                agency: str,
                engagement_id: str,
                name: str,
                data: dict[str, Any],
                command_id: str,
                cause: UUID,
            ) -> None:
                if engagement_id == "e-1":
                    raise CallerError("this engagement takes nothing")
                await super().tell(agency, engagement_id, name, data, command_id, cause)

        refusing = Refusing(office.log)
        refusing._now = office.desk._now
        office.desk = refusing
        await office.job_order("a-1", "fill-job-order")
        async with office.follower():
            await office.followed("a-1")
        assert await office.position_filled("a-1", "e-2") == 1

    async def test_outlives_a_database_that_goes_away(self, office: Office) -> None:
        """A lost connection is no reason for a worker process to end."""

        class Lost(MemoryLog):
            times = 1

            async def agencies(self) -> list[str]:
                if self.times > 0:
                    self.times -= 1
                    raise asyncpg.ConnectionDoesNotExistError("connection was closed")
                return await super().agencies()

        office.log.__class__ = Lost
        async with office.follower():
            await office.followed("a-1")
        assert (await office.desk.types("a-1", "job-order:j-1")).count("submission-received") == 2
