"""From a proposed job to the client's answer; the candidate decides where their name goes."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from events.envelope import Actor, Claim
from events.errors import InvalidCommand, NeedsEvidence, NotAllowed, UnknownReference, WrongState
from events.obligations import owner_of

if TYPE_CHECKING:
    from tests.events.specification import World

PERSON = Actor(kind="person", id="recruiter-1")
CANDIDATE = Actor(kind="candidate", id="candidate-1")
KNOWN = ("engagement-opened", "application-recorded", "known")
READY = (*KNOWN, "job-proposed", "proposal-answered", "right-to-represent-granted")
ON_JOB = Claim(kind="live-submission", key="j-1:candidate-1")


class TestProposeJob:
    def test_puts_the_job_to_the_candidate(self, world: "World") -> None:
        world.given(*KNOWN).under(world.starter).when("propose-job").then(
            world.event("job-proposed", at=world.later)
        )

    @pytest.mark.parametrize(
        "missing",
        ["contact-made", "intake-completed", "recruiter-introduced", "facet-learnt", "profile-confirmed"],
    )
    def test_is_refused_before_they_know_each_other(self, world: "World", missing: str) -> None:
        told = [each for each in world.known if each.model_dump()["type"] != missing]
        then = world.given("engagement-opened", *told).under(world.starter).when("propose-job")
        then.refused_by("know-each-other-first")
        (refused,) = then.events
        assert refused.says
        assert refused.remedy
        assert refused.job_order_id == "j-1"
        assert "A team to lead." in refused.content

    def test_is_refused_while_the_candidate_wants_quiet(self, world: "World") -> None:
        world.given(*KNOWN, "paused").under(world.starter).when("propose-job").refused_by("not-while-paused")

    def test_says_nothing_twice_even_where_a_gate_is_shut_by_now(self, world: "World") -> None:
        world.given(*KNOWN, "job-proposed", "paused").under(world.starter).when("propose-job").then_nothing()

    def test_may_be_tried_again_after_an_answer(self, world: "World") -> None:
        given = world.given(*KNOWN, "job-proposed", world.event("proposal-answered", answer="no"))
        given.when("propose-job").then_types("job-proposed")

    @pytest.mark.parametrize("mode", ["observe", "remind"])
    def test_passes_with_a_note_where_the_gate_only_looks_on(self, world: "World", mode: str) -> None:
        gates = tuple(gate.model_copy(update={"mode": mode}) for gate in world.starter.gates)
        policy = world.starter.model_copy(update={"gates": gates})
        then = world.given("engagement-opened").under(policy).when("propose-job")
        then.then_types("gate-bypassed", "job-proposed")
        assert (then.events[0].gate, then.events[0].why) == ("know-each-other-first", "mode")


class TestAFloorUnderTheFit:
    def under(self, world: "World") -> Any:
        """Give a policy whose one gate withholds what does not suit the person."""
        gate = world.starter.gates[0].model_copy(
            update={"id": "good-enough-fit", "guards": ("propose-job",), "needs": {"floor": 60}}
        )
        return world.starter.model_copy(update={"gates": (gate,), "obligations": ()})

    def test_withholds_a_proposal_and_never_a_person(self, world: "World") -> None:
        given = world.given(*KNOWN).under(self.under(world))
        given.when("propose-job", fit=59).refused_by("good-enough-fit")
        given.when("propose-job", fit=None).refused_by("good-enough-fit")
        given.when("propose-job", fit=60).then_types("job-proposed")

    def test_is_overridden_by_a_named_person_with_a_reason(self, world: "World") -> None:
        given = world.given(*KNOWN).under(self.under(world))
        changes: dict[str, Any] = {"override_by": "lead-1", "override_reason": "She asked for this one."}
        then = given.when("propose-job", fit=30, **changes)
        then.then(world.event("job-proposed", at=world.later, fit=30, **changes))
        assert then.state.proposals["j-1"].overridden

    @pytest.mark.parametrize("name", ["propose-job", "record-proposal"])
    @pytest.mark.parametrize("half", [{"override_by": "lead-1"}, {"override_reason": "She asked."}])
    def test_is_not_overridden_by_half(self, world: "World", name: str, half: dict[str, Any]) -> None:
        world.given(*KNOWN).when(name, **half).fails(InvalidCommand, "override_by and override_reason")

    @pytest.mark.parametrize("kind", ["integration", "client", "candidate"])
    def test_is_overridden_by_no_machine_and_no_stranger(self, world: "World", kind: Any) -> None:
        changes: dict[str, Any] = {
            "actor": Actor(kind=kind, id="x-1"),
            "by": "recruiter-1",
            "override_by": "lead-1",
            "override_reason": "It wins.",
        }
        world.given(*KNOWN).when("propose-job", **changes).fails(NotAllowed, "only a person")
        world.given(*KNOWN).when("record-proposal", **changes).then_types("job-proposed")


class TestRecordProposal:
    def test_is_never_refused(self, world: "World") -> None:
        """It has happened; what it passed by stands beside it."""
        then = world.given("engagement-opened").under(world.starter).when("record-proposal")
        then.then_types("gate-bypassed", "job-proposed")
        assert (then.events[0].gate, then.events[0].why) == ("know-each-other-first", "report")


class TestAnswerProposal:
    def test_is_recorded_once_and_may_change(self, world: "World") -> None:
        proposed = world.given(*KNOWN, "job-proposed")
        proposed.when("answer-proposal").then(world.event("proposal-answered", at=world.later))
        answered = world.given(*KNOWN, "job-proposed", "proposal-answered")
        answered.when("answer-proposal").then_nothing()
        answered.when("answer-proposal", answer="no").then_types("proposal-answered")

    def test_needs_a_proposal(self, world: "World") -> None:
        world.given("engagement-opened").when("answer-proposal").fails(UnknownReference, "'j-1'")


class TestGrantRightToRepresent:
    def test_comes_with_evidence(self, world: "World") -> None:
        world.given(*KNOWN, "job-proposed").when("grant-right-to-represent").then(
            world.event("right-to-represent-granted", at=world.later)
        )

    @pytest.mark.parametrize("actor", [PERSON, CANDIDATE], ids=lambda actor: str(actor.kind))
    @pytest.mark.parametrize(
        "changes",
        [{"evidence": "asserted"}, {"evidence_ref": None}, {"evidence": "system", "evidence_ref": None}],
    )
    def test_is_never_just_typed_in(self, world: "World", changes: dict[str, Any], actor: Actor) -> None:
        """Whoever acts: a candidate's own door brings the proof that it was them."""
        world.given(*KNOWN, "job-proposed").when("grant-right-to-represent", actor=actor, **changes).fails(
            NeedsEvidence, "evidence_ref"
        )

    @pytest.mark.parametrize("evidence", ["system", "candidate-confirmed"])
    @pytest.mark.parametrize("actor", [PERSON, CANDIDATE], ids=lambda actor: str(actor.kind))
    def test_keeps_the_evidence_as_it_was_given(self, world: "World", evidence: str, actor: Actor) -> None:
        given = world.given(*KNOWN, "job-proposed")
        (granted,) = given.when("grant-right-to-represent", actor=actor, evidence=evidence).events
        assert (granted.evidence, granted.evidence_ref) == (evidence, "m-1")

    def test_is_for_a_job_the_candidate_has_heard_of(self, world: "World") -> None:
        world.given("engagement-opened").when("grant-right-to-represent").fails(UnknownReference, "'j-1'")
        world.given("engagement-opened", "application-recorded").when("grant-right-to-represent").then_types(
            "right-to-represent-granted"
        )

    def test_says_nothing_twice_and_may_be_renewed(self, world: "World") -> None:
        world.given(*READY).when("grant-right-to-represent").then_nothing()
        world.given(*READY).when("grant-right-to-represent", expires_at=None).then_types(
            "right-to-represent-granted"
        )
        world.given(*READY, "right-to-represent-revoked").when("grant-right-to-represent").then_types(
            "right-to-represent-granted"
        )

    @pytest.mark.parametrize(
        "changes",
        [{"exclusive": False}, {"evidence_ref": "m-2"}, {"evidence_ref": "m-2", "pay": "55,000 a year"}],
    )
    def test_is_another_agreement_with_other_terms_or_other_evidence(
        self, world: "World", changes: dict[str, Any]
    ) -> None:
        """What it says is sealed, so that only its evidence tells one agreement from the next."""
        then = world.given(*READY).when("grant-right-to-represent", **changes)
        then.then(world.event("right-to-represent-granted", at=world.later, **changes))
        assert then.state.rights["j-1"].exclusive is changes.get("exclusive", True)


class TestRevokeRightToRepresent:
    def test_takes_it_back_once(self, world: "World") -> None:
        world.given(*READY).when("revoke-right-to-represent").then(
            world.event("right-to-represent-revoked", at=world.later, submission_id=None)
        )
        world.given(*READY, "right-to-represent-revoked").when("revoke-right-to-represent").then_nothing()

    def test_needs_one(self, world: "World") -> None:
        world.given(*KNOWN).when("revoke-right-to-represent").fails(UnknownReference, "'j-1'")

    def test_names_the_submission_whose_client_must_be_told(self, world: "World") -> None:
        world.given(*READY, "submitted").when("revoke-right-to-represent").then(
            world.event("right-to-represent-revoked", at=world.later)
        )
        gone = world.given(*READY, "submitted", "candidate-withdrew").when("revoke-right-to-represent")
        assert gone.events[0].submission_id is None

    def test_leaves_the_submission_to_the_client_s_answer(self, world: "World") -> None:
        then = world.given(*READY, "submitted").when("revoke-right-to-represent")
        assert list(then.state.live_submissions) == ["s-1"]
        assert then.state.rights["j-1"].revoked


class TestSubmit:
    def test_presents_the_candidate(self, world: "World") -> None:
        then = world.given(*READY).under(world.gates).when("submit")
        then.then(world.event("submitted", at=world.later))
        assert then.state.stage == "submission"
        assert then.prepared is not None
        assert then.prepared.group.claims == (ON_JOB,)

    def test_is_refused_without_the_right_to_represent(self, world: "World") -> None:
        """The candidate alone decides where their name goes."""
        world.given(*READY[:-1]).under(world.starter).when("submit").refused_by("right-to-represent")
        world.given(*READY, "right-to-represent-revoked").under(world.starter).when("submit").refused_by(
            "right-to-represent"
        )

    def test_is_refused_when_the_right_has_expired(self, world: "World") -> None:
        given = world.given(*READY).under(world.gates)
        expires = world.noon + timedelta(days=90)
        given.when("submit", now=expires - timedelta(seconds=1)).then_types("submitted")
        given.when("submit", now=expires).refused_by("right-to-represent")

    def test_is_refused_while_a_submission_for_the_job_is_alive(self, world: "World") -> None:
        alive = world.given(*READY, "submitted").under(world.gates)
        alive.when("submit", submission_id="s-2").refused_by("no-double-submission")
        rejected = world.event("client-answered", answer="no")
        gone = world.given(*READY, "submitted", rejected).under(world.gates)
        gone.when("submit", submission_id="s-2").then_types("submitted")

    def test_is_refused_when_another_engagement_holds_the_job(self, world: "World") -> None:
        given = world.given(*READY).under(world.gates)
        given.when("submit", taken=ON_JOB).refused_by("no-double-submission")
        reported = given.when("record-submission", taken=ON_JOB)
        reported.then_types("gate-bypassed", "submitted")
        assert reported.prepared is not None
        assert reported.prepared.group.claims == ()

    def test_says_nothing_twice(self, world: "World") -> None:
        world.given(*READY, "submitted").under(world.gates).when("submit").then_nothing()

    def test_runs_side_by_side_with_others(self, world: "World") -> None:
        right = world.event("right-to-represent-granted", job_order_id="j-2")
        given = world.given(*READY, "submitted", "job-proposed", right).under(world.gates)
        then = given.when("submit", submission_id="s-2", job_order_id="j-2")
        then.then_types("submitted")
        assert list(then.state.live_submissions) == ["s-1", "s-2"]

    def test_is_a_mistake_under_the_id_of_one_for_another_job(self, world: "World") -> None:
        world.given(*READY, "submitted").when("submit", job_order_id="j-2").fails(
            WrongState, "'s-1'", "'j-1'"
        )

    def test_does_not_know_other_applications(self, world: "World") -> None:
        """A caller's mistake is one, whatever the gates would have said."""
        world.given("engagement-opened").under(world.starter).when("submit").fails(UnknownReference, "'a-1'")

    def test_takes_the_job_order_s_owner_from_the_proposal(self, world: "World") -> None:
        (submitted,) = world.given(*READY).when("submit").events
        assert submitted.job_order_owner == "recruiter-9"


class TestRecordSubmission:
    def test_is_never_refused(self, world: "World") -> None:
        then = world.given(*KNOWN).under(world.gates).when("record-submission")
        then.then_types("gate-bypassed", "submitted")
        assert then.events[0].gate == "right-to-represent"
        assert then.events[1].right_to_represent == "unknown"


class TestRecordClientAnswer:
    def test_says_no_to_one_submission_only(self, world: "World") -> None:
        other = world.event("submitted", submission_id="s-2", job_order_id="j-2")
        then = world.given(*READY, "submitted", other).when("record-client-answer", answer="no")
        then.then_types("client-answered")
        assert list(then.state.live_submissions) == ["s-2"]
        assert then.prepared is not None
        assert then.prepared.group.releases == (ON_JOB,)

    def test_says_nothing_twice_and_may_change(self, world: "World") -> None:
        answered = world.given(*READY, "submitted", "client-answered")
        answered.when("record-client-answer").then_nothing()
        answered.when("record-client-answer", answer="no").then_types("client-answered")

    def test_does_not_know_other_submissions(self, world: "World") -> None:
        world.given("engagement-opened").when("record-client-answer").fails(UnknownReference, "'s-1'")

    def test_keeps_the_reason_s_code(self, world: "World") -> None:
        given = world.given(*READY, "submitted")
        (told,) = given.when("record-client-answer", answer="no", reason_code="duplicate").events
        assert told.reason_code == "duplicate"
        (told,) = given.when("record-client-answer", answer="no", reason_code="unspecified").events
        assert told.reason_code == "unspecified"


class TestAPositionOnHold:
    def test_is_told_once_to_every_submission_alive_on_it(self, world: "World") -> None:
        other = world.event("submitted", submission_id="s-2", job_order_id="j-2")
        then = world.given(*READY, "submitted", other).when("record-position-held")
        then.then(world.event("position-held", at=world.later))
        assert then.state.submissions["s-1"].held
        assert list(then.state.live_submissions) == ["s-1", "s-2"]
        world.given(*READY, "submitted", "position-held").when("record-position-held").then_nothing()
        world.given(*READY).when("record-position-held").then_nothing()

    def test_goes_on_once_and_only_where_it_was_held(self, world: "World") -> None:
        held = (*READY, "submitted", "position-held")
        then = world.given(*held).when("record-position-resumed")
        then.then(world.event("position-resumed", at=world.later))
        assert not then.state.submissions["s-1"].held
        world.given(*held, "position-resumed").when("record-position-resumed").then_nothing()
        world.given(*READY, "submitted").when("record-position-resumed").then_nothing()
        world.given(*held, "candidate-withdrew").when("record-position-resumed").then_nothing()


class TestRecordPositionOwner:
    def test_puts_whoever_follows_in_the_place_of_the_previous_one(self, world: "World") -> None:
        other = world.event("submitted", submission_id="s-2", job_order_id="j-2")
        then = world.given(*READY, "submitted", other).when("record-position-owner")
        then.then(world.event("position-owner-changed", at=world.later))
        owners = {key: each.job_order_owner for key, each in then.state.submissions.items()}
        assert owners == {"s-1": "recruiter-4", "s-2": "recruiter-9"}
        assert then.state.proposals["j-1"].job_order_owner == "recruiter-4"

    def test_says_nothing_where_none_of_the_previous_ones_answered(self, world: "World") -> None:
        given = world.given(*READY, "submitted")
        given.when("record-position-owner", previous=("recruiter-8",)).then_nothing()
        given.when("record-position-owner", job_order_id="j-9").then_nothing()
        given.when("record-position-owner", owner="recruiter-9").then_nothing()
        world.given(*READY, "submitted", "position-owner-changed").when(
            "record-position-owner"
        ).then_nothing()

    def test_lets_what_is_owed_climb_to_the_new_one_and_moves_no_due_time(self, world: "World") -> None:
        """A promise does not leave with the person who made it, and no clock starts again."""
        owed = world.event("obligation-opened", owner_role="job-order-owner", subject="submission:s-1")
        then = world.given(*READY, "submitted", owed).under(world.starter).when("record-position-owner")
        then.then(world.event("position-owner-changed", at=world.later))
        [promise] = then.state.obligations.values()
        assert (owner_of(then.state, promise), promise.due_at) == ("recruiter-4", owed.due_at)


class TestRecordPositionFilled:
    def test_ends_every_submission_that_is_alive_on_the_job(self, world: "World") -> None:
        other = world.event("submitted", submission_id="s-2", job_order_id="j-2")
        then = world.given(*READY, "submitted", other).when("record-position-filled")
        then.then(world.event("position-filled", at=world.later))
        assert list(then.state.live_submissions) == ["s-2"]

    def test_has_nothing_to_do_where_none_is(self, world: "World") -> None:
        world.given(*READY).when("record-position-filled").then_nothing()
