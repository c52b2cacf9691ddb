"""Whom a duty reaches while people are away: the cover, the cover's cover, else the next of the line."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import agency as ag
from events.absences import Absence
from events.reaching import Reached, StaffRole, instead_of, is_there, reached, stood_in_for

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PEOPLE = {
    each.person_id: each
    for each in (
        ag.Entry(person_id="d-1", role="director"),
        ag.Entry(person_id="t-1", role="team-lead", director="d-1"),
        ag.Entry(person_id="t-2", role="team-lead", director="d-1"),
        ag.Entry(person_id="r-1", role="recruiter", team_lead="t-1"),
        ag.Entry(person_id="r-2", role="recruiter", team_lead="t-1"),
        ag.Entry(person_id="r-3", role="recruiter", team_lead="t-1"),
    )
}
ROLES: tuple[StaffRole, ...] = ("owner", "team-lead", "director")


def with_away(covers: dict[str, str | None]) -> ag.Agency:
    """Let each of these be away for a week from noon, with a cover or without."""
    absences = {
        f"a-{each}": Absence(f"a-{each}", each, NOON, NOON + 7 * DAY, cover, "away")
        for each, cover in covers.items()
    }
    return ag.Agency(agency="acme", people=PEOPLE, absences=absences)


class TestReached:
    @pytest.mark.parametrize(
        ("covers", "role", "reaches"),
        [
            ({}, "owner", "r-1"),
            ({"r-1": "r-2"}, "owner", "r-2"),
            ({"r-1": "r-2", "r-2": "r-3"}, "owner", "r-3"),
            ({"r-1": "r-2", "r-2": "r-1"}, "owner", "t-1"),
            ({"r-1": None}, "owner", "t-1"),
            ({"r-1": None, "t-1": "t-2"}, "owner", "t-2"),
            ({"t-1": "t-2"}, "team-lead", "t-2"),
            ({"t-1": None}, "team-lead", "d-1"),
            ({"d-1": "t-2"}, "director", "t-2"),
            ({"d-1": None}, "director", "t-1"),
            ({"t-1": "x-9"}, "team-lead", "d-1"),
            # The cover of the lead is who owes it: their own silence is no answer to it.
            ({"t-1": "r-1"}, "team-lead", "d-1"),
        ],
    )
    def test_goes_to_who_is_there(self, covers: dict[str, str | None], role: StaffRole, reaches: str) -> None:
        found = reached(with_away(covers), role, "r-1", NOON)
        assert found is not None
        assert found.person_id == reaches

    def test_names_the_absence_of_whom_it_was_meant_for(self) -> None:
        state = with_away({"t-1": "t-2", "t-2": "r-2"})
        assert reached(state, "team-lead", "r-1", NOON) == Reached("r-2", state.absences["a-t-1"])

    def test_comes_back_with_the_person(self) -> None:
        state = with_away({"t-1": "t-2"})
        for moment in (NOON - DAY, NOON + 7 * DAY):
            assert reached(state, "team-lead", "r-1", moment) == Reached("t-1")

    @pytest.mark.parametrize("role", ROLES)
    @given(covers=st.dictionaries(st.sampled_from(sorted(PEOPLE)), st.sampled_from([None, *PEOPLE])))
    def test_is_never_nobody(self, role: StaffRole, covers: dict[str, str | None]) -> None:
        """And never somebody away while a lead, a director or a cover is there."""
        state = with_away(covers)
        for owner in ("r-1", "t-1", "d-1", None, "gone"):
            found = reached(state, role, owner, NOON)
            assert found is not None
            leads = [each for each, entry in PEOPLE.items() if entry.role in ("team-lead", "director")]
            if any(is_there(state, each, NOON) for each in leads):
                assert is_there(state, found.person_id, NOON)


class TestInsteadOf:
    def test_is_the_person_where_they_are_there(self) -> None:
        assert instead_of(with_away({}), "t-1", NOON) == Reached("t-1")

    def test_is_the_cover_else_the_next_of_the_line(self) -> None:
        covered, alone = with_away({"t-1": "t-2"}), with_away({"t-1": None})
        assert instead_of(covered, "t-1", NOON) == Reached("t-2", covered.absences["a-t-1"])
        assert instead_of(alone, "t-1", NOON) == Reached("d-1", alone.absences["a-t-1"])

    def test_is_nobody_for_who_left(self) -> None:
        assert instead_of(with_away({}), "x-9", NOON) is None


class TestStoodInFor:
    def test_follows_covers_alone(self) -> None:
        state = with_away({"t-1": "r-2", "r-3": "t-1", "d-1": None})
        assert stood_in_for(state, "r-2", NOON) == ["r-3", "t-1"]
        assert stood_in_for(state, "r-2", NOON + 7 * DAY) == []
        assert stood_in_for(state, "t-2", NOON) == []
