"""The relationship itself: opening, owners, pauses, leaving, closing."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from events.envelope import Claim
from events.errors import ClosedEngagement, InvalidCommand, NotAllowed, UnknownReference, WrongState

if TYPE_CHECKING:
    from tests.events.specification import World

SUBMITTED = ("engagement-opened", "application-recorded", "submitted")


class TestOpenEngagement:
    def test_takes_the_person_on_under_the_agency_s_policy(self, world: "World") -> None:
        then = world.given().under(world.starter).when("open-engagement")
        then.then_types(
            "engagement-opened", "obligation-opened", "policy-adopted", "assigned", "obligation-opened"
        )
        assert then.state.policy_digest == world.starter.digest()
        assert then.state.candidate_owner == "recruiter-1"
        assert then.state.stage == "intake"

    def test_needs_no_owner_yet(self, world: "World") -> None:
        world.given().when("open-engagement", owner=None).then_types("engagement-opened", "policy-adopted")

    def test_claims_the_candidate(self, world: "World") -> None:
        """One engagement per person per agency."""
        then = world.given().when("open-engagement")
        assert then.prepared is not None
        claim = Claim(kind="engagement-of-candidate", key="candidate-1")
        assert then.prepared.group.claims == (claim,)
        world.given().when("open-engagement", taken=claim).fails(WrongState, "already")

    def test_says_nothing_twice(self, world: "World") -> None:
        world.given("engagement-opened").when("open-engagement").then_nothing()

    def test_is_for_one_candidate(self, world: "World") -> None:
        world.given("engagement-opened").when("open-engagement", candidate_id="candidate-2").fails(WrongState)

    def test_needs_a_zone_that_exists_and_quotes_no_other(self, world: "World") -> None:
        then = world.given().when("open-engagement", zone="Žofie's home")
        then.fails(InvalidCommand, "Europe/London")
        assert "home" not in str(then.error)


class TestAdoptPolicy:
    def test_is_adopted_once(self, world: "World") -> None:
        world.given("engagement-opened").when("adopt-policy").then(
            world.event("policy-adopted", at=world.later, digest="1" * 64, name="kinder")
        )
        adopted = world.event("policy-adopted", digest="1" * 64)
        world.given("engagement-opened", adopted).when("adopt-policy").then_nothing()


class TestOwners:
    def test_are_assigned_once(self, world: "World") -> None:
        world.given("engagement-opened").when("assign").then(world.event("assigned", at=world.later))
        world.given("engagement-opened", "assigned").when("assign").then_nothing()

    def test_change_by_reassigning_only(self, world: "World") -> None:
        world.given("engagement-opened", "assigned").when("assign", owner="recruiter-3").fails(
            WrongState, "reassign"
        )
        world.given("engagement-opened", "assigned").when("reassign").then(
            world.event("reassigned", at=world.later)
        )

    def test_are_not_reassigned_to_themselves_nor_before_there_is_one(self, world: "World") -> None:
        world.given("engagement-opened", "assigned", "reassigned").when("reassign").then_nothing()
        world.given("engagement-opened").when("reassign").fails(WrongState, "assign owner=recruiter-2")


class TestCompleteIntake:
    def test_opens_matching_once(self, world: "World") -> None:
        then = world.given("engagement-opened").when("complete-intake")
        then.then(world.event("intake-completed", at=world.later))
        assert then.state.stage == "matching"
        world.given("engagement-opened", "intake-completed").when("complete-intake").then_nothing()


class TestPause:
    def test_lasts_until_its_date(self, world: "World") -> None:
        then = world.given("engagement-opened").when("pause")
        then.then(world.event("paused", at=world.later))
        until = then.state.paused_until
        assert until is not None
        assert then.state.posture(until - timedelta(seconds=1)) == "paused"
        assert then.state.posture(until) == "active"

    def test_says_nothing_twice_and_may_be_prolonged(self, world: "World") -> None:
        paused = world.given("engagement-opened", "paused")
        paused.when("pause").then_nothing()
        paused.when("pause", until=world.noon + timedelta(days=30)).then_types("paused")

    def test_ends_in_the_future(self, world: "World") -> None:
        world.given("engagement-opened").when("pause", until=world.noon).fails(InvalidCommand, "future")

    def test_is_never_approved_by_whoever_asks_for_it(self, world: "World") -> None:
        """Who answers for the candidate cannot also be the other one who agrees to a long silence."""
        given = world.given("engagement-opened", "assigned")
        given.when("pause", approved_by="recruiter-1").fails(NotAllowed, "another must approve")
        given.when("pause", approved_by="lead-1").then_types("paused")


class TestResume:
    @pytest.mark.parametrize("asleep", ["paused", "went-dormant"])
    def test_wakes(self, world: "World", asleep: str) -> None:
        then = world.given("engagement-opened", asleep).when("resume")
        then.then(world.event("resumed", at=world.later))
        assert then.state.posture(world.later) == "active"

    def test_has_nothing_to_do_with_the_waking(self, world: "World") -> None:
        world.given("engagement-opened").when("resume").then_nothing()


class TestGoDormant:
    def test_sleeps_once(self, world: "World") -> None:
        then = world.given("engagement-opened").when("go-dormant")
        then.then(world.event("went-dormant", at=world.later))
        assert then.state.posture(world.later) == "dormant"
        world.given("engagement-opened", "went-dormant").when("go-dormant").then_nothing()

    def test_waits_for_what_is_alive(self, world: "World") -> None:
        world.given(*SUBMITTED).when("go-dormant").fails(WrongState, "alive")


class TestWithdraw:
    def test_leaves_one_submission_and_no_other(self, world: "World") -> None:
        other = world.event("submitted", submission_id="s-2", job_order_id="j-2")
        then = world.given(*SUBMITTED, other).when("withdraw")
        then.then(world.event("candidate-withdrew", at=world.later))
        assert list(then.state.live_submissions) == ["s-2"]

    def test_leaves_everything(self, world: "World") -> None:
        then = world.given(*SUBMITTED).when("withdraw", submission_id=None)
        then.then_types("candidate-withdrew", "candidate-withdrew")
        assert [event.submission_id for event in then.events] == ["s-1", None]
        assert then.state.live_submissions == {}
        assert then.state.applications["a-1"].status == "withdrawn"

    def test_says_nothing_twice(self, world: "World") -> None:
        world.given(*SUBMITTED, "candidate-withdrew").when("withdraw").then_nothing()
        gone = world.event("candidate-withdrew", scope="engagement", submission_id=None)
        world.given(*SUBMITTED, gone).when("withdraw", submission_id=None).then_nothing()

    def test_does_not_know_other_submissions(self, world: "World") -> None:
        world.given("engagement-opened").when("withdraw").fails(UnknownReference, "'s-1'")

    def test_stands_whatever_the_client_says_next(self, world: "World") -> None:
        """The candidate's no is not undone by the client's yes."""
        gone = world.given(*SUBMITTED, "candidate-withdrew")
        assert gone.when("record-client-answer").state.live_submissions == {}
        assert gone.when("record-client-answer", answer="no").state.submissions["s-1"].status == "withdrawn"


class TestCloseEngagement:
    def test_ends_it(self, world: "World") -> None:
        then = world.given("engagement-opened").when("close-engagement")
        then.then(world.event("engagement-closed", at=world.later))
        assert then.prepared is not None
        assert then.prepared.group.closes
        assert then.state.stage == "closed"

    def test_waits_for_what_is_alive(self, world: "World") -> None:
        world.given(*SUBMITTED).when("close-engagement").fails(WrongState, "alive")

    def test_lets_the_candidate_go_to_come_back_one_day(self, world: "World") -> None:
        then = world.given("engagement-opened").when("close-engagement")
        assert then.prepared is not None
        assert then.prepared.group.releases == (Claim(kind="engagement-of-candidate", key="candidate-1"),)

    def test_leaves_room_for_late_reports_only(self, world: "World") -> None:
        late = {
            "record-contact",
            "record-attempt",
            "record-message",
            "request-call",
            "record-check",
            "record-client-talk",
            "excuse-obligation",
            "annul-event",
            "record-outreach",
            "refuse-message",
            "stop-outreach",
            "record-bounce",
            "allow-outreach",
        }
        closed = world.given("engagement-opened", "application-recorded", "engagement-closed")
        for name in set(world.commands) - late:
            closed.when(name).fails(ClosedEngagement, "e-1")
        assert {name for name in late if closed.when(name).error is not None} == {
            "annul-event",
            "record-client-talk",
            "excuse-obligation",
        }
        for name in ("annul-event", "record-client-talk", "excuse-obligation"):
            closed.when(name).fails(UnknownReference)
