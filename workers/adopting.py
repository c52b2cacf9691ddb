"""Brings an agency's policy to every engagement that is open, a few at a time; run again, it goes on.

Each gets one command under an id made of the agency's own adoption: given again, it counts once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID

from events.agency import EVENTS
from events.catalogue import PolicyAdopted
from events.codec import decode
from events.commands import AdoptPolicy, Order
from events.envelope import Actor, Stored
from events.kinds import Modes
from events.log.port import EventLog
from events.policy import Policy
from workers.client import CommandFailed, NotAnswered
from workflows.types import CommandReply

AT_ONCE: Final = 8
PAGE: Final = 1000
_PREFIX: Final = "engagement:"
# Told by the log when an engagement was closed after it had been listed.
_CLOSED: Final = "closed-engagement"


class Commanding(Protocol):
    """An agency's engagements, as a client reaches them; see ``workers.client.Engagements``."""

    async def command(self, engagement_id: str, command: Order, /) -> CommandReply:
        """Give a command and wait for what it came to."""


@dataclass(slots=True)
class Account:
    """What became of each engagement; *refused* says why, *unanswered* may still have got it."""

    adopted: int = 0
    had_it: int = 0
    closed: int = 0
    importing: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    unanswered: list[str] = field(default_factory=list)

    @property
    def seen(self) -> int:
        """This will count the open engagements that were tried."""
        return self.adopted + self.had_it + len(self.refused) + len(self.unanswered)

    @property
    def whole(self) -> bool:
        """This will be true if every open engagement has the policy."""
        return not self.refused and not self.unanswered


class Superseded(Exception):
    """The agency has adopted another policy meanwhile; what had not got this one is left to that adoption."""


class NobodyAnswers(Exception):
    """As many engagements in a row as are tried at once did not answer: is a worker running?"""


async def adoption_of(log: EventLog, agency: str, digest: str) -> Stored | None:
    """Find the event by which the agency follows a policy now; None: it follows another, or none."""
    last = None
    for stored in await log.read_stream(agency, f"agency:{agency}"):
        if stored.type == "policy-adopted":
            last = stored
    if last is None:
        return None
    event = decode(last, EVENTS)
    return last if isinstance(event, PolicyAdopted) and event.digest == digest else None


async def open_engagements(log: EventLog, agency: str, account: Account | None = None) -> list[str]:
    """List the engagements that are open; *account* is told how many are closed or being imported."""
    found: list[str] = []
    closed = importing = 0
    after: str | None = None
    while page := await log.streams(agency, category="engagement", after=after, limit=PAGE):
        for head in page:
            if head.phase == "live" and head.version > 0:
                found.append(head.stream.removeprefix(_PREFIX))
            closed += head.phase == "closed"
            importing += head.phase == "importing"
        after = page[-1].stream
    if account is not None:
        account.closed, account.importing = closed, importing
    return found


class Adoption:
    """One adoption over all that is open; *told* hears of every engagement that is done."""

    def __init__(
        self,
        log: EventLog,
        running: Commanding,
        agency: str,
        policy: Policy,
        adoption: UUID,
        *,
        actor: Actor,
        modes: Modes = "open",
        at_once: int = AT_ONCE,
        told: Callable[[Account], None] = lambda _: None,
    ) -> None:
        self.account = Account()
        self._log, self._running, self._agency = log, running, agency
        self._order = Order(
            command_id=f"adopt:{adoption}",
            command=AdoptPolicy(digest=policy.digest(), policy_name=policy.name, modes=modes),
            actor=actor,
            causation_id=adoption,
        )
        self._at_once = at_once
        self._told = told
        self._silent = 0
        self._digest, self._adoption = policy.digest(), adoption
        # The version of the agency's stream at which it was seen to follow this adoption.
        self._followed_at = 0

    async def run(self) -> Account:
        """Put every open engagement under the policy, and account for each.

        What opened meanwhile under the former policy is found too: it looks again until nothing is left.

        :raises NobodyAnswers: what was reached has the policy, and another run goes on from there.
        :raises Superseded: the agency follows another adoption by now.
        """
        done: set[str] = set()
        while fresh := [
            each for each in await open_engagements(self._log, self._agency, self.account) if each not in done
        ]:
            await _in_lanes(self._at_once, self._one, fresh)
            done.update(fresh)
        return self.account

    async def _one(self, engagement_id: str) -> None:
        command_id = self._order.command_id
        known = await self._log.receipt(self._agency, f"{_PREFIX}{engagement_id}", command_id)
        if known is not None:
            self.account.had_it += 1
        else:
            await self._must_be_followed()
            await self._give(engagement_id)
        self._told(self.account)

    async def _must_be_followed(self) -> None:
        """Make sure that no later adoption is overtaken: its engagements would go back to this one."""
        head = await self._log.head(self._agency, f"agency:{self._agency}")
        if head is None or head.version == self._followed_at:
            return
        latest = await adoption_of(self._log, self._agency, self._digest)
        if latest is None or latest.event_id != self._adoption:
            raise Superseded
        self._followed_at = head.version

    async def _give(self, engagement_id: str) -> None:
        try:
            reply = await self._running.command(engagement_id, self._order)
        except CommandFailed as error:
            if error.code != _CLOSED:
                self.account.refused[engagement_id] = str(error)
            return
        except NotAnswered:
            self.account.unanswered.append(engagement_id)
            self._silent += 1
            if self._silent >= self._at_once:
                raise NobodyAnswers from None
            return
        self._silent = 0
        if reply.outcome == "nothing-to-do":
            self.account.had_it += 1
        else:
            self.account.adopted += 1


async def _in_lanes(most: int, work: Callable[[str], Awaitable[None]], items: Sequence[str]) -> None:
    """Work on a few at a time; the first that fails stops the others."""
    waiting = iter(items)

    async def lane() -> None:
        for item in waiting:
            await work(item)

    try:
        # A second cancellation would break off what a first one lets end: a group cancels once.
        async with asyncio.TaskGroup() as group:
            for _ in range(most):
                group.create_task(lane())
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
