"""Resolves an office's calendar to plain dates and offsets, with the lists and zones of today's libraries.

Only compiling a policy may come here: what was compiled once never asks a library again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import holidays

from events.calendar import WEEKDAYS, Calendar

# How far a calendar reaches beyond the day on which a policy is compiled, and before it.
HORIZON_YEARS: Final = 3
LOOKS_BACK_YEARS: Final = 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class UnknownHolidays(Exception):
    """Nobody lists the holidays of that country or subdivision; the message says which would be right."""


@dataclass(frozen=True, slots=True)
class Office:
    """What a policy file says of an office's working time."""

    zone: str
    hours: Mapping[str, str]
    country: str | None = None
    subdivision: str | None = None
    closures: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """The dates, both included, for which calendars are resolved."""

    first: date
    last: date

    @classmethod
    def around(cls, first: date, last: date | None = None) -> "Period":
        """Give the period of a policy that begins to govern on a date, or that judges a past from it on."""
        last = last or first
        return cls(date(first.year - LOOKS_BACK_YEARS, 1, 1), date(last.year + HORIZON_YEARS, 12, 31))


def resolve(office: Office, period: Period) -> Calendar:
    """Compile an office's calendar for a period.

    :raises UnknownHolidays: nobody lists the holidays of that country or subdivision.
    """
    days = {*_holidays(office, period), *office.closures}
    return Calendar(
        zone=office.zone,
        hours=dict(office.hours),
        closed=tuple(sorted(day for day in days if WEEKDAYS[day.weekday()] in office.hours)),
        offsets=_offsets(ZoneInfo(office.zone), period),
        first=period.first,
        last=period.last,
        country=office.country,
        subdivision=office.subdivision,
        closures=tuple(sorted(set(office.closures))),
    )


def _holidays(office: Office, period: Period) -> list[date]:
    if office.country is None:
        return []
    countries = holidays.list_supported_countries()
    if office.country not in countries:
        raise UnknownHolidays(
            f'nobody lists the holidays of the country "{office.country}"; write it like "GB" or "US"'
        )
    subdivisions = countries[office.country]
    if office.subdivision is not None and office.subdivision not in subdivisions:
        known = ", ".join(f'"{each}"' for each in subdivisions[:12]) or "none, leave it out"
        raise UnknownHolidays(
            f'"{office.country}" has no subdivision "{office.subdivision}" with holidays of its own; '
            f"there are {known}"
        )
    years = range(period.first.year, period.last.year + 1)
    found = holidays.country_holidays(office.country, subdiv=office.subdivision, years=years)
    return [day for day in found if period.first <= day <= period.last]


def _offsets(zone: ZoneInfo, period: Period) -> tuple[tuple[int, int], ...]:
    """Find every change of the zone's offset in the period, to the minute, a day of margin on both sides."""
    moment = datetime(period.first.year, period.first.month, period.first.day, tzinfo=UTC) - timedelta(days=2)
    end = datetime(period.last.year, period.last.month, period.last.day, tzinfo=UTC) + timedelta(days=3)
    found = [(_minute(moment), _east(zone, moment))]
    while moment < end:
        following = moment + timedelta(days=1)
        if _east(zone, following) != _east(zone, moment):
            found.append(_change(zone, moment, following))
        moment = following
    return tuple(found)


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> tuple[int, int]:
    low, high = _minute(before), _minute(after)
    while high - low > 1:
        middle = (low + high) // 2
        at = _EPOCH + timedelta(minutes=middle)
        low, high = (middle, high) if _east(zone, at) == _east(zone, before) else (low, middle)
    return high, _east(zone, after)


def _minute(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(minutes=1)


def _east(zone: ZoneInfo, moment: datetime) -> int:
    offset = moment.astimezone(zone).utcoffset() or timedelta()
    return round(offset / timedelta(minutes=1))
