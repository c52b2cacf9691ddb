"""What a door must know of a thing before it says who may: whose it is, and whose team they are in.

Asked within one agency: what belongs to another is not found, as if it were not there.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from activities.commands import CommandService
from activities.directory import Directory
from events.agency import Agency, Entry
from events.glass import is_open
from events.integrations.own_words import GENERIC
from events.kinds import Id
from events.log.connect import Connections
from events.reaching import stood_in_for
from gateway.access.roles import RANKS, Target, Through
from gateway.access.who import Role, Who
from gateway.folds import Folds

# The board's row counts only where it holds the stream's last event.
OWNERS: Final = """
    SELECT s.version, b.version AS told, b.owner, b.team,
           ARRAY(SELECT DISTINCT o.owner FROM rapport_read.obligations o
                 WHERE o.agency = s.agency AND o.stream = s.stream
                   AND o.outcome IN ('open', 'overdue') AND o.owner IS NOT NULL) AS owing
    FROM rapport.streams s LEFT JOIN rapport_read.board b ON b.agency = s.agency AND b.stream = s.stream
    WHERE s.agency = $1 AND s.stream = $2 AND s.version > 0
"""
# A connection is linked to an engagement by any external id of it, learnt or confirmed by a person.
_REACHES: Final = """
    SELECT c.provider, EXISTS (
        SELECT FROM rapport.external_ids x
        WHERE x.agency = c.agency AND x.connection_id = c.connection_id AND x.engagement = $3) AS linked
    FROM rapport.connections c WHERE c.agency = $1 AND c.connection_id = $2
"""
_ID: Final[TypeAdapter[str]] = TypeAdapter(Id)


class Targets:
    """Finds what decides who may, for one agency at a time."""

    def __init__(
        self, connections: Connections, folds: Folds, service: CommandService, directory: Directory
    ) -> None:
        self._connections = connections
        self._folds = folds
        self._service = service
        self._directory = directory

    async def engagement(self, who: Who, engagement: str, now: datetime) -> Target | None:
        """Look an engagement of the caller's agency up; None: it has none of this id."""
        if not _is_id(engagement):
            return None
        stream = f"engagement:{engagement}"
        async with self._connections.scoped(who.agency) as db:
            row = await db.fetchrow(OWNERS, who.agency, stream)
            through = await _through(db, who, engagement) if row is not None else None
        if row is None:
            return None
        owner, helpers = row["owner"], row["team"] or ()
        if row["told"] != row["version"]:
            state = await self._folds.state(who.agency, stream)
            owner, helpers = state.candidate_owner, state.team
        # A glass that was broken a moment ago is open: asked from the log.
        fresh = who.role == "operator"
        people = await (self._directory.agency if fresh else self._directory.recent)(who.agency)
        return described(
            people,
            owner,
            helpers,
            row["owing"],
            engagement=engagement,
            through=through,
            open=is_open(people.glasses, engagement, who.credential, now),
        )

    async def job_order(self, who: Who, job_order: str) -> Target | None:
        """Look a job order of the caller's agency up; None: it has none of this id."""
        if not _is_id(job_order):
            return None
        state = await self._service.state(who.agency, f"job-order:{job_order}")
        if state.phase == "unopened":
            return None
        return await self.owned(who, state.owner)

    async def owned(self, who: Who, owner: str | None, helpers: tuple[str, ...] = ()) -> Target:
        """Describe what a person answers for, or will: a job order, an engagement that is being opened."""
        return described(await self._directory.recent(who.agency), owner, helpers, person=owner)

    async def hats(self, who: Who, now: datetime) -> list[Who]:
        """Give the caller as themselves, and as everybody whom they stand in for at the moment."""
        return hats(await self._directory.recent(who.agency), who, now)

    async def within_reach(self, who: Who) -> frozenset[str]:
        """Name the people whose engagements are the caller's own or their team's, for lists."""
        if who.person_id is None:
            return frozenset()
        people = await self._directory.recent(who.agency)
        everybody, lines = {**people.left, **people.people}, people.lines()
        mine = _team(everybody[who.person_id]) if who.person_id in everybody else None
        led = {each for each, line in lines.items() if line.team_lead == who.person_id}
        with_me = {each for each, entry in everybody.items() if mine is not None and _team(entry) == mine}
        return frozenset({who.person_id} | led | with_me)


async def _through(db: Any, who: Who, engagement: str) -> Through | None:
    """Say how an integration comes to an engagement, as its webhooks do: by a link, or in our own words."""
    if who.connection is None:
        return None
    connection = await db.fetchrow(_REACHES, who.agency, who.connection, engagement)
    if connection is None:
        return None
    if connection["provider"] == GENERIC:
        return "own-words"
    return "a-link" if connection["linked"] else None


def _is_id(text: str) -> bool:
    # What could name nothing is not put to a database, which has no NUL.
    try:
        _ID.validate_python(text)
    except ValidationError:
        return False
    return True


def described(
    people: Agency, owner: str | None, helpers: Iterable[str] = (), owing: Iterable[str] = (), **more: Any
) -> Target:
    """Say whose something is, by who answers for it, who helps, and who owes a promise there."""
    owing = set(owing)
    own = {each for each in (owner, *helpers, *owing) if each is not None}
    team = None if owner is None else mates(people, {owner, *owing})
    return Target(own=frozenset(own), team=team, **more)


def hats(people: Agency, who: Who, now: datetime) -> list[Who]:
    """Give the caller as themselves, and as everybody whom they stand in for at a moment."""
    if who.person_id is None or who.role not in RANKS:
        return [who]
    return [who, *(_as(who, people.people[each]) for each in stood_in_for(people, who.person_id, now))]


def mates(people: Agency, owners: set[str]) -> frozenset[str]:
    """Name who works in a team with one of these, and who leads them; a team without a name is its lead's."""
    found: set[str] = set()
    for owner in owners:
        entry = people.people.get(owner) or people.left.get(owner)
        if entry is None:
            continue
        team = _team(entry)
        found |= {each for each, other in people.people.items() if team is not None and _team(other) == team}
        if entry.team_lead in people.people:
            found.add(entry.team_lead)
    return frozenset(found)


def _team(entry: Entry) -> str | None:
    return entry.team or entry.team_lead or (entry.person_id if entry.role == "team-lead" else None)


def _as(who: Who, entry: Entry) -> Who:
    role: Role = entry.role
    return Who(agency=who.agency, role=role, credential=who.credential, person_id=entry.person_id)
