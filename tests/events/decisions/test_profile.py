"""Knowing the person: introduction, facets, playback, confirmation, and honest waiting."""

from typing import TYPE_CHECKING, Any

import pytest

from events.envelope import ENGINE, Actor
from events.errors import InvalidCommand, NeedsEvidence, NotAllowed, UnknownReference, WrongState

if TYPE_CHECKING:
    from tests.events.specification import World

CANDIDATE = Actor(kind="candidate", id="candidate-1")
OWNED = ("engagement-opened", "assigned")
TALKED = ("engagement-opened", "contact-made")
KNOWN = (*TALKED, "facet-learnt")
HEARD = (*KNOWN, "profile-played-back")


class TestIntroduceRecruiter:
    def test_names_the_owner_where_nobody_else_is_named(self, world: "World") -> None:
        then = world.given(*OWNED).when("introduce-recruiter")
        then.then(world.event("recruiter-introduced", at=world.later))
        assert then.state.introduced == ("recruiter-1",)

    def test_says_nothing_twice_until_somebody_else_is_introduced(self, world: "World") -> None:
        known = (*OWNED, "recruiter-introduced")
        world.given(*known).when("introduce-recruiter").then_nothing()
        other = world.given(*known).when("introduce-recruiter", recruiter="recruiter-2")
        other.then_types("recruiter-introduced")
        assert other.state.introduced == ("recruiter-1", "recruiter-2")
        handed = world.event("reassigned", owner="recruiter-2")
        back = world.event("reassigned", owner="recruiter-1", previous="recruiter-2")
        again = world.given(*known, handed, back).when("introduce-recruiter")
        again.then_types("recruiter-introduced")
        assert not again.state.introduction_owed

    def test_may_be_told_by_the_candidate_who_says_by_whom(self, world: "World") -> None:
        """Nothing that a machine tells is made a person's act."""
        given = world.given(*OWNED)
        given.when("introduce-recruiter", actor=CANDIDATE).fails(InvalidCommand, "by=PERSON")
        then = given.when("introduce-recruiter", actor=CANDIDATE, by="recruiter-1")
        assert [(each.recruiter, each.by) for each in then.events] == [("recruiter-1", "recruiter-1")]

    def test_may_be_part_of_a_talk(self, world: "World") -> None:
        then = world.given(*OWNED).when("record-contact", also=("introduction",))
        assert (then.state.introduced, then.state.introduction_owed) == (("recruiter-1",), False)

    def test_is_nothing_that_a_machine_can_do(self, world: "World") -> None:
        world.given(*OWNED).when("introduce-recruiter", actor=ENGINE).fails(NotAllowed, "only a person")

    def test_needs_somebody_to_introduce(self, world: "World") -> None:
        world.given("engagement-opened").when("introduce-recruiter").fails(WrongState, "recruiter=PERSON")


class TestRecordFacet:
    def test_is_learnt_in_a_conversation(self, world: "World") -> None:
        then = world.given(*TALKED).when("record-facet")
        then.then(world.event("facet-learnt", at=world.later))
        assert then.state.facets["facet-1"].contact_id == "contact-1"

    def test_comes_from_the_last_conversation_where_none_is_named(self, world: "World") -> None:
        """An attempt is no conversation: nothing is learnt from a voicemail."""
        given = world.given(
            *TALKED, world.event("contact-made", contact_id="contact-2"), world.event("attempt-made")
        )
        (learnt,) = given.when("record-facet", contact_id=None).events
        assert learnt.contact_id == "contact-2"

    @pytest.mark.parametrize("events", [(), ("attempt-made",), ("candidate-wrote",)])
    def test_needs_somebody_to_have_talked(self, world: "World", events: tuple[str, ...]) -> None:
        given = world.given("engagement-opened", *events)
        given.when("record-facet", contact_id=None).fails(WrongState, "record-contact first")

    @pytest.mark.parametrize("contact_id", ["contact-9", "attempt-1"])
    def test_does_not_know_other_conversations(self, world: "World", contact_id: str) -> None:
        given = world.given(*TALKED, "attempt-made")
        given.when("record-facet", contact_id=contact_id).fails(UnknownReference, contact_id)

    def test_does_not_expire_before_it_is_learnt(self, world: "World") -> None:
        given = world.given(*TALKED)
        given.when("record-facet", expires_at=world.later).fails(InvalidCommand, "expires_at")
        given.when("record-facet", expires_at=world.later, at=world.noon).then_types("facet-learnt")

    def test_replaces_what_it_said_before_and_is_confirmed_anew(self, world: "World") -> None:
        then = world.given(*HEARD, "profile-confirmed").when("record-facet", facet="motive")
        facet = then.state.facets["facet-1"]
        assert (facet.facet, facet.played_back, facet.confirmed) == ("motive", False, False)

    def test_has_an_id_of_its_own_where_none_is_given(self, world: "World") -> None:
        then = world.given(*TALKED).when("record-facet", facet_id=None)
        again = world.given(*TALKED).when("record-facet", facet_id=None, command_id="command-2")
        assert then.events[0].facet_id != again.events[0].facet_id


class TestRetireFacet:
    def test_forgets_it(self, world: "World") -> None:
        then = world.given(*KNOWN).when("retire-facet")
        then.then(world.event("facet-retired", at=world.later))
        assert then.state.facets == {}

    def test_does_not_know_others(self, world: "World") -> None:
        world.given(*TALKED).when("retire-facet").fails(UnknownReference, "'facet-1'")
        world.given(*KNOWN, "facet-retired").when("retire-facet").fails(UnknownReference, "'facet-1'")


class TestPlayBackProfile:
    def test_is_of_everything_where_nothing_is_named(self, world: "World") -> None:
        more = world.event("facet-learnt", facet_id="facet-2")
        then = world.given(*KNOWN, more).when("play-back-profile", facets=())
        then.then(
            world.event("profile-played-back", at=world.later, facets=("facet-1", "facet-2")),
        )
        assert all(each.played_back for each in then.state.facets.values())

    def test_says_nothing_twice(self, world: "World") -> None:
        world.given(*HEARD).when("play-back-profile").then_nothing()
        more = world.event("facet-learnt", facet_id="facet-2")
        world.given(*HEARD, more).when("play-back-profile", facets=()).then_types("profile-played-back")

    def test_is_nothing_that_a_machine_can_do(self, world: "World") -> None:
        world.given(*KNOWN).when("play-back-profile", actor=ENGINE).fails(NotAllowed, "is this you?")

    def test_needs_something_to_be_known(self, world: "World") -> None:
        world.given(*TALKED).when("play-back-profile", facets=()).fails(WrongState, "record-facet first")

    def test_does_not_know_other_facets(self, world: "World") -> None:
        world.given(*TALKED).when("play-back-profile").fails(UnknownReference, "'facet-1'")


class TestConfirmProfile:
    def test_is_of_all_that_was_played_back(self, world: "World") -> None:
        unheard = world.event("facet-learnt", facet_id="facet-2")
        then = world.given(*HEARD, unheard).when("confirm-profile", facets=())
        then.then(world.event("profile-confirmed", at=world.later))
        assert {key: each.confirmed for key, each in then.state.facets.items()} == {
            "facet-1": True,
            "facet-2": False,
        }

    def test_says_nothing_twice(self, world: "World") -> None:
        world.given(*HEARD, "profile-confirmed").when("confirm-profile").then_nothing()

    def test_is_the_candidate_s_word_and_no_machine_s(self, world: "World") -> None:
        world.given(*HEARD).when("confirm-profile", actor=ENGINE).fails(NotAllowed, "only the candidate")
        world.given(*HEARD).when("confirm-profile", actor=CANDIDATE).then_types("profile-confirmed")

    @pytest.mark.parametrize("facets", [(), ("facet-1",)])
    def test_needs_to_have_been_heard(self, world: "World", facets: tuple[str, ...]) -> None:
        world.given(*KNOWN).when("confirm-profile", facets=facets).fails(WrongState, "play-back-profile")

    def test_needs_evidence_where_it_claims_the_candidate_wrote_it(self, world: "World") -> None:
        given = world.given(*HEARD)
        given.when("confirm-profile", evidence_ref=None).fails(NeedsEvidence, "evidence_ref=ID")
        given.when("confirm-profile", evidence="asserted", evidence_ref=None).then_types("profile-confirmed")

    def test_does_not_know_other_facets(self, world: "World") -> None:
        world.given(*HEARD).when("confirm-profile", facets=("facet-9",)).fails(UnknownReference, "'facet-9'")


class TestRecordNoMatch:
    def test_is_recorded_once_for_each_id(self, world: "World") -> None:
        then = world.given("engagement-opened").when("record-no-match")
        then.then(world.event("no-match-yet", at=world.later))
        world.given("engagement-opened", "no-match-yet").when("record-no-match").then_nothing()

    def test_is_a_word_of_its_own_under_another_id(self, world: "World") -> None:
        given = world.given("engagement-opened", "no-match-yet")
        then = given.when("record-no-match", no_match_id=None)
        then.then_types("no-match-yet")
        assert len(then.state.no_matches) == 2

    def test_waits_for_what_lies_ahead(self, world: "World") -> None:
        given = world.given("engagement-opened")
        given.when("record-no-match", expected_by=world.later).fails(InvalidCommand, "expected_by")
        given.when("record-no-match", expected_by=None).then_types("no-match-yet")

    def test_names_who_said_so(self, world: "World") -> None:
        given = world.given("engagement-opened")
        given.when("record-no-match", actor=CANDIDATE).fails(InvalidCommand, "by=PERSON")


class TestDeclineMatch:
    def test_puts_a_mediocre_job_to_nobody(self, world: "World") -> None:
        then = world.given("engagement-opened").when("decline-match")
        then.then(world.event("match-declined", at=world.later))
        assert then.state.proposals == {}

    @pytest.mark.parametrize(
        ("answered", "passes"), [((), False), (("proposal-answered",), True)], ids=["open", "answered"]
    )
    def test_comes_too_late_once_the_candidate_has_heard_of_it(
        self, world: "World", answered: tuple[str, ...], passes: bool
    ) -> None:
        given = world.given("engagement-opened", "job-proposed", *answered)
        then = given.when("decline-match", job_order_id="j-1")
        if passes:
            then.then_types("match-declined")
        else:
            then.fails(WrongState, "answer-proposal")

    def test_names_who_said_so(self, world: "World") -> None:
        given = world.given("engagement-opened")
        given.when("decline-match", actor=CANDIDATE).fails(InvalidCommand, "by=PERSON")
        given.when("decline-match", actor=CANDIDATE, by="recruiter-1").then_types("match-declined")


class TestEveryFacet:
    def test_influences_nothing_by_its_words(self, world: "World") -> None:
        """What a person said is sealed: with or without it the state is the same."""
        changes: list[dict[str, Any]] = [{"words": None}, {"words": "A team."}]
        one, other = (world.given(*TALKED).when("record-facet", **each).state for each in changes)
        assert one == other
