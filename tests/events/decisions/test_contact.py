"""Words exchanged: only people exchange them."""

from typing import TYPE_CHECKING, Any

import pytest

from events.envelope import ENGINE, Actor
from events.errors import (
    InvalidCommand,
    NeedsEvidence,
    NotAllowed,
    UnknownEngagement,
    UnknownReference,
)
from events.policy import Policy

if TYPE_CHECKING:
    from tests.events.specification import World

INTEGRATION = Actor(kind="integration", id="telephony")
CANDIDATE = Actor(kind="candidate", id="candidate-1")


class TestRecordContact:
    def test_is_recorded(self, world: "World") -> None:
        world.given("engagement-opened").when("record-contact").then(
            world.event("contact-made", at=world.later)
        )

    def test_is_recorded_at_the_time_it_is_said_to_have_happened(self, world: "World") -> None:
        world.given("engagement-opened").when("record-contact", at=world.noon).then(
            world.event("contact-made", at=world.noon)
        )

    def test_is_recorded_once_for_each_contact_id(self, world: "World") -> None:
        world.given("engagement-opened", "contact-made").when("record-contact").then_nothing()

    def test_is_another_contact_under_an_id_of_its_own(self, world: "World") -> None:
        given = world.given("engagement-opened", "contact-made")
        (made,) = given.when("record-contact", contact_id=None).events
        assert made.contact_id not in ("contact-1", None)

    @pytest.mark.parametrize("evidence", ["asserted", "system", "candidate-confirmed"])
    def test_keeps_the_evidence_as_it_was_given(self, world: "World", evidence: str) -> None:
        """Who gives the command proves nothing."""
        given = world.given("engagement-opened")
        (made,) = given.when("record-contact", actor=CANDIDATE, by="recruiter-1", evidence=evidence).events
        assert (made.evidence, made.evidence_ref) == (evidence, "call-1")

    def test_is_confirmed_by_the_candidate_only_with_what_shows_it(self, world: "World") -> None:
        given = world.given("engagement-opened")
        for actor in (CANDIDATE, INTEGRATION):
            given.when(
                "record-contact",
                actor=actor,
                by="recruiter-1",
                evidence="candidate-confirmed",
                evidence_ref=None,
            ).fails(NeedsEvidence, "evidence_ref=")
        given.when("record-contact", evidence="system", evidence_ref=None).then_types("contact-made")

    @pytest.mark.parametrize(
        ("name", "kind"), [("record-contact", "contact-made"), ("record-attempt", "attempt-made")]
    )
    def test_names_what_it_is_about_by_kind_and_id(self, world: "World", name: str, kind: str) -> None:
        given = world.given("engagement-opened", "application-recorded", "candidate-wrote")
        (made,) = given.when(name, about=("m-1", "application:a-1")).events
        assert made.type == kind
        assert made.about == ("message:m-1", "application:a-1")
        given.when(name, about=("s-1",)).fails(UnknownReference, "'s-1'", "rapport show")

    @pytest.mark.parametrize(("direction", "kept"), [("inbound", "inbound"), (None, "unknown")])
    def test_tells_who_began_if_anybody_knows(self, world: "World", direction: str | None, kept: str) -> None:
        changes: dict[str, Any] = {} if direction is None else {"direction": direction}
        (made,) = world.given("engagement-opened").when("record-contact", **changes).events
        assert made.direction == kept

    def test_is_never_the_engine_s_own(self, world: "World") -> None:
        """An automated message never resets the clock."""
        world.given("engagement-opened").when("record-contact", actor=ENGINE, by="recruiter-1").fails(
            NotAllowed, "automated message"
        )

    def test_names_the_person_who_talked(self, world: "World") -> None:
        world.given("engagement-opened").when("record-contact", actor=INTEGRATION).fails(
            InvalidCommand, "by=PERSON"
        )

    def test_is_taken_late_by_a_closed_engagement(self, world: "World") -> None:
        given = world.given("engagement-opened", "engagement-closed")
        given.when("record-contact").then_types("contact-made")


class TestACheckIn:
    PLACED = ("engagement-opened", "submitted", "offer-extended", "offer-accepted", "placement-started")

    @pytest.mark.parametrize("about", [(), ("placement:s-1",), ("submission:s-1",), ("message:m-1",)])
    def test_that_finds_somebody_unhappy_is_a_concern(self, world: "World", about: tuple[str, ...]) -> None:
        """Whether a person likes the job is asked so that somebody acts on the answer."""
        given = world.given(*self.PLACED, "candidate-wrote")
        then = given.when("record-contact", purpose="check-in", likes="no", about=about)
        then.then_types("contact-made", "concern-raised")
        assert (then.events[1].placement_id, then.events[1].raised_by) == ("s-1", "candidate")
        assert then.events[0].likes == "no"
        assert {"placement:s-1", "submission:s-1"} & set(then.events[0].about)

    @pytest.mark.parametrize(
        "changes",
        [
            {"purpose": "check-in", "likes": "partly"},
            {"purpose": "check-in", "likes": "yes", "sentiment": "bad"},
            {"purpose": "talk", "sentiment": "bad"},
        ],
    )
    def test_is_none_otherwise(self, world: "World", changes: dict[str, Any]) -> None:
        world.given(*self.PLACED).when("record-contact", **changes).then_types("contact-made")

    @pytest.mark.parametrize("last", ["placement-ended", "engagement-closed"])
    def test_is_none_when_all_is_over(self, world: "World", last: str) -> None:
        given = world.given(*self.PLACED, last)
        given.when("record-contact", purpose="check-in", likes="no").then_types("contact-made")

    def test_says_whether_they_like_it(self, world: "World") -> None:
        """Somebody asks whether they like it: without the answer it was another talk."""
        given = world.given(*self.PLACED)
        given.when("record-contact", purpose="check-in").fails(InvalidCommand, "likes=yes")
        given.when("record-contact", also=("check-in",)).fails(InvalidCommand, "likes=yes")
        given.when("record-contact", also=("check-in",), likes="yes").then_types("contact-made")

    def test_is_of_the_placement_it_names_where_there_are_two(self, world: "World") -> None:
        accepted = world.event("offer-accepted", offer_id="o-2", submission_id="s-2", placement_id="s-2")
        given = world.given(*self.PLACED, accepted)
        changes: dict[str, Any] = {"purpose": "check-in", "likes": "no"}
        one = given.when("record-contact", **changes, about=("placement:s-2",))
        assert [each.placement_id for each in one.events[1:]] == ["s-2"]
        both = given.when("record-contact", **changes)
        assert [each.placement_id for each in both.events[1:]] == ["s-1", "s-2"]

    def test_takes_its_concern_along_when_it_is_annulled(self, world: "World") -> None:
        life = world.life(Policy(name="none"))
        life.do("open-engagement", world.noon)
        life.do("record-submission", world.noon, application_id=None)
        life.do("record-offer", world.noon)
        life.do("accept-offer", world.noon)
        life.do("raise-concern", world.noon)
        life.do("record-contact", world.noon, purpose="check-in", likes="no")
        annulled = life.do("annul-event", world.later, event_id=life.id_of("contact-made"))
        assert [each.annulled_type for each in annulled] == ["contact-made", "concern-raised"]
        assert annulled[1].event_id == life.id_of("concern-raised")


class TestRecordAttempt:
    def test_is_recorded_and_is_no_conversation(self, world: "World") -> None:
        then = world.given("engagement-opened").when("record-attempt")
        then.then(world.event("attempt-made", at=world.later))
        assert then.state.conversations == 0
        assert then.state.attempts_since_contact == 1

    def test_is_recorded_once_for_each_attempt_id(self, world: "World") -> None:
        world.given("engagement-opened", "attempt-made").when("record-attempt").then_nothing()

    def test_shares_no_id_with_a_conversation(self, world: "World") -> None:
        given = world.given("engagement-opened", "contact-made", "attempt-made")
        given.when("record-attempt", attempt_id="contact-1").then_nothing()
        given.when("record-contact", contact_id="attempt-1").then_nothing()

    def test_is_never_the_engine_s_own(self, world: "World") -> None:
        world.given("engagement-opened").when("record-attempt", actor=ENGINE, by="recruiter-1").fails(
            NotAllowed
        )

    def test_puts_the_engagement_in_waiting_when_there_are_enough(self, world: "World") -> None:
        tries = [world.event("attempt-made", attempt_id=f"attempt-{number}") for number in "123"]
        state = world.given("engagement-opened", *tries).state
        assert state.posture(world.later) == "waiting on candidate"
        talked = world.given("engagement-opened", *tries, "contact-made").state
        assert talked.posture(world.later) == "active"


class TestCandidateSpeaks:
    @pytest.mark.parametrize(
        ("name", "kind"), [("record-message", "candidate-wrote"), ("request-call", "call-requested")]
    )
    def test_is_recorded_once_for_each_message_id(self, world: "World", name: str, kind: str) -> None:
        world.given("engagement-opened").when(name).then(world.event(kind, at=world.later))
        world.given("engagement-opened", kind).when(name).then_nothing()

    def test_gives_a_message_without_an_id_one_of_its_own(self, world: "World") -> None:
        given = world.given("engagement-opened")
        (one,) = given.when("record-message", message_id=None).events
        (again,) = given.when("record-message", message_id=None).events
        (other,) = given.when("record-message", message_id=None, command_id="command-2").events
        assert one.message_id == again.message_id != other.message_id

    def test_words_that_come_after_the_end_are_kept(self, world: "World") -> None:
        closed = world.given("engagement-opened", "engagement-closed")
        closed.when("record-message").then_types("candidate-wrote")
        closed.when("request-call").then_types("call-requested")

    def test_waits_on_the_agency_until_somebody_answers(self, world: "World") -> None:
        life = world.life()
        life.do("open-engagement", world.noon)
        assert life.state.posture(world.noon) == "active"
        life.do("record-message", world.noon)
        assert life.state.posture(world.later) == "waiting on agency"
        life.do("record-contact", world.later)
        assert life.state.posture(world.later) == "active"

    def test_wakes_a_sleeping_engagement(self, world: "World") -> None:
        then = world.given("engagement-opened", "went-dormant").when("record-message")
        assert not then.state.dormant


class TestEveryCommand:
    def test_needs_an_engagement(self, world: "World") -> None:
        for name in set(world.commands) - {"open-engagement"}:
            world.given().when(name).fails(UnknownEngagement, "open-engagement")

    def test_repeated_under_its_own_id_adds_nothing(self, world: "World") -> None:
        given = world.given("engagement-opened", "contact-made")
        given.when("record-contact", contact_id=None, command_id="given-2").then_nothing()

    def test_happens_not_in_the_future(self, world: "World") -> None:
        world.given("engagement-opened").when("record-contact", now=world.noon, at=world.later).fails(
            InvalidCommand, "future"
        )


class TestStopOutreach:
    def test_is_recorded_once(self, world: "World") -> None:
        given = world.given("engagement-opened")
        then = given.when("stop-outreach")
        then.then_types("outreach-stopped")
        assert then.state.outreach_stopped
        world.given("engagement-opened", "outreach-stopped").when("stop-outreach").then_nothing()

    def test_holds_until_the_candidate_says_otherwise(self, world: "World") -> None:
        then = world.given("engagement-opened", "outreach-stopped").when("allow-outreach")
        then.then_types("outreach-allowed")
        assert not then.state.outreach_stopped

    def test_is_taken_back_by_no_machine_of_ours(self, world: "World") -> None:
        given = world.given("engagement-opened", "outreach-stopped")
        given.when("allow-outreach", actor=ENGINE).fails(NotAllowed, "only a person")

    def test_is_heard_after_the_end(self, world: "World") -> None:
        world.given("engagement-opened", "engagement-closed").when("stop-outreach").then_types(
            "outreach-stopped"
        )

    def test_keeps_no_promise_and_opens_none(self, world: "World") -> None:
        """Asking for quiet is no question, and a bounce no answer."""
        life = world.life()
        life.do("open-engagement", world.noon)
        before = life.state.obligations
        life.do("stop-outreach", world.later)
        life.do("record-bounce", world.later)
        assert life.state.obligations.keys() == before.keys()


class TestRecordBounce:
    def test_is_recorded_each_time(self, world: "World") -> None:
        """A second one is news: the address is still wrong."""
        world.given("engagement-opened", "outreach-bounced").when("record-bounce").then_types(
            "outreach-bounced"
        )
