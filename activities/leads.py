"""Which commands count only on a lead's word: asked of the agency's people before the command is given.

The engagement itself knows nobody's role; it only sees to it that nobody approves what they owe themselves.
"""

from collections.abc import Mapping
from typing import Final

from events.agency import Agency
from events.commands import Order
from events.errors import NotAllowed

LEADS: Final = frozenset({"team-lead", "director"})
# Each command's field that names the lead.
ON_WHOSE_WORD: Final[Mapping[str, str]] = {"excuse-obligation": "by", "pause": "approved_by"}


def needs_lead(order: Order) -> bool:
    """Tell whether a command rests on the word of a lead."""
    return _named(order) is not None


def check_lead(order: Order, agency: Agency) -> None:
    """Make sure that whoever is named as the lead is one.

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
    if entry.role not in LEADS:
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
