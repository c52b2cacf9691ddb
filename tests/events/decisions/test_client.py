"""Words with the client, and disputes over who presented the candidate."""

from typing import TYPE_CHECKING, Any

import pytest

from events.envelope import ENGINE, Actor
from events.errors import InvalidCommand, NotAllowed, UnknownReference, WrongState

if TYPE_CHECKING:
    from tests.events.specification import World

CLIENT = Actor(kind="client", id="client-1")
SUBMITTED = ("engagement-opened", "submitted")
PLACED = (*SUBMITTED, "offer-extended", "offer-accepted", "placement-started")
DISPUTED = (*SUBMITTED, "ownership-conflict-opened")


class TestRecordClientContact:
    def test_is_recorded_once_for_each_id(self, world: "World") -> None:
        world.given(*SUBMITTED).when("record-client-talk").then(
            world.event(
                "talked-with-client",
                at=world.later,
                by="recruiter-1",
                purpose="chase",
                submission_id="s-1",
                placement_id=None,
                excels=None,
                note="By Friday.",
            )
        )
        world.given(*PLACED, "talked-with-client").when("record-client-talk").then_nothing()

    def test_is_no_contact_with_the_candidate(self, world: "World") -> None:
        """It ends no silence: the candidate has heard nothing."""
        given = world.given(*SUBMITTED)
        state = given.when("record-client-talk").state
        assert (state.last_contact_at, state.conversations) == (None, 0)

    def test_that_finds_the_placed_person_wanting_is_a_concern(self, world: "World") -> None:
        told: dict[str, Any] = {"submission_id": None, "placement_id": "s-1", "purpose": "check-in"}
        then = world.given(*PLACED).when("record-client-talk", **told, excels="no")
        then.then_types("talked-with-client", "concern-raised")
        assert then.events[1].raised_by == "client"
        for excels in ("yes", "partly"):
            given = world.given(*PLACED)
            given.when("record-client-talk", **told, excels=excels).then_types("talked-with-client")

    def test_raises_no_concern_when_all_is_over(self, world: "World") -> None:
        """A closed engagement takes the late report, and opens nothing any more."""
        given = world.given(*PLACED, "engagement-closed")
        then = given.when("record-client-talk", submission_id=None, placement_id="s-1", excels="no")
        then.then_types("talked-with-client")

    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"submission_id": "s-9"}, "'s-9'"),
            ({"submission_id": None, "placement_id": "s-9"}, "'s-9'"),
            ({"placement_id": "s-1"}, "'s-1'"),
        ],
    )
    def test_does_not_know_other_things(self, world: "World", changes: dict[str, Any], named: str) -> None:
        world.given(*SUBMITTED).when("record-client-talk", **changes).fails(UnknownReference, named)

    def test_says_how_somebody_does_in_a_placement_only(self, world: "World") -> None:
        given = world.given(*SUBMITTED)
        given.when("record-client-talk", excels="yes").fails(InvalidCommand, "placement_id=ID")

    def test_is_nothing_that_a_machine_can_do(self, world: "World") -> None:
        given = world.given(*SUBMITTED)
        given.when("record-client-talk", actor=ENGINE).fails(NotAllowed, "only a person")

    def test_names_who_talked(self, world: "World") -> None:
        given = world.given(*SUBMITTED)
        given.when("record-client-talk", actor=CLIENT).fails(InvalidCommand, "by=PERSON")


class TestOpenConflict:
    def test_is_opened_once_for_each_id(self, world: "World") -> None:
        then = world.given(*SUBMITTED).when("open-conflict")
        then.then(world.event("ownership-conflict-opened", at=world.later, details="They sent her in March."))
        assert then.state.conflicts["x-1"].outcome is None
        world.given(*DISPUTED).when("open-conflict").then_nothing()

    def test_needs_no_submission(self, world: "World") -> None:
        world.given("engagement-opened").when("open-conflict", submission_id=None).then_types(
            "ownership-conflict-opened"
        )

    def test_does_not_know_other_submissions(self, world: "World") -> None:
        world.given("engagement-opened").when("open-conflict").fails(UnknownReference, "'s-1'")

    def test_is_over_the_job_of_its_submission(self, world: "World") -> None:
        given = world.given(*SUBMITTED)
        given.when("open-conflict", job_order_id="j-2").fails(WrongState, "'j-1'", "'j-2'")

    def test_is_a_mistake_under_the_id_of_another(self, world: "World") -> None:
        given = world.given(*DISPUTED)
        given.when("open-conflict", job_order_id="j-2", submission_id=None).fails(WrongState, "its own id")


class TestAddConflictEvidence:
    def test_is_added_once_for_each_place(self, world: "World") -> None:
        then = world.given(*DISPUTED).when("add-conflict-evidence")
        then.then(world.event("conflict-evidence-added", at=world.later))
        shown = world.given(*DISPUTED, "conflict-evidence-added")
        shown.when("add-conflict-evidence").then_nothing()
        more = shown.when("add-conflict-evidence", evidence_ref="m-2")
        more.then_types("conflict-evidence-added")
        assert more.state.conflicts["x-1"].evidence == ("m-1", "m-2")

    def test_needs_a_conflict(self, world: "World") -> None:
        world.given(*SUBMITTED).when("add-conflict-evidence").fails(UnknownReference, "open-conflict")


class TestResolveConflict:
    def test_is_settled_once_and_may_be_settled_otherwise(self, world: "World") -> None:
        then = world.given(*DISPUTED).when("resolve-conflict")
        then.then(world.event("ownership-conflict-resolved", at=world.later))
        settled = world.given(*DISPUTED, "ownership-conflict-resolved")
        settled.when("resolve-conflict").then_nothing()
        settled.when("resolve-conflict", outcome="lost").then_types("ownership-conflict-resolved")

    def test_needs_a_conflict(self, world: "World") -> None:
        world.given(*SUBMITTED).when("resolve-conflict").fails(UnknownReference, "open-conflict")

    def test_leaves_the_submission_as_it_is(self, world: "World") -> None:
        """Who lost is the client's to say: their answer ends the submission, not our dispute."""
        state = world.given(*DISPUTED).when("resolve-conflict", outcome="lost").state
        assert list(state.live_submissions) == ["s-1"]
