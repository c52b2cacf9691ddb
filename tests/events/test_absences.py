"""Absences: what may be recorded, and what an early return means."""

from datetime import UTC, datetime, timedelta

import pytest

from events import absences as ab
from events import agency as ag
from events.errors import CallerError, InvalidCommand, UnknownReference, WrongState
from events.reaching import is_there

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PEOPLE = ag.LoadPeople(
    people=(
        ag.Entry(person_id="t-1", role="team-lead"),
        ag.Entry(person_id="r-1", role="recruiter", team_lead="t-1"),
        ag.Entry(person_id="r-2", role="recruiter", team_lead="t-1"),
    )
)
AWAY = ab.RecordAbsence(
    absence_id="a-1",
    person_id="r-1",
    starts_at=NOON,
    ends_at=NOON + 7 * DAY,
    cover="r-2",
    absence_kind="leave",
)
BACK = ab.EndAbsence(absence_id="a-1", ended_at=NOON + 2 * DAY)


def after(*commands: ag.AnyAgencyCommand) -> ag.Agency:
    state = ag.initial("acme")
    for command in (PEOPLE, *commands):
        for event in ag.decide(command, state, NOON):
            state = ag.evolve(state, event)
    return state


def but(**changes: object) -> ab.RecordAbsence:
    return AWAY.model_copy(update=changes)


class TestRecordAbsence:
    def test_says_who_is_away_until_when_and_who_stands_in(self) -> None:
        assert ag.decide(AWAY, after(), NOON) == [
            ab.AbsenceRecorded(
                at=NOON,
                absence_id="a-1",
                person_id="r-1",
                starts_at=NOON,
                ends_at=NOON + 7 * DAY,
                cover="r-2",
                kind="leave",
            )
        ]

    def test_holds_from_its_first_moment_to_just_before_its_last(self) -> None:
        state = after(AWAY)
        moments = (NOON - DAY, NOON, NOON + 6 * DAY, NOON + 7 * DAY)
        assert [is_there(state, "r-1", each) for each in moments] == [True, False, False, True]

    def test_says_nothing_new_the_second_time_under_whatever_id(self) -> None:
        assert ag.decide(AWAY, after(AWAY), NOON) == []
        assert ag.decide(but(absence_id="a-2"), after(AWAY), NOON) == []

    @pytest.mark.parametrize(
        ("changes", "error", "says"),
        [
            ({"person_id": "r-9"}, InvalidCommand, "'person_id' names nobody who works here"),
            ({"cover": "r-9"}, InvalidCommand, "'cover' names nobody who works here"),
            ({"cover": "r-1"}, InvalidCommand, "'r-1' cannot stand in for themselves"),
            ({"ends_at": NOON}, InvalidCommand, "'ends_at' must be later than 'starts_at'"),
            (
                {"absence_id": "a-2", "starts_at": NOON + 6 * DAY, "ends_at": NOON + 9 * DAY},
                WrongState,
                r"away from 2026-01-05T12:00:00.*already \(absence 'a-1'\)",
            ),
            ({"person_id": "r-2", "cover": None}, WrongState, "'a-1' is the id of another absence"),
        ],
    )
    def test_refuses_what_cannot_be(
        self, changes: dict[str, object], error: type[CallerError], says: str
    ) -> None:
        with pytest.raises(error, match=says):
            ag.decide(but(**changes), after(AWAY), NOON)

    @pytest.mark.parametrize(
        ("starts", "ends"),
        [(NOON - DAY, NOON), (NOON + 7 * DAY, NOON + 8 * DAY), (NOON + 2 * DAY, NOON + 3 * DAY)],
    )
    def test_takes_what_does_not_overlap(self, starts: datetime, ends: datetime) -> None:
        """One may begin where another ends, and the days after an early return are free again."""
        another = but(absence_id="a-2", starts_at=starts, ends_at=ends)
        assert len(ag.decide(another, after(AWAY, BACK), NOON)) == 1


class TestEndAbsence:
    def test_brings_somebody_back_sooner(self) -> None:
        state = after(AWAY, BACK)
        assert not is_there(state, "r-1", NOON + DAY)
        assert is_there(state, "r-1", NOON + 2 * DAY)

    def test_before_the_first_day_says_that_nobody_was_away(self) -> None:
        state = after(AWAY, ab.EndAbsence(absence_id="a-1", ended_at=NOON - DAY))
        assert is_there(state, "r-1", NOON)

    def test_counts_from_when_it_is_told_where_no_time_is_given(self) -> None:
        [event] = ag.decide(ab.EndAbsence(absence_id="a-1"), after(AWAY), NOON + DAY)
        assert event == ab.AbsenceEnded(at=NOON + DAY, absence_id="a-1", ended_at=NOON + DAY)

    def test_says_nothing_new_of_what_is_over(self) -> None:
        assert ag.decide(BACK, after(AWAY, BACK), NOON) == []
        assert ag.decide(ab.EndAbsence(absence_id="a-1"), after(AWAY), NOON + 9 * DAY) == []

    def test_refuses_to_make_it_longer(self) -> None:
        with pytest.raises(InvalidCommand, match="record another one from there"):
            ag.decide(ab.EndAbsence(absence_id="a-1", ended_at=NOON + 8 * DAY), after(AWAY), NOON)

    def test_refuses_an_absence_that_nobody_recorded(self) -> None:
        with pytest.raises(UnknownReference, match="no absence 'a-1'"):
            ag.decide(BACK, after(), NOON)
