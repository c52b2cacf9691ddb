"""What an annulled event had done to the promises, undone, and nothing else."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from events.fold import annulled_ids, fold
from events.policy import Policy

if TYPE_CHECKING:
    from tests.events.specification import Life, World

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
# Pause until so many days from now, resume, talk, or annul the n-th event that still stands.
Step = tuple[str, int]


def touching(world: "World", rule: str = "keep-in-touch") -> "Life":
    """Begin a life at noon under one promise."""
    found = world.starter.obligation(rule)
    assert found is not None
    life = world.life(Policy(name="one", obligations=(found,)))
    life.do("open-engagement", world.noon)
    return life


def promise(life: "Life") -> Any:
    """Give the one promise that is open."""
    (found,) = life.state.obligations.values()
    return found


def pause(life: "Life", world: "World", start: float, end: float) -> None:
    """Pause from one day to another, counted from noon."""
    life.do("pause", world.noon + start * DAY, until=world.noon + end * DAY)


def annul(life: "Life", kind: str, now: datetime, which: int = -1) -> None:
    """Annul one event of a type, the last if not told otherwise."""
    life.do("annul-event", now, event_id=life.seen(kind)[which][0].event_id)
    assert fold(life.stream) == life.state


class TestPauses:
    """A promise has waited for the pauses that still stand, and for no others."""

    def test_leave_no_trace_when_they_end_early_and_are_annulled(self, world: "World") -> None:
        life = touching(world)
        pause(life, world, 1, 11)
        life.do("resume", world.noon + 3 * DAY)
        assert (promise(life).due_at, promise(life).waited) == (
            world.noon + 9 * DAY,
            2 * DAY // timedelta(microseconds=1),
        )
        annul(life, "paused", world.noon + 4 * DAY)
        assert (promise(life).due_at, promise(life).waited) == (world.noon + 7 * DAY, 0)
        life.wait(world.noon + 7 * DAY)
        (breach,) = life.state.breaches.values()
        assert breach.due_at == world.noon + 7 * DAY

    def test_count_on_when_an_earlier_one_is_annulled(self, world: "World") -> None:
        life = touching(world)
        pause(life, world, 1, 4)
        pause(life, world, 6, 8)
        assert promise(life).due_at == world.noon + 12 * DAY
        annul(life, "paused", world.noon + 7 * DAY, which=0)
        assert promise(life).due_at == world.noon + 9 * DAY

    def test_count_whole_when_the_one_they_overlapped_is_annulled(self, world: "World") -> None:
        life = touching(world)
        pause(life, world, 1, 4)
        pause(life, world, 2, 5)
        assert promise(life).due_at == world.noon + 11 * DAY
        annul(life, "paused", world.noon + 3 * DAY, which=0)
        assert promise(life).due_at == world.noon + 10 * DAY

    def test_are_taken_off_what_opened_during_them(self, world: "World") -> None:
        life = touching(world)
        pause(life, world, 0, 10)
        life.do("record-contact", world.noon + DAY)
        assert promise(life).due_at == world.noon + 17 * DAY
        annul(life, "paused", world.noon + 2 * DAY)
        assert promise(life).due_at == world.noon + 8 * DAY

    def test_go_on_when_their_end_is_annulled(self, world: "World") -> None:
        life = touching(world)
        pause(life, world, 1, 4)
        life.do("resume", world.noon + 2 * DAY)
        annul(life, "resumed", world.noon + 3 * DAY)
        assert promise(life).due_at == world.noon + 10 * DAY

    def test_still_count_for_what_a_false_talk_had_ended(self, world: "World") -> None:
        life = touching(world)
        pause(life, world, 1, 4)
        life.do("record-contact", world.noon + 5 * DAY)
        annul(life, "contact-made", world.noon + 5 * DAY)
        pause(life, world, 5.5, 8)
        assert promise(life).due_at == world.noon + 12.5 * DAY
        annul(life, "paused", world.noon + 6 * DAY)
        assert promise(life).due_at == world.noon + 10 * DAY

    def test_that_came_after_a_false_talk_count_for_what_it_had_ended(self, world: "World") -> None:
        life = touching(world)
        life.do("record-contact", world.noon + DAY)
        pause(life, world, 2, 5)
        annul(life, "contact-made", world.noon + 3 * DAY)
        assert promise(life).due_at == world.noon + 10 * DAY
        assert promise(life).rungs[0].at == world.noon + 9 * DAY

    def test_leave_alone_what_does_not_wait(self, world: "World") -> None:
        life = touching(world, "answer-candidate")
        life.do("record-message", world.noon)
        pause(life, world, 0, 10)
        annul(life, "paused", world.noon + HOUR)
        assert promise(life).due_at == world.noon + DAY
        assert not life.seen("obligation-moved")

    @settings(
        max_examples=150,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(
        steps=st.lists(
            st.tuples(st.sampled_from(("pause", "resume", "talk", "annul", "annul")), st.integers(0, 9)),
            min_size=3,
            max_size=9,
        )
    )
    def test_add_up_whatever_is_annulled(self, world: "World", steps: list[Step]) -> None:
        """Every day in a pause that still stands counts once, from the opening on."""
        life = touching(world)
        for place, step in enumerate(steps, 1):
            lived(life, step, world.noon + place * 8 * HOUR)
            assert fold(life.stream) == life.state
            for each in life.state.obligations.values():
                waited = paused_since(life, each.opened_at)
                assert timedelta(microseconds=each.waited) == waited
                assert each.due_at == each.since + 7 * DAY + waited


def lived(life: "Life", step: Step, now: datetime) -> None:
    """Take one step of a random life."""
    what, number = step
    if what == "pause":
        life.do("pause", now, until=now + (number + 1) * DAY / 2)
    elif what == "resume":
        life.do("resume", now)
    elif what == "talk":
        life.do("record-contact", now, contact_id=None)
    else:
        gone = annulled_ids(life.stream)
        kinds = ("paused", "resumed", "contact-made")
        standing = [each for each in life.stream if each.type in kinds and each.event_id not in gone]
        if standing:
            life.do("annul-event", now, event_id=standing[number % len(standing)].event_id)


def paused_since(life: "Life", start: datetime) -> timedelta:
    """Measure the pauses that still stand, each until its end or until the next word about it."""
    gone = annulled_ids(life.stream)
    found = sorted(
        [*life.seen("paused"), *life.seen("resumed")],
        key=lambda each: each[0].version,
    )
    standing = [each for each in found if each[0].event_id not in gone]
    total = timedelta()
    for place, (kept, event) in enumerate(standing):
        if event.type != "paused":
            continue
        end = event.until
        if place + 1 < len(standing):
            end = min(end, standing[place + 1][0].decided_at)
        total += max(timedelta(), end - max(start, kept.decided_at))
    return total


class TestFalseTalks:
    @pytest.mark.parametrize(("late", "level"), [(DAY + HOUR, 1), (2 * DAY + HOUR, 2), (4 * DAY, 3)])
    def test_give_the_highest_duty_back_to_its_person(
        self, world: "World", late: timedelta, level: int
    ) -> None:
        life = touching(world, "answer-candidate")
        life.do("record-message", world.noon)
        now = world.noon + late
        life.do("record-contact", now)
        assert not life.state.escalations
        annul(life, "contact-made", now)
        (key,) = life.state.obligations
        (raised,) = life.state.escalations.values()
        assert (raised.obligation_id, raised.level, promise(life).level) == (key, level, level)
        (again,) = [event for kept, event in life.seen("escalation-raised") if kept.decided_at == now][-1:]
        assert again.owner == "recruiter-1"

    def test_give_it_to_whoever_answers_for_the_candidate_by_then(self, world: "World") -> None:
        life = touching(world, "answer-candidate")
        life.do("record-message", world.noon)
        life.do("record-contact", world.noon + 2 * DAY)
        life.do("reassign", world.noon + 2 * DAY)
        annul(life, "contact-made", world.noon + 2 * DAY)
        (_, raised) = life.seen("escalation-raised")[-1]
        assert raised.owner == life.state.candidate_owner == "recruiter-2"

    def test_give_back_nothing_that_had_not_been_raised(self, world: "World") -> None:
        life = touching(world, "answer-candidate")
        life.do("record-message", world.noon)
        life.do("record-contact", world.noon + HOUR)
        annul(life, "contact-made", world.noon + 2 * HOUR)
        assert not life.state.escalations
        assert promise(life).level == 0

    def test_can_be_settled_again_by_a_true_one(self, world: "World") -> None:
        life = touching(world, "answer-candidate")
        life.do("record-message", world.noon)
        life.do("record-contact", world.noon + 3 * DAY, contact_id="false")
        annul(life, "contact-made", world.noon + 3 * DAY)
        life.do("record-contact", world.noon + 3 * DAY + HOUR, contact_id="true")
        assert not life.state.escalations
        assert not life.state.obligations

    def test_let_the_silence_since_the_talk_before_go_on(self, world: "World") -> None:
        """The talk that began it does not end it, however often a later one proves false."""
        life = touching(world)
        life.do("record-contact", world.noon + DAY, contact_id="true")
        for day in (2, 3):
            life.do("record-contact", world.noon + day * DAY, contact_id=f"false-{day}")
            annul(life, "contact-made", world.noon + day * DAY)
            assert (promise(life).since, promise(life).due_at) == (world.noon + DAY, world.noon + 8 * DAY)

    def test_leave_broken_what_was_broken(self, world: "World") -> None:
        """The breach is a fact: no pause makes it wait, and no late talk is in time."""
        life = touching(world)
        life.do("record-contact", world.noon + 8 * DAY)
        annul(life, "contact-made", world.noon + 8 * DAY)
        assert promise(life).breached
        pause(life, world, 9, 20)
        assert promise(life).due_at == world.noon + 7 * DAY
        life.do("record-contact", world.noon + 10 * DAY, contact_id="true")
        (_, met) = life.seen("obligation-met")[-1]
        assert not met.timely
        assert len(life.seen("obligation-breached")) == 1

    def test_may_be_followed_by_a_true_one_that_was_in_time(self, world: "World") -> None:
        life = touching(world)
        life.do("record-contact", world.noon + 8 * DAY)
        annul(life, "contact-made", world.noon + 8 * DAY)
        life.do("record-contact", world.noon + 9 * DAY, at=world.noon + 6 * DAY, contact_id="true")
        assert [each.excused for each in life.state.breaches.values()] == [True]
        assert len(life.seen("obligation-excused")) == 1


class TestAFalseStart:
    def test_lets_the_silence_be_measured_as_before(self, world: "World") -> None:
        """Who does not work in a job of ours after all is kept in touch with as ever."""
        life = touching(world)
        life.do("record-contact", world.noon + DAY)
        life.do("record-submission", world.noon + DAY, application_id=None)
        life.do("record-offer", world.noon + DAY)
        life.do("accept-offer", world.noon + DAY)
        life.do("confirm-start", world.noon + 7 * DAY)
        assert not life.state.obligations
        annul(life, "placement-started", world.noon + 7 * DAY)
        assert promise(life).due_at == world.noon + 8 * DAY
