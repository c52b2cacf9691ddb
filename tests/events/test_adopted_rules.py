"""A new rule and the promises that are open under the old one: ``applies = "open"`` and ``"new"``."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from events.policy import Policy, Span

if TYPE_CHECKING:
    from tests.events.specification import Life, World

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def days(amount: int) -> Span:
    """Give a length of time in days."""
    return Span(amount=amount, unit="days")


def ruled(world: "World", rule: str, **changes: Any) -> Policy:
    """Give the shipped policy with one promise, changed."""
    found = world.starter.obligation(rule)
    assert found is not None
    return Policy(name="changed", obligations=(found.model_copy(update=changes),))


def adopt(life: "Life", world: "World", now: datetime, rule: str, **changes: Any) -> list[str]:
    """Adopt the same rule, changed and applying to what is open; gives the types of what came of it."""
    life.policy = ruled(world, rule, **{"applies": "open", **changes})
    digest = life.policy.digest()
    return [each.type for each in life.do("adopt-policy", now, digest=digest)]


def begun(world: "World", rule: str, *story: str) -> "Life":
    """Live up to noon, at which the promise opens."""
    life = world.life(ruled(world, rule))
    life.do("open-engagement", world.noon)
    for name in story:
        changes: dict[str, Any] = {"application_id": None} if name == "record-submission" else {}
        life.do(name, world.noon, **changes)
    return life


def promise(life: "Life") -> Any:
    """Give the one promise that is open."""
    (found,) = life.state.obligations.values()
    return found


class TestModes:
    """An agency that turns a rule on or off means what it sees today, not what opens next week."""

    def modes(self, life: "Life", world: "World", now: datetime, mode: str, which: str) -> list[str]:
        life.policy = ruled(world, "answer-application", mode=mode)
        done = life.do("adopt-policy", now, digest=life.policy.digest(), modes=which)
        return [each.type for each in done]

    def begun_in(self, world: "World", mode: str) -> "Life":
        life = world.life(ruled(world, "answer-application", mode=mode))
        life.do("open-engagement", world.noon)
        life.do("record-application", world.noon)
        return life

    def test_of_what_is_open_follow_the_rule_from_the_adoption_on(self, world: "World") -> None:
        life = self.begun_in(world, "observe")
        before = promise(life)
        assert self.modes(life, world, world.noon + DAY, "enforce", "open") == [
            "policy-adopted",
            "obligation-mode-changed",
        ]
        after = promise(life)
        assert after.mode == "enforce"
        assert (after.due_at, after.rungs) == (before.due_at, before.rungs)
        life.wait(world.noon + 20 * DAY)
        assert [event.level for _, event in life.seen("escalation-raised")] == [1, 2, 3]

    def test_of_what_is_broken_follow_too_for_the_steps_ahead(self, world: "World") -> None:
        life = self.begun_in(world, "observe")
        now = world.noon + 7 * DAY + HOUR
        life.wait(now)
        assert not life.seen("escalation-raised")
        self.modes(life, world, now, "enforce", "open")
        life.wait(world.noon + 20 * DAY)
        assert [event.level for _, event in life.seen("escalation-raised")] == [2, 3]
        assert len(life.seen("obligation-breached")) == 1

    def test_of_a_rule_that_is_turned_off_silence_it_at_once(self, world: "World") -> None:
        life = self.begun_in(world, "enforce")
        self.modes(life, world, world.noon + DAY, "observe", "open")
        life.wait(world.noon + 20 * DAY)
        assert not life.seen("outreach-requested")
        assert len(life.seen("obligation-breached")) == 1

    def test_are_kept_where_the_adoption_says_so(self, world: "World") -> None:
        """As every adoption did before it could say otherwise: an old log folds as it did."""
        life = self.begun_in(world, "enforce")
        assert self.modes(life, world, world.noon + DAY, "observe", "new") == ["policy-adopted"]
        assert promise(life).mode == "enforce"


class TestAdopting:
    def test_a_stricter_rule_counts_from_the_opening(self, world: "World") -> None:
        life = begun(world, "answer-application", "record-application")
        assert adopt(life, world, world.noon + DAY, "answer-application", within=days(3)) == [
            "policy-adopted",
            "obligation-moved",
        ]
        assert promise(life).due_at == world.noon + 3 * DAY
        (_, moved) = life.seen("obligation-moved")[-1]
        assert moved.reason == "policy-adopted"

    def test_counts_from_when_it_was_decided_or_from_when_it_happened(self, world: "World") -> None:
        known, happened = world.noon + 2 * DAY, world.noon
        life = begun(world, "answer-application")
        life.do("record-application", known, at=happened)
        assert promise(life).due_at == known + 7 * DAY
        adopt(life, world, known, "answer-application", within=days(3))
        assert promise(life).due_at == known + 3 * DAY
        adopt(life, world, known, "answer-application", within=days(3), counts_from="happened")
        assert promise(life).due_at == happened + 3 * DAY

    def test_a_kinder_rule_gives_more_time(self, world: "World") -> None:
        life = begun(world, "answer-application", "record-application")
        adopt(life, world, world.noon + DAY, "answer-application", within=days(20))
        assert promise(life).due_at == world.noon + 20 * DAY
        life.wait(world.noon + 20 * DAY - HOUR)
        assert not life.state.breaches

    def test_breaks_nothing_in_retrospect(self, world: "World") -> None:
        """What would have been due is due at once."""
        life = begun(world, "answer-application", "record-application")
        now = world.noon + 5 * DAY
        adopt(life, world, now, "answer-application", within=days(1))
        assert promise(life).due_at == now
        assert not life.state.breaches
        life.wait(now)
        (breach,) = life.state.breaches.values()
        assert breach.due_at == now

    def test_respects_the_shortest_notice(self, world: "World") -> None:
        life = begun(world, "answer-application", "record-application")
        adopt(life, world, world.noon, "answer-application", within=days(1), at_least=days(4))
        assert promise(life).due_at == world.noon + 4 * DAY

    def test_adds_the_pauses_that_were_waited_out(self, world: "World") -> None:
        life = begun(world, "keep-in-touch")
        life.do("pause", world.noon, until=world.noon + 3 * DAY)
        waited = promise(life).waited
        adopt(life, world, world.noon + DAY, "keep-in-touch", within=days(5))
        assert promise(life).due_at == world.noon + 8 * DAY
        assert promise(life).waited == waited
        life.do("resume", world.noon + DAY)
        assert promise(life).due_at == world.noon + 6 * DAY

    def test_pulls_nothing_back_that_no_pause_had_pushed(self, world: "World") -> None:
        """A rule that comes to wait during a pause: its early end breaks no promise before it was due."""
        life = begun(world, "answer-application", "record-application")
        life.do("pause", world.noon, until=world.noon + 10 * DAY)
        due = promise(life).due_at
        adopt(life, world, world.noon + HOUR, "answer-application", while_paused="waits", applies="new")
        life.do("resume", world.noon + DAY)
        assert (promise(life).due_at, promise(life).waited) == (due, 0)

    def test_counts_from_the_planned_time_as_it_is_now(self, world: "World") -> None:
        life = begun(world, "prepare-for-interview", "record-submission", "record-interview-scheduled")
        life.do("move-interview", world.noon)
        adopt(life, world, world.noon + DAY, "prepare-for-interview", within=days(-2))
        assert promise(life).due_at == world.noon + 6 * DAY

    def test_never_leads_past_the_plan_that_it_comes_before(self, world: "World") -> None:
        """Told of an interview an hour ahead, nobody prepares after it; nor under the same rule again."""
        life = begun(world, "prepare-for-interview", "record-submission")
        starts = world.noon + HOUR
        life.do("record-interview-scheduled", world.noon, starts_at=starts, ends_at=starts + HOUR)
        assert promise(life).due_at == starts
        assert adopt(life, world, world.noon, "prepare-for-interview") == ["policy-adopted"]
        assert promise(life).due_at == starts

    def test_lays_the_new_ladder_under_numbers_of_its_own(self, world: "World") -> None:
        """A step's number makes its command id, and a known command id adds nothing."""
        life = begun(world, "answer-application", "record-application")
        before = {each.number for each in promise(life).rungs}
        adopt(life, world, world.noon + DAY, "answer-application", within=days(3))
        assert not before & {each.number for each in promise(life).rungs}
        life.wait(world.noon + 30 * DAY)
        assert len(life.seen("obligation-breached")) == 1
        assert [event.level for _, event in life.seen("escalation-raised")] == [1, 2, 3]

    def test_leaves_alone_what_is_broken(self, world: "World") -> None:
        life = begun(world, "answer-application", "record-application")
        life.wait(world.noon + 7 * DAY)
        assert adopt(life, world, world.noon + 7 * DAY, "answer-application", within=days(20)) == [
            "policy-adopted"
        ]
        assert promise(life).due_at == world.noon + 7 * DAY

    def test_leaves_alone_what_is_due_at_the_same_time(self, world: "World") -> None:
        life = begun(world, "answer-application", "record-application")
        assert adopt(life, world, world.noon, "answer-application") == ["policy-adopted"]

    @pytest.mark.parametrize("within", [1, 20])
    def test_leaves_alone_what_is_open_unless_the_rule_says_so(self, world: "World", within: int) -> None:
        life = begun(world, "answer-application", "record-application")
        told = adopt(life, world, world.noon, "answer-application", within=days(within), applies="new")
        assert told == ["policy-adopted"]
        assert promise(life).due_at == world.noon + 7 * DAY
