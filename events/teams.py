"""Whose team somebody was in at a time, from the agency's own events.

A person without a team is told by their team lead: a small agency names no teams.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

from events import agency as a
from events.codec import decode
from events.envelope import Stored


class Teams:
    """Every person's teams through time."""

    def __init__(self, events: Sequence[Stored]) -> None:
        self._since: dict[str, list[datetime]] = {}
        self._teams: dict[str, list[str | None]] = {}
        for stored in events:
            event = decode(stored, a.EVENTS)
            if isinstance(event, a.PersonJoined | a.PersonChanged):
                self._since.setdefault(event.person_id, []).append(stored.decided_at)
                self._teams.setdefault(event.person_id, []).append(event.team or event.team_lead)

    def of(self, person: str, at: datetime) -> str | None:
        """Name the team at a time; before somebody joined, as in an imported past, it is their first one."""
        since = self._since.get(person)
        return None if since is None else self._teams[person][max(0, bisect_right(since, at) - 1)]
