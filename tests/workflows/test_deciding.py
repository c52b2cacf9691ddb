"""Deciding a handful of letters: in order, on a scratch copy, each mistake by itself."""

from datetime import UTC, datetime, timedelta

from events.clock import ClockSpec
from events.commands import ANY_COMMAND, Order
from events.decider import prepare
from events.envelope import Actor
from events.policy import Policy
from events.state import Engagement
from workers.shipped import deploy_policy
from workflows.deciding import Desk, asking_group, due_groups, plan
from workflows.inbox import Entry
from workflows.types import Letter

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
STARTER: Policy = deploy_policy("starter")


def _order(command_id: str, name: str, **fields: str) -> Order:
    command = ANY_COMMAND.validate_python({"name": name, **fields})
    return Order(command_id=command_id, command=command, actor=Actor(kind="person", id="r-1"))


def _entry(command_id: str, name: str, **fields: str) -> Entry:
    return Entry(Letter(order=_order(command_id, name, **fields)), awaited=True)


def _expecting(version: int, command_id: str, name: str, **fields: str) -> Entry:
    order = _order(command_id, name, **fields).model_copy(update={"expected_version": version})
    return Entry(Letter(order=order), awaited=True)


def _opened() -> Engagement:
    order = _order("open-1", "open-engagement", candidate_id="c-1", owner="r-1")
    return prepare(order, Engagement(), STARTER, NOON, agency="acme", engagement_id="e-1").state


def _desk(state: Engagement, *, days: float = 0) -> Desk:
    now = NOON + timedelta(days=days)
    return Desk(agency="acme", engagement_id="e-1", state=state, policy=STARTER, clock=ClockSpec(), now=now)


class TestPlan:
    def test_decides_each_on_what_the_one_before_led_to(self) -> None:
        talk = _entry("talk-1", "record-contact", channel="phone")
        intake = _entry("intake-1", "complete-intake")
        facet = _entry("facet-1", "record-facet", facet="goal")
        planned = plan([talk, intake, facet], _desk(_opened()), steps_apart=False)
        assert [group.outcome for group in planned.groups] == ["accepted"] * 3

    def test_leaves_a_mistake_out(self) -> None:
        wrong = _entry("held-1", "record-interview-held", interview_id="i-9")
        right = _entry("intake-1", "complete-intake")
        planned = plan([wrong, right], _desk(_opened()), steps_apart=False)
        assert planned.entries == [right]
        assert [entry for entry, _ in planned.mistaken] == [wrong]

    def test_takes_a_command_at_the_version_it_is_meant_for_only(self) -> None:
        """Of two that were decided on the same picture, the second must look again."""
        state = _opened()
        first = _expecting(state.version, "talk-1", "record-contact", channel="phone")
        second = _expecting(state.version, "talk-2", "record-contact", channel="phone")
        planned = plan([first, second], _desk(state), steps_apart=False)
        assert planned.entries == [first]
        [(entry, mistake)] = planned.mistaken
        assert entry is second
        assert mistake.code == "stale-version"

    def test_holds_no_step_against_a_command_that_nobody_could_have_seen(self) -> None:
        state = _opened()
        talk = _expecting(state.version, "talk-1", "record-contact", channel="phone")
        planned = plan([talk], _desk(state, days=7.5), steps_apart=False)
        assert planned.entries == [talk]
        assert len(planned.groups) > 1

    def test_takes_the_steps_that_were_due_first(self) -> None:
        talk = _entry("talk-1", "record-contact", channel="phone")
        planned = plan([talk], _desk(_opened(), days=7.5), steps_apart=False)
        ids = [group.command_id for group in planned.groups]
        assert ids[-1] == "talk-1"
        assert len(ids) > 1
        assert all(each.startswith("step:") for each in ids[:-1])

    def test_takes_them_alone_if_asked(self) -> None:
        talk = _entry("talk-1", "record-contact", channel="phone")
        planned = plan([talk], _desk(_opened(), days=7.5), steps_apart=True)
        assert all(group.command_id.startswith("step:") for group in planned.groups)
        assert planned.entries == [talk]

    def test_takes_no_step_for_a_mistake(self) -> None:
        wrong = _entry("held-1", "record-interview-held", interview_id="i-9")
        assert plan([wrong], _desk(_opened(), days=7.5), steps_apart=False).groups == []


class TestDueGroups:
    def test_holds_the_step_at_its_very_moment(self) -> None:
        state = _opened()
        due = min(rung.at for each in state.obligations.values() for rung in each.rungs)
        assert len(due_groups(_desk(state), due)) == 1
        assert due_groups(_desk(state), due - timedelta(microseconds=1)) == []


class TestAskingGroup:
    def test_asks_with_the_input_under_which_the_command_is_recorded(self) -> None:
        """Another input would make every known command look reused."""
        order = _order("talk-1", "record-contact", channel="phone", note="likes dogs")
        prepared = prepare(order, _opened(), STARTER, NOON, agency="acme", engagement_id="e-1")
        assert asking_group(order).input == prepared.group.input
