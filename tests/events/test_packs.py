"""The packs for England and New York: each rule with its source, clocks that know weekends and holidays."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import pytest

from events.gates import unmet
from events.policy import LARGEST_COMPILED, Policy
from events.policy_checks import problems_of
from events.policy_file import load_policy
from events.policy_schema import PAGE
from events.policy_warnings import warnings_of

if TYPE_CHECKING:
    from tests.events.specification import Life, World

PACKS: Final = ("uk-agency", "us-agency")
# Thursday before a long weekend: Good Friday and Easter Monday are days off in England.
EASTER: Final = datetime(2026, 4, 2, 15, tzinfo=UTC)


def text_of(name: str) -> str:
    return (PAGE.parent / f"{name}.toml").read_text(encoding="utf-8")


def pack(name: str) -> Policy:
    return load_policy(text_of(name), where=f"{name}.toml", on=date(2026, 1, 5))


def begun(world: "World", name: str, now: datetime) -> "Life":
    life = world.life(pack(name))
    life.do("open-engagement", now, zone="Europe/London")
    return life


def due(life: "Life", rule: str) -> datetime:
    (found,) = [each.due_at for each in life.state.obligations.values() if each.rule == rule]
    return found


class TestPacks:
    @pytest.mark.parametrize("name", [*PACKS, "starter", "observed"])
    def test_compile_with_room_to_spare_and_say_nothing_in_vain(self, name: str) -> None:
        policy = pack(name)
        assert len(policy.body().encode()) < LARGEST_COMPILED
        assert problems_of(policy) == []
        assert warnings_of(policy) == []

    @pytest.mark.parametrize("name", [*PACKS, "starter", "observed"])
    def test_say_of_each_rule_where_it_comes_from_and_how_sure_that_is(self, name: str) -> None:
        policy = pack(name)
        sources = [each.because for each in policy.gates] + [each.because for each in policy.obligations]
        assert [each for each in sources if each[:3] not in ("V: ", "S: ", "M: ")] == []

    @pytest.mark.parametrize("name", PACKS)
    def test_claim_to_be_no_legal_advice(self, name: str) -> None:
        assert "# This is no legal advice." in "\n".join(text_of(name).splitlines()[:6])

    @pytest.mark.parametrize("name", PACKS)
    def test_hold_every_promise_and_gate_of_the_starter(self, name: str) -> None:
        starter, policy = pack("starter"), pack(name)
        assert {each.id for each in starter.obligations} <= {each.id for each in policy.obligations}
        assert {each.id for each in starter.gates} <= {each.id for each in policy.gates}


class TestEngland:
    def test_counts_the_silence_in_working_days(self, world: "World") -> None:
        life = begun(world, "uk-agency", EASTER)
        assert due(life, "keep-in-touch") == datetime(2026, 4, 13, 15, tzinfo=UTC)

    def test_wants_spoken_facts_in_writing_by_the_end_of_the_third_working_day(self, world: "World") -> None:
        life = begun(world, "uk-agency", EASTER)
        life.do("record-proposal", EASTER)
        rule = "job-facts-in-writing"
        assert due(life, rule) == datetime(2026, 4, 9, 17, 30, tzinfo=ZoneInfo("Europe/London"))
        life.do("record-attempt", EASTER, about=("job-order:j-1",), channel="phone")
        assert due(life, rule)
        life.do("record-attempt", EASTER, about=("job-order:j-1",), channel="email", attempt_id="mail")
        assert rule not in {each.rule for each in life.state.obligations.values()}

    def test_answers_a_request_for_ones_data_within_the_shortest_month(self, world: "World") -> None:
        life = begun(world, "uk-agency", EASTER)
        asked: dict[str, Any] = {"check": "access-request", "about": (), "expires_at": None}
        life.do("record-check", EASTER, **asked, outcome="received", check_id="a-1")
        assert due(life, "answer-access-request") == EASTER + timedelta(days=28)
        life.do("record-check", EASTER, **asked, outcome="answered", check_id="a-2")
        assert [event.rule for _, event in life.seen("obligation-met")] == ["answer-access-request"]

    def test_introduces_nobody_before_the_checks_of_the_regulations(self, world: "World") -> None:
        life = begun(world, "uk-agency", EASTER)

        def lacking() -> set[str]:
            command = world.command("submit")
            found = unmet(command, "submit", life.state, life.policy, EASTER)
            return {each.id for each in found if each.id.startswith("needs-check:")}

        assert lacking() == {"needs-check:identity", "needs-check:hirer-facts"}
        life.do("record-check", EASTER, check="identity", about=(), check_id="a-1", expires_at=None)
        facts: dict[str, Any] = {"check": "hirer-facts", "expires_at": None}
        life.do("record-check", EASTER, **facts, about=("job-order:j-2",), check_id="a-2")
        assert lacking() == {"needs-check:hirer-facts"}
        life.do("record-check", EASTER, **facts, about=("job-order:j-1",), check_id="a-3")
        assert lacking() == set()


class TestNewYork:
    def test_waits_ten_business_days_after_the_notice(self, world: "World") -> None:
        """Thanksgiving is none of them."""
        given = datetime(2026, 11, 16, 12, tzinfo=ZoneInfo("America/New_York"))
        life = begun(world, "us-agency", given)
        life.do(
            "record-check", given, check="automated-tool-notice", outcome="given", about=(), expires_at=None
        )

        def open_on(month: int, day: int) -> bool:
            now = datetime(2026, month, day, 12, tzinfo=given.tzinfo)
            found = unmet(world.command("submit"), "submit", life.state, life.policy, now)
            return "needs-check:automated-tool-notice" not in {each.id for each in found}

        assert not open_on(11, 30)
        assert open_on(12, 1)
