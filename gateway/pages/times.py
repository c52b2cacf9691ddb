"""Moments as a candidate reads them: by the clock of their own zone, with the day of the week.

The zone is named once on a page, never beside each time.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from events.zones import ZONES

# English whatever the process's locale is.
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def zone_of(name: str) -> ZoneInfo:
    """Give a zone; an unknown one, from an imported past, is UTC."""
    return ZoneInfo(name if name in ZONES else "UTC")


def at(moment: datetime, zone: str) -> str:
    """Write a moment, e.g. ``Tuesday 12 January 2027, 09:00``."""
    local = moment.astimezone(zone_of(zone))
    return f"{_day(local)}, {local:%H:%M}"


def day(moment: datetime, zone: str) -> str:
    """Write the day of a moment, e.g. ``Tuesday 12 January 2027``."""
    return _day(moment.astimezone(zone_of(zone)))


def day_in(moment: datetime, zone: str) -> str:
    """Write the day as a form has it, e.g. ``2027-01-12``."""
    return moment.astimezone(zone_of(zone)).date().isoformat()


def end_of(text: str, zone: str) -> datetime:
    """Give the end of a day that a form names.

    :raises ValueError: it is no day that could be meant.
    """
    named = date.fromisoformat(text)
    if not 1900 <= named.year < 2999:
        raise ValueError("no year that anybody means")
    return datetime.combine(named + timedelta(days=1), time(), zone_of(zone)).astimezone(UTC)


def _day(local: datetime) -> str:
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local.year}"
