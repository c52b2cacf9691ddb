"""The ladder: each rung at its own time, and only the highest delivered when nobody could look."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from events.decider import next_due
from events.policy import Policy

if TYPE_CHECKING:
    from tests.events.specification import Life, World

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def waiting(world: "World", mode: str = "enforce") -> "Life":
    """Give a life in which a candidate wrote at noon, and nothing else is owed."""
    rule = world.starter.obligation("answer-candidate")
    assert rule is not None
    life = world.life(Policy(name="one", obligations=(rule.model_copy(update={"mode": mode}),)))
    life.do("open-engagement", world.noon)
    life.do("record-message", world.noon)
    return life


def said(events: list[Any]) -> list[tuple[str, int | None, str | None]]:
    """Give what each event says of level and recipient."""
    return [(each.type, getattr(each, "level", None), getattr(each, "to", None)) for each in events]


class TestEveryRung:
    def test_is_taken_at_its_own_time(self, world: "World") -> None:
        """Of every promise that climbs to the director: nothing before the moment, one step at it."""
        for rule in world.starter.obligations[:7]:
            life = world.life(Policy(name="one", obligations=(rule,)))
            life.do("open-engagement", world.noon)
            life.do("record-application", world.noon)
            life.do("record-message", world.noon)
            life.do("record-submission", world.noon)
            life.do("record-interview-scheduled", world.noon, starts_at=world.noon + 9 * DAY)
            if rule.id == "word-after-interview":
                life.do("record-interview-held", world.noon)
            if rule.id == "tell-decision":
                life.do("record-client-answer", world.noon)
            if rule.id == "tell-position-filled":
                life.do("record-position-filled", world.noon)
            (promise,) = life.state.obligations.values()
            expected = {promise.due_at + step.after.delta for step in rule.ladder} | {promise.due_at}
            assert {rung.at for rung in promise.rungs} == expected
            for rung in promise.rungs:
                assert life.wait(rung.at - timedelta(microseconds=1), inclusive=True) == []
                taken = life.wait(rung.at)
                same = [each for each in promise.rungs if each.at == rung.at]
                assert len([e for e in taken if e.type in ("rung-reached", "obligation-breached")]) in (
                    len(same),
                    0,
                )
                assert all(each.at == rung.at for each in taken)
            assert next_due(life.state) is None
            assert life.state.level == max(step.level for step in rule.ladder)
            (breach,) = life.state.breaches.values()
            assert breach.level == life.state.level

    def test_reminds_then_climbs_the_line(self, world: "World") -> None:
        life = waiting(world)
        assert said(life.wait(world.noon + 20 * HOUR)) == [
            ("rung-reached", 0, None),
            ("outreach-requested", 0, "owner"),
        ]
        assert said(life.wait(world.noon + DAY)) == [
            ("obligation-breached", None, None),
            ("rung-reached", 1, None),
            ("escalation-raised", 1, "owner"),
            ("outreach-requested", 1, "owner"),
        ]
        assert said(life.wait(world.noon + 2 * DAY)) == [
            ("rung-reached", 2, None),
            ("escalation-raised", 2, "team-lead"),
            ("outreach-requested", 2, "team-lead"),
        ]
        assert said(life.wait(world.noon + 3 * DAY))[1:] == [
            ("escalation-raised", 3, "director"),
            ("outreach-requested", 3, "director"),
        ]
        assert said(life.wait(world.noon + 5 * DAY)) == [
            ("rung-reached", 3, None),
            ("outreach-requested", 3, "director"),
        ]
        assert [each.level for each in life.state.escalations.values()] == [1, 2, 3]


class TestTakeStep:
    def test_says_what_was_due_at_its_own_time(self, world: "World") -> None:
        due = world.event("obligation-opened").due_at
        opened = world.given("engagement-opened", "assigned", "obligation-opened")
        assert opened.after(due, inclusive=False) == []
        breached, reached, raised, asked = opened.after(due)
        assert breached == world.event("obligation-breached")
        assert reached == world.event("rung-reached")
        assert raised == world.event("escalation-raised", escalation_id=raised.escalation_id)
        assert asked == world.event("outreach-requested", effect_id=asked.effect_id, useful_until=None)

    def test_says_the_same_whenever_it_is_asked(self, world: "World") -> None:
        opened = world.given("engagement-opened", "assigned", "obligation-opened")
        late = world.noon + 30 * DAY
        assert opened.after(late) == opened.after(late)


class TestMode:
    def test_observe_records_and_tells_nobody(self, world: "World") -> None:
        life = waiting(world, "observe")
        kinds = {each.type for each in life.wait(world.noon + 9 * DAY)}
        assert kinds == {"rung-reached", "obligation-breached"}
        (breach,) = life.state.breaches.values()
        assert breach.level == 3

    def test_remind_tells_the_owner_alone(self, world: "World") -> None:
        life = waiting(world, "remind")
        life.wait(world.noon + 20 * HOUR)
        life.wait(world.noon + DAY)
        life.wait(world.noon + 9 * DAY)
        assert {event.to for _, event in life.seen("outreach-requested")} == {"owner"}
        assert {event.to for _, event in life.seen("escalation-raised")} == {"owner"}


class TestOutage:
    def test_lets_the_owner_hear_where_only_they_are_told(self, world: "World") -> None:
        """A step that the mode keeps from the team lead must not hide the one that the owner is owed."""
        life = waiting(world, "remind")
        life.wait(world.noon + 9 * DAY)
        assert [(event.to, event.level) for _, event in life.seen("outreach-requested")] == [("owner", 1)]

    @pytest.mark.parametrize("stepped", [False, True])
    def test_records_every_rung_and_delivers_the_highest(self, world: "World", stepped: bool) -> None:
        life = waiting(world)
        life.stepped = stepped
        now = world.noon + 2 * DAY + HOUR
        life.wait(now)
        assert [event.due_at - world.noon for _, event in life.seen("rung-reached")] == [
            20 * HOUR,
            DAY,
            2 * DAY,
        ]
        assert [event.level for _, event in life.seen("escalation-raised")] == [1, 2]
        assert [(event.level, event.to) for _, event in life.seen("outreach-requested")] == [(2, "team-lead")]
        decided = {kept.decided_at for kept in life.stream if kept.command_id.startswith("step:")}
        assert decided == (
            {world.noon + 20 * HOUR, world.noon + DAY, world.noon + 2 * DAY} if stepped else {now}
        )

    def test_is_made_up_for_before_the_next_command(self, world: "World") -> None:
        """Tick before decide: the answer that comes after the outage is late, and says so."""
        life = waiting(world)
        (met,) = [
            each for each in life.do("record-contact", world.noon + 2 * DAY) if each.type == "obligation-met"
        ]
        assert not met.timely
        assert [event.level for _, event in life.seen("escalation-raised")] == [1]

    def test_orders_the_steps_of_several_promises_by_due_time(self, world: "World") -> None:
        life = waiting(world)
        life.do("record-message", world.noon + HOUR, message_id="m-9")
        life.wait(world.noon + 9 * DAY)
        due = [event.due_at for kept, event in life.seen("rung-reached")]
        assert due == sorted(due)


class TestDelivery:
    def test_names_the_owner_of_the_moment(self, world: "World") -> None:
        life = waiting(world)
        life.do("reassign", world.noon + HOUR)
        life.wait(world.noon + DAY)
        assert {event.owner for _, event in life.seen("escalation-raised")} == {"recruiter-2"}

    def test_goes_to_the_job_order_s_owner_where_that_role_owes_it(self, world: "World") -> None:
        rule = world.starter.obligation("tell-decision")
        assert rule is not None
        theirs = rule.model_copy(update={"owner": "job-order-owner"})
        life = world.life(Policy(name="one", obligations=(theirs,)))
        life.do("open-engagement", world.noon)
        life.do("record-submission", world.noon, application_id=None, job_order_owner="recruiter-9")
        life.do("record-client-answer", world.noon)
        life.wait(world.noon + 3 * DAY)
        assert {event.owner for _, event in life.seen("escalation-raised")} == {"recruiter-9"}

    def test_of_a_message_to_the_candidate_says_how_long_it_helps(self, world: "World") -> None:
        rule = world.starter.obligation("answer-candidate")
        assert rule is not None
        step = rule.ladder[1].model_copy(update={"do": "message", "to": "candidate"})
        span = rule.within.model_copy(update={"amount": 2})
        told = rule.model_copy(update={"ladder": (step,), "useful_for": span})
        life = world.life(Policy(name="one", obligations=(told,)))
        life.do("open-engagement", world.noon)
        life.do("record-message", world.noon)
        life.wait(world.noon + 30 * DAY)
        ((_, asked),) = life.seen("outreach-requested")
        assert asked.useful_until == world.noon + DAY + span.delta
