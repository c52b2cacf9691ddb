"""A lead's word is a lead's: the agency's people say who is one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from activities.leads import check_lead
from events.absences import Absence
from events.agency import Agency, Entry
from events.commands import ExcuseObligation, Order, Pause, Resume
from events.envelope import Actor
from events.errors import NotAllowed

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
AGENCY = Agency(
    agency="acme",
    people={
        "r-1": Entry(person_id="r-1", role="recruiter"),
        "l-1": Entry(person_id="l-1", role="team-lead"),
        "d-1": Entry(person_id="d-1", role="director"),
    },
)


def excuse(by: str | None, actor: str = "l-1") -> Order:
    """Give the order to excuse a promise."""
    command = ExcuseObligation(obligation_id=UUID(int=1), by=by, reason="ill")
    return Order(command_id="excuse-1", command=command, actor=Actor(kind="person", id=actor))


class TestCheckLead:
    @pytest.mark.parametrize("order", [excuse("l-1"), excuse("d-1"), excuse(None)])
    def test_takes_a_lead_s_word(self, order: Order) -> None:
        check_lead(order, AGENCY, NOON)

    @pytest.mark.parametrize(
        ("order", "says"), [(excuse("r-1"), "'r-1' is a recruiter"), (excuse("x-1"), "does not work here")]
    )
    def test_takes_nobody_else_s(self, order: Order, says: str) -> None:
        with pytest.raises(NotAllowed, match=says):
            check_lead(order, AGENCY, NOON)

    def test_asks_for_no_lead_where_none_is_named(self) -> None:
        """A short pause is the recruiter's to record, and everything else anybody's."""
        pause = Pause.model_validate({"until": "2026-02-01T09:00:00Z"})
        for command in (pause, Resume()):
            order = Order(command_id="c-1", command=command, actor=Actor(kind="person", id="r-1"))
            check_lead(order, AGENCY, NOON)

    def test_takes_the_word_of_a_lead_s_cover_while_the_lead_is_away(self) -> None:
        """Else nobody could excuse, or agree to a long pause, before the lead is back."""
        absence = Absence("a-1", "l-1", NOON, NOON + timedelta(days=7), "r-1", "leave")
        covered = replace(AGENCY, absences={"a-1": absence})
        check_lead(excuse("r-1"), covered, NOON)
        with pytest.raises(NotAllowed, match="'r-1' is a recruiter"):
            check_lead(excuse("r-1"), covered, NOON + timedelta(days=7))
