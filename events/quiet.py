"""When a candidate is not written to: quiet hours by the wall clock of the zone that the person lives by.

Outside any calendar of the agency: the candidate's evening counts, not the office's.
"""

from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from events.zones import ZONES

_DAY = timedelta(days=1)


def quiet_until(moment: datetime, zone: str, hours: str | None) -> datetime | None:
    """Tell when the quiet ends that a moment falls into; None: it falls into none."""
    if hours is None or zone not in ZONES:
        return None
    begins, ends = (time.fromisoformat(each) for each in hours.split("-"))
    there = _zone(zone)
    local = moment.astimezone(there)
    # A quiet that began the evening before may still last.
    for day in (local.date() - _DAY, local.date()):
        first = datetime.combine(day, begins, there).astimezone(UTC)
        last = datetime.combine(day if begins < ends else day + _DAY, ends, there).astimezone(UTC)
        if first <= moment < last:
            return last
    return None


def warm() -> None:
    """Read every zone once, before a workflow's thread asks for one: it may not wait for a disk."""
    for zone in ZONES:
        _zone(zone)


def longest(hours: str | None) -> timedelta:
    """Tell how long quiet hours last on a day without a change of clocks; none last no time."""
    if hours is None:
        return timedelta()
    begins, ends = (time.fromisoformat(each) for each in hours.split("-"))
    minutes = (ends.hour - begins.hour) * 60 + ends.minute - begins.minute
    return timedelta(minutes=minutes % (24 * 60))


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
