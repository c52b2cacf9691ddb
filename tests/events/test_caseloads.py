"""Allotting a caseload: written down whole before anything moves, and never twice at once."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import agency as ag
from events import caseloads as cl
from events.errors import CallerError, InvalidCommand, WrongState

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
PEOPLE = ag.LoadPeople(people=tuple(ag.Entry(person_id=f"r-{n}", role="recruiter") for n in (1, 2, 3)))
START = cl.StartReassignment(
    reassignment_id="h-1",
    from_person="r-3",
    reason="recruiter-left",
    allotment=(cl.Handed(engagement="e-1", to="r-1"), cl.Handed(engagement="e-2", to="r-2")),
    job_orders=(cl.HandedJob(job_order="j-1", to="r-1"),),
)
DONE = cl.CompleteReassignment(reassignment_id="h-1", moved=2, job_orders_moved=1)


def after(*commands: ag.AnyAgencyCommand) -> ag.Agency:
    state = ag.initial("acme")
    for command in (PEOPLE, *commands):
        for event in ag.decide(command, state, NOON):
            state = ag.evolve(state, event)
    return state


def but(**changes: object) -> cl.StartReassignment:
    return START.model_copy(update=changes)


class TestStart:
    def test_writes_down_who_gets_what(self) -> None:
        [event] = ag.decide(START, after(), NOON)
        assert isinstance(event, cl.CaseloadReassignmentStarted)
        assert (event.from_person, event.allotment, event.job_orders) == (
            "r-3",
            START.allotment,
            START.job_orders,
        )
        assert after(START).reassignments == {"h-1": cl.begun(event)}

    def test_says_nothing_new_the_second_time(self) -> None:
        assert ag.decide(START, after(START), NOON) == []

    def test_says_nothing_where_nothing_is_handed_over(self) -> None:
        assert ag.decide(but(allotment=(), job_orders=()), after(), NOON) == []

    def test_takes_whoever_has_left_already(self) -> None:
        gone = ag.LoadPeople(people=PEOPLE.people[:2])
        assert len(ag.decide(START, after(gone), NOON)) == 1

    @pytest.mark.parametrize(
        ("changes", "error", "says"),
        [
            ({"from_person": "r-9"}, InvalidCommand, "'from_person' names nobody"),
            ({"allotment": (cl.Handed(engagement="e-1", to="r-9"),)}, InvalidCommand, "'to' names somebody"),
            ({"from_person": "r-1"}, InvalidCommand, "'r-1' cannot hand over to themselves"),
            ({"allotment": START.allotment * 2}, InvalidCommand, "engagement 'e-1' is allotted twice"),
            ({"job_orders": START.job_orders * 2}, InvalidCommand, "job order 'j-1' is allotted twice"),
            ({"reassignment_id": "h-2"}, WrongState, r"'r-3' is being handed over already \(h-1\)"),
        ],
    )
    def test_refuses_what_cannot_be(
        self, changes: dict[str, object], error: type[CallerError], says: str
    ) -> None:
        with pytest.raises(error, match=says):
            ag.decide(but(**changes), after(START), NOON)


class TestComplete:
    def test_ends_it_once(self) -> None:
        [event] = ag.decide(DONE, after(START), NOON)
        assert event == cl.CaseloadReassignmentCompleted(
            at=NOON, reassignment_id="h-1", moved=2, job_orders_moved=1
        )
        assert after(START, DONE).reassignments == {}
        assert ag.decide(DONE, after(START, DONE), NOON) == []

    def test_lets_another_one_begin(self) -> None:
        assert len(ag.decide(but(reassignment_id="h-2"), after(START, DONE), NOON)) == 1


class TestAllot:
    def test_gives_each_next_one_to_whoever_has_the_fewest(self) -> None:
        found = cl.allot(["e-3", "e-1", "e-2", "e-4"], ["r-2", "r-1"], {"r-1": 2})
        assert found == {"e-1": "r-2", "e-2": "r-2", "e-3": "r-1", "e-4": "r-2"}

    @given(
        things=st.sets(st.text("abc", min_size=1, max_size=4), max_size=30),
        load=st.dictionaries(st.sampled_from(["r-1", "r-2", "r-3"]), st.integers(0, 5)),
    )
    def test_is_fair_and_always_the_same(self, things: set[str], load: dict[str, int]) -> None:
        """Who gets anything ends at most one above whoever has the fewest."""
        people = ["r-1", "r-2", "r-3"]
        found = cl.allot(things, people, load)
        assert found == cl.allot(sorted(things, reverse=True), people[::-1], load)
        assert set(found) == things
        ends = Counter({each: load.get(each, 0) for each in people}) + Counter(found.values())
        for each in set(found.values()):
            assert ends[each] <= min(ends.get(other, 0) for other in people) + 1
