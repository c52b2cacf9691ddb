"""The times that providers write, read without guessing: a time whose zone nobody names is no time.

ISO 8601, seconds or milliseconds since 1970, ``2026-01-05 09:00:00 UTC``, and bare dates.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from events.integrations.rules import DateOrder

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS: Final = re.compile(r"[0-9]{10}|[0-9]{13}")
_NAMED_UTC: Final = re.compile(r"\s*(?:UTC|GMT)$")
_SLASHED: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
# Milliseconds since 1970 from March 1973 on; as seconds it would be the year 5138.
_MILLISECONDS: Final = 100_000_000_000


class NoMoment(ValueError):
    """It is no time; the message ends a sentence that has named the place."""


def read_moment(value: Any, zone: str | None = None, order: DateOrder = "year-month-day") -> datetime:
    """Read a time; *zone* is that of times that name none, *order* that of dates with slashes.

    :raises NoMoment: it is none, or has no zone; never with the value.
    """
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _counted(value)
    if not isinstance(value, str):
        raise NoMoment("is no time")
    found = _written(value.strip(), order)
    if found.tzinfo is None:
        if zone is None:
            raise NoMoment('is a time without a zone; name the zone it is meant in, zone = "Europe/London"')
        found = found.replace(tzinfo=ZoneInfo(zone))
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise NoMoment("is a time beyond the calendar") from None


def _counted(number: float) -> datetime:
    try:
        milli = abs(number) >= _MILLISECONDS
        return _EPOCH + (timedelta(milliseconds=number) if milli else timedelta(seconds=number))
    except (OverflowError, ValueError):
        raise NoMoment("is a time beyond the calendar") from None


def _written(text: str, order: DateOrder) -> datetime:
    if slashed := _SLASHED.fullmatch(text):
        if order == "year-month-day":
            raise NoMoment(
                'is a date with slashes; say which it is, date = "month/day/year" or "day/month/year"'
            )
        first, second, year = (int(part) for part in slashed.groups())
        month, day = (first, second) if order == "month/day/year" else (second, first)
        text = f"{year}-{month:02}-{day:02}"
    named = _NAMED_UTC.search(text) is not None
    try:
        found = datetime.fromisoformat(_NAMED_UTC.sub("", text))
    except ValueError:
        raise NoMoment("is no time") from None
    return found.replace(tzinfo=UTC) if named and found.tzinfo is None else found
