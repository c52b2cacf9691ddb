"""Whom a duty reaches at a moment: the role in the owner's line, or who stands in for whoever is away.

It never reaches nobody while somebody works at the agency, and never looks at a name.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from events.absences import Absence, absence_of
from events.agency import Agency, Role
from events.kinds import Moment

StaffRole = Literal["owner", "team-lead", "director"]


@dataclass(frozen=True, slots=True)
class Reached:
    """Who gets it; *instead_of* is the absence of whoever it was meant for, if they are away."""

    person_id: str
    instead_of: Absence | None = None


def reached(state: Agency, role: StaffRole, owner: str | None, at: Moment) -> Reached | None:
    """Say whom a duty reaches: the role in the owner's line, or the next above who is there.

    Whoever is away is stood in for by their cover, and a cover who is away by theirs; with none of them
    there it climbs.  Without a known owner it is the agency's only team lead, else its first director.
    Where everybody is away it lies with whom it was meant for; None: nobody works here.
    """
    meant = _climb(state, role, owner)
    # A cover who owes the promise themselves is no help against their own silence: then it climbs past.
    return _first_there(state, meant, at, None if role == "owner" else owner)


def instead_of(state: Agency, person_id: str, at: Moment) -> Reached | None:
    """Say who gets what is meant for one person: they themselves, or who stands in; None: they have left."""
    if person_id not in state.people:
        return None
    return _first_there(state, [person_id, *_climb(state, "team-lead", person_id)], at, None)


def stood_in_for(state: Agency, person_id: str, at: Moment) -> list[str]:
    """Name everybody who is away at a moment and whom a person stands in for, through covers alone."""
    away = (each for each in sorted(state.people) if absence_of(state.absences, each, at) is not None)
    return [each for each in away if _there(state, each, at) == person_id]


def is_there(state: Agency, person_id: str, at: Moment) -> bool:
    """Tell whether somebody works here and is not away."""
    return person_id in state.people and absence_of(state.absences, person_id, at) is None


def _first_there(state: Agency, meant: Sequence[str], at: Moment, but: str | None) -> Reached | None:
    if not meant:
        return None
    away = absence_of(state.absences, meant[0], at)
    if away is None:
        return Reached(meant[0])
    present = [(each, _there(state, each, at)) for each in meant]
    helpful = (there for each, there in present if there is not None and (there != but or there == each))
    anybody = (there for _, there in present if there is not None)
    found = next(helpful, None) or next(anybody, None)
    return Reached(found, away) if found is not None else Reached(meant[0])


def _there(state: Agency, person_id: str, at: Moment) -> str | None:
    """Follow the covers from a person to the first who is there; None: they lead nowhere, or in a ring."""
    for each in _covers(state, person_id, at):
        if is_there(state, each, at):
            return each
    return None


def _covers(state: Agency, person_id: str, at: Moment) -> Iterator[str]:
    seen: set[str] = set()
    following: str | None = person_id
    while following is not None and following in state.people and following not in seen:
        yield following
        seen.add(following)
        absence = absence_of(state.absences, following, at)
        following = absence.cover if absence is not None else None


def _climb(state: Agency, role: StaffRole, owner: str | None) -> list[str]:
    line = state.line(owner) if owner is not None else None
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
