"""Whom a message would have reached, as the agency's people are now: their lines, and who was away.

Asked for every message, so an answer is kept for the hour it was given in.
"""

from dataclasses import replace
from datetime import datetime

from events.agency import Agency, Entry
from events.kinds import Recipient
from events.reaching import reached


class Reach:
    """Says who is meant by a role for an owner, at a moment."""

    def __init__(self, agency: Agency) -> None:
        self.agency = agency
        self._known: dict[tuple[str, str | None, datetime | None], str | None] = {}

    def __call__(self, to: Recipient, owner: str | None, at: datetime) -> str | None:
        """Name the person; None: a candidate, or nobody."""
        if to == "candidate":
            return None
        hour = at.replace(minute=0, second=0, microsecond=0) if self.agency.absences else None
        key = (to, owner, hour)
        if key not in self._known:
            if len(self._known) > 100_000:
                self._known.clear()
            found = reached(self.agency, to, owner, at)
            self._known[key] = None if found is None else found.person_id
        return self._known[key]


_LAST: list[Reach] = []


def reach_of(agency: Agency) -> Reach:
    """Give the reach of an agency, the last one again where it is the same: its answers are worth keeping."""
    if not _LAST or _LAST[0].agency != agency:
        _LAST[:] = [Reach(agency)]
    return _LAST[0]


def nameless(agency: Agency) -> Agency:
    """Leave out of an agency's people what nobody needs to know here: names and addresses."""

    def without(entries: dict[str, Entry]) -> dict[str, Entry]:
        return {key: each.model_copy(update={"name": None, "email": None}) for key, each in entries.items()}

    return replace(agency, people=without(agency.people), left=without(agency.left))
