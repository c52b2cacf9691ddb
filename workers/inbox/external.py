"""What somebody of ours says when they submit: under which id the other system knows it.

It is asked before the command is given, and learnt after it was accepted: a refusal teaches nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from events.commands import Order
from events.envelope import derived_text
from events.errors import InvalidCommand, NotAllowed
from workers.inbox.connections import Connections
from workers.inbox.links import AlreadyLinked, Link, Links, Target

Kind = Literal["application", "candidate", "interview"]
# What a command makes known, and so which of the other system's ids may be said beside it.
SAID_WITH: Final[Mapping[str, tuple[Kind, ...]]] = {
    "submit": ("application", "candidate"),
    "record-submission": ("application", "candidate"),
    "schedule-interview": ("interview",),
    "record-interview-scheduled": ("interview",),
}
FIELD: Final = "external"
_MOST: Final = 10


class External(BaseModel):
    """The other system's id of what a command makes known, as a door takes it beside the command."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    connection: str = Field(min_length=1, max_length=200, description="the connection's id, or its name")
    kind: Kind = "application"
    id: str = Field(min_length=1, max_length=200, repr=False, description="the other system's id")

    @field_validator("connection", "id", mode="after")
    @classmethod
    def _is_printable(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("not printable")
        return value


@dataclass(frozen=True, slots=True)
class Learning:
    """A link that an accepted command teaches."""

    connection_id: str
    link: Link


@dataclass(frozen=True, slots=True)
class Learnt:
    """What became of one."""

    connection: str
    kind: str
    learnt: bool
    """False: a person has confirmed meanwhile that the id stands for something else."""
    read_again: int = 0
    """How many messages that waited for it are read again."""


def read_external(name: str, given: Any) -> tuple[External, ...]:
    """Read what a door was given as ``external`` beside a command.

    :raises InvalidCommand: it is malformed, or the command makes nothing known.
    """
    kinds = SAID_WITH.get(name)
    if kinds is None:
        raise InvalidCommand(f"{name} makes nothing known, so there is no 'external' to say with it")
    if not isinstance(given, list) or not 0 < len(given) <= _MOST:
        raise InvalidCommand(f"{name}: 'external' must be a list of 1 to {_MOST} objects, {_SHAPE}")
    try:
        found = tuple(External.model_validate(each) for each in given)
    except ValidationError:
        raise InvalidCommand(f"{name}: each of 'external' must be an object, {_SHAPE}") from None
    if any(each.kind not in kinds for each in found):
        raise InvalidCommand(f"{name}: the kind of 'external' must be {' or '.join(kinds)}")
    return found


_SHAPE: Final = "such as {connection, kind, id}"


async def check_external(
    connections: Connections,
    links: Links,
    agency: str,
    engagement: str,
    order: Order,
    said: Sequence[External],
    *,
    only: str | None = None,
    done: bool = False,
) -> tuple[Learning, ...]:
    """Make sure, before the command is given, that the ids can be learnt with it; *only* one connection's.

    A command that is *done* already is not refused for what an id has come to stand for since.

    :raises UnknownConnection: the agency has no such connection.
    :raises AlreadyLinked: an id stands for something else.
    :raises NotAllowed: it is another's connection.
    """
    found = []
    for each in said:
        connection = await connections.named(agency, each.connection)
        if only is not None and connection.id != only:
            raise NotAllowed(
                "an integration may not say what another connection calls something; leave it out of external"
            )
        link = Link(each.kind, each.id, _target(each.kind, agency, engagement, order))
        known = await links.known(agency, connection.id, [(each.kind, each.id)])
        if not done and known.get((each.kind, each.id), link.target) != link.target:
            raise AlreadyLinked(each.kind)
        found.append(Learning(connection.id, link))
    return tuple(found)


async def learn_external(
    links: Links, agency: str, learning: Sequence[Learning], *, by: str
) -> tuple[Learnt, ...]:
    """Learn the ids of what was just accepted; saying them again is harmless."""
    learnt = []
    for each in learning:
        try:
            again = await links.learn(agency, each.connection_id, [each.link], by=by)
        except AlreadyLinked:
            learnt.append(Learnt(each.connection_id, each.link.kind, learnt=False))
        else:
            learnt.append(Learnt(each.connection_id, each.link.kind, learnt=True, read_again=again))
    return tuple(learnt)


def _target(kind: str, agency: str, engagement: str, order: Order) -> Target:
    """Say what the id stands for once the command is accepted; ids left out are derived as the core does."""
    if kind == "candidate":
        return Target(engagement)
    what = "interview" if kind == "interview" else "submission"
    given: str | None = getattr(order.command, f"{what}_id")
    ours = given or derived_text(agency, f"engagement:{engagement}", order.command_id, what)
    return Target(engagement, ours, getattr(order.command, "job_order_id", None))
