"""Placements: terms, start, changes, concerns, and the three ways one comes to nothing."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from events.errors import InvalidCommand, UnknownReference, WrongState

if TYPE_CHECKING:
    from tests.events.specification import Given, World

DAY = timedelta(days=1)
ACCEPTED = ("engagement-opened", "submitted", "offer-extended", "offer-accepted")
STARTED = (*ACCEPTED, "placement-started")
GUARANTEED = (*ACCEPTED, "placement-terms-recorded", "placement-started")
FALLEN_OFF = (*GUARANTEED, "placement-ended")
ABOUT_A_PLACEMENT = (
    "record-placement-terms",
    "move-start",
    "confirm-start",
    "extend-contract",
    "convert-placement",
    "raise-concern",
    "end-placement",
    "invoke-guarantee",
)


def started(world: "World") -> Any:
    """Give the first paid day of the canonical placement."""
    return world.event("placement-started").started_on


def contract(world: "World", *events: Any) -> "Given":
    """Begin with a contract that has an end."""
    end = started(world) + 180 * DAY
    accepted = world.event("offer-accepted", kind="contract", ends_on=end)
    return world.given(*ACCEPTED[:-1], accepted, *events)


class TestEveryPlacement:
    @pytest.mark.parametrize("name", ABOUT_A_PLACEMENT)
    def test_begins_with_an_accepted_offer(self, world: "World", name: str) -> None:
        world.given(*ACCEPTED[:-1]).when(name).fails(UnknownReference, "placement", "'s-1'", "accepted")

    @pytest.mark.parametrize(
        "name", ["move-start", "confirm-start", "extend-contract", "convert-placement", "raise-concern"]
    )
    def test_changes_no_more_once_it_is_over(self, world: "World", name: str) -> None:
        ended = world.event("placement-ended", how="no-start")
        world.given(*ACCEPTED, ended).when(name, now=started(world)).fails(WrongState, "is over (no-start)")


class TestRecordPlacementTerms:
    def test_are_recorded_and_may_change(self, world: "World") -> None:
        told = world.event("placement-terms-recorded", at=world.later, guarantee_until=None)
        world.given(*ACCEPTED).when("record-placement-terms").then(told)
        known = world.given(*ACCEPTED, "placement-terms-recorded")
        known.when("record-placement-terms").then_nothing()
        known.when("record-placement-terms", placement_kind="unknown").then_nothing()
        known.when("record-placement-terms", remedy="refund").then_types("placement-terms-recorded")

    def test_count_the_guarantee_from_the_first_paid_day(self, world: "World") -> None:
        then = world.given(*STARTED).when("record-placement-terms", now=started(world) + DAY)
        assert then.events[0].guarantee_until == started(world) + 90 * DAY
        assert then.state.placements["s-1"].guarantee_until == started(world) + 90 * DAY

    def test_may_be_that_there_is_no_guarantee(self, world: "World") -> None:
        nothing: dict[str, Any] = {"guarantee_days": None, "remedy": "none", "refund_steps": ()}
        world.given(*ACCEPTED).when("record-placement-terms", **nothing).then_types(
            "placement-terms-recorded"
        )
        told = world.event("placement-terms-recorded", **nothing, guarantee_until=None)
        world.given(*ACCEPTED, told).when("record-placement-terms", **nothing).then_nothing()

    def test_keep_the_kind_that_is_known(self, world: "World") -> None:
        then = world.given(*ACCEPTED).when("record-placement-terms", placement_kind="unknown")
        assert then.events[0].kind == then.state.placements["s-1"].kind == "permanent"

    @pytest.mark.parametrize("days", [(90, 30), (30, 30)])
    def test_take_refund_steps_in_order_only(self, world: "World", days: tuple[int, ...]) -> None:
        steps = [{"until_day": day, "percent": 50} for day in days]
        world.given(*ACCEPTED).when("record-placement-terms", refund_steps=steps).fails(
            InvalidCommand, "in order"
        )

    def test_take_no_step_beyond_the_guarantee(self, world: "World") -> None:
        world.given(*ACCEPTED).when("record-placement-terms", guarantee_days=60).fails(
            InvalidCommand, "beyond guarantee_days"
        )


class TestMoveStart:
    def test_gives_the_first_day_another_date(self, world: "World") -> None:
        then = world.given(*ACCEPTED).when("move-start")
        then.then(world.event("start-moved", at=world.later))
        assert then.state.placements["s-1"].starts_on == started(world) + 7 * DAY
        world.given(*ACCEPTED, "start-moved").when("move-start").then_nothing()

    def test_gives_the_first_date_where_none_was_agreed(self, world: "World") -> None:
        undated = world.event("offer-accepted", starts_on=None)
        given = world.given(*ACCEPTED[:-1], undated)
        given.when("move-start", starts_on=started(world)).then_types("start-moved")

    def test_comes_too_late_after_the_start(self, world: "World") -> None:
        world.given(*STARTED).when("move-start", now=started(world)).fails(WrongState, "has started")


class TestConfirmStart:
    def test_is_of_the_agreed_day_where_none_is_given(self, world: "World") -> None:
        """The guarantee counts from the first paid day, not from the acceptance."""
        given = world.given(*ACCEPTED, "placement-terms-recorded")
        then = given.when("confirm-start", now=started(world))
        then.then(world.event("placement-started", at=started(world)))
        assert then.state.placements["s-1"].running
        assert then.state.working

    def test_carries_the_end_of_a_contract(self, world: "World") -> None:
        then = contract(world).when("confirm-start", now=started(world))
        assert then.events[0].ends_on == started(world) + 180 * DAY

    def test_says_nothing_twice_and_nothing_else(self, world: "World") -> None:
        given = world.given(*STARTED)
        given.when("confirm-start", now=started(world)).then_nothing()
        given.when("confirm-start", now=started(world), started_on=started(world)).then_nothing()
        given.when("confirm-start", now=started(world) + DAY, started_on=started(world) + DAY).fails(
            WrongState, "another day"
        )

    def test_needs_a_day(self, world: "World") -> None:
        undated = world.event("offer-accepted", starts_on=None)
        given = world.given(*ACCEPTED[:-1], undated)
        given.when("confirm-start", now=started(world)).fails(InvalidCommand, "started_on=DATE")

    def test_does_not_come_before_the_day(self, world: "World") -> None:
        given = world.given(*ACCEPTED)
        given.when("confirm-start", now=started(world) - 2 * DAY).fails(InvalidCommand, "when it has been")

    def test_may_be_told_in_the_morning_of_that_day(self, world: "World") -> None:
        given = world.given(*ACCEPTED)
        given.when("confirm-start", now=started(world) - DAY / 4).then_types("placement-started")


class TestExtendContract:
    def test_gives_a_contract_another_end(self, world: "World") -> None:
        given = contract(world, "placement-started")
        then = given.when("extend-contract", now=started(world))
        then.then(world.event("contract-extended"))
        assert then.state.placements["s-1"].ends_on == started(world) + 270 * DAY
        contract(world, "placement-started", "contract-extended").when(
            "extend-contract", now=started(world)
        ).then_nothing()

    def test_may_shorten_it(self, world: "World") -> None:
        given = contract(world, "placement-started")
        sooner = started(world) + 90 * DAY
        given.when("extend-contract", now=started(world), ends_on=sooner).then_types("contract-extended")

    def test_leaves_a_permanent_job_alone(self, world: "World") -> None:
        world.given(*STARTED).when("extend-contract", now=started(world)).fails(WrongState, "permanent")

    def test_ends_after_it_starts(self, world: "World") -> None:
        contract(world).when("extend-contract", ends_on=started(world)).fails(
            InvalidCommand, "not after the start"
        )


class TestConvertPlacement:
    def test_makes_it_permanent_once(self, world: "World") -> None:
        given = contract(world, "placement-started")
        then = given.when("convert-placement", now=started(world))
        then.then(world.event("placement-converted"))
        assert then.state.placements["s-1"].kind == "permanent"
        assert then.state.placements["s-1"].ends_on is None
        contract(world, "placement-started", "placement-converted").when(
            "convert-placement", now=started(world)
        ).then_nothing()
        world.given(*STARTED).when("convert-placement", now=started(world)).then_nothing()

    def test_comes_after_the_start(self, world: "World") -> None:
        contract(world).when("convert-placement").fails(WrongState, "confirm-start")


class TestRaiseConcern:
    def test_is_heard_each_time(self, world: "World") -> None:
        given = world.given(*STARTED)
        given.when("raise-concern", now=started(world)).then(world.event("concern-raised"))
        again = world.given(*STARTED, "concern-raised")
        again.when("raise-concern", now=started(world)).then_types("concern-raised")

    def test_may_come_before_the_start(self, world: "World") -> None:
        world.given(*ACCEPTED).when("raise-concern", raised_by="client").then_types("concern-raised")


class TestEndPlacement:
    @pytest.mark.parametrize("how", ["reneged", "no-start"])
    def test_tells_what_came_to_nothing_before_the_start(self, world: "World", how: str) -> None:
        then = world.given(*ACCEPTED).when("end-placement", how=how)
        then.then_types("placement-ended")
        assert (then.events[0].how, then.events[0].within_guarantee) == (how, None)
        assert then.state.stage == "intake"
        assert then.state.talk_owed_since == world.later

    def test_tells_a_fall_off_within_the_guarantee(self, world: "World") -> None:
        day = started(world) + 47 * DAY
        then = world.given(*GUARANTEED).when("end-placement", now=day)
        then.then(world.event("placement-ended"))
        assert not then.state.working
        assert then.state.talk_owed_since == day
        assert then.state.submissions["s-1"].status == "placement-ended"

    @pytest.mark.parametrize(("days", "within"), [(90, True), (91, False)])
    def test_counts_the_last_day_of_the_guarantee_in(self, world: "World", days: int, within: bool) -> None:
        then = world.given(*GUARANTEED).when("end-placement", now=started(world) + days * DAY)
        assert then.events[0].within_guarantee is within

    def test_owes_no_talk_when_it_was_completed(self, world: "World") -> None:
        given = contract(world, "placement-started")
        then = given.when("end-placement", now=started(world) + 180 * DAY, how="completed")
        then.then_types("placement-ended")
        assert (then.state.talk_owed_since, then.state.placed_on) == (None, None)

    def test_says_nothing_twice_and_nothing_else(self, world: "World") -> None:
        given = world.given(*FALLEN_OFF)
        given.when("end-placement", now=started(world) + 50 * DAY).then_nothing()
        given.when("end-placement", now=started(world) + 50 * DAY, how="completed").fails(
            WrongState, "is over (fall-off)"
        )

    @pytest.mark.parametrize("how", ["reneged", "no-start"])
    def test_knows_that_what_has_started_did_start(self, world: "World", how: str) -> None:
        world.given(*STARTED).when("end-placement", now=started(world), how=how).fails(
            WrongState, "has started"
        )

    @pytest.mark.parametrize("how", ["fall-off", "completed"])
    def test_knows_that_what_has_not_started_cannot_break_off(self, world: "World", how: str) -> None:
        world.given(*ACCEPTED).when("end-placement", how=how).fails(WrongState, "confirm-start")

    def test_lies_neither_ahead_nor_before_the_start(self, world: "World") -> None:
        given, now = world.given(*STARTED), started(world) + DAY
        given.when("end-placement", now=now, ended_on=now + DAY).fails(InvalidCommand, "extend-contract")
        given.when("end-placement", now=now, ended_on=now - 2 * DAY).fails(InvalidCommand, "before the start")

    def test_leaves_the_stage_where_another_placement_goes_on(self, world: "World") -> None:
        second = [
            world.event("submitted", submission_id="s-2", job_order_id="j-2"),
            world.event("offer-extended", offer_id="o-2", submission_id="s-2"),
            world.event("offer-accepted", offer_id="o-2", submission_id="s-2", placement_id="s-2"),
        ]
        then = world.given(*STARTED, *second).when("end-placement", now=started(world) + DAY)
        assert (then.state.stage, then.state.placed_on) == ("placement", "s-2")


class TestTheTalkAfterAFallOff:
    def test_is_owed_until_a_person_has_talked(self, world: "World") -> None:
        given = world.given(*FALLEN_OFF)
        fell = given.state.talk_owed_since
        assert fell is not None
        assert given.when("record-attempt", now=fell + DAY).state.talk_owed_since == fell
        assert given.when("record-contact", now=fell + DAY).state.talk_owed_since is None

    def test_is_no_talk_that_was_had_before(self, world: "World") -> None:
        given = world.given(*FALLEN_OFF)
        fell = given.state.talk_owed_since
        assert fell is not None
        then = given.when("record-contact", now=fell + DAY, at=fell - DAY)
        assert then.state.talk_owed_since == fell

    def test_may_have_been_recorded_before_the_fall_off_was(self, world: "World") -> None:
        """What counts is when they talked, not which report came first."""
        day = started(world) + 47 * DAY
        talked = world.event("contact-made", at=day + DAY)
        given = world.given(*GUARANTEED, talked)
        assert given.when("end-placement", now=day + 2 * DAY, at=day).state.talk_owed_since is None

    def test_is_owed_for_the_later_of_two(self, world: "World") -> None:
        second = [
            world.event("submitted", submission_id="s-2", job_order_id="j-2"),
            world.event("offer-extended", offer_id="o-2", submission_id="s-2"),
            world.event("offer-accepted", offer_id="o-2", submission_id="s-2", placement_id="s-2"),
        ]
        given = world.given(*GUARANTEED, *second, "placement-ended")
        fell = given.state.talk_owed_since
        assert fell is not None
        changes: dict[str, Any] = {"placement_id": "s-2", "how": "no-start"}
        then = given.when("end-placement", now=fell + 3 * DAY, at=fell - DAY, **changes)
        assert then.state.talk_owed_since == fell

    def test_is_owed_again_where_its_record_was_false(self, world: "World") -> None:
        given = world.given(*FALLEN_OFF, world.event("contact-made", at=started(world) + 60 * DAY))
        assert given.state.talk_owed_since is None
        then = given.when("annul-event", now=started(world) + 61 * DAY, event_id=given.history[-1].event_id)
        assert then.state.talk_owed_since == started(world) + 47 * DAY


class TestInvokeGuarantee:
    def test_asks_for_the_agreed_remedy_once(self, world: "World") -> None:
        given = world.given(*FALLEN_OFF)
        then = given.when("invoke-guarantee", now=started(world) + 48 * DAY)
        then.then(world.event("guarantee-invoked"))
        world.given(*FALLEN_OFF, "guarantee-invoked").when(
            "invoke-guarantee", now=started(world) + 48 * DAY
        ).then_nothing()

    @pytest.mark.parametrize(("days", "percent"), [(0, 100), (30, 100), (31, 50), (90, 50), (90.5, 50)])
    def test_gives_the_step_that_the_last_day_falls_under(
        self, world: "World", days: float, percent: int
    ) -> None:
        day = started(world) + days * DAY
        terms = world.event("placement-terms-recorded", guarantee_days=91)
        ended = world.event("placement-ended", at=day, ended_on=day)
        given = world.given(*ACCEPTED, terms, "placement-started", ended)
        (invoked,) = given.when("invoke-guarantee", now=day + DAY).events
        assert invoked.refund_percent == percent

    def test_gives_nothing_back_after_the_last_step(self, world: "World") -> None:
        steps = ({"until_day": 30, "percent": 100},)
        terms = world.event("placement-terms-recorded", refund_steps=steps)
        given = world.given(*ACCEPTED, terms, "placement-started", "placement-ended")
        (invoked,) = given.when("invoke-guarantee", now=started(world) + 48 * DAY).events
        assert invoked.refund_percent == 0

    def test_gives_everything_back_where_nobody_ever_came(self, world: "World") -> None:
        ended = world.event("placement-ended", how="no-start", ended_on=started(world))
        given = world.given(*ACCEPTED, "placement-terms-recorded", ended)
        (invoked,) = given.when("invoke-guarantee", now=started(world) + DAY).events
        assert invoked.refund_percent == 100

    def test_knows_no_percentage_without_steps_or_of_a_replacement(self, world: "World") -> None:
        terms = world.event("placement-terms-recorded", refund_steps=())
        given = world.given(*ACCEPTED, terms, "placement-started", "placement-ended")
        now = started(world) + 48 * DAY
        assert given.when("invoke-guarantee", now=now).events[0].refund_percent is None
        given = world.given(*FALLEN_OFF)
        then = given.when("invoke-guarantee", now=now, remedy="replacement")
        assert (then.events[0].remedy, then.events[0].refund_percent) == ("replacement", None)

    def test_comes_after_a_fall_off_only(self, world: "World") -> None:
        now = started(world) + 48 * DAY
        world.given(*GUARANTEED).when("invoke-guarantee", now=now).fails(WrongState, "has not fallen off")
        completed = world.event("placement-ended", how="completed")
        world.given(*GUARANTEED, completed).when("invoke-guarantee", now=now).fails(
            WrongState, "has not fallen off"
        )

    def test_needs_a_guarantee(self, world: "World") -> None:
        given = world.given(*STARTED, "placement-ended")
        given.when("invoke-guarantee", now=started(world) + 48 * DAY).fails(
            WrongState, "record-placement-terms"
        )

    def test_comes_too_late_when_the_end_did(self, world: "World") -> None:
        day = started(world) + 91 * DAY
        ended = world.event("placement-ended", at=day, ended_on=day)
        given = world.given(*GUARANTEED, ended)
        given.when("invoke-guarantee", now=day).fails(WrongState, "ended after its guarantee")


class TestAnnulling:
    def test_an_acceptance_takes_back_what_it_had_left_open(self, world: "World") -> None:
        """The candidate has nothing to choose about any more."""
        life = world.life(world.starter.model_copy(update={"obligations": ()}))
        life.do("open-engagement", world.noon)
        life.do("record-submission", world.noon, application_id=None)
        life.do("record-submission", world.noon, submission_id="s-2", job_order_id="j-2", application_id=None)
        life.do("record-offer", world.noon)
        life.do("accept-offer", world.noon)
        assert [key for key, each in life.state.submissions.items() if each.unsettled] == ["s-2"]
        annulled = life.do("annul-event", world.later, event_id=life.id_of("offer-accepted"))
        assert [each.annulled_type for each in annulled] == ["offer-accepted", "submission-left-open"]
        assert not [key for key, each in life.state.submissions.items() if each.unsettled]
        assert life.state.stage == "submission"
        assert life.do("annul-event", world.later, event_id=life.id_of("submission-left-open")) == []

    @pytest.mark.parametrize(("events", "last"), [(STARTED, "started"), (FALLEN_OFF, "ended")])
    def test_goes_backwards_step_by_step(self, world: "World", events: tuple[str, ...], last: str) -> None:
        """No start without an acceptance, and no acceptance without a submission."""
        given = world.given(*events)
        accepted = given.history[ACCEPTED.index("offer-accepted")].event_id
        submitted = given.history[ACCEPTED.index("submitted")].event_id
        now = started(world) + 60 * DAY
        given.when("annul-event", now=now, event_id=accepted).fails(WrongState, f"'placement-{last}' first")
        given.when("annul-event", now=now, event_id=submitted).fails(WrongState, "'offer-accepted' first")

    def test_an_end_puts_the_placement_back(self, world: "World") -> None:
        given = world.given(*FALLEN_OFF)
        then = given.when("annul-event", now=started(world) + 60 * DAY, event_id=given.history[-1].event_id)
        assert then.state.working
        assert (then.state.stage, then.state.placed_on) == ("placement", "s-1")
        assert then.state.talk_owed_since is None
