"""Brings an agency's people and policy into its stream.

Loading is safe to repeat: what the stream knows already gives no event.
"""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from activities.commands import CommandService
from activities.types import CommandReply, StreamCommand
from events.agency import Entry
from events.envelope import Actor
from events.errors import InvalidCommand
from events.kinds import Moment
from events.policy import Policy


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading an agency changed: ``accepted``, ``nothing-to-do`` or ``not-given``, each."""

    version: int
    people: str
    policy: str
    digest: str | None


def check_offices(people: tuple[Entry, ...], policy: Policy) -> None:
    """Make sure that everybody's office is one whose calendar the policy has; without calendars any will do.

    :raises InvalidCommand: one sentence that names the first person whose office has none.
    """
    known = [name for name, _ in policy.calendars]
    for entry in people:
        if known and entry.office is not None and entry.office not in known:
            raise InvalidCommand(
                f"the office '{entry.office}' of '{entry.person_id}' has no calendar in policy "
                f"'{policy.name}'; there are {', '.join(known)}"
            )


async def load_agency(
    service: CommandService,
    agency: str,
    *,
    people: tuple[Entry, ...] | None = None,
    policy: Policy | None = None,
    actor: Actor,
    source: str = "cli",
    decided_at: Moment | None = None,
) -> Loaded:
    """Record an agency's people, and the policy it adopts.

    :raises InvalidCommand: a line leads nowhere, or the policy is too large.
    """

    async def give(name: str, data: dict[str, Any]) -> CommandReply:
        return await service.give(
            StreamCommand(
                agency=agency,
                stream=f"agency:{agency}",
                command_id=str(uuid4()),
                name=name,
                data=data,
                actor=actor,
                source=source,
                at=decided_at,
                decided_at=decided_at,
            )
        )

    done = Loaded(0, "not-given", "not-given", None)
    if people is not None:
        reply = await give("load-people", {"people": [entry.model_dump(mode="json") for entry in people]})
        done = Loaded(reply.version, reply.outcome, done.policy, None)
    if policy is not None:
        reply = await give("adopt-policy", {"body": policy.body()})
        done = Loaded(reply.version, done.people, reply.outcome, policy.digest())
    return done
