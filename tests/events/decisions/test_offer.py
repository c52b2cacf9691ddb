"""Offers, and what the candidate said."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from events.errors import InvalidCommand, UnknownReference, WrongState

if TYPE_CHECKING:
    from tests.events.specification import Given, World

DAY = timedelta(days=1)
OFFERED = ("engagement-opened", "submitted", "offer-extended")


class TestRecordOffer:
    def test_is_recorded_once_for_each_id(self, world: "World") -> None:
        world.given(*OFFERED[:2]).when("record-offer").then(world.event("offer-extended", at=world.later))
        world.given(*OFFERED).when("record-offer").then_nothing()

    def test_does_not_know_other_submissions(self, world: "World") -> None:
        world.given("engagement-opened").when("record-offer").fails(UnknownReference, "'s-1'")

    def test_is_a_mistake_under_the_id_of_an_offer_for_another_submission(self, world: "World") -> None:
        other = world.event("submitted", submission_id="s-2", job_order_id="j-2")
        world.given(*OFFERED, other).when("record-offer", submission_id="s-2").fails(
            WrongState, "'o-1'", "'s-1'"
        )

    def test_waits_on_the_candidate(self, world: "World") -> None:
        assert world.given(*OFFERED).state.posture(world.later) == "waiting on candidate"


class TestAcceptOffer:
    def test_begins_a_placement(self, world: "World") -> None:
        then = world.given(*OFFERED).when("accept-offer")
        then.then(world.event("offer-accepted", at=world.later))
        assert then.state.stage == "placement"
        assert then.state.live_submissions == {}

    def test_says_nothing_twice(self, world: "World") -> None:
        world.given(*OFFERED, "offer-accepted").when("accept-offer").then_nothing()

    def test_needs_a_new_offer_after_a_no(self, world: "World") -> None:
        world.given(*OFFERED, "offer-declined").when("accept-offer").fails(WrongState, "record the new offer")

    def test_leaves_the_placement_alone_whatever_the_client_says_next(self, world: "World") -> None:
        state = world.given(*OFFERED, "offer-accepted").when("record-client-answer", answer="no").state
        assert state.submissions["s-1"].status == "placed"


class TestDeclineOffer:
    def test_ends_the_submission(self, world: "World") -> None:
        then = world.given(*OFFERED).when("decline-offer")
        then.then(world.event("offer-declined", at=world.later))
        assert then.state.submissions["s-1"].status == "offer-declined"

    def test_says_nothing_twice(self, world: "World") -> None:
        world.given(*OFFERED, "offer-declined").when("decline-offer").then_nothing()

    def test_leaves_a_placement_by_another_offer_as_it_is(self, world: "World") -> None:
        better = world.event("offer-extended", offer_id="o-2")
        accepted = world.event("offer-accepted", offer_id="o-2")
        then = world.given(*OFFERED, better, accepted).when("decline-offer")
        then.then_types("offer-declined")
        assert then.state.submissions["s-1"].status == "placed"
        assert then.state.stage == "placement"

    def test_cannot_follow_a_yes(self, world: "World") -> None:
        world.given(*OFFERED, "offer-accepted").when("decline-offer").fails(WrongState, "was accepted")


class TestEveryAnswer:
    @pytest.mark.parametrize("name", ["accept-offer", "decline-offer"])
    def test_needs_an_offer(self, world: "World", name: str) -> None:
        world.given("engagement-opened").when(name).fails(UnknownReference, "record-offer")


class TestTheTimesOfAnOffer:
    @pytest.mark.parametrize("name", ["record-offer", "revise-offer", "accept-offer"])
    def test_are_in_order(self, world: "World", name: str) -> None:
        begun = OFFERED[:2] if name == "record-offer" else OFFERED
        changes: dict[str, Any] = {"starts_on": world.later, "ends_on": world.later}
        world.given(*begun).when(name, **changes).fails(InvalidCommand, "ends_on is not after starts_on")

    def test_say_what_kind_of_job_it_is(self, world: "World") -> None:
        then = world.given(*OFFERED[:2]).when("record-offer", placement_kind="contract")
        assert then.events[0].kind == then.state.offers["o-1"].kind == "contract"


class TestReviseOffer:
    def test_keeps_what_is_not_given(self, world: "World") -> None:
        first = world.event("offer-extended")
        then = world.given(*OFFERED).when("revise-offer", expires_at=first.expires_at + DAY)
        (revised,) = then.events
        assert (revised.revision, revised.kind, revised.starts_on) == (2, first.kind, first.starts_on)
        assert revised.expires_at == then.state.offers["o-1"].expires_at == first.expires_at + DAY

    def test_counts_on(self, world: "World") -> None:
        given = world.given(*OFFERED, "offer-revised")
        assert given.when("revise-offer").events[0].revision == 3

    def test_says_nothing_where_nothing_changed(self, world: "World") -> None:
        world.given(*OFFERED).when("revise-offer", terms=None).then_nothing()
        same = world.event("offer-extended")
        world.given(*OFFERED).when("revise-offer", terms=None, starts_on=same.starts_on).then_nothing()

    def test_needs_an_open_offer(self, world: "World") -> None:
        world.given(*OFFERED[:2]).when("revise-offer").fails(UnknownReference, "record-offer")
        for answer in ("offer-accepted", "offer-declined"):
            world.given(*OFFERED, answer).when("revise-offer").fails(WrongState, "record-offer")


class TestNoteCounterOffer:
    def test_is_heard_each_time(self, world: "World") -> None:
        told = world.event("counter-offer-noted", at=world.later)
        world.given(*OFFERED).when("note-counter-offer").then(told)
        world.given(*OFFERED, "offer-accepted", "counter-offer-noted").when("note-counter-offer").then(told)

    def test_needs_an_offer(self, world: "World") -> None:
        world.given(*OFFERED[:2]).when("note-counter-offer").fails(UnknownReference, "record-offer")


def side_by_side(world: "World", *more: str) -> "Given":
    """Begin with an offer, and another submission that is alive beside it."""
    other = world.event("submitted", submission_id="s-2", job_order_id="j-2")
    return world.given(*OFFERED, other, *more)


class TestAnAcceptedOffer:
    def test_leaves_what_else_is_alive_to_the_candidate(self, world: "World") -> None:
        then = side_by_side(world).when("accept-offer")
        left = world.event("submission-left-open", at=world.later)
        then.then(world.event("offer-accepted", at=world.later), left)
        assert then.state.submissions["s-2"].unsettled
        assert list(then.state.live_submissions) == ["s-2"]
        side_by_side(world, "offer-accepted").when("accept-offer").then_nothing()

    def test_is_as_it_was_offered_where_nothing_else_is_given(self, world: "World") -> None:
        given = world.given(*OFFERED, "offer-revised")
        revised = world.event("offer-revised")
        (accepted,) = given.when("accept-offer", starts_on=None).events
        assert (accepted.kind, accepted.starts_on, accepted.ends_on) == (
            "contract",
            revised.starts_on,
            revised.ends_on,
        )

    def test_begins_anew_where_an_earlier_one_came_to_nothing(self, world: "World") -> None:
        ended = world.event("placement-ended", how="reneged")
        begun = (*OFFERED, "offer-accepted", "placement-terms-recorded", ended)
        again = world.event("offer-extended", offer_id="o-2")
        then = world.given(*begun, again).when("accept-offer", offer_id="o-2")
        placement = then.state.placements["s-1"]
        assert (placement.ended_how, placement.guarantee_days) == (None, None)
        assert (then.state.stage, then.state.submissions["s-1"].status) == ("placement", "placed")


class TestSettleSubmission:
    def left(self, world: "World", *more: str) -> "Given":
        """Begin with a submission that the candidate is to choose about."""
        return side_by_side(world, "offer-accepted", "submission-left-open", *more)

    def test_withdraws_as_the_candidate_chose(self, world: "World") -> None:
        then = self.left(world).when("settle-submission")
        then.then(
            world.event(
                "candidate-withdrew", at=world.later, submission_id="s-2", reason="This one is the one."
            )
        )
        assert then.state.submissions["s-2"].status == "withdrawn"
        self.left(world, "candidate-withdrew").when("settle-submission", submission_id="s-1").then_nothing()

    def test_keeps_it_alive_as_the_candidate_chose(self, world: "World") -> None:
        then = self.left(world).when("settle-submission", choice="keep")
        then.then(world.event("submission-kept", at=world.later, reason="This one is the one."))
        assert list(then.state.live_submissions) == ["s-2"]
        assert not then.state.submissions["s-2"].unsettled
        self.left(world, "submission-kept").when("settle-submission", choice="keep").then_nothing()

    def test_cannot_keep_what_is_over(self, world: "World") -> None:
        given = self.left(world)
        given.when("settle-submission", submission_id="s-1", choice="keep").fails(WrongState, "(placed)")

    def test_does_not_know_other_submissions(self, world: "World") -> None:
        world.given(*OFFERED).when("settle-submission").fails(UnknownReference, "'s-2'")
