"""A lead's word is a lead's: the agency's people say who is one."""

from uuid import UUID

import pytest

from activities.leads import check_lead, needs_lead
from events.agency import Agency, Entry
from events.commands import ExcuseObligation, Order, Pause, Resume
from events.envelope import Actor
from events.errors import NotAllowed

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
        assert needs_lead(order)
        check_lead(order, AGENCY)

    @pytest.mark.parametrize(
        ("order", "says"), [(excuse("r-1"), "'r-1' is a recruiter"), (excuse("x-1"), "does not work here")]
    )
    def test_takes_nobody_else_s(self, order: Order, says: str) -> None:
        with pytest.raises(NotAllowed, match=says):
            check_lead(order, AGENCY)

    def test_asks_for_no_lead_where_none_is_named(self) -> None:
        """A short pause is the recruiter's to record, and everything else anybody's."""
        pause = Pause.model_validate({"until": "2026-02-01T09:00:00Z"})
        for command in (pause, Resume()):
            order = Order(command_id="c-1", command=command, actor=Actor(kind="person", id="r-1"))
            assert not needs_lead(order)
