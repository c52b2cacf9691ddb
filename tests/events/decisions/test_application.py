"""The candidate's own interest in jobs, and checks."""

from typing import TYPE_CHECKING

from events.errors import UnknownReference, WrongState

if TYPE_CHECKING:
    from tests.events.specification import World


class TestRecordApplication:
    def test_is_recorded_once_for_each_id(self, world: "World") -> None:
        world.given("engagement-opened").when("record-application").then(
            world.event("application-recorded", at=world.later)
        )
        world.given("engagement-opened", "application-recorded").when("record-application").then_nothing()

    def test_wakes_a_sleeping_engagement(self, world: "World") -> None:
        assert not world.given("engagement-opened", "went-dormant").when("record-application").state.dormant

    def test_is_a_mistake_under_the_id_of_one_for_another_job(self, world: "World") -> None:
        """Silence would lose the second application."""
        world.given("engagement-opened", "application-recorded").when(
            "record-application", job_order_id="j-2"
        ).fails(WrongState, "'a-1'", "'j-1'")


class TestLinkApplication:
    def test_links_an_application_without_a_job_once(self, world: "World") -> None:
        recorded = world.event("application-recorded", application_id="a-2", job_order_id=None)
        linked = world.event("application-linked", at=world.later)
        world.given("engagement-opened", recorded).when("link-application-to-job-order").then(linked)
        world.given("engagement-opened", recorded, "application-linked").when(
            "link-application-to-job-order"
        ).then_nothing()

    def test_does_not_know_other_applications(self, world: "World") -> None:
        world.given("engagement-opened").when("link-application-to-job-order").fails(
            UnknownReference, "'a-2'"
        )

    def test_changes_no_link(self, world: "World") -> None:
        world.given("engagement-opened", "application-recorded").when(
            "link-application-to-job-order", application_id="a-1", job_order_id="j-2"
        ).fails(WrongState, "'j-1'")


class TestDeclineApplication:
    def test_declines_once(self, world: "World") -> None:
        applied = ("engagement-opened", "application-recorded")
        world.given(*applied).when("decline-application").then(
            world.event("application-declined", at=world.later)
        )
        world.given(*applied, "application-declined").when("decline-application").then_nothing()

    def test_does_not_know_other_applications(self, world: "World") -> None:
        world.given("engagement-opened").when("decline-application").fails(
            UnknownReference, "record-application"
        )


class TestRecordCheck:
    def test_is_recorded_once_for_each_id(self, world: "World") -> None:
        applied = ("engagement-opened", "application-recorded")
        world.given(*applied).when("record-check").then(world.event("check-recorded", at=world.later))
        world.given(*applied, "check-recorded").when("record-check").then_nothing()

    def test_is_about_what_is_here(self, world: "World") -> None:
        world.given("engagement-opened").when("record-check").fails(UnknownReference, "'a-1'")

    def test_may_be_about_a_job_that_the_engagement_has_not_heard_of(self, world: "World") -> None:
        """A client's facts are checked before the job is put to anybody."""
        then = world.given("engagement-opened").when("record-check", about=("job-order:j-9",))
        assert then.events[0].about == ("job-order:j-9",)

    def test_may_come_after_the_end(self, world: "World") -> None:
        closed = world.given("engagement-opened", "application-recorded", "engagement-closed")
        closed.when("record-check").then_types("check-recorded")
