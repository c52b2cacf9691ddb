"""From a kept message to its meaning: opened, asked about where it is only a hint, read by its mapping.

What a message says is judged by its connection's mapping and links alone; nothing here gives a command.
"""

from collections.abc import Mapping as Mapped
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from cryptography.exceptions import InvalidTag

from activities.asking.errors import CannotBeAsked
from events.integrations.meaning import Ignored, KnownIds, Meaning, Ours, Waits
from events.integrations.message import Message
from events.integrations.nobodys import is_named, possible_ids
from events.integrations.reading import mentions, read
from events.integrations.rules import Mapping, of_body
from events.integrations.vocabulary import KINDS
from events.log.boxes import keyed_digest
from events.log.keys import KeyStore
from events.policy_table import quoted
from workers.inbox.connections import Connection, Connections, subject
from workers.inbox.links import Foreign, Links, Target
from workers.inbox.store import open_message
from workers.inbox.work import Due

_MOST_MAPPINGS: Final = 64


class Asking(Protocol):
    """Asks a provider's API what a message is only a hint of."""

    async def fetch(self, connection: Connection, what: str, message: Message) -> Any:
        """Ask for e.g. ``scorecards``; the answer is plain JSON.

        :raises CannotBeAsked: the message waits with this sentence; after any other error it is tried again.
        """


class ByProvider:
    """Sends each question where it belongs."""

    def __init__(self, of: Mapped[str, Asking], otherwise: Asking) -> None:
        self._of = of
        self._otherwise = otherwise

    async def fetch(self, connection: Connection, what: str, message: Message) -> Any:
        """Ask whoever knows the connection's provider."""
        return await self._of.get(connection.provider, self._otherwise).fetch(connection, what, message)


@dataclass(frozen=True, slots=True)
class Understood:
    """What a message means, and what it was read by."""

    connection: Connection
    meaning: Meaning | None
    """None: it was begun and has a plan, or its content is gone with the connection's key."""
    lacks: frozenset[Foreign] = field(default=frozenset(), repr=False)
    """The foreign ids in it that nobody has linked."""
    answered_at: datetime | None = None
    """When the provider has told what it was asked; None: it was not asked."""

    @property
    def asks(self) -> bool:
        """Tell whether the provider is to be asked first."""
        return isinstance(self.meaning, Waits) and self.meaning.needs == "fetch"


class Understanding:
    """Reads messages; one for a whole process."""

    def __init__(self, connections: Connections, links: Links, keys: KeyStore, asking: Asking) -> None:
        self._connections = connections
        self._links = links
        self._keys = keys
        self._asking = asking
        self._mappings: dict[str, Mapping] = {}

    async def connection(self, due: Due) -> Connection:
        """Find whose a message is, with its mapping as it is now."""
        return await self._connections.get(due.agency, due.connection_id)

    async def read(self, due: Due, connection: Connection) -> Understood:
        """Say what a message means by itself; any error may pass, and the message is read again later."""
        # What was begun is carried out by its plan.
        message = await self._open(due) if due.plan is None else None
        if message is None:
            return Understood(connection, None)
        understood = await self._once(connection, message)
        if due.needs == "mapping" and await self._is_nobodys(understood, message):
            return Understood(connection, Ignored(_given_up(message, connection)))
        return understood

    async def ask(self, due: Due, hint: Understood) -> Understood:
        """Ask the provider what a message is a hint of, and read both together; this may take its time."""
        meaning = hint.meaning
        message = await self._open(due)
        if message is None or not isinstance(meaning, Waits) or meaning.fetch is None:
            return hint
        try:
            fetched = await self._asking.fetch(hint.connection, meaning.fetch, message)
        except CannotBeAsked as error:
            return replace(hint, meaning=replace(meaning, says=str(error)))
        understood = await self._once(hint.connection, replace(message, fetched=fetched))
        return replace(understood, answered_at=datetime.now(UTC))

    async def _is_nobodys(self, understood: Understood, message: Message) -> bool:
        """Tell whether a message waits for a rule, none names its kind, and it is about nobody of ours."""
        meaning, connection = understood.meaning, understood.connection
        mapping = self._mapping(connection)
        if not isinstance(meaning, Waits) or meaning.needs != "mapping" or is_named(message, mapping):
            return False
        if connection.mapping is None or (ids := possible_ids(message)) is None:
            return False
        asked = {(kind, each) for kind in KINDS for each in ids} | mentions(message, mapping)
        return not await self._links.known(connection.agency, connection.id, asked)

    async def _open(self, due: Due) -> Message | None:
        row = {
            "sealed": due.sealed,
            "message_id": due.message_id,
            "event": due.event,
            "occurred_at": due.occurred_at,
        }
        try:
            return await open_message(self._keys, due.agency, row)
        except InvalidTag:
            # Somebody has changed the row by hand: it is nobody's message any more.
            return None

    async def _once(self, connection: Connection, message: Message) -> Understood:
        mapping = self._mapping(connection)
        asked = mentions(message, mapping)
        known = await self._links.known(connection.agency, connection.id, asked)
        ids: Mapped[Any, Ours] = {each: _ours(target) for each, target in known.items()}
        key = await self._keys.get_or_create(connection.agency, subject(connection.id))
        meaning = read(message, mapping, KnownIds(ids, lambda text: keyed_digest(key, "made id", text).hex()))
        return Understood(connection, meaning, frozenset(asked - known.keys()))

    def _mapping(self, connection: Connection) -> Mapping:
        if connection.mapping is None or connection.mapping_digest is None:
            return Mapping(format=1, provider=connection.provider)
        found = self._mappings.get(connection.mapping_digest)
        if found is None:
            if len(self._mappings) >= _MOST_MAPPINGS:
                self._mappings.clear()
            found = of_body(connection.mapping)
            self._mappings[connection.mapping_digest] = found
        return found


def _given_up(message: Message, connection: Connection) -> str:
    return (
        f"the mapping of {connection.provider} says nothing about {quoted(message.event)}, nothing in it is "
        f"linked to anybody, and in {connection.settings.keep_days} days nobody has added a rule for it"
    )


def _ours(target: Target) -> Ours:
    return Ours(engagement=target.engagement, ours=target.ours, job_order=target.job_order)
