"""Links for candidates: opaque, expiring, revocable, each for one engagement.

A link shows and does what is the candidate's own; what nobody else may see or say asks for a code as well.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from events.log.connect import Connections
from gateway.access.credentials import mint
from gateway.access.keys import AccessError

USUAL_LIFE: Final = timedelta(days=14)
LONGEST_LIFE: Final = timedelta(days=90)
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_NO_LINK: Final = "the engagement has no link of this id; list its links to see those there are"
_COLUMNS: Final = "link_id, engagement, made_by, made_at, expires_at, revoked_at, last_used_at"


@dataclass(frozen=True, slots=True)
class Link:
    """What may be shown of a link."""

    link_id: str
    engagement: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


class Links:
    """The links of every agency, one agency at a time."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def create(
        self, agency: str, engagement: str, *, made_by: str, life: timedelta = USUAL_LIFE
    ) -> tuple[Link, str]:
        """Make a link; the token that comes with it cannot be shown again.

        :raises AccessError: it would live too long.
        """
        if not timedelta() < life <= LONGEST_LIFE:
            raise AccessError("a link lives at least a moment and at most 90 days; give fewer days")
        minted = mint("rpl")
        query = f"""
            INSERT INTO rapport.candidate_links
                (link_id, agency, secret_hash, engagement, made_by, expires_at)
            VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6::interval) RETURNING {_COLUMNS}
        """
        async with self._connections.scoped(agency) as db:
            row = await db.fetchrow(query, minted.id, agency, minted.secret_hash, engagement, made_by, life)
        return Link(**row), minted.text

    async def list(self, agency: str, engagement: str) -> Sequence[Link]:
        """List the links to an engagement, also those that open nothing any more, oldest first."""
        query = f"""
            SELECT {_COLUMNS} FROM rapport.candidate_links
            WHERE agency = $1 AND engagement = $2 ORDER BY made_at, link_id
        """
        async with self._connections.scoped(agency) as db:
            return [Link(**row) for row in await db.fetch(query, agency, engagement)]

    async def revoke(self, agency: str, engagement: str, link_id: str) -> Link:
        """End a link for good; again changes nothing.

        :raises AccessError: the engagement has no such link.
        """
        if not _ID.fullmatch(link_id):
            raise AccessError(_NO_LINK)
        query = f"""
            UPDATE rapport.candidate_links SET revoked_at = coalesce(revoked_at, clock_timestamp())
            WHERE agency = $1 AND engagement = $2 AND link_id = $3 RETURNING {_COLUMNS}
        """
        async with self._connections.scoped(agency) as db:
            row: Any = await db.fetchrow(query, agency, engagement, link_id)
        if row is None:
            raise AccessError(_NO_LINK)
        return Link(**row)
