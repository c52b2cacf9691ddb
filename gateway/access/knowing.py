"""From what somebody shows to who they are, with one answer and one effort for everything that does not hold.

Whatever is wrong, the same is done: one look-up, one comparison.  Only who has shown the right secret is
told that it has expired.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, cast

from activities.directory import Directory
from events.log.connect import Connections
from gateway.access.credentials import BLANK, Shown, holds, read
from gateway.access.failures import Failures
from gateway.access.jwt import ExpiredToken, InvalidToken, Tokens
from gateway.access.roles import RANKS, may_stand_as
from gateway.access.uses import Uses
from gateway.access.who import Role, Who

# Seconds for which an accepted credential is not looked up again: so long a revoked one may still open.
TRUSTED_FOR: Final = 1.0
_REMEMBERED: Final = 2048
_FIND_KEY: Final = """
    SELECT k.*, rapport.failures_wait($2::bytea[]) AS wait
    FROM (SELECT 1) AS one LEFT JOIN LATERAL rapport.find_api_key($1) AS k ON true
"""
_FIND_LINK: Final = """
    SELECT l.*, rapport.failures_wait($2::bytea[]) AS wait
    FROM (SELECT 1) AS one LEFT JOIN LATERAL rapport.find_candidate_link($1) AS l ON true
"""


class Unknown(Exception):
    """What was shown opens nothing; why, nobody is told."""


class Expired(Exception):
    """It was right once; it may be told, since the secret was."""


class Waiting(Exception):
    """Too many failures: this one was not judged; *seconds* until the next is."""

    def __init__(self, seconds: float) -> None:
        super().__init__("too many failed attempts")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class _Accepted:
    who: Who
    until: float
    expires_at: datetime


@dataclass(slots=True)
class _Memory:
    found: OrderedDict[bytes, _Accepted] = field(default_factory=OrderedDict)

    def get(self, key: bytes, now: datetime) -> Who | None:
        kept = self.found.get(key)
        if kept is None or kept.until < time.monotonic() or kept.expires_at <= now:
            return None
        return kept.who

    def put(self, key: bytes, accepted: _Accepted) -> None:
        self.found[key] = accepted
        while len(self.found) > _REMEMBERED:
            self.found.popitem(last=False)


class Knowing:
    """Judges credentials; one for a process."""

    def __init__(
        self,
        connections: Connections,
        directory: Directory,
        failures: Failures,
        tokens: Tokens,
        uses: Uses,
        *,
        trusted_for: float = TRUSTED_FOR,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._connections = connections
        self._directory = directory
        self._failures = failures
        self._tokens = tokens
        self._uses = uses
        self._trusted_for = trusted_for
        self._now = now
        self._memory = _Memory()

    async def who(self, text: str | None, address: str | None) -> Who:
        """Say who shows this.

        :raises Unknown: it opens nothing.
        :raises Expired: it opened something once.
        :raises Waiting: this address or credential has failed too often, and fails again.
        """
        key = hashlib.sha256((text or "").encode()).digest()
        known = self._memory.get(key, self._now())
        if known is not None:
            return known
        if text is not None and text.count(".") == 2:
            accepted = await self._by_token(text, address)
        else:
            accepted = await self._by_secret(text, address)
        self._memory.put(key, accepted)
        return accepted.who

    async def _by_secret(self, text: str | None, address: str | None) -> _Accepted:
        shown = (read(text) if text is not None else None) or BLANK
        row, wait = await self._find(shown, address)
        right = holds(shown, row["secret_hash"])
        current = row["expires_at"] is not None and row["revoked_at"] is None
        over = current and row["expires_at"] <= self._now()
        if right and over:
            raise Expired
        if not right or not current:
            await self._failed(address, shown if text is not None else None, wait)
        who = _link_bearer(row) if shown.kind == "rpl" else _key_bearer(row)
        if not await self._stands(who):
            await self._failed(address, shown, wait)
        self._uses.note(shown.kind, who.agency, shown.id)
        return self._accept(who, row["expires_at"])

    async def _by_token(self, text: str, address: str | None) -> _Accepted:
        digests = await self._failures.digests(address, None)
        try:
            told = await self._tokens.read(text, self._now())
        except ExpiredToken:
            raise Expired from None
        except InvalidToken:
            told = None
        who = await self._of_token(told) if told is not None else None
        if who is None or told is None:
            if wait := await self._failures.wait(digests):
                raise Waiting(wait)
            self._failures.count(digests, kind="jwt", credential=None)
            raise Unknown
        return self._accept(who, told.expires_at)

    async def _of_token(self, told: Any) -> Who | None:
        people = await self._directory.recent(told.agency)
        entry = people.people.get(told.person_id)
        role: Role | None = told.role or (cast("Role", entry.role) if entry is not None else None)
        if role is None or role in ("integration", "candidate"):
            return None
        who = Who(agency=told.agency, role=role, credential=told.credential, person_id=told.person_id)
        return who if await self._stands(who) else None

    async def _find(self, shown: Shown, address: str | None) -> tuple[Any, float]:
        digests = await self._failures.digests(address, shown.id)
        query = _FIND_LINK if shown.kind == "rpl" else _FIND_KEY
        async with self._connections.borrow() as connection:
            row = await connection.fetchrow(query, shown.id, digests)
        return row, row["wait"]

    async def _failed(self, address: str | None, shown: Shown | None, wait: float) -> None:
        # Who shows nothing guesses nothing.
        if shown is not None:
            if wait > 0:
                raise Waiting(wait)
            id = shown.id if shown is not BLANK else None
            digests = await self._failures.digests(address, id)
            self._failures.count(digests, kind=shown.kind, credential=id)
        raise Unknown

    async def _stands(self, who: Who) -> bool:
        """Tell whether a person's credential is no more than they are now; who has left opens nothing.

        Nor does the key of a connection that is disabled, as its webhooks do not.
        """
        if who.connection is not None:
            return await self._is_in_use(who.agency, who.connection)
        if who.person_id is None:
            return True
        people = await self._directory.recent(who.agency)
        if not people.people:
            return True
        entry = people.people.get(who.person_id)
        if entry is None:
            return who.role not in RANKS and who.person_id not in people.left
        return may_stand_as(cast("Role", entry.role), who.role)

    async def _is_in_use(self, agency: str, connection_id: str) -> bool:
        query = """
            SELECT disabled_at IS NOT NULL FROM rapport.connections
            WHERE agency = $1 AND connection_id = $2
        """
        async with self._connections.scoped(agency) as connection:
            return not await connection.fetchval(query, agency, connection_id)

    def _accept(self, who: Who, expires_at: datetime) -> _Accepted:
        return _Accepted(who, time.monotonic() + self._trusted_for, expires_at)


def _key_bearer(row: Any) -> Who:
    return Who(
        agency=row["agency"],
        role=row["role"],
        credential=row["key_id"],
        person_id=row["person_id"],
        connection=row["connection"],
    )


def _link_bearer(row: Any) -> Who:
    return Who(
        agency=row["agency"], role="candidate", credential=row["link_id"], engagement=row["engagement"]
    )
