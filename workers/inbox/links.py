"""What another system's ids stand for here: an engagement, and a submission, interview or job order in it.

A link is learnt when somebody of ours submits or a message says it, or confirmed by a person: never guessed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from events.errors import CallerError
from events.log import connect
from events.log.boxes import find_and_open, keyed_digest, shut
from events.log.keys import DIGEST_SUBJECT, DataKey, KeyStore
from workers.inbox.connections import subject

How = Literal["learnt", "confirmed"]
Foreign: TypeAlias = tuple[str, str]
"""A kind and another system's id."""
_FIND: Final = """
    SELECT kind, external_digest, engagement, ours, job_order FROM rapport.external_ids
    WHERE agency = $1 AND connection_id = $2 AND external_digest = ANY($3)
"""
_LIST: Final = """
    SELECT connection_id, kind, external, engagement, ours, job_order, how, by, at FROM rapport.external_ids
    WHERE agency = $1 AND ($2::text IS NULL OR connection_id = $2) AND ($3::text IS NULL OR engagement = $3)
    ORDER BY at, kind LIMIT $4
"""
_LEARN: Final = """
    INSERT INTO rapport.external_ids AS x (
        agency, connection_id, kind, external_digest, external, engagement, ours, job_order, how, by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (agency, connection_id, kind, external_digest) DO UPDATE
    SET external = excluded.external, engagement = excluded.engagement, ours = excluded.ours,
        job_order = excluded.job_order, how = excluded.how, by = excluded.by, at = clock_timestamp()
    WHERE excluded.how = 'confirmed' OR (x.engagement, x.ours, x.job_order) IS NOT DISTINCT FROM
        (excluded.engagement, excluded.ours, excluded.job_order)
"""
# Whoever is about to let a message wait for a link holds the row's share: one of the two sees the other.
_LOCK: Final = """
    SELECT FROM rapport.connections WHERE agency = $1 AND connection_id = $2 FOR NO KEY UPDATE
"""
_WAITED_FOR: Final = """
    UPDATE rapport.inbox SET state = 'received', says = NULL, needs = NULL, settled_at = NULL, attempts = 0,
        next_at = clock_timestamp()
    WHERE agency = $1 AND connection_id = $2 AND state IN ('waiting', 'unmatched') AND purged_at IS NULL
      AND lacks && $3
"""


class AlreadyLinked(CallerError):
    """The other system's id stands for something else already."""

    code = "already-linked"

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"this {kind} id of the connection stands for something else here already; "
            "a person may confirm what it stands for"
        )


@dataclass(frozen=True, slots=True)
class Target:
    """What an external id stands for."""

    engagement: str | None = None
    ours: str | None = None
    """The submission's or interview's id in that engagement."""
    job_order: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """One external id and its target."""

    kind: str
    external: str = field(repr=False)
    target: Target


@dataclass(frozen=True, slots=True)
class KeptLink:
    """A link with where it comes from; *external* is None once the connection's key is destroyed."""

    connection_id: str
    kind: str
    external: str | None = field(repr=False)
    target: Target
    how: How
    by: str
    at: datetime


class Links:
    """External ids in PostgreSQL; the pool is the caller's to close."""

    def __init__(self, pool: connect.Connections, keys: KeyStore) -> None:
        self._pool = pool
        self._keys = keys

    async def digests(
        self, agency: str, connection_id: str, asked: Collection[Foreign]
    ) -> dict[Foreign, bytes]:
        """Digest foreign ids as they are kept."""
        key = await self._keys.get_or_create(agency, DIGEST_SUBJECT)
        return {each: _digest(key, connection_id, each) for each in asked}

    async def known(
        self, agency: str, connection_id: str, asked: Collection[Foreign]
    ) -> Mapping[Foreign, Target]:
        """Look foreign ids up; those that nobody knows are left out."""
        if not asked:
            return {}
        digests = await self.digests(agency, connection_id, asked)
        async with self._pool.scoped(agency) as connection:
            rows = await connection.fetch(_FIND, agency, connection_id, list(digests.values()))
        found = {(row["kind"], row["external_digest"]): row for row in rows}
        return {
            each: Target(row["engagement"], row["ours"], row["job_order"])
            for each, digest in digests.items()
            if (row := found.get((each[0], digest))) is not None
        }

    async def learn(
        self, agency: str, connection_id: str, links: Sequence[Link], *, by: str, how: How = "learnt"
    ) -> int:
        """Keep links; returns how many messages that waited for them are read again.

        :raises AlreadyLinked: an id stands for something else; a confirmed link replaces what was there.
        """
        async with self._pool.scoped(agency) as connection:
            kept, count = await self.learn_in(connection, agency, connection_id, links, by=by, how=how)
            for link in links:
                if link not in kept:
                    raise AlreadyLinked(link.kind)
        return count

    async def learn_in(
        self,
        connection: Any,
        agency: str,
        connection_id: str,
        links: Sequence[Link],
        *,
        by: str,
        how: How = "learnt",
    ) -> tuple[Sequence[Link], int]:
        """Keep links in the caller's transaction; one that would change what an id stands for is left out."""
        digest_key = await self._keys.get_or_create(agency, DIGEST_SUBJECT)
        key = await self._keys.get_or_create(agency, subject(connection_id))
        await connection.execute(_LOCK, agency, connection_id)
        kept = []
        for link in links:
            digest = _digest(digest_key, connection_id, (link.kind, link.external))
            external = shut(key, link.external.encode(), agency, connection_id, link.kind)
            target = (link.target.engagement, link.target.ours, link.target.job_order)
            done = await connection.execute(
                _LEARN, agency, connection_id, link.kind, digest, external, *target, how, by
            )
            if connect.count(done):
                kept.append(link)
        learnt = [_digest(digest_key, connection_id, (each.kind, each.external)) for each in kept]
        waited = await connection.execute(_WAITED_FOR, agency, connection_id, learnt)
        return kept, connect.count(waited)

    async def list(
        self,
        agency: str,
        *,
        connection_id: str | None = None,
        engagement: str | None = None,
        limit: int = 1000,
    ) -> Sequence[KeptLink]:
        """List links, the oldest first."""
        async with self._pool.scoped(agency) as connection:
            rows = await connection.fetch(_LIST, agency, connection_id, engagement, limit)
        found = []
        for row in rows:
            place = (row["connection_id"], row["kind"])
            external = await find_and_open(self._keys, agency, row["external"], *place)
            target = Target(row["engagement"], row["ours"], row["job_order"])
            named = None if external is None else external.decode()
            found.append(KeptLink(*place, named, target, row["how"], row["by"], row["at"]))
        return found


def _digest(key: DataKey, connection_id: str, foreign: Foreign) -> bytes:
    return keyed_digest(key, "external id", connection_id, *foreign)
