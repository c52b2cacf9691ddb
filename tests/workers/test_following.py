"""What matters to another stream is passed on to it once, whatever stops the follower meanwhile."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import pytest
from structlog.testing import capture_logs

from events.decider import recall
from events.envelope import Actor, AppendRequest
from events.log.followers import MemoryPlaces
from events.log.memory import MemoryLog
from events.orders import parse_order
from events.state import Engagement
from workers.following import FOLLOWER

PERSON = Actor(kind="person", id="r-1")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)

if TYPE_CHECKING:
    from tests.workers.following_office import Office


class TestSubmission:
    async def test_reaches_its_job_order_once(self, office: "Office") -> None:
        async with office.follower():
            await office.followed("a-1")
        assert (await office.desk.types("a-1", "job-order:j-1")).count("submission-received") == 2
        state = await office.service.state("a-1", "job-order:j-1")
        assert state.received == {"s-1": "e-1", "s-2": "e-2"}

    async def test_of_an_imported_past_is_passed_on_to_nobody(self, empty_office: "Office") -> None:
        """Its source tells both sides; what happened long ago is no news for anybody."""
        log, stream = empty_office.log, "engagement:e-1"
        await empty_office.job_order("a-1", "open-job-order", job_order_id="j-1")
        await log.begin_import("a-1", stream)
        state = Engagement()
        for name, data in (
            ("open-engagement", {"candidate_id": "c-1"}),
            ("record-submission", {"job_order_id": "j-1", "submission_id": "s-1", "by": "r-1"}),
        ):
            order = parse_order(name, data, command_id=name, actor_default=PERSON, source="test")
            past = recall(order, state, NOON, agency="a-1", engagement_id="e-1")
            request = AppendRequest(agency="a-1", stream=stream, expected=state.version, groups=(past.group,))
            await log.append_many([request])
            state = past.state
        async with empty_office.follower():
            await empty_office.followed("a-1")
        assert await empty_office.received() == {}

    async def test_to_a_job_order_of_nobody_has_no_consequence(self, office: "Office") -> None:
        await office.desk.give(
            "a-1", "e-1", "record-submission", "elsewhere", job_order_id="j-9", submission_id="s-9"
        )
        async with office.follower():
            await office.followed("a-1")
        assert await office.desk.types("a-1", "job-order:j-9") == []

    async def test_is_passed_on_by_the_follower_under_no_id_of_the_engine(self, office: "Office") -> None:
        """Doors refuse the engine's own ids and name from outside."""
        async with office.follower():
            await office.followed("a-1")
        event = await office.last("submission-received")
        assert event.actor == Actor(kind="integration", id="follower")
        assert event.causation_id == (await office.last("submitted")).event_id
        assert str(UUID(event.command_id)) == event.command_id

    async def test_from_before_its_job_order_was_opened_reaches_it_then(self, empty_office: "Office") -> None:
        await empty_office.desk.submitted("a-1", "e-1", "s-1")
        await empty_office.desk.submitted("a-1", "e-2", "s-2")
        await empty_office.desk.presented("a-1", "e-2", "s-9", "j-9")
        async with empty_office.follower():
            await empty_office.followed("a-1")
            assert await empty_office.received() == {}
            await empty_office.job_order("a-1", "open-job-order", job_order_id="j-1")
            await empty_office.followed("a-1")
            assert await empty_office.received() == {"s-1": "e-1", "s-2": "e-2"}
            await empty_office.job_order("a-1", "fill-job-order")
            await empty_office.followed("a-1")
        assert await empty_office.position_filled("a-1", "e-1") == 1

    async def test_that_was_over_before_its_job_order_was_opened_stays_unknown_to_it(
        self, empty_office: "Office"
    ) -> None:
        await empty_office.desk.submitted("a-1", "e-1", "s-1")
        await empty_office.desk.submitted("a-1", "e-2", "s-2")
        await empty_office.desk.give(
            "a-1", "e-1", "record-client-answer", "no", submission_id="s-1", answer="no", reason="skills"
        )
        await empty_office.job_order("a-1", "open-job-order", job_order_id="j-1")
        reached = (await empty_office.last("client-answered")).position
        await empty_office.places.note("a-1", FOLLOWER, reached)
        async with empty_office.follower():
            await empty_office.followed("a-1")
        assert await empty_office.received() == {"s-2": "e-2"}

    async def test_is_passed_on_as_before_where_others_are_over_since(self, empty_office: "Office") -> None:
        """A job order that is read again finds other submissions live; no id changes its meaning."""
        await empty_office.desk.submitted("a-1", "e-1", "s-1")
        await empty_office.desk.submitted("a-1", "e-2", "s-2")
        await empty_office.job_order("a-1", "open-job-order", job_order_id="j-1")
        async with empty_office.follower():
            await empty_office.followed("a-1")
        await empty_office.desk.give(
            "a-1", "e-1", "record-client-answer", "no", submission_id="s-1", answer="no"
        )
        empty_office.places = MemoryPlaces()
        before = await empty_office.log.read_all("a-1")
        with capture_logs() as lines:
            async with empty_office.follower():
                await empty_office.followed("a-1")
        assert await empty_office.log.read_all("a-1") == before
        assert [line for line in lines if line.get("why") == "command-id-reused"] == []

    @pytest.mark.parametrize(
        ("command", "how"), [("fill-job-order", "filled"), ("close-job-order", "closed")]
    )
    async def test_for_a_job_that_is_gone_is_told_so(self, office: "Office", command: str, how: str) -> None:
        await office.job_order("a-1", command)
        async with office.follower():
            await office.followed("a-1")
            await office.desk.submitted("a-1", "e-3", "s-3")
            await office.followed("a-1")
        assert await office.position_filled("a-1", "e-3") == 1
        assert json.loads((await office.last("position-filled")).body)["how"] == how
        assert (await office.received())["s-3"] == "e-3"

    async def test_that_took_the_job_is_not_told_that_it_is_gone(self, empty_office: "Office") -> None:
        """The client's own report of the hire may come before ours of the submission."""
        await empty_office.job_order("a-1", "open-job-order", job_order_id="j-1")
        await empty_office.job_order("a-1", "fill-job-order", engagement_id="e-1", submission_id="s-1")
        await empty_office.desk.submitted("a-1", "e-1", "s-1")
        async with empty_office.follower():
            await empty_office.followed("a-1")
        assert await empty_office.received() == {"s-1": "e-1"}
        assert empty_office.desk.asked == []


class TestJobOrder:
    @pytest.mark.parametrize("command", ["fill-job-order", "close-job-order"])
    async def test_that_is_gone_tells_everybody_still_alive_once(
        self, office: "Office", command: str
    ) -> None:
        """Nobody who was in the running is left to find out from a newspaper."""
        async with office.follower():
            await office.followed("a-1")
            await office.job_order("a-1", command)
            await office.followed("a-1")
        assert await office.position_filled("a-1", "e-1") == 1
        assert await office.position_filled("a-1", "e-2") == 1

    async def test_filled_and_then_closed_tells_nobody_twice(self, office: "Office") -> None:
        async with office.follower():
            await office.followed("a-1")
            await office.job_order("a-1", "fill-job-order")
            await office.job_order("a-1", "close-job-order")
            await office.followed("a-1")
        assert await office.position_filled("a-1", "e-1") == 1

    async def test_is_filled_by_an_accepted_offer_and_the_others_are_told(self, office: "Office") -> None:
        async with office.follower():
            await office.desk.give("a-1", "e-1", "record-offer", "offer", submission_id="s-1", offer_id="o-1")
            await office.desk.give("a-1", "e-1", "accept-offer", "accept", offer_id="o-1")
            await office.followed("a-1")
        state = await office.service.state("a-1", "job-order:j-1")
        assert (state.phase, state.filled_by) == ("filled", (("e-1", "s-1"),))
        assert await office.position_filled("a-1", "e-1") == 0
        assert await office.position_filled("a-1", "e-2") == 1

    async def test_with_openings_left_tells_nobody(self, empty_office: "Office") -> None:
        await empty_office.job_order("a-1", "open-job-order", job_order_id="j-1", client_id="k-1", openings=2)
        await empty_office.desk.submitted("a-1", "e-1", "s-1")
        await empty_office.desk.submitted("a-1", "e-2", "s-2")
        async with empty_office.follower():
            await empty_office.followed("a-1")
            await empty_office.job_order("a-1", "fill-job-order", engagement_id="e-1", submission_id="s-1")
            await empty_office.followed("a-1")
        assert empty_office.desk.told == []


class TestFollower:
    async def test_goes_on_from_its_place(self, office: "Office") -> None:
        async with office.follower():
            await office.followed("a-1")
        await office.job_order("a-1", "fill-job-order")
        place = await office.places.place("a-1", FOLLOWER)
        async with office.follower():
            await office.followed("a-1")
        assert await office.places.place("a-1", FOLLOWER) > place
        assert [each[1] for each in office.desk.told] == ["e-1", "e-2"]

    async def test_that_forgets_its_place_doubles_nothing(self, office: "Office") -> None:
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

    async def test_tries_again_what_nobody_answered(self, office: "Office") -> None:
        office.desk.away.add("a-1")
        await office.job_order("a-1", "fill-job-order")
        async with office.follower():

            async def both_received() -> bool:
                return (await office.desk.types("a-1", "job-order:j-1")).count("submission-received") == 2

            await office.until(both_received)
            assert office.desk.told == []
            office.desk.away.clear()
            await office.followed("a-1")
        assert await office.position_filled("a-1", "e-1") == 1
        assert await office.position_filled("a-1", "e-2") == 1

    async def test_of_one_agency_does_not_wait_for_another(self, office: "Office") -> None:
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

    async def test_takes_no_for_an_answer(self, office: "Office") -> None:
        """An engagement that refuses for good must not hold up what comes after it."""

        office.desk.refusing.add("e-1")
        await office.job_order("a-1", "fill-job-order")
        async with office.follower():
            await office.followed("a-1")
        assert await office.position_filled("a-1", "e-2") == 1

    async def test_outlives_a_database_that_goes_away(self, office: "Office") -> None:
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
