"""Whose reply address a mail reached, whose message came back, and whether the candidate wrote.

Addresses are compared here and go nowhere: what is told is an engagement's id and one word.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from activities.channels.email import reply_token
from activities.directory import Directory
from events.catalogue import EngagementOpened
from events.codec import decode
from events.integrations.mail_meaning import Writer, facts
from events.integrations.message import Message
from events.log.port import EventLog
from workers.inbox.connections import Connection

# Seconds between two looks for engagements that are new: a token that nobody has costs no more than that.
_LOOK_AGAIN: Final = 2.0
_PAGE: Final = 1000
_OPENING: Final = 20
_ASKED: Final = "outreach-requested"


@dataclass(slots=True)
class _Tokens:
    known: dict[str, str]
    looked_at: float = float("-inf")


class WhoseMail:
    """Looks up what a mail alone cannot tell; an :class:`workers.inbox.understanding.Asking`."""

    def __init__(
        self,
        log: EventLog,
        directory: Directory,
        reply_secret: bytes,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._directory = directory
        self._secret = reply_secret
        self._monotonic = monotonic
        self._tokens: dict[str, _Tokens] = {}
        self._looking = asyncio.Lock()

    async def fetch(self, connection: Connection, what: str, message: Message) -> Any:
        """Give the facts that :func:`events.integrations.mail_meaning.mean` asks for."""
        agency, body = connection.agency, message.body if isinstance(message.body, dict) else {}
        engagement = None
        for token in body.get("tokens") or ():
            engagement = engagement or await self._engagement(agency, str(token))
        effect = body.get("effect_id")
        if engagement is None and isinstance(effect, str):
            engagement = await self._asked_for(agency, effect)
        if engagement is None:
            return facts(None, "stranger")
        return facts(engagement, await self._writer(agency, engagement, str(body.get("sender") or "")))

    async def _engagement(self, agency: str, token: str) -> str | None:
        """Find whose token it is; only the holder of the secret can tell, by making every one again."""
        async with self._looking:
            found = self._tokens.setdefault(agency, _Tokens({}))
            if token not in found.known and self._monotonic() - found.looked_at >= _LOOK_AGAIN:
                await self._look(agency, found)
            return found.known.get(token)

    async def _look(self, agency: str, found: _Tokens) -> None:
        after: str | None = None
        while page := await self._log.streams(agency, category="engagement", after=after, limit=_PAGE):
            for head in page:
                engagement = head.stream.partition(":")[2]
                found.known[reply_token(self._secret, agency, engagement)] = engagement
            after = page[-1].stream
            await asyncio.sleep(0)
        found.looked_at = self._monotonic()

    async def _asked_for(self, agency: str, effect: str) -> str | None:
        head = await self._log.log_head(agency)
        effect_id = str(UUID(effect))
        streams = await self._log.streams_saying(
            agency, _ASKED, "effect_id", effect_id, before=head.position + 1
        )
        return streams[0].partition(":")[2] if len(streams) == 1 else None

    async def _writer(self, agency: str, engagement: str, sender: str) -> Writer:
        stream = f"engagement:{engagement}"
        for stored in await self._log.read_stream(agency, stream, limit=_OPENING, open_personal=True):
            if stored.type == "engagement-opened":
                opened = decode(stored)
                if isinstance(opened, EngagementOpened) and _same(opened.email, sender):
                    return "candidate"
        people = (await self._directory.agency(agency)).people.values()
        return "colleague" if any(_same(each.email, sender) for each in people) else "stranger"


def _same(address: object, sender: str) -> bool:
    return isinstance(address, str) and bool(sender) and address.strip().casefold() == sender
