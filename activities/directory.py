"""Who works for an agency, and whom a role means: read from the agency's stream, kept for a moment.

It opens names and addresses: nothing it returns may be logged or put into an outcome, but the person's id.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from events import agency as agencies
from events.agency import Agency, Hold, Role
from events.codec import decode
from events.log.port import EventLog
from events.personal import Erased
from events.reaching import Reached, StaffRole, instead_of, reached

# Seconds for which a picture is trusted without asking the log.
FRESH_FOR: Final = 5.0
# Seconds after which names and addresses are opened anew: an erased one is forgotten here by then.
KEPT_FOR: Final = 600.0


@dataclass(frozen=True, slots=True)
class Away:
    """Somebody who is away, and the first moment at which they are back."""

    person_id: str
    until: datetime
    name: str | Erased | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the agency, with what it takes to write to them; None where it is not known."""

    person_id: str
    role: Role
    name: str | Erased | None = field(repr=False)
    email: str | Erased | None = field(repr=False)
    stands_in_for: Away | None = None
    """Whom it was meant for, where that is somebody else."""


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
        self._under_way: dict[str, asyncio.Task[Agency]] = {}
        self._next: dict[str, asyncio.Task[Agency]] = {}

    async def person(self, agency: str, person_id: str) -> Person | None:
        """Find somebody who works here now."""
        return _person(await self._state(agency), person_id)

    async def team_lead(self, agency: str, person_id: str) -> Person | None:
        """Find the team lead of a person, of one who left too."""
        state = await self._state(agency)
        line = state.line(person_id)
        return _person(state, line.team_lead) if line else None

    async def director(self, agency: str, person_id: str) -> Person | None:
        """Find the director of a person's line, of one who left too."""
        state = await self._state(agency)
        line = state.line(person_id)
        return _person(state, line.director) if line else None

    async def resolve(self, agency: str, role: StaffRole, owner: str | None, at: datetime) -> Person | None:
        """Say whom a duty reaches at a moment of the domain, as :func:`events.reaching.reached` tells.

        Asked from the log: an absence told before a letter is written holds for the letter.
        """
        state = await self._state(agency, trust=False)
        return _reached(state, reached(state, role, owner, at))

    async def present(self, agency: str, person_id: str, at: datetime) -> Person | None:
        """Find somebody, or who stands in for them at a moment of the domain; None: they have left."""
        state = await self._state(agency, trust=False)
        return _reached(state, instead_of(state, person_id, at))

    async def agency(self, agency: str) -> Agency:
        """Give an agency's people, absences and policy as they are now, asked from the log."""
        return await self._state(agency, trust=False)

    async def recent(self, agency: str) -> Agency:
        """Give the same as it was some seconds ago at most: for doors that ask it of every request."""
        return await self._state(agency)

    async def offices(self, agency: str, people: Iterable[str]) -> dict[str, str]:
        """Say where people work, asked from the log; who has no office is left out."""
        known = (await self._state(agency, trust=False)).people
        found = {each: known[each].office for each in people if each in known}
        return {each: office for each, office in found.items() if office is not None}

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
        # Whoever asks while the log is being read shares the next reading: it begins after they asked.
        reading = self._next.get(agency)
        if reading is None or reading.done():
            reading = asyncio.create_task(self._read_after(agency, self._under_way.get(agency)))
            self._next[agency] = reading
        return await asyncio.shield(reading)

    async def _read_after(self, agency: str, before: "asyncio.Task[Agency] | None") -> Agency:
        if before is not None:
            await asyncio.wait([before])
        self._under_way[agency] = reading = self._next.pop(agency)
        try:
            return await self._read(agency)
        finally:
            if self._under_way[agency] is reading:
                del self._under_way[agency]

    async def _read(self, agency: str) -> Agency:
        picture, now = self._pictures.get(agency), self._monotonic()
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


def _reached(state: Agency, found: Reached | None) -> Person | None:
    person = _person(state, found.person_id) if found is not None else None
    if person is None or found is None or found.instead_of is None:
        return person
    away = found.instead_of
    meant = state.people.get(away.person_id)
    return replace(
        person, stands_in_for=Away(away.person_id, away.until, meant.name if meant is not None else None)
    )
