"""One-time codes: that whoever holds a candidate's link also reads the candidate's own letters.

A code goes to the address on record and nowhere else, serves one purpose, and dies with its fifth mistake.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal

from activities.channels.port import Channel, Letter, NotSent, OutcomeUnknown, Refused
from activities.directory import Directory
from activities.letters import Templates
from events.catalogue import EngagementOpened
from events.codec import decode
from events.log.connect import Connections
from events.log.keys import KeyStore
from events.log.port import EventLog
from gateway.access.credentials import mint
from gateway.access.who import Who
from workers.codec import SYSTEM

HOLDS_FOR: Final = timedelta(minutes=10)
TRIES: Final = 5
AN_HOUR: Final = 5
"""Codes that one engagement may ask for within an hour, through whatever links."""
A_DAY: Final = 20
"""And within a day: five tries each, so that nobody who holds a link guesses one in a million by patience."""
_SUBJECT: Final = "one-time-codes"
_FORM: Final = re.compile(r"[0-9]{6}")
# An engagement's opening is among its first events.
_OPENING: Final = 20
_MADE: Final = """
    SELECT count(*) FILTER (WHERE made_at > clock_timestamp() - interval '1 hour') AS hour, count(*) AS day
    FROM rapport.one_time_codes
    WHERE agency = $1 AND engagement = $2 AND made_at > clock_timestamp() - interval '1 day'
"""
_OLD: Final = """
    UPDATE rapport.one_time_codes SET expires_at = clock_timestamp()
    WHERE agency = $1 AND link_id = $2 AND expires_at > clock_timestamp()
"""
_NEW: Final = """
    INSERT INTO rapport.one_time_codes (agency, code_id, link_id, engagement, code_hash, expires_at)
    VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6::interval)
"""
_LIVE: Final = """
    SELECT code_id, code_hash, tries, used_for FROM rapport.one_time_codes
    WHERE agency = $1 AND link_id = $2 AND engagement = $3 AND expires_at > clock_timestamp()
    ORDER BY made_at DESC LIMIT 1 FOR UPDATE
"""
# A link has one live code at a time: the first that was made for a purpose is the first that was used for it.
_FIRST: Final = """
    SELECT code_id FROM rapport.one_time_codes
    WHERE agency = $1 AND link_id = $2 AND engagement = $3 AND used_for = $4
    ORDER BY made_at, code_id LIMIT 1
"""


class CodeNotSent(Exception):
    """No code is on its way; *code* says why, the message in one sentence what would help."""

    def __init__(self, code: str, says: str, *, again: bool = False) -> None:
        super().__init__(says)
        self.code = code
        self.again = again


Refusal = Literal["none", "wrong", "spent", "locked"]
"""No code was shown; it is not the one that serves now; it has served; there were too many mistakes."""


class CodeRefused(Exception):
    """The code does not serve, or there is none; *why* is told to whoever holds the link.

    A wrong code, one that is over, and any code where none was sent are told alike: what was mailed, and
    when, is known to who reads the mail.
    """

    def __init__(self, why: Refusal) -> None:
        super().__init__("the code does not serve")
        self.why = why


@dataclass(frozen=True, slots=True)
class _To:
    name: str = field(repr=False)
    address: str = field(repr=False)
    code: str = field(repr=False)


class Codes:
    """The codes of every agency."""

    def __init__(
        self,
        connections: Connections,
        keys: KeyStore,
        log: EventLog,
        directory: Directory,
        channel: Channel,
        *,
        templates: Templates | None = None,
    ) -> None:
        self._connections = connections
        self._keys = keys
        self._log = log
        self._directory = directory
        self._channel = channel
        self._templates = templates or Templates()

    async def send(self, who: Who) -> None:
        """Mail a new code to a candidate; the one before serves no longer.

        :raises CodeNotSent: too many were asked for, no address is on record, the mail server took none.
        """
        engagement = _engagement(who)
        name, address = await self._address(who.agency, engagement)
        if await self._directory.outreach_held(who.agency) is not None:
            raise CodeNotSent(
                "outreach-held", "the agency sends no letters at the moment; try later", again=True
            )
        code, made = f"{secrets.randbelow(10**6):06}", mint("rpl").id
        hashed = await self._hash(made, code)
        async with self._connections.scoped(who.agency) as db:
            # Two that ask at once count one after the other.
            await db.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{who.agency}/{engagement}"
            )
            made_lately = await db.fetchrow(_MADE, who.agency, engagement)
            if made_lately["hour"] >= AN_HOUR or made_lately["day"] >= A_DAY:
                raise CodeNotSent("too-many-codes", "too many codes were sent lately; wait, then ask again")
            await db.execute(_OLD, who.agency, who.credential)
            await db.execute(_NEW, who.agency, made, who.credential, engagement, hashed, HOLDS_FOR)
        await self._mail(who.agency, engagement, made, _To(name, address, code))

    async def use(self, who: Who, code: str | None, purpose: str) -> str:
        """Take a code for one purpose, and name the evidence that it is; the same purpose may show it again.

        Where the purpose had a code before, that one stays the evidence: a code allows, and whoever repeats a
        command under another says the same as before.

        :raises CodeRefused: it does not serve; only a wrong one counts as a mistake.
        """
        engagement = _engagement(who)
        if not code:
            raise CodeRefused("none")
        shown = code if _FORM.fullmatch(code) else None
        first: str | None = None
        async with self._connections.scoped(who.agency) as db:
            row = await db.fetchrow(_LIVE, who.agency, who.credential, engagement)
            verdict = await self._judge(row, shown, purpose)
            if verdict == "right":
                await self._set(db, who.agency, row["code_id"], "used_for = $3", purpose)
                first = await db.fetchval(_FIRST, who.agency, who.credential, engagement, purpose)
            elif verdict == "mistaken":
                await self._set(db, who.agency, row["code_id"], "tries = tries + $3", 1)
        # After the transaction: a mistake must count.
        if verdict == "mistaken":
            raise CodeRefused("locked" if row["tries"] + 1 >= TRIES else "wrong")
        if verdict != "right":
            raise CodeRefused(verdict)
        return f"code-{first}"

    async def _judge(
        self, row: Any, shown: str | None, purpose: str
    ) -> Literal["right", "mistaken", "wrong", "spent", "locked"]:
        if row is None:
            return "wrong"
        if row["tries"] >= TRIES:
            return "locked"
        if shown is None:
            return "wrong"
        if not hmac.compare_digest(await self._hash(row["code_id"], shown), row["code_hash"]):
            return "mistaken"
        return "right" if row["used_for"] in (None, purpose) else "spent"

    async def _set(self, db: Any, agency: str, code_id: str, what: str, value: object) -> None:
        query = f"UPDATE rapport.one_time_codes SET {what} WHERE agency = $1 AND code_id = $2"
        await db.execute(query, agency, code_id, value)

    async def _hash(self, code_id: str, code: str) -> bytes:
        # Keyed: a million codes are hashed in a second by whoever reads the table.
        key = await self._keys.get_or_create(SYSTEM, _SUBJECT)
        return hmac.new(key.secret, f"{code_id}:{code}".encode(), hashlib.sha256).digest()

    async def _address(self, agency: str, engagement: str) -> tuple[str, str]:
        stream = f"engagement:{engagement}"
        for stored in await self._log.read_stream(agency, stream, limit=_OPENING, open_personal=True):
            opened = decode(stored) if stored.type == "engagement-opened" else None
            if isinstance(opened, EngagementOpened) and isinstance(opened.email, str) and opened.email:
                # On one line: a name must not write paragraphs of its own.
                name = " ".join(opened.name.split()) if isinstance(opened.name, str) else ""
                return name or "and good day", opened.email
        raise CodeNotSent("no-address", "no e-mail address is on record; ask your recruiter to call you")

    async def _mail(self, agency: str, engagement: str, code_id: str, to: _To) -> None:
        minutes = int(HOLDS_FOR.total_seconds() // 60)
        words = self._templates.render(
            "one-time-code", {"reader": to.name, "code": to.code, "minutes": minutes}
        )
        letter = Letter(
            address=to.address,
            name=to.name,
            subject=words.subject,
            text=words.text,
            html=words.html,
            reply_to=self._channel.reply_to(agency, engagement),
        )
        try:
            await self._channel.send(letter, self._channel.message_id(f"code-{code_id}"))
        except NotSent:
            raise CodeNotSent(
                "mail-away", "the mail server takes nothing now; try again", again=True
            ) from None
        except Refused:
            raise CodeNotSent(
                "no-address", "the address on record takes no letters; ask your recruiter to call you"
            ) from None
        except OutcomeUnknown:
            # It may well arrive; whoever waits in vain asks again.
            return


def _engagement(who: Who) -> str:
    if who.engagement is None:
        raise ValueError("codes are for candidates; whoever has a key needs none")
    return who.engagement
