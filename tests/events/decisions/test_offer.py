"""Offers, and what the candidate said."""

from typing import TYPE_CHECKING

import pytest

from events.errors import UnknownReference, WrongState

if TYPE_CHECKING:
    from tests.events.specification import World

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
