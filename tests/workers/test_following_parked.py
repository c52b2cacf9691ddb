"""What one engagement or job order does not take is parked; the follower goes on with all others."""

from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from activities.commands import CommandService, StreamBusy
from activities.types import CommandReply, StreamCommand
from events.codec import UnknownEvent
from events.envelope import Stored
from events.log.followers import MemoryPlaces
from workers import following
from workers.consequences import consequences
from workers.following import FOLLOWER
from workers.passing_on import Consequence

if TYPE_CHECKING:
    from tests.workers.following_office import Office


class TestErrand:
    """Law 9: what fails for one engagement is parked; all others go on."""

    async def test_that_fails_is_parked_while_others_go_on(self, office: "Office") -> None:
        office.desk.silent.add("e-1")
        await office.job_order("a-1", "fill-job-order")
        await office.desk.submitted("a-1", "e-3", "s-3")
        async with office.follower():

            async def all_others() -> bool:
                told = [await office.position_filled("a-1", each) for each in ("e-2", "e-3")]
                return told == [1, 1] and "s-3" in await office.received()

            await office.until(all_others)
            assert await office.position_filled("a-1", "e-1") == 0
            office.desk.silent.clear()
            await office.followed("a-1")
        assert await office.position_filled("a-1", "e-1") == 1

    async def test_that_is_parked_keeps_the_place_before_its_event(self, office: "Office") -> None:
        async with office.follower():
            await office.followed("a-1")
        office.desk.silent.add("e-1")
        await office.job_order("a-1", "fill-job-order")
        filled = await office.last("job-order-filled")
        noted: list[int] = []

        class Watched(MemoryPlaces):
            async def note(self, agency: str, follower: str, position: int) -> None:
                noted.append(position)
                await super().note(agency, follower, position)

        office.places = Watched()
        await office.places.note("a-1", FOLLOWER, filled.position - 3)
        async with office.follower():

            async def told_and_noted() -> bool:
                told = await office.position_filled("a-1", "e-2") == 1
                return told and await office.places.place("a-1", FOLLOWER) == filled.position - 1

            await office.until(told_and_noted)
            await office.desk.submitted("a-1", "e-3", "s-3")

            async def read_on() -> bool:
                return await office.position_filled("a-1", "e-3") == 1

            await office.until(read_on)
            assert max(noted) == filled.position - 1
            office.desk.silent.clear()
            await office.followed("a-1")
        assert noted == sorted(noted)

    async def test_that_is_parked_is_run_again_after_a_restart(self, office: "Office") -> None:
        office.desk.silent.add("e-1")
        await office.job_order("a-1", "fill-job-order")
        async with office.follower():

            async def other_told() -> bool:
                return await office.position_filled("a-1", "e-2") == 1

            await office.until(other_told)
        office.desk.silent.clear()
        async with office.follower():
            await office.followed("a-1")
        assert await office.position_filled("a-1", "e-1") == 1
        assert await office.position_filled("a-1", "e-2") == 1
        assert len(await office.received()) == 2
        # Told twice, once by each follower, under one id.
        ids = {each[3] for each in office.desk.told if each[1] == "e-2"}
        assert len(ids) == 1

    async def test_waits_behind_an_earlier_one_for_the_same_engagement(self, office: "Office") -> None:
        await office.job_order("a-1", "open-job-order", key="j-2", job_order_id="j-2")
        await office.desk.presented("a-1", "e-1", "s-12", "j-2")
        await office.desk.presented("a-1", "e-2", "s-22", "j-2")
        async with office.follower():
            await office.followed("a-1")
            office.desk.silent.add("e-1")
            await office.job_order("a-1", "fill-job-order")
            await office.job_order("a-1", "close-job-order", key="j-2")

            async def other_told() -> bool:
                return await office.position_filled("a-1", "e-2") == 2

            await office.until(other_told)
            assert {about for whom, about in office.desk.asked if whom == "e-1"} == {"j-1"}
            office.desk.silent.clear()
            await office.followed("a-1")
        assert [about for whom, about in office.desk.asked if whom == "e-1"][-2:] == ["j-1", "j-2"]
        assert await office.position_filled("a-1", "e-1") == 2

    async def test_for_one_job_order_does_not_stop_another(self, office: "Office") -> None:
        class Stuck(CommandService):
            free = False

            async def give(self, order: StreamCommand) -> CommandReply:
                if order.stream == "job-order:j-1" and not self.free:
                    raise StreamBusy("others are writing")
                return await super().give(order)

        await office.job_order("a-1", "open-job-order", key="j-2", job_order_id="j-2")
        await office.desk.presented("a-1", "e-1", "s-12", "j-2")
        office.service = stuck = Stuck(office.log)
        async with office.follower():

            async def other_received() -> bool:
                return await office.received("j-2") == {"s-12": "e-1"}

            await office.until(other_received)
            assert await office.received() == {}
            stuck.free = True
            await office.followed("a-1")
        assert list((await office.received()).items()) == [("s-1", "e-1"), ("s-2", "e-2")]

    async def test_is_logged_once_when_parked_and_when_it_goes_through(self, office: "Office") -> None:
        async with office.follower():
            await office.followed("a-1")
        office.desk.silent.add("e-1")
        await office.job_order("a-1", "fill-job-order")
        filled = await office.last("job-order-filled")
        with capture_logs() as lines:
            async with office.follower():

                async def asked_again() -> bool:
                    return [whom for whom, _ in office.desk.asked].count("e-1") >= 2

                await office.until(asked_again)
                office.desk.silent.clear()
                await office.followed("a-1")
        about = {"agency": "a-1", "event_id": str(filled.event_id), "command": "record-position-filled"}
        assert [line for line in lines if "parked" in line["event"]] == [
            {"event": "an errand is parked", "log_level": "warning", "why": "NotAnswered", **about},
            {"event": "a parked errand went through", "log_level": "warning", **about},
        ]

    async def test_of_an_event_that_cannot_be_read_waits_and_others_go_on(
        self, office: "Office", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A newer worker has written what this one does not know yet."""
        unknown = {"engagement:e-1"}

        def read(stored: Stored, *rest: Any) -> list[Consequence]:
            if stored.stream in unknown:
                raise UnknownEvent("install a newer version")
            return consequences(stored, *rest)

        monkeypatch.setattr(following, "consequences", read)
        await office.desk.presented("a-1", "e-1", "s-9", "j-1")
        async with office.follower():

            async def other_received() -> bool:
                return await office.received() == {"s-2": "e-2"}

            await office.until(other_received)
            events = await office.log.read_stream("a-1", "engagement:e-1")
            first = next(each for each in events if each.type == "submitted")
            assert await office.places.place("a-1", FOLLOWER) < first.position
            unknown.clear()
            await office.followed("a-1")
        assert [each for each in await office.received() if each != "s-2"] == ["s-1", "s-9"]
