"""The record about the record: annulments, escalations taken on, outreach told, messages refused."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from events.envelope import ENGINE, Actor
from events.errors import NotAllowed, UnknownReference, WrongState
from events.fold import fold
from events.obligations import react
from events.policy import Policy, Trigger

if TYPE_CHECKING:
    from tests.events.specification import Life, World

DAY = timedelta(days=1)
LEAD = Actor(kind="person", id="lead-1")


def of(world: "World", *rules: str) -> Policy:
    """Give the shipped policy with some promises and no gate."""
    kept = tuple(each for each in world.starter.obligations if each.id in rules)
    return Policy(name="some", obligations=kept)


def told(events: list[Any]) -> list[str]:
    """Name the types of events."""
    return [each.type for each in events]


def annul(life: "Life", kind: str, now: Any) -> list[str]:
    """Annul the last event of a type; gives the types of what came of it."""
    events = told(life.do("annul-event", now, event_id=life.id_of(kind)))
    assert fold(life.stream) == life.state
    return events


class TestAnnulEvent:
    def test_folds_as_absent(self, world: "World") -> None:
        life = world.life(Policy(name="none"))
        life.do("open-engagement", world.noon)
        before = life.state
        life.do("complete-intake", world.noon)
        assert annul(life, "intake-completed", world.noon + DAY) == ["event-annulled"]
        assert life.state.stage == before.stage == "intake"

    def test_is_done_once(self, world: "World") -> None:
        life = world.life(Policy(name="none"))
        life.do("open-engagement", world.noon)
        life.do("complete-intake", world.noon)
        annul(life, "intake-completed", world.noon)
        assert annul(life, "intake-completed", world.noon) == []

    def test_opens_again_what_it_had_kept_and_drops_what_it_had_opened(self, world: "World") -> None:
        life = world.life(of(world, "keep-in-touch"))
        life.do("open-engagement", world.noon)
        life.do("record-contact", world.noon + DAY)
        events = annul(life, "contact-made", world.noon + 2 * DAY)
        assert events == ["event-annulled", "obligation-dropped", "obligation-opened"]
        (promise,) = life.state.obligations.values()
        assert (promise.since, promise.due_at) == (world.noon, world.noon + 7 * DAY)
        assert life.state.conversations == 0

    def test_opens_again_nothing_that_another_talk_had_kept(self, world: "World") -> None:
        life = world.life(of(world, "answer-candidate"))
        life.do("open-engagement", world.noon)
        life.do("record-message", world.noon)
        life.do("record-contact", world.noon, contact_id="contact-1")
        life.do("record-contact", world.noon, contact_id="contact-2")
        first = life.seen("contact-made")[0][0].event_id
        assert told(life.do("annul-event", world.noon + DAY, event_id=first)) == ["event-annulled"]

    def test_takes_no_step_twice_of_a_promise_that_opens_again(self, world: "World") -> None:
        """The breach is a fact and stands; the duty it led to is back, and what is ahead still is."""
        life = world.life(of(world, "answer-candidate"))
        life.do("open-engagement", world.noon)
        life.do("record-message", world.noon)
        late = world.noon + DAY + timedelta(hours=1)
        life.do("record-contact", late)
        annul(life, "contact-made", late)
        life.wait(world.noon + 9 * DAY)
        assert len(life.seen("obligation-breached")) == 1
        assert [event.level for _, event in life.seen("escalation-raised")] == [1, 1, 2, 3]

    def test_of_a_false_excuse_lets_the_breach_come_back(self, world: "World") -> None:
        life = world.life(of(world, "answer-candidate"))
        life.do("open-engagement", world.noon)
        life.do("record-message", world.noon)
        life.wait(world.noon + DAY)
        life.do("record-contact", world.noon + DAY, at=world.noon)
        annul(life, "contact-made", world.noon + DAY)
        life.wait(world.noon + DAY)
        assert [each.excused for each in life.state.breaches.values()] == [True, False]

    def test_opens_again_what_it_had_dropped(self, world: "World") -> None:
        life = world.life(of(world, "prepare-for-interview"))
        life.do("open-engagement", world.noon)
        life.do("record-submission", world.noon, application_id=None)
        life.do("record-interview-scheduled", world.noon)
        life.do("cancel-interview", world.noon)
        assert annul(life, "interview-cancelled", world.noon) == ["event-annulled", "obligation-opened"]
        (promise,) = life.state.obligations.values()
        assert promise.due_at == world.noon + 6 * DAY

    @pytest.mark.parametrize(
        ("rule", "name", "kind"),
        [
            ("keep-in-touch", "pause", "paused"),
            ("prepare-for-interview", "move-interview", "interview-moved"),
        ],
    )
    def test_moves_back_what_it_had_moved(self, world: "World", rule: str, name: str, kind: str) -> None:
        life = world.life(of(world, rule))
        life.do("open-engagement", world.noon)
        life.do("record-submission", world.noon, application_id=None)
        life.do("record-interview-scheduled", world.noon)
        due = {key: each.due_at for key, each in life.state.obligations.items()}
        life.do(name, world.noon)
        assert {key: each.due_at for key, each in life.state.obligations.items()} != due
        assert annul(life, kind, world.noon) == ["event-annulled", "obligation-moved"]
        assert {key: each.due_at for key, each in life.state.obligations.items()} == due

    def test_after_the_end_promises_nothing(self, world: "World") -> None:
        life = world.life(of(world, "answer-candidate"))
        life.do("open-engagement", world.noon)
        life.do("record-message", world.noon)
        life.do("record-contact", world.noon)
        life.do("close-engagement", world.noon)
        assert annul(life, "contact-made", world.noon + DAY) == ["event-annulled"]
        assert not life.state.obligations

    def test_gives_back_what_a_submission_had_claimed(self, world: "World") -> None:
        life = world.life(Policy(name="none"))
        life.do("open-engagement", world.noon)
        life.do("record-submission", world.noon, application_id=None)
        life.do("annul-event", world.noon, event_id=life.id_of("submitted"))
        assert [each.key for each in life.groups[-1].group.releases] == ["j-1:candidate-1"]

    @pytest.mark.parametrize("kind", ["outreach-sent", "outreach-failed", "outreach-withheld"])
    def test_leaves_alone_what_became_of_a_message(self, world: "World", kind: str) -> None:
        given = world.given("engagement-opened", "outreach-requested", kind)
        given.when("annul-event", event_id=given.history[-1].event_id).fails(WrongState, kind)

    @pytest.mark.parametrize("kind", ["engagement-opened", "policy-adopted", "engagement-closed"])
    def test_leaves_alone_what_everything_rests_on(self, world: "World", kind: str) -> None:
        given = world.given("engagement-opened", "policy-adopted", "engagement-closed")
        (found,) = [each for each in given.history if each.type == kind]
        given.when("annul-event", event_id=found.event_id).fails(WrongState, kind)

    def test_leaves_alone_what_the_engine_concluded(self, world: "World") -> None:
        given = world.given("engagement-opened", "obligation-opened")
        given.when("annul-event", event_id=given.history[1].event_id).fails(WrongState, "what led to it")

    def test_does_not_know_other_events(self, world: "World") -> None:
        world.given("engagement-opened").when("annul-event").fails(UnknownReference, "event")


class TestAcknowledgeEscalation:
    def test_is_noted_once_and_settles_nothing(self, world: "World") -> None:
        raised = ("engagement-opened", "obligation-opened", "escalation-raised")
        then = world.given(*raised).when("acknowledge-escalation")
        then.then(world.event("escalation-acknowledged", at=world.later))
        assert len(then.state.obligations) == 1
        world.given(*raised, "escalation-acknowledged").when("acknowledge-escalation").then_nothing()
        world.given(*raised, "escalation-acknowledged").when(
            "acknowledge-escalation", by="recruiter-2"
        ).then_types("escalation-acknowledged")

    def test_needs_an_open_one(self, world: "World") -> None:
        world.given("engagement-opened").when("acknowledge-escalation").fails(UnknownReference, "escalation")


class TestExcuseObligation:
    OPEN = ("engagement-opened", "assigned", "obligation-opened")
    BROKEN = (*OPEN, "obligation-breached")

    def test_ends_an_open_promise_in_a_column_of_its_own(self, world: "World") -> None:
        then = world.given(*self.OPEN).when("excuse-obligation", actor=LEAD)
        then.then_types("excuse-granted", "obligation-excused", "obligation-dropped")
        assert then.events[0] == world.event("excuse-granted", at=world.later)
        assert (then.events[1].reason, then.events[2].reason) == ("by-a-lead", "excused")
        assert then.state.obligations == {}

    def test_excuses_a_breach_and_never_unmakes_it(self, world: "World") -> None:
        day = world.noon + 3 * DAY
        then = world.given(*self.BROKEN, "escalation-raised").when("excuse-obligation", actor=LEAD, now=day)
        then.then_types("excuse-granted", "obligation-excused", "obligation-dropped", "escalation-settled")
        (breach,) = then.state.breaches.values()
        assert (breach.excused, breach.met_at) == (True, None)

    def test_may_come_after_the_promise_and_after_the_engagement(self, world: "World") -> None:
        late = world.event("obligation-met", timely=False)
        for more in ((late,), ("obligation-dropped",), (late, "engagement-closed")):
            then = world.given(*self.BROKEN, *more).when(
                "excuse-obligation", actor=LEAD, now=world.noon + 3 * DAY
            )
            then.then_types("excuse-granted", "obligation-excused")
            assert [each.excused for each in then.state.breaches.values()] == [True]

    def test_is_given_once(self, world: "World") -> None:
        excused = world.event("obligation-excused", reason="by-a-lead")
        given = world.given(*self.BROKEN, "excuse-granted", excused, "obligation-dropped")
        given.when("excuse-obligation", actor=LEAD, now=world.noon + 3 * DAY).then_nothing()

    def test_needs_something_to_excuse(self, world: "World") -> None:
        world.given("engagement-opened").when("excuse-obligation", actor=LEAD).fails(
            UnknownReference, "promise"
        )
        kept = world.given(*self.OPEN, "obligation-met")
        kept.when("excuse-obligation", actor=LEAD).fails(UnknownReference, "promise")

    @pytest.mark.parametrize("over", [(), ("obligation-dropped",)], ids=["open", "over"])
    @pytest.mark.parametrize("by", ["recruiter-1", "recruiter-9"])
    def test_is_given_by_nobody_who_owes_it(self, world: "World", by: str, over: tuple[str, ...]) -> None:
        """Whoever answers for the job, or for the candidate, excuses neither themselves nor each other's."""
        owed = world.event("obligation-opened", owner_role="job-order-owner", subject="submission:s-1")
        begun = ("engagement-opened", "assigned", "submitted", owed, "obligation-breached")
        given = world.given(*begun, *over)
        given.when("excuse-obligation", by=by, actor=LEAD, now=world.noon + 3 * DAY).fails(
            NotAllowed, "by=LEAD"
        )

    def test_is_given_in_nobody_else_s_name(self, world: "World") -> None:
        """Who owes it does not get out of it by naming a lead."""
        given = world.given(*self.OPEN)
        given.when("excuse-obligation", by="lead-1").fails(NotAllowed, "'recruiter-1' owes this promise")

    def test_excuses_nothing_that_another_policy_never_promised(self, world: "World") -> None:
        """A prediction under other rules meets the excuse, and no promise to go with it."""
        granted = world.event("excuse-granted")
        state = world.given("engagement-opened").state
        assert react(state, state, granted, UUID(int=1), Policy(name="none"), world.noon) == []

    def test_leaves_its_mark_on_no_breach_when_it_was_wrong(self, world: "World") -> None:
        life = world.life(of(world, "answer-candidate"))
        life.do("open-engagement", world.noon)
        life.do("record-message", world.noon)
        (key,) = life.state.obligations
        life.wait(world.noon + 2 * DAY)
        life.do("excuse-obligation", world.noon + 2 * DAY, actor=LEAD, obligation_id=key)
        assert life.state.breaches[key].excused
        annul(life, "excuse-granted", world.noon + 3 * DAY)
        assert not life.state.breaches[key].excused

    def test_is_given_by_no_machine(self, world: "World") -> None:
        world.given(*self.OPEN).when("excuse-obligation", actor=ENGINE).fails(NotAllowed, "only a person")

    def test_leaves_every_other_promise_alone(self, world: "World") -> None:
        life = world.life(of(world, "keep-in-touch", "answer-candidate"))
        life.do("open-engagement", world.noon)
        life.do("record-message", world.noon)
        key = next(key for key, each in life.state.obligations.items() if each.rule == "answer-candidate")
        life.do("excuse-obligation", world.noon, actor=LEAD, obligation_id=key)
        assert [each.rule for each in life.state.obligations.values()] == ["keep-in-touch"]

    def test_lets_the_silence_be_measured_anew_where_the_rule_says_so(self, world: "World") -> None:
        """An excuse is for one promise; it may not end the measuring of silence for good."""
        (rule,) = of(world, "keep-in-touch").obligations
        again = Trigger(event="excuse-granted", where={"rule": "keep-in-touch"})
        rule = rule.model_copy(update={"opens_on": (*rule.opens_on, again)})
        life = world.life(Policy(name="one", obligations=(rule,)))
        life.do("open-engagement", world.noon)
        (key,) = life.state.obligations
        events = life.do("excuse-obligation", world.noon + 3 * DAY, actor=LEAD, obligation_id=key)
        assert told(events)[-1] == "obligation-opened"
        (promise,) = life.state.obligations.values()
        assert promise.due_at == world.noon + 10 * DAY

    def test_is_undone_by_an_annulment(self, world: "World") -> None:
        life = world.life(of(world, "answer-candidate"))
        life.do("open-engagement", world.noon)
        life.do("record-message", world.noon)
        (key,) = life.state.obligations
        life.do("excuse-obligation", world.noon, actor=LEAD, obligation_id=key)
        assert annul(life, "excuse-granted", world.noon) == ["event-annulled", "obligation-opened"]
        (promise,) = life.state.obligations.values()
        assert promise.due_at == world.noon + DAY


class TestRecordOutreach:
    @pytest.mark.parametrize(
        ("outcome", "kind"),
        [("sent", "outreach-sent"), ("failed", "outreach-failed"), ("withheld", "outreach-withheld")],
    )
    def test_settles_what_was_owed_once(self, world: "World", outcome: str, kind: str) -> None:
        owed = world.given("engagement-opened", "outreach-requested")
        then = owed.when("record-outreach", outcome=outcome)
        then.then_types(kind)
        assert not then.state.owed
        world.given("engagement-opened", "outreach-requested", kind).when("record-outreach").then_nothing()

    @pytest.mark.parametrize("outcome", ["sent", "failed", "withheld"])
    def test_is_news_from_the_world_though_the_engine_tells_it(self, world: "World", outcome: str) -> None:
        """Only what follows from other events is the engine's own; what a mailbox did follows from none."""
        owed = world.given("engagement-opened", "outreach-requested")
        then = owed.when("record-outreach", outcome=outcome, actor=ENGINE)
        assert then.prepared is not None
        (made,) = then.prepared.group.drafts
        assert (made.origin, made.actor) == ("business", ENGINE)

    def test_may_come_after_the_end(self, world: "World") -> None:
        closed = world.given("engagement-opened", "outreach-requested", "engagement-closed")
        closed.when("record-outreach").then_types("outreach-sent")


class TestRefuseMessage:
    def test_is_kept_without_its_content(self, world: "World") -> None:
        then = world.given("engagement-opened").when("refuse-message")
        then.then(world.event("message-refused", at=world.later))
        assert then.outcome == "message-refused"
