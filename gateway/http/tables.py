"""What the lists read from the tables: rows that the asker may see, a page at a time.

Whoever may see only some owners' engagements gets a query that knows no others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from events.agency import Agency
from events.projections.board import posture
from gateway.cli.reading import present_after
from gateway.http.asking import WAITS, Asker
from gateway.http.problems import Problem

Row = dict[str, Any]
# A paused engagement's own clock may be ahead of ours, as in a demonstration.
_PRESENT: Final = "greatest(clock_timestamp(), b.decided_at)"
_PAUSED: Final = (
    f"(b.paused_until IS NOT NULL AND {_PRESENT} < b.paused_until AND b.moves NOT IN ('closed', 'dormant'))"
)


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose engagements somebody may find in lists; *people* None: everybody's."""

    people: frozenset[str] | None
    """Who owes what they find; a promise that nobody owes is anybody's."""
    person: str | None
    """The asker, who also finds what they help with."""
    names: bool
    """Whether they may see the names of the agency's people."""


@dataclass(frozen=True, slots=True)
class Found:
    """Which engagements are asked for."""

    stage: str | None = None
    posture: str | None = None
    owner: str | None = None
    team: str | None = None
    waiting_on: str | None = None


async def reach_of(asker: Asker) -> Reach:
    """Find out whose engagements the asker may find.

    :raises Problem: 403, nobody's.
    """
    people = await asker.doors.permits.reach(asker.request, asker.who)
    return Reach(people, asker.who.person_id, names=await asker.sees("agency"))


async def fresh(asker: Asker, names: Sequence[str], *, wait: bool) -> None:
    """Make sure that the tables are there; *wait* for what is in the log now.

    :raises Problem: 503, nobody has built them, or they do not follow.
    """
    having, agency = asker.doors.having, asker.who.agency
    head = (await having.log.log_head(agency)).position
    if head == 0:
        return
    patience = timedelta(seconds=WAITS if wait else 0)
    standing = await having.read_models.wait_for(agency, head if wait else 0, patience, names)
    if standing.missing or (wait and standing.position < head):
        says = "the tables are not there yet" if standing.missing else "the tables are behind the log"
        remedy = "ask again" if standing.at_work else "whoever runs Rapport here must start a projector"
        raise Problem(503, "read-models-away", f"{says}; {remedy}", headers={"Retry-After": "2"})


async def list_engagements(
    asker: Asker, found: Found, reach: Reach, *, after: str | None, limit: int
) -> list[Row]:
    """Read a page of engagements, by their ids."""
    query = f"""
        SELECT b.engagement, b.candidate_id, b.stage, b.moves, b.paused_until, b.owner, b.level, b.version,
               b.opened_at, b.last_contact_at, b.decided_at
        FROM rapport_read.board b
        WHERE b.agency = $1 AND b.stream > $2
          AND ($3::text IS NULL OR b.stage = $3) AND ($4::text IS NULL OR b.owner = $4)
          AND ($5::text IS NULL OR CASE WHEN {_PAUSED} THEN 'paused' ELSE b.moves END = $5)
          AND ($6::text[] IS NULL OR b.owner = ANY($6))
          AND ($7::text IS NULL OR EXISTS (
              SELECT 1 FROM rapport_read.obligations o
              WHERE o.agency = b.agency AND o.stream = b.stream AND o.awaits = $7
                AND o.outcome IN ('open', 'overdue')))
          AND ($8::text[] IS NULL OR b.owner IS NULL OR b.owner = ANY($8) OR $9 = ANY(b.team)
               OR EXISTS (
              SELECT 1 FROM rapport_read.obligations o
              WHERE o.agency = b.agency AND o.stream = b.stream AND o.owner = ANY($8)
                AND o.outcome IN ('open', 'overdue')))
        ORDER BY b.stream LIMIT $10
    """
    office = await asker.doors.having.directory.agency(asker.who.agency)
    rows = await asker.doors.having.read_models.fetch(
        asker.who.agency,
        query,
        asker.who.agency,
        f"engagement:{after or ''}",
        found.stage,
        found.owner,
        found.posture,
        None if found.team is None else _members(office, found.team),
        found.waiting_on,
        None if reach.people is None else sorted(reach.people),
        reach.person,
        limit,
    )
    return [_row(row) for row in rows]


def _members(office: Agency, team: str) -> list[str]:
    # Who names no team is in that of their team lead, as reports have it.
    everybody = {**office.left, **office.people}.values()
    return [each.person_id for each in everybody if (each.team or each.team_lead) == team]


def _row(row: Row) -> Row:
    return {
        "engagement": row["engagement"],
        "candidate_id": row["candidate_id"],
        "stage": row["stage"],
        "posture": posture(row["moves"], row["paused_until"], present_after(row["decided_at"])),
        "owner": row["owner"],
        "level": row["level"],
        "version": row["version"],
        "opened_at": row["opened_at"],
        "last_contact_at": row["last_contact_at"],
    }
