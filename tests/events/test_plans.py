"""Promises around planned times: a first day, a contract's end, an offer's expiry, an expected wait."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from events.policy import ObligationRule, Policy, Span, Trigger
from events.policy_checks import PLANNED_BY, problems_of
from events.state import OpenObligation

if TYPE_CHECKING:
    from tests.events.specification import Life, World

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MEETING = {
    "met_by": (Trigger(event="contact-made", where={"purpose": "check-in"}),),
    "mode": "observe",
    "says": "Somebody calls.",
    "because": "M: a test.",
    "kind": "contact",
}


def rule(planned: str | None, *opens_on: str, days: int, subject: str = "placement", **more: Any) -> Any:
    """Give a promise that is due so many days after its planned time."""
    fields = {
        **MEETING,
        "id": "call",
        "subject": subject,
        "opens_on": tuple(Trigger(event=each) for each in opens_on),
        "within": Span(amount=days, unit="days"),
        "planned": planned,
        **more,
    }
    found = ObligationRule.model_validate(fields)
    assert problems_of(Policy(name="one", obligations=(found,))) == []
    return found


def begun(world: "World", found: Any, *told: str, **changes: Any) -> "Life":
    """Live up to noon under one promise; *changes* are those of the last command."""
    life = world.life(Policy(name="one", obligations=(found,)))
    life.do("open-engagement", world.noon)
    names = ("record-submission", "record-offer", *told)
    for name in names:
        more: dict[str, Any] = {"application_id": None} if name == "record-submission" else {}
        more |= changes if name == names[-1] else {}
        life.do(name, world.noon, **more)
    return life


def promise(life: "Life") -> OpenObligation:
    """Give the one promise that is open."""
    (found,) = life.state.obligations.values()
    return found


def told(events: list[Any]) -> list[str]:
    """Name the types of events."""
    return [each.type for each in events]


@pytest.fixture
def starts(world: "World") -> datetime:
    """This will give the canonical first day, a week after noon."""
    found: datetime = world.event("offer-accepted").starts_on
    return found


class TestAPlannedTime:
    @pytest.mark.parametrize("planned", sorted(PLANNED_BY))
    def test_is_laid_down_by_the_event_that_is_named_for_it(self, planned: str) -> None:
        subject = {"starts_at": "interview", "ends_at": "interview", "expires_at": "offer"}
        kind = "no-match" if planned == "expected_by" else subject.get(planned, "placement")
        assert rule(planned, PLANNED_BY[planned], days=-1, subject=kind).planned == planned


class TestAFirstDay:
    def test_is_agreed_with_the_offer(self, world: "World", starts: datetime) -> None:
        life = begun(world, rule("starts_on", "offer-accepted", days=-2), "accept-offer")
        assert (promise(life).due_at, promise(life).subject) == (starts - 2 * DAY, "placement:s-1")

    def test_takes_the_promise_along_when_it_moves(self, world: "World", starts: datetime) -> None:
        life = begun(world, rule("starts_on", "offer-accepted", days=-2), "accept-offer")
        assert told(life.do("move-start", world.noon)) == ["start-moved", "obligation-moved"]
        assert promise(life).due_at == starts + 5 * DAY

    def test_opens_it_when_it_is_known_at_last(self, world: "World", starts: datetime) -> None:
        life = begun(world, rule("starts_on", "offer-accepted", days=-2), "record-message")
        life.do("record-offer", world.noon, offer_id="o-2", starts_on=None)
        life.do("accept-offer", world.noon, offer_id="o-2", starts_on=None)
        assert not life.state.obligations
        assert told(life.do("move-start", world.noon)) == ["start-moved", "obligation-opened"]
        assert promise(life).due_at == starts + 5 * DAY

    def test_opens_it_again_when_it_was_broken(self, world: "World", starts: datetime) -> None:
        """The breach stands, and there is a new day to call before."""
        life = begun(world, rule("starts_on", "offer-accepted", days=-2), "accept-offer")
        life.wait(starts - DAY)
        events = told(life.do("move-start", starts - DAY))
        assert events == ["start-moved", "obligation-dropped", "obligation-opened"]
        assert (promise(life).due_at, promise(life).breached) == (starts + 5 * DAY, False)
        assert len(life.state.breaches) == 1

    def test_moves_nothing_of_another_placement(self, world: "World") -> None:
        life = begun(world, rule("starts_on", "offer-accepted", days=-2), "accept-offer")
        life.do("record-submission", world.noon, submission_id="s-2", job_order_id="j-2", application_id=None)
        life.do("record-offer", world.noon, submission_id="s-2", offer_id="o-2")
        life.do("accept-offer", world.noon, offer_id="o-2")
        life.do("move-start", world.noon, placement_id="s-2")
        due = {each.subject: each.due_at for each in life.state.obligations.values()}
        assert due["placement:s-2"] - due["placement:s-1"] == 7 * DAY


class TestAFirstPaidDay:
    @pytest.mark.parametrize(("late", "opens"), [(HOUR, True), (6 * DAY, True), (8 * DAY, False)])
    def test_is_a_fact_from_which_days_are_counted(
        self, world: "World", starts: datetime, late: timedelta, opens: bool
    ) -> None:
        """Confirmed late, it opens what is still ahead, and nothing that could only be late."""
        life = begun(world, rule("started_on", "placement-started", days=7), "accept-offer")
        life.do("confirm-start", starts + late)
        assert [each.due_at for each in life.state.obligations.values()] == [starts + 7 * DAY] * opens

    def test_leaves_the_least_time_when_it_is_known_late(self, world: "World", starts: datetime) -> None:
        hours = Span(amount=4, unit="hours")
        life = begun(world, rule("started_on", "placement-started", days=1, at_least=hours), "accept-offer")
        life.do("confirm-start", starts + 3 * DAY)
        assert promise(life).due_at == starts + 3 * DAY + 4 * HOUR


class TestAContractsEnd:
    TALK = ("ends_on", "placement-started")

    def contract(self, world: "World", starts: datetime, ends_on: datetime | None) -> "Life":
        """Live up to the first paid day of a contract."""
        found = rule(*self.TALK, days=-30)
        changes = {"placement_kind": "contract", "ends_on": ends_on}
        life = begun(world, found, "accept-offer", **changes)
        life.do("confirm-start", starts)
        return life

    def test_is_looked_forward_to_and_moves(self, world: "World", starts: datetime) -> None:
        life = self.contract(world, starts, starts + 90 * DAY)
        assert promise(life).due_at == starts + 60 * DAY
        assert told(life.do("extend-contract", starts)) == ["contract-extended", "obligation-moved"]
        assert promise(life).due_at == starts + 240 * DAY

    def test_opens_a_promise_when_it_is_known_at_last(self, world: "World", starts: datetime) -> None:
        life = self.contract(world, starts, None)
        assert not life.state.obligations
        assert told(life.do("extend-contract", starts)) == ["contract-extended", "obligation-opened"]

    def test_opens_it_again_when_it_was_broken(self, world: "World", starts: datetime) -> None:
        life = self.contract(world, starts, starts + 90 * DAY)
        life.wait(starts + 61 * DAY)
        events = told(life.do("extend-contract", starts + 61 * DAY))
        assert events == ["contract-extended", "obligation-dropped", "obligation-opened"]

    def test_is_a_matter_of_the_policy_once_the_job_is_permanent(
        self, world: "World", starts: datetime
    ) -> None:
        found = rule(
            *self.TALK, days=-30, dropped_by=(Trigger(event="placement-converted", about_subject=True),)
        )
        changes = {"placement_kind": "contract", "ends_on": starts + 90 * DAY}
        life = begun(world, found, "accept-offer", **changes)
        life.do("confirm-start", starts)
        assert told(life.do("convert-placement", starts)) == ["placement-converted", "obligation-dropped"]


class TestAnOffersExpiry:
    def offered(self, world: "World", **changes: Any) -> "Life":
        """Live up to an offer, which is to be talked over a day before it expires."""
        return begun(world, rule("expires_at", "offer-extended", days=-1, subject="offer"), **changes)

    def test_moves_with_a_revision(self, world: "World", starts: datetime) -> None:
        life = self.offered(world)
        assert promise(life).due_at == starts - DAY
        events = told(life.do("revise-offer", world.noon, expires_at=starts + DAY))
        assert events == ["offer-revised", "obligation-moved"]
        assert promise(life).due_at == starts

    def test_opens_a_promise_when_a_revision_names_it_first(self, world: "World", starts: datetime) -> None:
        life = self.offered(world, expires_at=None)
        assert not life.state.obligations
        events = told(life.do("revise-offer", world.noon, expires_at=starts))
        assert events == ["offer-revised", "obligation-opened"]
        assert promise(life).due_at == starts - DAY

    def test_stands_when_only_the_terms_change(self, world: "World", starts: datetime) -> None:
        """No promise is dropped, and no breach forgotten, because there is more money."""
        life = self.offered(world)
        assert told(life.do("revise-offer", world.noon)) == ["offer-revised"]
        life.wait(starts - DAY)
        assert told(life.do("revise-offer", starts - HOUR)) == ["offer-revised"]
        assert promise(life).breached

    def test_opens_it_again_when_it_was_broken(self, world: "World", starts: datetime) -> None:
        life = self.offered(world)
        life.wait(starts - DAY)
        events = told(life.do("revise-offer", starts - HOUR, expires_at=starts + 3 * DAY))
        assert events == ["offer-revised", "obligation-dropped", "obligation-opened"]
        assert promise(life).due_at == starts + 2 * DAY


class TestAnExpectedWait:
    def test_ends_when_it_was_said_to(self, world: "World", starts: datetime) -> None:
        found = rule("expected_by", "no-match-yet", days=1, subject="no-match")
        life = begun(world, found, "record-no-match")
        assert (promise(life).due_at, promise(life).subject) == (starts + DAY, "no-match:n-1")

    def test_opens_nothing_where_nobody_said_how_long(self, world: "World") -> None:
        found = rule("expected_by", "no-match-yet", days=1, subject="no-match")
        assert not begun(world, found, "record-no-match", expected_by=None).state.obligations


class TestNotBefore:
    @pytest.mark.parametrize(("before", "kept"), [(3 * DAY, False), (2 * DAY, True), (HOUR, True)])
    def test_lets_no_talk_keep_a_promise_that_is_far_off_still(
        self, world: "World", starts: datetime, before: timedelta, kept: bool
    ) -> None:
        """The check-in of day 7 is no check-in of day 30."""
        found = rule("started_on", "placement-started", days=30, not_before=Span(amount=2, unit="days"))
        life = begun(world, found, "accept-offer")
        life.do("confirm-start", starts)
        life.do("record-contact", starts + 30 * DAY - before, purpose="check-in", likes="yes")
        assert bool(life.state.obligations) is not kept

    def test_takes_what_is_late_as_ever(self, world: "World", starts: datetime) -> None:
        found = rule("started_on", "placement-started", days=30, not_before=Span(amount=2, unit="days"))
        life = begun(world, found, "accept-offer")
        life.do("confirm-start", starts)
        life.do("record-contact", starts + 40 * DAY, purpose="check-in", likes="yes")
        (met,) = [event for _, event in life.seen("obligation-met")]
        assert not met.timely

    def test_excuses_a_breach_by_a_talk_in_time_only(self, world: "World", starts: datetime) -> None:
        found = rule("started_on", "placement-started", days=30, not_before=Span(amount=2, unit="days"))
        life = begun(world, found, "accept-offer")
        life.do("confirm-start", starts)
        late = starts + 35 * DAY
        life.do(
            "record-contact", late, at=starts + 20 * DAY, purpose="check-in", likes="yes", contact_id="early"
        )
        assert not life.seen("obligation-excused")
        life.do(
            "record-contact", late, at=starts + 29 * DAY, purpose="check-in", likes="yes", contact_id="timely"
        )
        assert len(life.seen("obligation-excused")) == 1


class TestWhatHappenedBeforeItsPlanWasTold:
    def test_keeps_the_promise_to_find_out(self, world: "World") -> None:
        """A diary that is passed on late must not leave 'did it happen?' open for ever."""
        found = world.starter.obligation("did-it-happen")
        assert found is not None
        life = begun(world, found)
        start = world.noon - timedelta(hours=5)
        life.do("record-interview-scheduled", world.noon, starts_at=start)
        assert [each.rule for each in life.state.obligations.values()] == ["did-it-happen"]
        life.do("record-interview-missed", world.noon, at=start + timedelta(hours=1))
        (met,) = [event for _, event in life.seen("obligation-met")]
        assert met.timely
        assert not life.state.obligations


class TestWhilePlaced:
    @pytest.mark.parametrize(
        ("while_placed", "free", "working"),
        [("opens", True, True), ("rests", True, False), ("only", False, True)],
    )
    def test_says_whether_a_promise_opens(
        self, world: "World", starts: datetime, while_placed: str, free: bool, working: bool
    ) -> None:
        """From the first paid day on, and not from the acceptance: till then much can still happen."""
        found = rule(None, "call-requested", days=1, subject="message", while_placed=while_placed)
        life = begun(world, found, "accept-offer")
        assert bool("obligation-opened" in told(life.do("request-call", world.noon))) is free
        life.do("confirm-start", starts)
        events = life.do("request-call", starts, message_id="m-9")
        assert bool("obligation-opened" in told(events)) is working
        life.do("end-placement", starts + DAY)
        events = life.do("request-call", starts + DAY, message_id="m-10")
        assert bool("obligation-opened" in told(events)) is free

    def test_lets_silence_be_measured_again_by_the_very_end(self, world: "World", starts: datetime) -> None:
        found = rule(None, "placement-ended", days=7, subject="engagement", while_placed="rests")
        life = begun(world, found, "accept-offer")
        life.do("confirm-start", starts)
        assert told(life.do("end-placement", starts + DAY)) == ["placement-ended", "obligation-opened"]
