"""Who works for an agency, and whom a role means: read from the agency's stream, kept for a moment.

It opens names and addresses: nothing it returns may be logged or put into an outcome, but the person's id.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from events import agency as agencies
from events.agency import Agency, Hold, Role
from events.codec import decode
from events.log.port import EventLog
from events.personal import Erased

StaffRole = Literal["owner", "team-lead", "director"]

# Seconds for which a picture is trusted without asking the log.
FRESH_FOR: Final = 5.0
# Seconds after which names and addresses are opened anew: an erased one is forgotten here by then.
KEPT_FOR: Final = 600.0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the agency, with what it takes to write to them; None where it is not known."""

    person_id: str
    role: Role
    name: str | Erased | None = field(repr=False)
    email: str | Erased | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Picture:
    state: Agency
    version: int
    seen_at: float
    begun_at: float


class Directory:
    """The people of every agency; one for a whole process."""

    def __init__(
        self, log: EventLog, *, fresh_for: float = FRESH_FOR, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._fresh_for = fresh_for
        self._monotonic = monotonic
        self._pictures: dict[str, _Picture] = {}

    async def person(self, agency: str, person_id: str) -> Person | None:
        """Find somebody who works here now."""
        return _person(await self._state(agency), person_id)

    async def team_lead(self, agency: str, person_id: str) -> Person | None:
        """Find the team lead of a person, of one who left too."""
        state = await self._state(agency)
        line = state.lines().get(person_id)
        return _person(state, line.team_lead) if line else None

    async def director(self, agency: str, person_id: str) -> Person | None:
        """Find the director of a person's line, of one who left too."""
        state = await self._state(agency)
        line = state.lines().get(person_id)
        return _person(state, line.director) if line else None

    async def resolve(self, agency: str, role: StaffRole, owner: str | None) -> Person | None:
        """Say whom a duty reaches: the role in the owner's line, or the next above who is there.

        Without a known owner it is the agency's only team lead, else its first director; None: nobody.
        """
        state = await self._state(agency)
        return _person(state, next(iter(_climb(state, role, owner)), None))

    async def policy_digest(self, agency: str) -> str | None:
        """Name the policy that the agency follows now, asked from the log; None before the first."""
        return (await self._state(agency, trust=False)).policy_digest

    async def outreach_held(self, agency: str) -> Hold | None:
        """Say since when nothing may leave the agency, asked from the log; None: messages may leave."""
        return (await self._state(agency, trust=False)).outreach_held

    async def _state(self, agency: str, *, trust: bool = True) -> Agency:
        picture = self._pictures.get(agency)
        now = self._monotonic()
        if picture is not None and trust and now - picture.seen_at < self._fresh_for:
            return picture.state
        if picture is None or now - picture.begun_at >= KEPT_FOR:
            picture = _Picture(agencies.initial(agency), 0, now, now)
        found = await self._log.read_stream(
            agency, f"agency:{agency}", after=picture.version, open_personal=True
        )
        state = picture.state
        for stored in found:
            state = agencies.evolve(state, decode(stored, agencies.EVENTS))
        version = found[-1].version if found else picture.version
        self._pictures[agency] = replace(picture, state=state, version=version, seen_at=now)
        return state


def _person(state: Agency, person_id: str | None) -> Person | None:
    entry = state.people.get(person_id) if person_id is not None else None
    if entry is None:
        return None
    return Person(entry.person_id, entry.role, entry.name, entry.email)


def _climb(state: Agency, role: StaffRole, owner: str | None) -> list[str]:
    line = state.lines().get(owner) if owner is not None else None
    own = owner if role == "owner" and owner in state.people else None
    team_lead = line.team_lead if line else _only(_with_role(state, "team-lead"))
    director = line.director if line else None
    wanted = [own, team_lead if role in ("owner", "team-lead") else None, director]
    anybody = _with_role(state, "director") + _with_role(state, "team-lead")
    return [each for each in wanted if each is not None] + anybody


def _with_role(state: Agency, role: Role) -> list[str]:
    return sorted(each for each, entry in state.people.items() if entry.role == role)


def _only(people: list[str]) -> str | None:
    return people[0] if len(people) == 1 else None
