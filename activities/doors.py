"""What every door asks of a command before it is given: are the people it names the agency's own?

The engagement itself knows nobody; whoever takes commands from outside calls :func:`check_people`.
"""

from collections.abc import Iterator
from datetime import datetime
from difflib import get_close_matches
from typing import Final

from activities.leads import check_lead
from events.agency import Agency
from events.commands import Command, Order
from events.envelope import Actor
from events.errors import InvalidCommand

# Every field of a command that names people of the agency, one or several.
PERSONS: Final = frozenset(
    {
        "by",
        "approved_by",
        "override_by",
        "recruiter",
        "owner",
        "team",
        "job_order_owner",
        "previous",
        "person_id",
        "cover",
        "from_person",
        "person",
    }
)
# Who is named here answers from now on, though the command reports it; who has left cannot.
IN_CHARGE: Final = frozenset(
    {
        "open-engagement",
        "assign",
        "reassign",
        "open-job-order",
        "change-job-order-owner",
        "record-position-owner",
        "record-absence",
    }
)
# Whom something passes from may well have left.
MAY_HAVE_LEFT: Final = frozenset({"previous", "from_person"})


def check_order(order: Order, agency: Agency, now: datetime) -> None:
    """Make sure that an engagement's command names people of the agency, and a lead where it needs one.

    :raises InvalidCommand: somebody is none of the agency's people, or has left.
    :raises NotAllowed: whoever is named as the lead is none, and stands in for none.
    """
    check_people(order.command, order.actor, order.at, agency)
    check_lead(order, agency, order.at or now)


def check_people(command: Command, actor: Actor, at: datetime | None, agency: Agency) -> None:
    """Make sure that everybody whom a command names works here; a report of the past may name who has left.

    An agency without any people loaded takes every name.

    :raises InvalidCommand: one sentence that names the field and, where one is near, the person meant.
    """
    if not agency.people:
        return
    if actor.kind == "person":
        _must_be_known(command, "actor", actor.id, agency, left=False)
    past = type(command).kind == "report" and (_name(command) not in IN_CHARGE or at is not None)
    for field, person in _named(command):
        _must_be_known(command, field, person, agency, left=past or field in MAY_HAVE_LEFT)


def _named(command: Command) -> Iterator[tuple[str, str]]:
    for field in sorted(PERSONS & set(type(command).model_fields)):
        value = getattr(command, field)
        people = (value,) if isinstance(value, str) else value or ()
        yield from ((field, person) for person in people)


def _must_be_known(command: Command, field: str, person: str, agency: Agency, *, left: bool) -> None:
    if person in agency.people or (left and person in agency.left):
        return
    if person in agency.left:
        raise InvalidCommand(
            f"{_name(command)}: '{field}' names '{person}', who has left; name somebody who works here"
        )
    near = get_close_matches(person, sorted(agency.people), n=1)
    remedy = f"did you mean '{near[0]}'?" if near else "'rapport agency people' lists everybody"
    # Not what was typed: it may be a name.
    raise InvalidCommand(f"{_name(command)}: '{field}' names nobody who works here; {remedy}")


def _name(command: Command) -> str:
    name: str = type(command).model_fields["name"].default
    return name
