"""What an imported past still owes: its own due times, no word of them, and a new start for the overdue."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from events import catalogue as e
from events.codec import decode
from events.errors import WrongState
from events.going_live import OVERDUE
from events.prediction import Prediction, Told
from events.receipts import GO_LIVE_ID

if TYPE_CHECKING:
    from tests.events.specification import Given, Then, World

AGENCY, STREAM = "agency-1", "engagement:e-1"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
TOLD = {"rung-reached", "escalation-raised", "outreach-requested"}


def imported(world: "World", *events: Any, only: tuple[str, ...] = ()) -> "Given":
    """Give a past that was imported, under the shipped policy or some of its rules."""
    given = world.given("engagement-opened", "assigned", *events)
    history = tuple(each.model_copy(update={"origin": "imported"}) for each in given.history)
    kept = tuple(each for each in world.starter.obligations if not only or each.id in only)
    policy = world.starter.model_copy(update={"obligations": kept})
    return type(given)(world, history, policy)


def live(given: "Given", now: datetime, **changes: Any) -> "Then":
    """Go live at a moment."""
    return given.when("go-live", now=now, command_id=GO_LIVE_ID, **{"observes": None, **changes})


def of(then: "Then", kind: str) -> list[Any]:
    """Give what came of it, of one type."""
    return [each for each in then.events if each.type == kind]


def applied(world: "World", at: datetime) -> Any:
    """Tell of an application."""
    return world.event("application-recorded", at=at, application_id="a-1")


def about(promise: Any) -> tuple[str, str]:
    """Name a promise by what it is about."""
    return promise.rule, promise.subject


class TestGoLive:
    def test_adopts_the_policy_and_says_how_much_is_imported(self, world: "World") -> None:
        """From here on promises are kept; the past had no policy of ours."""
        given = imported(world, only=("nothing",))
        live(given, world.later).then(
            e.PolicyAdopted(at=world.later, digest=given.policy.digest(), name=given.policy.name),
            e.WentLive(at=world.later, imported=2),
        )

    def test_twice_adds_nothing(self, world: "World") -> None:
        """An import that was killed asks again."""
        given = imported(world)
        history = (*given.history, *world.given("went-live").history)
        live(type(given)(world, history, given.policy), world.later).then_nothing()

    def test_cannot_be_annulled(self, world: "World") -> None:
        """Nobody could go live again, and every promise taken over would be dropped without a word."""
        given = imported(world, applied(world, world.noon))
        history = (*given.history, *world.given("went-live").history)
        alive = type(given)(world, history, given.policy)
        alive.when("annul-event", event_id=history[-1].event_id).fails(WrongState, "cannot be annulled")

    def test_needs_a_past(self, world: "World") -> None:
        """An engagement that was opened here has been live from the first."""
        given = world.given("engagement-opened").under(world.starter)
        live(given, world.later).fails(WrongState, "nothing was imported")


class TestWhatIsNotYetDue:
    def test_stands_as_if_it_had_been_live_all_along(self, world: "World") -> None:
        """The same promise, with its due time and the steps that are still ahead."""
        now = world.noon + 6 * DAY + HOUR
        then = live(imported(world, applied(world, world.noon)), now)
        lived = world.life()
        lived.do("open-engagement", world.noon, owner="recruiter-1")
        lived.do("record-application", world.noon, application_id="a-1")
        lived.wait(now)
        ours, theirs = then.state.obligations, lived.state.obligations
        assert {about(each) for each in ours.values()} >= {
            ("answer-application", "application:a-1"),
            ("keep-in-touch", "engagement"),
        }
        laid = {
            about(each): (each.since, each.due_at, each.rungs)
            for each in theirs.values()
            if not each.breached
        }
        found = {about(each): (each.since, each.due_at, each.rungs) for each in ours.values()}
        assert {each: found[each] for each in laid} == laid

    def test_and_was_kept_leaves_nothing(self, world: "World") -> None:
        """Who was answered in time waits for nothing."""
        told = world.event("attempt-made", at=world.noon + DAY, about=("application:a-1",))
        given = imported(world, applied(world, world.noon), told, only=("answer-application",))
        assert not live(given, world.noon + 20 * DAY).state.obligations


class TestWhatIsPastDue:
    def test_is_broken_at_its_own_time_and_owed_anew_from_now(self, world: "World") -> None:
        """The breach is a fact of the past; the answer is owed from here, as the policy says."""
        now = world.noon + 400 * DAY
        then = live(imported(world, applied(world, world.noon), only=("answer-application",)), now)
        first, anew = of(then, "obligation-opened")
        [breached], [dropped] = of(then, "obligation-breached"), of(then, "obligation-dropped")
        due = world.noon + 7 * DAY
        assert (first.since, first.due_at, first.opened_at) == (world.noon, due, world.noon)
        assert (breached.obligation_id, breached.at, breached.due_at) == (first.obligation_id, due, due)
        assert (dropped.obligation_id, dropped.at, dropped.reason) == (first.obligation_id, now, OVERDUE)
        assert (anew.rule, anew.subject) == (first.rule, first.subject)
        assert anew.obligation_id != first.obligation_id
        assert (anew.since, anew.opened_at, anew.due_at) == (world.noon, now, now + 7 * DAY)
        assert all(rung.at > now for rung in anew.rungs)
        assert list(then.state.obligations) == [anew.obligation_id]
        assert then.state.breaches[first.obligation_id].due_at == due

    def test_is_told_to_nobody(self, world: "World") -> None:
        """No outreach and no escalation for the past."""
        then = live(imported(world, applied(world, world.noon)), world.noon + 400 * DAY)
        assert of(then, "obligation-breached")
        assert not TOLD & {each.type for each in then.events}

    def test_and_was_kept_late_is_no_concern_of_today(self, world: "World") -> None:
        """What was settled before stays before."""
        told = world.event("attempt-made", at=world.noon + 30 * DAY, about=("application:a-1",))
        given = imported(world, applied(world, world.noon), told, only=("answer-application",))
        then = live(given, world.noon + 400 * DAY)
        assert [each.type for each in then.events] == ["policy-adopted", "went-live"]

    def test_cannot_be_owed_anew_before_a_time_that_is_over(self, world: "World") -> None:
        """Nobody can be prepared any more for an interview of last year."""
        scheduled = world.event(
            "interview-scheduled", at=world.noon, interview_id="i-1", starts_at=world.noon + 5 * DAY
        )
        given = imported(world, "submitted", scheduled, only=("prepare-for-interview",))
        then = live(given, world.noon + 400 * DAY)
        assert len(of(then, "obligation-breached")) == 1
        assert not then.state.obligations

    def test_is_owed_until_the_planned_time_while_that_is_ahead(self, world: "World") -> None:
        """The day before is over, the interview is not."""
        starts = world.noon + 5 * DAY
        scheduled = world.event("interview-scheduled", at=world.noon, interview_id="i-1", starts_at=starts)
        given = imported(world, "submitted", scheduled, only=("prepare-for-interview",))
        then = live(given, starts - HOUR)
        [promise] = then.state.obligations.values()
        assert promise.due_at == starts

    def test_waits_for_a_pause_that_lasts(self, world: "World") -> None:
        """Who asked for quiet is left in peace until then."""
        now, until = world.noon + 30 * DAY, world.noon + 40 * DAY
        paused = world.event("paused", at=world.noon + 29 * DAY, until=until)
        given = imported(world, paused, only=("keep-in-touch",))
        [promise] = live(given, now).state.obligations.values()
        rule = given.policy.obligation("keep-in-touch")
        assert rule is not None
        waits = until - now if rule.while_paused == "waits" else timedelta()
        assert promise.due_at == now + rule.within.delta + waits


class TestWhatTheSourceCannotShow:
    def test_is_not_judged(self, world: "World") -> None:
        """A log that knows no talks would call everybody neglected by its own silence."""
        given = imported(world, applied(world, world.noon))
        then = live(given, world.noon + 400 * DAY, observes=("answer-application",))
        assert {each.rule for each in of(then, "obligation-opened")} == {"answer-application"}


class TestAfterwards:
    @pytest.fixture
    def overdue(self, world: "World") -> "Given":
        """An application that nobody had answered when the engagement went live, 400 days later."""
        given = imported(world, applied(world, world.noon), only=("answer-application",))
        then = live(given, world.noon + 400 * DAY)
        assert then.prepared is not None
        life = world.life(given.policy)
        life.stream.extend(given.history)
        life._take(then.prepared)
        return type(given)(world, tuple(life.stream), given.policy)

    def test_a_timely_answer_told_late_excuses_the_breach(self, world: "World", overdue: "Given") -> None:
        """Law 6: it excuses, and never unmakes; and what was owed anew is kept by it, too."""
        then = overdue.when(
            "record-attempt", now=world.noon + 401 * DAY, at=world.noon + 2 * DAY, about=("application:a-1",)
        )
        assert {each.type for each in then.events} == {"attempt-made", "obligation-met", "obligation-excused"}
        [breach] = then.state.breaches.values()
        assert breach.excused

    def test_the_first_step_comes_at_its_time(self, world: "World", overdue: "Given") -> None:
        """What is owed anew is kept by timers like everything else."""
        now = world.noon + 400 * DAY
        assert not overdue.after(now + 5 * DAY)
        steps = overdue.after(now + 7 * DAY)
        assert [(each.type, each.at) for each in steps if each.type == "obligation-breached"] == [
            ("obligation-breached", now + 7 * DAY)
        ]


class TestAPrediction:
    def test_regenerates_what_going_live_led_to(self, world: "World") -> None:
        """Law 10: from the imported past, the report of going live and the policy alone."""
        given = imported(world, applied(world, world.noon), "contact-made", "submitted")
        now = world.noon + 400 * DAY
        then = live(given, now)
        assert then.prepared is not None
        heard: list[Any] = []
        prediction = Prediction(AGENCY, STREAM, given.policy, heard.append, remembers=True)
        for each in given.history:
            prediction.follow([Told(each.event_id, decode(each), each.decided_at, imported=True)])
        assert not heard
        made = zip(then.prepared.group.drafts, then.events, strict=True)
        prediction.follow([Told(draft.event_id, event, now) for draft, event in made if not event.by_engine])
        assert heard == [event for event in then.events if event.by_engine]
        assert heard
        assert prediction.state.obligations == then.state.obligations
