"""Gives one command to one stream, for whichever door it came through: checked, given, and what it came to.

The people that a command names are checked here and not in the engagement, which knows nobody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from activities.commands import CommandService
from activities.directory import Directory
from activities.doors import check_order, check_people
from activities.streams import parse, read_order
from events.commands import Order
from events.envelope import Actor
from events.errors import CallerError
from events.log.port import EventLog
from workers.adopting import Commanding
from workers.inbox.connections import Connections
from workers.inbox.external import External, Learning, Learnt, check_external, learn_external
from workers.inbox.links import Links
from workflows.types import CommandReply


class Having(Protocol):
    """What giving needs of a process's adapters."""

    @property
    def log(self) -> EventLog:
        """Give the event log."""

    @property
    def directory(self) -> Directory:
        """Give the people of every agency."""

    @property
    def service(self) -> CommandService:
        """Give the writer of the streams that have no workflow."""

    @property
    def connections(self) -> Connections:
        """Give the connections to other systems."""

    @property
    def links(self) -> Links:
        """Give what other systems' ids stand for."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a command came to; *gate*, *says* and *remedy* of a refusal."""

    stream: str
    command_id: str
    outcome: str
    version: int
    events: tuple[str, ...]
    gate: str | None = None
    says: str = ""
    remedy: str = ""
    external: tuple[Learnt, ...] = ()
    """What became of the other systems' ids that were said with it."""

    def plain(self) -> dict[str, Any]:
        """Give what every caller is told."""
        external = {"external": [asdict(each) for each in self.external]} if self.external else {}
        return {
            "stream": self.stream,
            "command_id": self.command_id,
            "outcome": self.outcome,
            "version": self.version,
            "events": list(self.events),
            **external,
        }


async def to_engagement(
    having: Having,
    running: Commanding,
    agency: str,
    engagement: str,
    order: Order,
    *,
    said: Sequence[External] = (),
    only: str | None = None,
) -> Given:
    """Give a command to an engagement; a gate's refusal is a result.

    The other systems' ids that are *said* with it, of *only* one connection, are learnt once it is accepted.

    :raises CallerError: it names somebody who does not work here, or an id that cannot be learnt.
    :raises CommandFailed: the engagement does not take it.
    :raises NotAnswered: nobody answers in time.
    """
    stream = f"engagement:{engagement}"
    try:
        check_order(order, await having.directory.agency(agency), datetime.now(UTC))
    except CallerError:
        # Whoever was named may have left since: what the stream knows already is answered all the same.
        if await having.log.receipt(agency, stream, order.command_id) is None:
            raise
    learning: Sequence[Learning] = ()
    if said:
        done = await having.log.receipt(agency, stream, order.command_id) is not None
        learning = await check_external(
            having.connections, having.links, agency, engagement, order, said, only=only, done=done
        )
    given = _given(stream, await running.command(engagement, order))
    if given.gate is not None or not learning:
        return given
    by = f"{order.actor.kind}:{order.actor.id}"
    return replace(given, external=await learn_external(having.links, agency, learning, by=by))


def _given(stream: str, reply: CommandReply) -> Given:
    refused = reply.outcome == "refused"
    return Given(
        stream,
        reply.command_id,
        reply.outcome,
        reply.version,
        reply.events,
        gate=(reply.refused_by or "a gate") if refused else None,
        says=reply.says or "",
        remedy=reply.remedy or "",
    )


async def to_stream(
    having: Having,
    agency: str,
    stream: str,
    name: str,
    fields: Mapping[str, Any],
    *,
    command_id: str,
    actor: Actor,
    source: str,
) -> Given:
    """Give a command to a job order's or an agency's stream.

    :raises CallerError: a mistake, told in one sentence; nothing was written.
    :raises StreamBusy: others kept writing; nothing was written.
    """
    order = read_order(
        agency, stream, name, fields, command_id=command_id, actor_default=actor, source=source
    )
    command = parse(stream, name, order.data)
    try:
        check_people(command, order.actor, order.at, await having.directory.agency(agency))
    except CallerError:
        if await having.log.receipt(agency, stream, order.command_id) is None:
            raise
    reply = await having.service.give(order)
    events = await having.log.read_stream(agency, stream)
    own = [each for each in events if each.command_id == order.command_id]
    # Where it led to, also if it is told again after others.
    version = own[-1].version if own else reply.version
    return Given(stream, order.command_id, reply.outcome, version, tuple(each.type for each in own))
