"""What an event speaks of, in the terms a policy uses."""

from typing import TYPE_CHECKING, Any

import pytest

from events.errors import InvalidCommand, UnknownReference
from events.policy import Trigger
from events.subjects import fires, named_by, own_subject, resolve, speaks_of

if TYPE_CHECKING:
    from tests.events.specification import World


def spoken_of(world: "World", event: Any) -> set[str]:
    """Name what an event speaks of, where one submission has two interviews and another has none."""
    state = world.given(
        "engagement-opened",
        "application-recorded",
        "submitted",
        world.event("submitted", submission_id="s-2", job_order_id="j-2", application_id=None),
        "interview-scheduled",
        world.event("interview-scheduled", interview_id="i-2"),
    ).state
    every = {
        "engagement",
        "application:a-1",
        "submission:s-1",
        "submission:s-2",
        "interview:i-1",
        "interview:i-2",
    }
    return {each for each in every if speaks_of(each, named_by(event, state))}


class TestNamedBy:
    def test_a_submission_means_its_application_and_all_its_interviews(self, world: "World") -> None:
        told = world.event("contact-made", about=("submission:s-1",))
        assert spoken_of(world, told) == {
            "engagement",
            "application:a-1",
            "submission:s-1",
            "interview:i-1",
            "interview:i-2",
        }

    @pytest.mark.parametrize("kind", ["interview-held", "interview-cancelled", "feedback-passed-on"])
    def test_an_interview_means_its_submission_and_not_the_other_interviews(
        self, world: "World", kind: str
    ) -> None:
        named = {"engagement", "application:a-1", "submission:s-1", "interview:i-1"}
        assert spoken_of(world, world.event(kind)) == named
        assert spoken_of(world, world.event("contact-made", about=("interview:i-1",))) == named

    def test_feedback_on_the_whole_means_every_interview(self, world: "World") -> None:
        told = world.event("feedback-passed-on", interview_id=None)
        assert {"interview:i-1", "interview:i-2"} <= spoken_of(world, told)

    def test_any_talk_is_about_the_engagement(self, world: "World") -> None:
        assert spoken_of(world, world.event("contact-made")) == {"engagement"}


class TestOwnSubject:
    def test_is_the_one_thing_that_the_event_is_of(self, world: "World") -> None:
        held = world.event("interview-held")
        assert own_subject(held, "interview") == "interview:i-1"
        assert own_subject(held, "submission") == "submission:s-1"
        assert own_subject(held, "engagement") == "engagement"
        assert own_subject(held, "message") is None


class TestResolve:
    EVERYTHING = (
        "engagement-opened",
        "application-recorded",
        "submitted",
        "interview-scheduled",
        "offer-extended",
        "candidate-wrote",
        "call-requested",
    )

    def test_writes_a_bare_id_with_its_kind(self, world: "World") -> None:
        state = world.given(*self.EVERYTHING).state
        bare = ("a-1", "s-1", "i-1", "o-1", "m-1", "m-2", "j-1")
        full = (
            "application:a-1",
            "submission:s-1",
            "interview:i-1",
            "offer:o-1",
            "message:m-1",
            "message:m-2",
            "job-order:j-1",
        )
        assert resolve(bare, state) == full
        assert resolve(full, state) == full
        assert resolve((), state) == ()

    @pytest.mark.parametrize(
        "kind", ["application-recorded", "submitted", "job-proposed", "right-to-represent-granted"]
    )
    def test_knows_a_job_order_by_whatever_named_it(self, world: "World", kind: str) -> None:
        state = world.given("engagement-opened", kind).state
        assert resolve(("j-1",), state) == ("job-order:j-1",)

    @pytest.mark.parametrize("given", ["x-1", "submission:x-1", "interview:s-1", "submission:i-1"])
    def test_does_not_know_what_is_not_here(self, world: "World", given: str) -> None:
        state = world.given(*self.EVERYTHING).state
        with pytest.raises(UnknownReference, match=f"'{given.rpartition(':')[2]}'.*rapport show"):
            resolve((given,), state)

    def test_asks_which_where_an_id_is_that_of_several_things(self, world: "World") -> None:
        alike = world.event("submitted", submission_id="x-1", application_id=None)
        written = world.event("candidate-wrote", message_id="x-1")
        state = world.given("engagement-opened", alike, written).state
        with pytest.raises(InvalidCommand, match="about=submission:x-1 or about=message:x-1"):
            resolve(("x-1",), state)
        assert resolve(("message:x-1",), state) == ("message:x-1",)

    def test_keeps_things_apart_whose_ids_are_alike(self, world: "World") -> None:
        """A talk about message x-1 does not answer application x-1."""
        state = world.given("engagement-opened").state
        named = named_by(world.event("contact-made", about=("message:x-1",)), state)
        assert speaks_of("message:x-1", named)
        assert not speaks_of("application:x-1", named)


class TestFires:
    def test_looks_at_type_fields_and_subject(self, world: "World") -> None:
        told = world.event("contact-made", about=("message:m-1",), purpose="preparation")
        named = named_by(told, world.given("engagement-opened").state)
        assert fires(Trigger(event="contact-made"), told, "message:m-9", named)
        assert not fires(Trigger(event="attempt-made"), told, "message:m-1", named)
        assert fires(Trigger(event="contact-made", about_subject=True), told, "message:m-1", named)
        assert not fires(Trigger(event="contact-made", about_subject=True), told, "message:m-9", named)
        narrow = Trigger(event="contact-made", where={"purpose": "preparation"})
        assert fires(narrow, told, "message:m-1", named)
        assert not fires(narrow, world.event("contact-made"), "message:m-1", named)
