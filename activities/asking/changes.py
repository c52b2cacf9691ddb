"""What a poll finds: one thing's state, written as the message that its webhook would have been.

A change is told once for each state that the thing takes, however often a poll sees it.
"""

import hashlib
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from activities.asking.calling import Api
from activities.asking.errors import CannotBeAsked, Unknown
from events.integrations.message import Message, Received
from events.integrations.moments import NoMoment, read_moment

ABSENT: dict[str, Any] = {"absent": True}
"""What is fetched of a thing that the provider does not know; a mapping sees ``fetched.absent``."""


@dataclass(frozen=True, slots=True)
class Since:
    """From when on a poll looks, and at what."""

    moment: datetime
    """What changed at or after it is of interest; some of it was seen before."""
    linked: Mapping[str, frozenset[str]] = field(repr=False)
    """The foreign ids that stand for something of an open engagement, by their kind."""
    fresh: frozenset[str] = field(default=frozenset(), repr=False)
    """The applications among them that were linked since the last poll: any age of theirs is news."""

    def of(self, kind: str) -> frozenset[str]:
        """Give the linked ids of a kind."""
        return self.linked.get(kind, frozenset())


@dataclass(frozen=True, slots=True)
class Change:
    """A thing in a state, and the message that tells it; ids and state are foreign, hence never shown."""

    thing: str = field(repr=False)
    state: str = field(repr=False)
    received: Received


class Provider(Protocol):
    """What a provider's file knows of its API; stateless."""

    @property
    def usual_base(self) -> str:
        """Say where it is asked, by its own documentation."""

    @property
    def things(self) -> tuple[str, ...]:
        """List what a mapping may have fetched."""

    def headers(self, key: str) -> Mapping[str, str]:
        """Give the headers that prove who asks."""

    async def fetch(self, api: Api, what: str, message: Message) -> Any:
        """Ask what a message is only a hint of."""

    async def greet(self, api: Api) -> None:
        """Ask something harmless, to see whether the key is taken."""

    def changes(self, api: Api, since: Since) -> AsyncGenerator[Change, None]:
        """List what has changed."""


def change(
    thing: str,
    state: object,
    event: str,
    at: object,
    body: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
) -> Change:
    """Write a change; *at* is the provider's own time for it, of which None is one too."""
    told = json.dumps(state, sort_keys=True, default=str)
    framed = json.dumps([thing, told, str(at)]).encode()
    return Change(
        thing,
        told,
        Received(
            dedupe=f"poll:{hashlib.sha256(framed).hexdigest()}",
            event=event,
            occurred_at=moment(at),
            body=json.dumps(body).encode(),
            headers=headers or {},
        ),
    )


def moment(value: object) -> datetime | None:
    """Read a provider's time; None where it is none, or has no zone."""
    try:
        return read_moment(value)
    except NoMoment:
        return None


def is_new(value: object, since: Since) -> bool:
    """Tell whether something of this time is of interest; without a time, it is."""
    at = moment(value)
    return at is None or at >= since.moment


def find(content: Any, *names: str) -> Any:
    """Follow names; None where they lead nowhere."""
    for name in names:
        content = content.get(name) if isinstance(content, dict) else None
    return content


def objects(content: Any) -> list[dict[str, Any]]:
    """Give the objects of a list, and none of anything else."""
    return [each for each in content if isinstance(each, dict)] if isinstance(content, list) else []


def external(value: object) -> str | None:
    """Give a foreign id as it is linked."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


async def or_absent(api: Api, path: str, query: Mapping[str, str | int] | None = None) -> Any:
    """Ask for one thing; :data:`ABSENT` where there is none.

    :raises CannotBeAsked: what is there is no object.
    """
    try:
        found = await api.get(path, query)
    except Unknown:
        return ABSENT
    if not isinstance(found, dict):
        raise CannotBeAsked("what answers is not the provider's API; correct --api-base")
    return found
