"""A hold, a reopening and the terms of a job order reach whom they concern, once."""

import json
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from events.fold import fold
from events.log.followers import MemoryPlaces
from events.state import Engagement

if TYPE_CHECKING:
    from events.job_order_state import JobOrder
    from tests.workers.following_office import Office

TERMS: dict[str, Any] = {
    "placement_kind": "permanent",
    "guarantee_days": 90,
    "remedy": "refund",
    "refund_steps": [{"until_day": 90, "percent": 50}],
}


async def placed(office: "Office", engagement: str = "e-1", submission: str = "s-1") -> None:
    """Offer the candidate the job, and let them take it."""
    offer = f"o-{submission}"
    given = {"submission_id": submission, "offer_id": offer}
    await office.desk.give("a-1", engagement, "record-offer", f"record-{offer}", **given)
    await office.desk.give("a-1", engagement, "accept-offer", f"accept-{offer}", offer_id=offer)


async def ended(office: "Office", how: str, engagement: str = "e-1", submission: str = "s-1") -> None:
    """Let a placement end."""
    given = {"placement_id": submission, "how": how}
    await office.desk.give("a-1", engagement, "end-placement", f"end-{submission}", **given)


async def started(office: "Office", engagement: str = "e-1", submission: str = "s-1") -> None:
    """Let the candidate begin to work."""
    given = {"placement_id": submission, "started_on": "2026-01-05T12:00:00Z"}
    await office.desk.give("a-1", engagement, "confirm-start", f"start-{submission}", **given)


async def annulled(office: "Office", of: str, engagement: str = "e-1") -> None:
    """Declare an engagement's newest event of a type wrong."""
    wrong = await office.last(of)
    await office.desk.give("a-1", engagement, "annul-event", f"annul-{of}", event_id=str(wrong.event_id))


async def told(office: "Office", engagement: str, of: str) -> int:
    """Count an engagement's events of a type."""
    return (await office.desk.types("a-1", f"engagement:{engagement}")).count(of)


async def order(office: "Office") -> "JobOrder":
    """Give the job order as it is."""
    state: JobOrder = await office.service.state("a-1", "job-order:j-1")
    return state


async def engagement(office: "Office", key: str = "e-1") -> Engagement:
    """Give an engagement as it is."""
    return fold(await office.log.read_stream("a-1", f"engagement:{key}"))


class TestAHold:
    async def test_reaches_everybody_alive_and_so_does_its_end(self, office: "Office") -> None:
        """Nobody waits for a client who has stopped deciding without being told so."""
        async with office.follower():
            await office.followed("a-1")
            await office.job_order("a-1", "hold-job-order", until="2026-03-01T00:00:00Z")
            await office.followed("a-1")
            assert (
                json.loads((await office.last("position-held")).body)["until"]
                == "2026-03-01T00:00:00.000000Z"
            )
            await office.job_order("a-1", "resume-job-order")
            await office.followed("a-1")
        for each in ("e-1", "e-2"):
            assert [await told(office, each, of) for of in ("position-held", "position-resumed")] == [1, 1]

    async def test_reaches_who_is_presented_while_it_lasts(self, office: "Office") -> None:
        await office.job_order("a-1", "hold-job-order")
        async with office.follower():
            await office.followed("a-1")
            await office.desk.submitted("a-1", "e-3", "s-3")
            await office.followed("a-1")
        assert await told(office, "e-3", "position-held") == 1

    async def test_that_lasts_longer_is_told_with_its_new_date(self, office: "Office") -> None:
        async with office.follower():
            await office.followed("a-1")
            await office.job_order("a-1", "hold-job-order")
            await office.job_order("a-1", "hold-job-order", until="2026-03-01T00:00:00Z")
            await office.followed("a-1")
        assert await told(office, "e-1", "position-held") == 2
        submission = (await engagement(office)).submissions["s-1"]
        assert (submission.held, str(submission.held_until)) == (True, "2026-03-01 00:00:00+00:00")

    async def test_of_an_order_opened_late_reaches_who_was_presented_before(
        self, empty_office: "Office"
    ) -> None:
        await empty_office.desk.submitted("a-1", "e-1", "s-1")
        await empty_office.job_order("a-1", "open-job-order", job_order_id="j-1")
        await empty_office.job_order("a-1", "hold-job-order")
        async with empty_office.follower():
            await empty_office.followed("a-1")
        assert await told(empty_office, "e-1", "position-held") == 1

    async def test_ends_with_the_job(self, office: "Office") -> None:
        async with office.follower():
            await office.followed("a-1")
            await office.job_order("a-1", "hold-job-order")
            await office.job_order("a-1", "fill-job-order")
            await office.followed("a-1")
        assert await office.position_filled("a-1", "e-1") == 1
        assert (await order(office)).held is False


class TestAnotherOwner:
    async def test_answers_for_everybody_on_the_job(self, empty_office: "Office") -> None:
        """Who was only proposed it has no submission, and who comes late still names the one before."""
        office = empty_office
        await office.job_order("a-1", "open-job-order", job_order_id="j-1", owner="r-1")
        await office.desk.give("a-1", "e-9", "open-engagement", "open-e-9", candidate_id="c-9", owner="r-7")
        proposed = {"job_order_id": "j-1", "by": "r-7", "job_order_owner": "r-1"}
        await office.desk.give("a-1", "e-9", "record-proposal", "propose-e-9", **proposed)
        await office.desk.submitted("a-1", "e-1", "s-1", job_order_owner="r-1")
        async with office.follower():
            await office.followed("a-1")
            await office.job_order("a-1", "close-job-order")
            await office.job_order("a-1", "change-job-order-owner", owner="r-2")
            await office.desk.submitted("a-1", "e-2", "s-2", job_order_owner="r-1")
            await office.followed("a-1")
        submissions = [(await engagement(office, each)).submissions for each in ("e-1", "e-2")]
        owners = [each.job_order_owner for found in submissions for each in found.values()]
        assert owners == ["r-2", "r-2"]
        assert (await engagement(office, "e-9")).proposals["j-1"].job_order_owner == "r-2"


class TestFewerOpenings:
    async def test_that_are_all_taken_fill_the_job(self, empty_office: "Office") -> None:
        await empty_office.job_order("a-1", "open-job-order", job_order_id="j-1", client_id="k-1", openings=2)
        for number in (1, 2):
            await empty_office.desk.submitted("a-1", f"e-{number}", f"s-{number}")
        async with empty_office.follower():
            await placed(empty_office)
            await empty_office.followed("a-1")
            assert await empty_office.position_filled("a-1", "e-2") == 0
            await empty_office.job_order("a-1", "change-openings", openings=1)
            await empty_office.followed("a-1")
        assert await empty_office.position_filled("a-1", "e-2") == 1
        assert await empty_office.position_filled("a-1", "e-1") == 0


class TestAPlacement:
    @pytest.mark.parametrize("how", ["reneged", "no-start", "fall-off"])
    async def test_that_came_to_nothing_reopens_its_job_order(self, office: "Office", how: str) -> None:
        async with office.follower():
            await placed(office)
            if how == "fall-off":
                await started(office)
            await ended(office, how)
            await office.followed("a-1")
        state = await order(office)
        assert (state.phase, state.openings_left, state.filled_by) == ("open", 1, ())
        assert json.loads((await office.last("job-order-reopened")).body)["reason"] == how

    async def test_that_was_completed_does_not(self, office: "Office") -> None:
        async with office.follower():
            await placed(office)
            await started(office)
            await ended(office, "completed")
            await office.followed("a-1")
        assert (await order(office)).phase == "filled"

    async def test_that_came_to_nothing_calls_nobody_back(self, office: "Office") -> None:
        """They were told that the job is gone; whether to ask them again is for a person to say."""
        async with office.follower():
            await placed(office)
            await office.followed("a-1")
            await ended(office, "reneged")
            await office.followed("a-1")
            assert await office.position_filled("a-1", "e-2") == 1
            await office.desk.submitted("a-1", "e-3", "s-3")
            await placed(office, "e-3", "s-3")
            await office.followed("a-1")
        assert (await engagement(office, "e-2")).submissions["s-2"].status == "position-filled"
        assert await office.position_filled("a-1", "e-2") == 1
        assert (await order(office)).filled_by == (("e-3", "s-3"),)

    async def test_under_an_order_that_is_closed_reopens_nothing(self, office: "Office") -> None:
        """A client that looks again asks anew: the log takes no more of this order."""
        with capture_logs() as lines:
            async with office.follower():
                await placed(office)
                await office.followed("a-1")
                await office.job_order("a-1", "close-job-order")
                await ended(office, "reneged")
                await office.followed("a-1")
        assert (await order(office)).phase == "closed"
        assert [line["why"] for line in lines if line.get("command") == "reopen-job-order"] == ["wrong-state"]

    async def test_from_before_its_job_order_was_opened_fills_it(self, empty_office: "Office") -> None:
        await empty_office.desk.submitted("a-1", "e-1", "s-1")
        await empty_office.desk.submitted("a-1", "e-2", "s-2")
        await placed(empty_office)
        async with empty_office.follower():
            await empty_office.followed("a-1")
            await empty_office.job_order("a-1", "open-job-order", job_order_id="j-1")
            await empty_office.followed("a-1")
        state = await order(empty_office)
        assert (state.received, state.filled_by) == ({"s-1": "e-1", "s-2": "e-2"}, (("e-1", "s-1"),))
        assert await empty_office.position_filled("a-1", "e-2") == 1

    async def test_that_was_over_before_its_job_order_was_opened_fills_nothing(
        self, empty_office: "Office"
    ) -> None:
        await empty_office.desk.submitted("a-1", "e-1", "s-1")
        await placed(empty_office)
        await ended(empty_office, "reneged")
        async with empty_office.follower():
            await empty_office.job_order("a-1", "open-job-order", job_order_id="j-1")
            await empty_office.followed("a-1")
        assert (await order(empty_office)).filled_by == ()


class TestAnAnnulment:
    async def test_of_an_acceptance_reopens_the_job_order(self, office: "Office") -> None:
        async with office.follower():
            await placed(office)
            await office.followed("a-1")
            await annulled(office, "offer-accepted")
            await office.followed("a-1")
            assert (await order(office)).phase == "open"
            await office.job_order("a-1", "fill-job-order")
            await office.followed("a-1")
        # Its submission was with the client again, so it hears like everybody else.
        assert await office.position_filled("a-1", "e-1") == 1

    async def test_of_one_of_two_acceptances_changes_nothing(self, office: "Office") -> None:
        async with office.follower():
            await placed(office)
            await office.desk.give("a-1", "e-1", "record-offer", "o-9", submission_id="s-1", offer_id="o-9")
            await office.desk.give("a-1", "e-1", "accept-offer", "accept-o-9", offer_id="o-9")
            await annulled(office, "offer-accepted")
            await office.followed("a-1")
        assert (await order(office)).filled_by == (("e-1", "s-1"),)

    async def test_of_an_acceptance_under_a_closed_order_tells_that_the_job_is_gone(
        self, office: "Office"
    ) -> None:
        async with office.follower():
            await placed(office)
            await office.followed("a-1")
            await office.job_order("a-1", "close-job-order")
            await office.followed("a-1")
            await annulled(office, "offer-accepted")
            await office.followed("a-1")
        assert json.loads((await office.last("position-filled")).body) == {
            "how": "closed",
            "job_order_id": "j-1",
            "submission_id": "s-1",
        }

    async def test_of_an_end_takes_the_opening_again(self, office: "Office") -> None:
        async with office.follower():
            await placed(office)
            await ended(office, "reneged")
            await office.followed("a-1")
            assert (await order(office)).phase == "open"
            await annulled(office, "placement-ended")
            await office.followed("a-1")
        assert (await order(office)).filled_by == (("e-1", "s-1"),)

    async def test_of_anything_else_means_nothing_to_a_job_order(self, office: "Office") -> None:
        async with office.follower():
            await office.desk.give("a-1", "e-1", "record-offer", "offer", submission_id="s-1", offer_id="o-1")
            await annulled(office, "offer-extended")
            await office.followed("a-1")
        assert (await office.desk.types("a-1", "job-order:j-1")).count("job-order-reopened") == 0


class TestTerms:
    async def test_known_before_the_hire_come_with_it(self, office: "Office") -> None:
        await office.job_order("a-1", "record-job-order-terms", **TERMS)
        async with office.follower():
            await placed(office)
            await office.followed("a-1")
        placement = (await engagement(office)).placements["s-1"]
        assert (placement.kind, placement.guarantee_days, placement.remedy) == ("permanent", 90, "refund")
        assert [step.percent for step in placement.refund_steps] == [50]

    async def test_agreed_after_the_hire_reach_it(self, office: "Office") -> None:
        async with office.follower():
            await placed(office)
            await office.followed("a-1")
            await office.job_order("a-1", "close-job-order")
            await office.job_order("a-1", "record-job-order-terms", **TERMS)
            await office.followed("a-1")
        assert (await engagement(office)).placements["s-1"].guarantee_days == 90

    @pytest.mark.parametrize("submission", [{"submission_id": "s-1"}, {}], ids=["named", "unnamed"])
    async def test_come_also_where_the_job_order_heard_first(
        self, office: "Office", submission: dict[str, str]
    ) -> None:
        """The recruiter may tell the client's side before the candidate's."""
        await office.job_order("a-1", "record-job-order-terms", **TERMS)
        async with office.follower():
            await office.followed("a-1")
            await office.job_order("a-1", "fill-job-order", engagement_id="e-1", **submission)
            await office.followed("a-1")
            await placed(office)
            await office.followed("a-1")
        assert (await engagement(office)).placements["s-1"].guarantee_days == 90
        assert (await order(office)).openings_left == 0

    async def test_reach_a_hire_that_took_no_opening(self, office: "Office") -> None:
        """The client closed the order and took one more: its word on the guarantee holds for them too."""
        await office.job_order("a-1", "record-job-order-terms", **TERMS)
        await office.desk.give("a-1", "e-1", "record-offer", "offer", submission_id="s-1", offer_id="o-1")
        await office.desk.give("a-1", "e-1", "accept-offer", "accept", offer_id="o-1")
        await office.job_order("a-1", "close-job-order")
        async with office.follower():
            await office.followed("a-1")
        assert (await order(office)).filled_by == ()
        assert (await engagement(office)).placements["s-1"].guarantee_days == 90


class TestReadAgain:
    async def test_nothing_of_it_is_doubled(self, office: "Office") -> None:
        """It acts first and notes its place after, so a crash between repeats what was done."""
        async with office.follower():
            await office.followed("a-1")
            await office.job_order("a-1", "record-job-order-terms", **TERMS)
            await office.job_order("a-1", "hold-job-order")
            await office.followed("a-1")
            await office.job_order("a-1", "resume-job-order")
            await placed(office)
            await office.followed("a-1")
            await ended(office, "reneged")
            await office.followed("a-1")
            await office.desk.submitted("a-1", "e-3", "s-3")
            await placed(office, "e-3", "s-3")
            await office.followed("a-1")
        before = await office.log.read_all("a-1")
        first = {each[3] for each in office.desk.told}
        office.places = MemoryPlaces()
        async with office.follower():
            await office.followed("a-1")
        assert await office.log.read_all("a-1") == before
        assert {each[3] for each in office.desk.told} == first
