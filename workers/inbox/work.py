"""What the pump asks of the database: whose turn it is, which messages are due, and how each one ends.

A message is settled in one transaction with all that it teaches, and only while it is still to be done.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from events.log import connect
from workers.inbox.links import Foreign, Link, Links
from workers.inbox.store import State

# One that came late and happened before others that are due goes with them, at its own place.
_NEXT: Final = """
    SELECT message_id, seq, connection_id, event, least(occurred_at, received_at) AS occurred_at, received_at,
        attempts, engagements, sealed, plan, needs
    FROM rapport.inbox
    WHERE agency = $1 AND state = 'received' AND message_id <> ALL($2)
      AND (next_at <= clock_timestamp() OR (attempts = 0 AND engagements = '{}' AND occurred_at < (
        SELECT max(x.occurred_at) FROM rapport.inbox x
        WHERE x.agency = $1 AND x.state = 'received' AND x.next_at <= clock_timestamp()
          AND x.message_id <> ALL($2))))
    ORDER BY inbox.occurred_at, seq LIMIT $3
"""
_SOONEST: Final = """
    SELECT greatest(min(next_at) - clock_timestamp(), '0'::interval) FROM rapport.inbox
    WHERE agency = $1 AND state = 'received' AND message_id <> ALL($2)
"""
# An earlier message about the same, which is to be tried again; what is due by now has its turn first, too.
_BLOCKED: Final = """
    SELECT CASE WHEN count(*) > 0 THEN greatest(max(next_at), clock_timestamp() + interval '0.2 seconds') END
    FROM rapport.inbox
    WHERE agency = $1 AND state = 'received' AND engagements <> '{}' AND engagements && $2
      AND (occurred_at, seq) < ($3, $4) AND message_id <> $5
"""
_TRIED: Final = """
    SELECT DISTINCT unnest(engagements) AS about FROM rapport.inbox
    WHERE agency = $1 AND state = 'received' AND engagements <> '{}'
"""
_POSTPONE: Final = """
    UPDATE rapport.inbox SET attempts = attempts + $3, says = $4, engagements = $5,
        next_at = CASE WHEN $3 > 0
            THEN clock_timestamp() + least(interval '1 second' * power(2, least(attempts, 10)), $6)
            ELSE coalesce($7, next_at) END
    WHERE agency = $1 AND message_id = $2 AND state = 'received'
"""
_OUTDATED: Final = """
    SELECT a.aspect FROM rapport.inbox_aspects a JOIN unnest($2::text[], $3::timestamptz[]) AS u (aspect, at)
        ON a.aspect = u.aspect
    WHERE a.agency = $1 AND a.occurred_at > u.at AND a.message_id <> $4
"""
_ASPECT: Final = """
    INSERT INTO rapport.inbox_aspects AS a (agency, aspect, occurred_at, message_id) VALUES ($1, $2, $3, $4)
    ON CONFLICT (agency, aspect) DO UPDATE
    SET occurred_at = excluded.occurred_at, message_id = excluded.message_id
    WHERE a.occurred_at <= excluded.occurred_at
"""
# What was not given has told nothing: nothing older is overtaken by it.
_UNTOLD: Final = """
    UPDATE rapport.inbox_aspects SET occurred_at = '-infinity'
    WHERE agency = $1 AND aspect = ANY($2) AND message_id = $3
"""
_BEGIN: Final = """
    UPDATE rapport.inbox SET plan = $3, engagements = $4
    WHERE agency = $1 AND message_id = $2 AND state = 'received'
"""
# Also over a person's discarding: what was given meanwhile has happened.  What an applied message may have
# made possible for others about the same goes on: a missed beginning has come.
_SETTLE: Final = """
    WITH settled AS (
        UPDATE rapport.inbox SET state = $3, says = $4, needs = $5, lacks = $6, engagements = $7,
            outcome = $8, settled_at = clock_timestamp(), plan = CASE WHEN $9 THEN plan END
        WHERE agency = $1 AND message_id = $2
          AND (state = 'received' OR (state = 'discarded' AND $3 = 'applied')))
    UPDATE rapport.inbox SET state = 'received', says = NULL, needs = NULL, settled_at = NULL, attempts = 0,
        next_at = clock_timestamp()
    WHERE $3 = 'applied' AND agency = $1 AND state = 'waiting' AND needs = 'command' AND engagements && $7
      AND purged_at IS NULL AND message_id <> $2
"""
_MAPPED: Final = """
    SELECT mapping_digest FROM rapport.connections WHERE agency = $1 AND connection_id = $2 FOR SHARE
"""
_KNOWN: Final = """
    SELECT EXISTS (SELECT FROM rapport.external_ids
                   WHERE agency = $1 AND connection_id = $2 AND external_digest = ANY($3))
"""


@dataclass(frozen=True, slots=True)
class Due:
    """A message that is to be understood and applied."""

    agency: str
    message_id: UUID
    seq: int
    connection_id: str
    event: str
    occurred_at: datetime
    received_at: datetime
    attempts: int
    engagements: tuple[str, ...]
    sealed: bytes | None = field(repr=False)
    plan: bytes | None = field(repr=False)
    """What was decided to be given, in an earlier try that did not come to its end."""
    needs: str | None = None
    """What it has waited for, where it is read again only because that has lasted long."""


@dataclass(frozen=True, slots=True)
class End:
    """How a message ends, or what it waits for."""

    state: State
    says: str | None = None
    needs: str | None = None
    lacks: frozenset[Foreign] = field(default=frozenset(), repr=False)
    mapping_digest: str | None = None
    """The mapping it was read by, where nothing is given; if there is another by now, it is read again."""
    outcome: Mapping[str, Any] | None = None
    learns: tuple[Link, ...] = ()
    keeps_plan: bool = False
    """Where some of its commands were given already."""
    untold: frozenset[str] = frozenset()
    """The aspects of a begun message of which nothing could be given."""


class Work:
    """The pump's way to the inbox; the pool is the caller's to close."""

    def __init__(self, pool: connect.Connections, links: Links) -> None:
        self._pool = pool
        self._links = links

    async def listen(self) -> connect.Connection:
        """Open a connection for notifications, the caller's to close."""
        return await self._pool.connect()

    async def due_agencies(self, within: timedelta) -> Mapping[str, timedelta]:
        """Name the agencies with something to do soon that nobody does, and how soon."""
        async with self._pool.borrow() as lent:
            rows = await lent.fetch("SELECT * FROM rapport.due_inboxes($1)", within)
        return {row["agency"]: row["due_in"] for row in rows}

    async def take_turn(self, agency: str, holder: UUID, lease: timedelta) -> bool:
        """Take an agency's turn, or keep it for longer; False: another process has it."""
        async with self._pool.borrow() as lent:
            query = "SELECT rapport.take_inbox_turn($1, $2, $3)"
            return bool(await lent.fetchval(query, agency, holder, lease))

    async def leave_turn(self, agency: str, holder: UUID) -> None:
        """Let others have the turn."""
        async with self._pool.borrow() as lent:
            await lent.execute("SELECT rapport.leave_inbox_turn($1, $2)", agency, holder)

    async def look_again(self, younger_than: timedelta) -> int:
        """Try every agency's messages again whose commands did not fit; returns how many."""
        async with self._pool.borrow() as lent:
            return int(await lent.fetchval("SELECT rapport.look_again($1)", younger_than))

    async def look_at_old(self, again_after: timedelta) -> int:
        """Read every agency's messages again that wait for a rule for longer than their connection's days.

        Each at most once in *again_after*; returns how many.
        """
        async with self._pool.borrow() as lent:
            return int(await lent.fetchval("SELECT rapport.look_at_old($1)", again_after))

    async def purge(self, limit: int) -> int:
        """Empty the bodies of old messages of every agency; returns how many."""
        async with self._pool.borrow() as lent:
            return int(await lent.fetchval("SELECT rapport.purge_inbox($1)", limit))

    async def due(self, agency: str, busy: Collection[UUID], limit: int) -> Sequence[Due]:
        """Give due messages that are not in hand, by the source's time."""
        async with self._pool.scoped(agency) as lent:
            rows = await lent.fetch(_NEXT, agency, list(busy), limit)
        return [Due(**{**row, "agency": agency, "engagements": tuple(row["engagements"])}) for row in rows]

    async def soonest(self, agency: str, busy: Collection[UUID]) -> timedelta | None:
        """Tell how long it is until another message is due; None: there is none."""
        async with self._pool.scoped(agency) as lent:
            found: timedelta | None = await lent.fetchval(_SOONEST, agency, list(busy))
        return found

    async def tried_again(self, agency: str) -> frozenset[str]:
        """Name what messages are about that were begun or tried before, and are to be tried again."""
        async with self._pool.scoped(agency) as lent:
            return frozenset(row["about"] for row in await lent.fetch(_TRIED, agency))

    async def blocked_until(self, due: Due, about: Collection[str]) -> datetime | None:
        """Tell when an earlier message about the same is tried again; None: nothing is before this one."""
        async with self._pool.scoped(due.agency) as lent:
            place = (due.occurred_at, due.seq, due.message_id)
            found: datetime | None = await lent.fetchval(_BLOCKED, due.agency, list(about), *place)
        return found

    async def postpone(
        self,
        due: Due,
        about: Collection[str],
        says: str | None,
        *,
        longest: timedelta,
        behind: datetime | None = None,
    ) -> None:
        """Try a message later, after a pause that grows; *behind*: with the one that it must follow."""
        tried = 1 if behind is None else 0
        async with self._pool.scoped(due.agency) as lent:
            given = (tried, says, sorted(about), longest, behind)
            await lent.execute(_POSTPONE, due.agency, due.message_id, *given)

    async def outdated(self, due: Due, aspects: Mapping[str, datetime]) -> frozenset[str]:
        """Name the aspects about which something newer was applied."""
        if not aspects:
            return frozenset()
        async with self._pool.scoped(due.agency) as lent:
            given = (list(aspects), list(aspects.values()), due.message_id)
            rows = await lent.fetch(_OUTDATED, due.agency, *given)
        return frozenset(row["aspect"] for row in rows)

    async def begin(
        self, due: Due, about: Collection[str], plan: bytes, aspects: Mapping[str, datetime]
    ) -> bool:
        """Keep what is going to be given, before anything is; False: somebody has discarded the message."""
        async with self._pool.scoped(due.agency) as lent:
            done = await lent.execute(_BEGIN, due.agency, due.message_id, plan, sorted(about))
            if not connect.count(done):
                return False
            for aspect, at in sorted(aspects.items()):
                await lent.execute(_ASPECT, due.agency, aspect, at, due.message_id)
        return True

    async def settle(self, due: Due, about: Collection[str], end: End) -> State:
        """End a message or let it wait, and say which; ``received``: what it lacks has come meanwhile."""
        digests = await self._links.digests(due.agency, due.connection_id, end.lacks)
        lacks = sorted(set(digests.values()))
        async with self._pool.scoped(due.agency) as lent:
            if end.untold:
                await lent.execute(_UNTOLD, due.agency, sorted(end.untold), due.message_id)
            judged = end.state in ("waiting", "unmatched") or end.mapping_digest is not None
            if judged and await self._has_come(lent, due, end, lacks):
                return "received"
            outcome = None if end.outcome is None else json.dumps(end.outcome)
            values = (end.state, end.says, end.needs, lacks, sorted(about), outcome, end.keeps_plan)
            await lent.execute(_SETTLE, due.agency, due.message_id, *values)
            if end.learns:
                by = f"message:{due.message_id}"
                await self._links.learn_in(lent, due.agency, due.connection_id, end.learns, by=by)
        return end.state

    async def _has_come(self, lent: Any, due: Due, end: End, lacks: list[bytes]) -> bool:
        # The row is locked against a new mapping and new links until this transaction ends: whichever comes
        # second sees the other.
        mapped = await lent.fetchval(_MAPPED, due.agency, due.connection_id)
        if mapped != end.mapping_digest:
            return True
        return bool(lacks and await lent.fetchval(_KNOWN, due.agency, due.connection_id, lacks))
