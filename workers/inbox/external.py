"""What somebody of ours says when they submit: under which id the other system knows it.

It is asked before the command is given, and learnt after it was accepted: a refusal teaches nothing.
"""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from events.envelope import derived_id
from events.errors import InvalidCommand
from events.kinds import Id
from workers.inbox.connections import Connections
from workers.inbox.links import AlreadyLinked, Link, Links, Target

SUBMITTING: Final = frozenset({"submit", "record-submission"})


class External(BaseModel):
    """The other system's id of what is submitted, as a door takes it beside the command."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connection: str = Field(max_length=40)
    kind: Literal["application", "candidate"] = "application"
    id: str = Field(min_length=1, max_length=200, repr=False)


def submission_of(agency: str, engagement: str, command_id: str, given: Id | None) -> Id:
    """Name the submission that a command makes: the caller's, else the one derived from the command's id."""
    return given or str(derived_id(agency, f"engagement:{engagement}", command_id, "submission"))


async def check_external(
    connections: Connections,
    links: Links,
    agency: str,
    external: External,
    name: str,
    target: Target,
) -> None:
    """Make sure, before the command is given, that its id can be learnt with it.

    :raises InvalidCommand: the command submits nobody.
    :raises UnknownConnection: the agency has no such connection.
    :raises AlreadyLinked: the id stands for something else.
    """
    if name not in SUBMITTING:
        raise InvalidCommand(f"{name} submits nobody, so there is no 'external' to say with it; leave it out")
    await connections.get(agency, external.connection)
    found = await links.known(agency, external.connection, [(external.kind, external.id)])
    if found and found[external.kind, external.id] != target:
        raise AlreadyLinked(external.kind)


def target_of(external: External, engagement: str, submission_id: str, job_order_id: str) -> Target:
    """Say what the id stands for once the command is accepted."""
    if external.kind == "candidate":
        return Target(engagement)
    return Target(engagement, submission_id, job_order_id)


async def learn_on_submit(links: Links, agency: str, external: External, target: Target, *, by: str) -> int:
    """Learn the id of what was just submitted; returns how many messages that waited for it are read again.

    :raises AlreadyLinked: the id has come to stand for something else meanwhile.
    """
    link = Link(external.kind, external.id, target)
    return await links.learn(agency, external.connection, [link], by=by)
