"""The ledger against the state on random lives, and what becomes of each kind of promise."""

from datetime import timedelta
from types import ModuleType
from typing import TYPE_CHECKING
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from events.catalogue import OutreachRequested
from events.codec import ENGAGEMENT_EVENTS, decode
from events.envelope import Actor
from events.evolve import evolve
from events.ledger import _NOTES as LEDGER_NOTES
from events.ledger import Entry, Ledger, ledger_of
from events.obligations import owner_of
from events.policy import Policy
from events.state import Engagement

if TYPE_CHECKING:
    from tests.events.specification import Life, World

law = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
DAY = timedelta(days=1)
LEAD = Actor(kind="person", id="lead-1")


def touching(world: "World", rule: str = "keep-in-touch") -> "Life":
    """Begin a life at noon under one promise: a talk within seven days."""
    found = world.starter.obligation(rule)
    assert found is not None
    life = world.life(Policy(name="one", obligations=(found,)))
    life.do("open-engagement", world.noon)
    return life


def first(life: "Life") -> Entry:
    """Give the promise that opened first."""
    return next(iter(ledger_of(life.stream).values()))


class TestLedgerOf:
    @law
    @given(data=st.data())
    def test_agrees_with_the_state(self, data: st.DataObject, world: "World", lives: ModuleType) -> None:
        """What is open, due, ahead, owed, raised and broken is what the engagement itself goes by."""
        life = world.life(data.draw(lives.modes(world.starter)))
        lives.live(life, data.draw(lives.moves()))
        entries, state = ledger_of(life.stream), life.state
        standing = {key: each for key, each in entries.items() if not each.ended}
        assert standing.keys() == state.obligations.keys()
        for key, promise in state.obligations.items():
            entry = standing[key]
            assert (entry.due_at, entry.rungs, entry.mode) == (promise.due_at, promise.rungs, promise.mode)
            assert entry.owner == owner_of(state, promise)
            assert (entry.breach is not None) == promise.breached
            assert entry.level >= promise.level
            assert set(entry.raised) == {
                each for each, raised in state.escalations.items() if raised.obligation_id == key
            }
        assert {key for key, each in entries.items() if each.breach is not None} >= state.breaches.keys()
        for key, breach in state.breaches.items():
            assert (entries[key].excused is not None) == breach.excused

    @law
    @given(data=st.data())
    def test_is_the_same_event_by_event(self, data: st.DataObject, world: "World", lives: ModuleType) -> None:
        """Whoever follows a stream, and begins anew at an annulment, holds the same as who reads it whole."""
        life = world.life()
        lives.live(life, data.draw(lives.moves(without=frozenset({"annul-event"}))))
        ledger, state = Ledger(), Engagement()
        for place, stored in enumerate(life.stream, 1):
            event = decode(stored)
            state = evolve(state, event)
            ledger.apply(event, stored, state)
            if place % 7 == 0:
                assert ledger.entries == ledger_of(life.stream[:place])
        assert ledger.entries == ledger_of(life.stream)

    @law
    @given(data=st.data())
    def test_counts_no_promise_twice(self, data: st.DataObject, world: "World", lives: ModuleType) -> None:
        """Of the promises of one rule, subject and moment, one at most is not superseded by another."""
        life = world.life()
        lives.live(life, data.draw(lives.moves()))
        entries = ledger_of(life.stream)
        for entry in entries.values():
            if entry.superseded_by is not None:
                assert entry.ended
                assert entry.outcome == "superseded"
                assert entries[entry.superseded_by].opening.position > entry.opening.position


class TestEntry:
    """Each promise is in one column of a report, and unfolds to the events that put it there."""

    def test_is_open_until_its_due_time(self, world: "World") -> None:
        life = touching(world)
        life.wait(world.noon + 7 * DAY, inclusive=False)
        assert first(life).outcome == "open"
        life.wait(world.noon + 7 * DAY)
        assert first(life).outcome == "overdue"

    def test_is_kept_in_time(self, world: "World") -> None:
        life = touching(world)
        life.do("record-contact", world.noon + DAY)
        entry = first(life)
        assert (entry.outcome, entry.late_by) == ("kept", timedelta())
        assert entry.meeting is not None
        assert entry.meeting.event_id == life.seen("obligation-met")[0][0].event_id

    def test_is_kept_and_recorded_late(self, world: "World") -> None:
        """The breach stands beside it, excused."""
        life = touching(world)
        life.wait(world.noon + 8 * DAY)
        life.do("record-contact", world.noon + 9 * DAY, at=world.noon + DAY)
        entry = first(life)
        assert (entry.outcome, entry.excused) == ("kept-recorded-late", "recorded-late")
        assert (entry.met_at, entry.known_at) == (world.noon + DAY, world.noon + 9 * DAY)
        assert entry.breach is not None

    def test_is_kept_late(self, world: "World") -> None:
        life = touching(world)
        life.do("record-contact", world.noon + 9 * DAY)
        entry = first(life)
        assert (entry.outcome, entry.late_by) == ("kept-late", 2 * DAY)
        assert entry.level >= 1

    def test_is_breached_where_nobody_kept_it(self, world: "World") -> None:
        life = touching(world)
        life.wait(world.noon + 8 * DAY)
        life.do("close-engagement", world.noon + 9 * DAY)
        entry = first(life)
        assert (entry.outcome, entry.dropped) == ("breached", "closed")

    def test_is_excused_by_a_lead(self, world: "World") -> None:
        life = touching(world)
        life.wait(world.noon + 8 * DAY)
        key = first(life).obligation_id
        life.do("excuse-obligation", world.noon + 9 * DAY, obligation_id=key, by="lead-1", actor=LEAD)
        assert first(life).outcome == "excused"

    def test_keeps_who_owed_it_when_it_broke(self, world: "World") -> None:
        """Whoever takes a caseload over takes no breach over."""
        life = touching(world)
        life.do("assign", world.noon, owner="recruiter-1")
        life.wait(world.noon + 8 * DAY)
        life.do("reassign", world.noon + 9 * DAY, owner="recruiter-2")
        entry = first(life)
        assert (entry.breach_owner, entry.owner) == ("recruiter-1", "recruiter-2")

    def test_gives_way_to_the_one_that_an_annulment_opens_again(self, world: "World") -> None:
        """The talk was none: the same promise goes on under another id, and counts once."""
        life = touching(world)
        life.do("record-contact", world.noon + 9 * DAY)
        life.do("annul-event", world.noon + 10 * DAY, event_id=life.id_of("contact-made"))
        entries = ledger_of(life.stream)
        counted = [each for each in entries.values() if each.outcome not in ("superseded", "dropped")]
        again = entries[first(life).superseded_by or UUID(int=0)]
        assert counted == [again]
        assert (again.outcome, again.breach) == ("overdue", first(life).breach)


class TestLedger:
    def test_knows_every_event_of_the_engine(self) -> None:
        """A new event about promises says here what it means to their lives; a message owed is no promise."""
        engine = {each for each in ENGAGEMENT_EVENTS.values() if each.by_engine}
        assert engine - {OutreachRequested} <= LEDGER_NOTES.keys()
