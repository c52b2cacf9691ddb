"""Which commands count only on a lead's word: asked of the agency's people before the command is given.

The engagement itself knows nobody's role; it only sees to it that nobody approves what they owe themselves,
whomever they stand in for.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from events.agency import Agency
from events.commands import Order
from events.errors import NotAllowed
from events.reaching import stood_in_for

LEADS: Final = frozenset({"team-lead", "director"})
# Each command's field that names the lead.
ON_WHOSE_WORD: Final[Mapping[str, str]] = {"excuse-obligation": "by", "pause": "approved_by"}


def check_lead(order: Order, agency: Agency, at: datetime) -> None:
    """Make sure that whoever is named as the lead is one, or stands in for one who is away at a moment.

    :raises NotAllowed: they do not work here, or are no lead.
    """
    person = _named(order)
    if person is None:
        return
    entry = agency.people.get(person)
    if entry is None:
        raise NotAllowed(
            f"{order.command.name}: '{person}' does not work here; name a team lead or a director"
        )
    covered = (agency.people[each].role for each in stood_in_for(agency, person, at))
    if entry.role not in LEADS and LEADS.isdisjoint(covered):
        raise NotAllowed(
            f"{order.command.name}: '{person}' is a {entry.role}, and this is a lead's to say; "
            "name a team lead or a director"
        )


def _named(order: Order) -> str | None:
    field = ON_WHOSE_WORD.get(order.command.name)
    if field is None:
        return None
    person: str | None = getattr(order.command, field)
    if person is None and field == "by" and order.actor.kind == "person":
        return order.actor.id
    return person
