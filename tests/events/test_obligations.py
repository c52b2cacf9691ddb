"""The promises of the shipped policy: what opens them, keeps them, moves them and ends them."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from events.policy import Policy
from events.state import OpenObligation

if TYPE_CHECKING:
    from tests.events.specification import Life, World

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
STORIES = {
    "answer-application": ("record-application",),
    "keep-in-touch": (),
    "answer-candidate": ("record-message",),
    "prepare-for-interview": ("record-submission", "record-interview-scheduled"),
    "word-after-interview": ("record-submission", "record-interview-scheduled", "record-interview-held"),
    "tell-decision": ("record-submission", "record-client-answer"),
    "tell-position-filled": ("record-submission", "record-position-filled"),
}
WITHIN = {
    "answer-application": 7 * DAY,
    "keep-in-touch": 7 * DAY,
    "answer-candidate": DAY,
    "prepare-for-interview": 6 * DAY,
    "word-after-interview": 2 * DAY,
    "tell-decision": 2 * DAY,
    "tell-position-filled": 2 * DAY,
}
ABOUT = {
    "answer-application": "application:a-1",
    "answer-candidate": "message:m-1",
    "prepare-for-interview": "interview:i-1",
    "word-after-interview": "interview:i-1",
    "tell-decision": "submission:s-1",
    "tell-position-filled": "submission:s-1",
}
RULES = sorted(STORIES)
ANSWERS = sorted(set(RULES) - {"keep-in-touch", "prepare-for-interview"})


def only(world: "World", rule: str) -> Policy:
    """Give the shipped policy with one promise and no gate."""
    found = world.starter.obligation(rule)
    assert found is not None
    return Policy(name="one", obligations=(found,))


def begun(world: "World", rule: str) -> "Life":
    """Live up to the moment, noon, at which the promise opens."""
    life = world.life(only(world, rule))
    life.do("open-engagement", world.noon)
    for name in STORIES[rule]:
        changes: dict[str, Any] = {"application_id": None} if name == "record-submission" else {}
        life.do(name, world.noon, **changes)
    return life


def promise(life: "Life") -> OpenObligation:
    """Give the one promise that is open."""
    (found,) = life.state.obligations.values()
    return found


def told(events: list[Any]) -> list[str]:
    """Name the types of events."""
    return [each.type for each in events]


class TestOpening:
    @pytest.mark.parametrize("rule", RULES)
    def test_sets_the_due_time_once(self, world: "World", rule: str) -> None:
        life = begun(world, rule)
        assert promise(life).rule == rule
        assert promise(life).due_at == world.noon + WITHIN[rule]

    def test_names_rules_of_the_shipped_policy(self, world: "World") -> None:
        assert set(STORIES) <= {each.id for each in world.starter.obligations}

    @pytest.mark.parametrize("rule", RULES)
    def test_breaks_at_its_due_time_and_not_before(self, world: "World", rule: str) -> None:
        life = begun(world, rule)
        due = world.noon + WITHIN[rule]
        life.wait(due - timedelta(microseconds=1))
        assert not life.seen("obligation-breached")
        life.wait(due)
        (breach,) = life.state.breaches.values()
        assert (breach.rule, breach.due_at) == (rule, due)

    @pytest.mark.parametrize("rule", RULES)
    def test_is_one_for_each_subject(self, world: "World", rule: str) -> None:
        life = begun(world, rule)
        life.do("record-application", world.noon, application_id="a-9")
        assert (
            len([each for each in life.state.obligations.values() if each.subject != "application:a-9"]) == 1
        )

    def test_counts_a_late_known_talk_from_when_it_happened(self, world: "World") -> None:
        life = begun(world, "keep-in-touch")
        life.do("record-contact", world.noon + 3 * DAY, at=world.noon + DAY)
        assert promise(life).due_at == world.noon + 8 * DAY

    def test_waits_out_a_pause(self, world: "World") -> None:
        life = begun(world, "keep-in-touch")
        life.do("pause", world.noon, until=world.noon + 10 * DAY)
        life.do("record-contact", world.noon + DAY)
        assert promise(life).due_at == world.noon + 17 * DAY

    def test_leaves_out_a_reminder_that_could_only_come_too_late(self, world: "World") -> None:
        life = begun(world, "prepare-for-interview")
        life.do("move-interview", world.noon, starts_at=world.noon + 30 * HOUR)
        assert promise(life).rungs[0].do == "breach"


class TestKeeping:
    @pytest.mark.parametrize("rule", RULES)
    def test_in_time_leaves_no_trace_of_neglect(self, world: "World", rule: str) -> None:
        life = begun(world, rule)
        kept = talk(life, rule, world.noon + WITHIN[rule] - HOUR)
        assert kept.timely
        assert not life.state.breaches

    @pytest.mark.parametrize("rule", RULES)
    def test_at_the_very_due_time_wins(self, world: "World", rule: str) -> None:
        """At equality, met wins: the timer's own step comes after, and finds nothing to do."""
        life = begun(world, rule)
        kept = talk(life, rule, world.noon + WITHIN[rule])
        assert kept.timely
        life.wait(world.noon + WITHIN[rule])
        assert not life.state.breaches

    @pytest.mark.parametrize("rule", RULES)
    def test_late_ends_the_escalations_and_leaves_the_breach(self, world: "World", rule: str) -> None:
        life = begun(world, rule)
        late = world.noon + WITHIN[rule] + HOUR
        kept = talk(life, rule, late)
        assert not kept.timely
        (breach,) = life.state.breaches.values()
        assert (breach.met_at, breach.excused, breach.level) == (late, False, 1)
        assert not life.state.escalations
        assert told([event for _, event in life.seen("escalation-settled")]) == ["escalation-settled"]

    @pytest.mark.parametrize("rule", ANSWERS)
    def test_an_answer_by_an_attempt_that_carries_it(self, world: "World", rule: str) -> None:
        """Law 6: an answer obligation is met by an attempt too, but only by one about its subject."""
        life = begun(world, rule)
        assert "obligation-met" not in told(life.do("record-attempt", world.noon + HOUR, attempt_id="t-1"))
        events = life.do("record-attempt", world.noon + HOUR, attempt_id="t-2", about=(ABOUT[rule],))
        assert "obligation-met" in told(events)

    @pytest.mark.parametrize("rule", ["keep-in-touch", "prepare-for-interview"])
    def test_no_talk_by_an_attempt_whatever_it_is_about(self, world: "World", rule: str) -> None:
        """Law 6: only a two-way exchange is contact."""
        life = world.life(only(world, rule))
        life.do("open-engagement", world.noon)
        for name in ("record-application", "record-submission", "record-interview-scheduled"):
            life.do(name, world.noon)
        about = ("interview:i-1", "submission:s-1", "application:a-1", "job-order:j-1")
        events = life.do("record-attempt", world.noon + HOUR, about=about)
        assert told(events) == ["attempt-made"]

    @pytest.mark.parametrize("rule", RULES)
    def test_never_by_a_message_of_the_engine(self, world: "World", rule: str) -> None:
        """Law 6: outreach is neither contact nor attempt."""
        life = begun(world, rule)
        life.wait(world.noon + WITHIN[rule])
        assert life.state.owed
        for effect in life.state.owed:
            events = life.do("record-outreach", world.noon + WITHIN[rule] + HOUR, effect_id=effect)
            assert told(events) == ["outreach-sent"]
        assert promise(life).breached

    def test_not_by_a_talk_from_before_it_opened(self, world: "World") -> None:
        life = begun(world, "answer-candidate")
        assert told(life.do("record-contact", world.noon + HOUR, at=world.noon - HOUR)) == ["contact-made"]

    def test_begins_to_measure_the_next_silence(self, world: "World") -> None:
        life = begun(world, "keep-in-touch")
        events = life.do("record-contact", world.noon + DAY)
        assert told(events) == ["contact-made", "obligation-met", "obligation-opened"]
        assert promise(life).due_at == world.noon + 8 * DAY

    def test_tells_one_decision_by_no_talk_about_another(self, world: "World") -> None:
        life = begun(world, "tell-decision")
        assert told(life.do("record-contact", world.noon + HOUR)) == ["contact-made"]
        assert told(life.do("pass-on-feedback", world.noon + HOUR, interview_id=None)) == [
            "feedback-passed-on",
            "obligation-met",
        ]


def talk(life: "Life", rule: str, now: datetime) -> Any:
    """Have the talk that keeps a promise; gives how it was kept."""
    about = (ABOUT[rule],) if rule in ABOUT else ()
    purpose = "preparation" if rule == "prepare-for-interview" else "talk"
    events = life.do("record-contact", now, about=about, purpose=purpose)
    (met,) = [each for each in events if each.type == "obligation-met"]
    return met


class TestExcusing:
    def test_a_timely_talk_recorded_late_excuses_the_breach(self, world: "World") -> None:
        life = begun(world, "answer-candidate")
        life.wait(world.noon + 2 * DAY)
        events = life.do("record-contact", world.noon + 2 * DAY, at=world.noon + HOUR)
        assert told(events)[:3] == ["contact-made", "obligation-excused", "obligation-met"]
        (breach,) = life.state.breaches.values()
        assert breach.excused
        assert len(life.seen("obligation-breached")) == 1

    def test_a_breach_that_is_over_is_excused_too(self, world: "World") -> None:
        life = begun(world, "answer-candidate")
        life.do("record-contact", world.noon + 2 * DAY, contact_id="late")
        events = life.do("record-contact", world.noon + 3 * DAY, at=world.noon + HOUR)
        assert told(events) == ["contact-made", "obligation-excused"]
        assert told(
            life.do("record-contact", world.noon + 3 * DAY, at=world.noon + HOUR, contact_id="again")
        ) == ["contact-made"]

    def test_a_late_report_excuses_even_after_the_end(self, world: "World") -> None:
        life = begun(world, "answer-candidate")
        life.wait(world.noon + 2 * DAY)
        life.do("close-engagement", world.noon + 2 * DAY)
        events = life.do("record-contact", world.noon + 3 * DAY, at=world.noon + HOUR)
        assert told(events) == ["contact-made", "obligation-excused"]


class TestMoving:
    def test_a_pause_shifts_what_waits(self, world: "World") -> None:
        life = begun(world, "keep-in-touch")
        events = life.do("pause", world.noon + DAY, until=world.noon + 4 * DAY)
        assert told(events) == ["paused", "obligation-moved"]
        assert promise(life).due_at == world.noon + 10 * DAY
        assert min(each.at for each in promise(life).rungs) == world.noon + 9 * DAY

    def test_its_early_end_pulls_the_rest_back(self, world: "World") -> None:
        life = begun(world, "keep-in-touch")
        life.do("pause", world.noon + DAY, until=world.noon + 4 * DAY)
        life.do("resume", world.noon + 2 * DAY)
        assert promise(life).due_at == world.noon + 8 * DAY

    def test_another_end_of_the_pause_counts_once(self, world: "World") -> None:
        life = begun(world, "keep-in-touch")
        life.do("pause", world.noon + DAY, until=world.noon + 4 * DAY)
        life.do("pause", world.noon + 2 * DAY, until=world.noon + 5 * DAY)
        assert promise(life).due_at == world.noon + 11 * DAY

    def test_a_pause_may_last_as_long_as_the_calendar_of_a_command(self, world: "World") -> None:
        life = begun(world, "keep-in-touch")
        life.do("pause", world.noon, until=datetime(2999, 12, 31, tzinfo=UTC))
        assert promise(life).due_at.year == 3000

    def test_an_answer_is_owed_in_a_pause_all_the_same(self, world: "World") -> None:
        life = begun(world, "answer-candidate")
        assert told(life.do("pause", world.noon, until=world.noon + 4 * DAY)) == ["paused"]

    def test_the_preparation_moves_with_its_interview(self, world: "World") -> None:
        life = begun(world, "prepare-for-interview")
        events = life.do("move-interview", world.noon + DAY)
        assert told(events) == ["interview-moved", "obligation-moved"]
        assert promise(life).due_at == world.noon + 7 * DAY

    def test_no_step_s_number_comes_twice(self, world: "World") -> None:
        """A step's number makes its command id, and a known command id adds nothing."""
        life = begun(world, "keep-in-touch")
        numbers = {each.number for each in promise(life).rungs}
        life.wait(world.noon + 6 * DAY)
        life.do("pause", world.noon + 6 * DAY, until=world.noon + 8 * DAY)
        assert not numbers & {each.number for each in promise(life).rungs}

    def test_an_overdue_preparation_begins_afresh_with_the_new_time(self, world: "World") -> None:
        life = begun(world, "prepare-for-interview")
        life.wait(world.noon + 6 * DAY)
        events = life.do("move-interview", world.noon + 6 * DAY, starts_at=world.noon + 20 * DAY)
        assert told(events) == [
            "interview-moved",
            "obligation-dropped",
            "escalation-settled",
            "obligation-opened",
        ]
        assert promise(life).due_at == world.noon + 19 * DAY

    def test_a_cancelled_interview_that_is_moved_is_prepared_for_again(self, world: "World") -> None:
        life = begun(world, "prepare-for-interview")
        life.do("cancel-interview", world.noon)
        assert told(life.do("move-interview", world.noon)) == ["interview-moved", "obligation-opened"]

    def test_a_talk_that_was_had_is_not_owed_again(self, world: "World") -> None:
        life = begun(world, "prepare-for-interview")
        talk(life, "prepare-for-interview", world.noon + HOUR)
        assert told(life.do("move-interview", world.noon + DAY)) == ["interview-moved"]


class TestBookedShort:
    @pytest.mark.parametrize(
        ("notice", "due"),
        [(25 * HOUR, 2 * HOUR), (27 * HOUR, 3 * HOUR), (5 * HOUR, 2 * HOUR), (HOUR, HOUR)],
    )
    def test_leaves_two_hours_for_the_preparation_or_until_it_begins(
        self, world: "World", notice: timedelta, due: timedelta
    ) -> None:
        life = world.life(only(world, "prepare-for-interview"))
        life.do("open-engagement", world.noon)
        life.do("record-submission", world.noon, application_id=None)
        life.do("record-interview-scheduled", world.noon, starts_at=world.noon + notice)
        assert promise(life).due_at == world.noon + due

    def test_promises_nothing_for_what_has_begun_already(self, world: "World") -> None:
        life = world.life(only(world, "prepare-for-interview"))
        life.do("open-engagement", world.noon)
        life.do("record-submission", world.noon, application_id=None)
        events = life.do("record-interview-scheduled", world.noon, starts_at=world.noon)
        assert told(events) == ["interview-scheduled"]


class TestDropping:
    @pytest.mark.parametrize("rule", RULES)
    def test_happens_at_the_end_with_all_that_was_raised(self, world: "World", rule: str) -> None:
        life = begun(world, rule)
        life.wait(world.noon + WITHIN[rule] + 10 * DAY)
        assert life.state.escalations
        if life.state.live_submissions:
            life.do("record-client-answer", world.noon + 20 * DAY, answer="no")
        life.do("close-engagement", world.noon + 20 * DAY)
        assert not life.state.obligations
        assert not life.state.escalations
        assert {event.how for _, event in life.seen("escalation-settled")} == {"dropped"}

    @pytest.mark.parametrize("name", ["cancel-interview", "record-interview-held", "record-interview-missed"])
    def test_of_one_preparation_leaves_the_other_interview_s(self, world: "World", name: str) -> None:
        life = begun(world, "prepare-for-interview")
        life.do("record-interview-scheduled", world.noon, interview_id="i-2")
        life.do(name, world.noon + HOUR)
        assert promise(life).subject == "interview:i-2"

    @pytest.mark.parametrize(
        ("name", "changes"),
        [
            ("withdraw", {}),
            ("withdraw", {"submission_id": None}),
            ("record-client-answer", {"answer": "no"}),
            ("record-position-filled", {}),
        ],
        ids=["leaves-it", "leaves-all", "client-says-no", "position-filled"],
    )
    def test_of_the_preparation_when_the_submission_is_over(
        self, world: "World", name: str, changes: dict[str, Any]
    ) -> None:
        life = begun(world, "prepare-for-interview")
        assert "obligation-dropped" in told(life.do(name, world.noon + HOUR, **changes))
        assert not life.state.obligations

    @pytest.mark.parametrize(
        ("name", "changes"),
        [("record-client-answer", {"answer": "yes"}), ("withdraw", {"submission_id": "s-2"})],
    )
    def test_of_no_preparation_when_something_else_ends(
        self, world: "World", name: str, changes: dict[str, Any]
    ) -> None:
        life = begun(world, "prepare-for-interview")
        life.do("record-submission", world.noon, submission_id="s-2", job_order_id="j-2", application_id=None)
        assert "obligation-dropped" not in told(life.do(name, world.noon + HOUR, **changes))

    @pytest.mark.parametrize("name", ["record-submission", "record-message", "request-call"])
    def test_of_the_silence_lasts_until_anything_wakes_the_engagement(
        self, world: "World", name: str
    ) -> None:
        life = begun(world, "keep-in-touch")
        life.do("go-dormant", world.noon)
        assert not life.state.obligations
        changes: dict[str, Any] = {"application_id": None} if name == "record-submission" else {}
        assert "obligation-opened" in told(life.do(name, world.noon + DAY, **changes))
        assert promise(life).due_at == world.noon + 8 * DAY

    def test_of_the_silence_when_nobody_waits(self, world: "World") -> None:
        life = begun(world, "keep-in-touch")
        assert told(life.do("go-dormant", world.noon)) == ["went-dormant", "obligation-dropped"]
        assert told(life.do("resume", world.noon + DAY)) == ["resumed", "obligation-opened"]

    def test_with_a_rule_that_is_retired(self, world: "World") -> None:
        life = begun(world, "answer-candidate")
        life.policy = Policy(name="none")
        assert told(life.do("adopt-policy", world.noon)) == ["policy-adopted", "obligation-dropped"]

    def test_not_with_a_policy_that_keeps_the_rule(self, world: "World") -> None:
        """What is open keeps its due time."""
        life = begun(world, "answer-candidate")
        life.policy = world.starter
        assert told(life.do("adopt-policy", world.noon)) == ["policy-adopted"]
        assert promise(life).due_at == world.noon + DAY
