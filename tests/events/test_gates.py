"""The gates: what an intent needs, one function each."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from events.gates import GATES, unmet

if TYPE_CHECKING:
    from tests.events.specification import World


def opens(world: "World", gate: str, *events: Any, command: str = "submit", **needs: Any) -> bool:
    """Tell whether a gate lets the canonical command through."""
    state = world.given("engagement-opened", *events).state
    return GATES[gate](world.command(command), state, needs, world.later)


class TestKnowEachOtherFirst:
    @pytest.mark.parametrize(
        ("needs", "events", "passes"),
        [
            ({}, (), False),
            ({}, ("contact-made",), False),
            ({}, ("intake-completed",), False),
            ({}, ("contact-made", "intake-completed"), True),
            ({"intake": False}, ("contact-made",), True),
            ({"conversation": False}, ("intake-completed",), True),
            ({"conversation": False, "intake": False}, (), True),
            ({}, ("attempt-made", "intake-completed"), False),
        ],
    )
    def test_asks_for_what_the_policy_wants(
        self, world: "World", needs: dict[str, bool], events: tuple[str, ...], passes: bool
    ) -> None:
        assert opens(world, "know-each-other-first", *events, command="propose-job", **needs) is passes


class TestRightToRepresent:
    def test_is_for_one_job(self, world: "World") -> None:
        other = world.event("right-to-represent-granted", job_order_id="j-2")
        assert not opens(world, "right-to-represent", other)
        assert opens(world, "right-to-represent", other, "right-to-represent-granted")

    def test_ends_when_it_is_revoked_or_expires(self, world: "World") -> None:
        expired = world.event("right-to-represent-granted", expires_at=world.later)
        assert not opens(world, "right-to-represent", expired)
        forever = world.event("right-to-represent-granted", expires_at=None)
        assert opens(world, "right-to-represent", forever)
        assert not opens(world, "right-to-represent", forever, "right-to-represent-revoked")


class TestNoDoubleSubmission:
    def test_looks_at_live_submissions_for_the_same_job(self, world: "World") -> None:
        elsewhere = world.event("submitted", submission_id="s-2", job_order_id="j-2")
        assert opens(world, "no-double-submission", elsewhere)
        assert not opens(world, "no-double-submission", "submitted")
        assert opens(world, "no-double-submission", "submitted", "candidate-withdrew")


class TestNotWhilePaused:
    def test_ends_with_the_pause(self, world: "World") -> None:
        assert not opens(world, "not-while-paused", "paused")
        over = world.event("paused", until=world.later - timedelta(seconds=1))
        assert opens(world, "not-while-paused", over)
        assert opens(world, "not-while-paused", "paused", "resumed")


class TestUnmet:
    def test_lists_all_gates_that_are_shut_in_the_policy_s_order(self, world: "World") -> None:
        state = world.given("engagement-opened", "paused").state
        found = unmet(world.command("submit"), "submit", state, world.starter, world.later)
        assert [gate.id for gate in found] == [
            "know-each-other-first",
            "right-to-represent",
            "not-while-paused",
        ]

    def test_judges_a_report_by_its_intent_s_gates(self, world: "World") -> None:
        state = world.given("engagement-opened").state
        command = world.command("record-submission")
        found = unmet(command, "record-submission", state, world.starter, world.later)
        assert [gate.id for gate in found] == ["know-each-other-first", "right-to-represent"]

    def test_asks_nothing_of_what_no_gate_guards(self, world: "World") -> None:
        state = world.given("engagement-opened").state
        command = world.command("record-contact")
        assert unmet(command, "record-contact", state, world.starter, world.later) == []
