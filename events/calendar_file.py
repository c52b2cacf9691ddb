"""Reads a policy file's ``[calendar.OFFICE]`` tables and quiet hours, noting every problem with its remedy.

A calendar is resolved to dates right here: what leaves this module needs no library of zones or holidays.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from events.calendar import WEEKDAYS, Calendar, parse_hours
from events.calendar_resolving import Office, Period, UnknownHolidays, resolve
from events.policy_table import Problems, Table, quoted, sort_of, suggestion
from events.toml_lines import Path
from events.zones import ZONES

_WORKING_WEEK: Final = ("mon", "tue", "wed", "thu", "fri")
_HOURS: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]")
_SPAN: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.\.(\d{4}-\d\d-\d\d))?")
_LONGEST_CLOSURE: Final = timedelta(days=366)


def read_calendars(
    tables: Mapping[str, Any], problems: Problems, period: Period
) -> list[tuple[str, Calendar]]:
    """Resolve each table to a calendar; one with a problem is left out."""
    found = []
    for office, content in tables.items():
        path: Path = ("calendar", office)
        if not isinstance(content, dict):
            problems.add(
                path,
                f"{sort_of(content)} stands where a calendar belongs; begin it with [calendar.some-office].",
            )
            continue
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}", office):
            problems.add(
                path, f"{quoted(office)} is no name; use small letters, digits and hyphens, at most 60."
            )
        before = len(problems)
        read = _office(Table(content, path, problems))
        if len(problems) > before or read is None:
            continue
        try:
            found.append((office, resolve(read, period)))
        except UnknownHolidays as wrong:
            problems.add((*path, "holidays"), f"{wrong}.")
    return found


def read_quiet_hours(table: Table) -> str | None:
    """Read the key ``quiet-hours``, like ``"20:00-08:00"``."""
    text = table.optional_text("quiet-hours", 'is two times in quotes, like "20:00-08:00"')
    if text is None:
        return None
    begins, _, ends = text.partition("-")
    if not _HOURS.fullmatch(text) or begins == ends:
        table.problem(
            ("quiet-hours",),
            f'{quoted(text)} is no time of quiet; write when it begins and ends: "20:00-08:00".',
        )
        return None
    return text


def _office(table: Table) -> Office | None:
    zone = table.text("zone")
    if zone is not None and zone not in ZONES:
        table.problem(("zone",), f"there is no time zone {quoted(zone)}; {suggestion(zone, ZONES)}")
    hours = _hours(table)
    country, subdivision = _holidays(table)
    closures = _closures(table)
    table.close()
    if zone is None or hours is None:
        return None
    return Office(zone, hours, country, subdivision, tuple(closures))


def _hours(table: Table) -> dict[str, str] | None:
    days = table.words("days", WEEKDAYS, "weekday") if table.has("days") else _WORKING_WEEK
    usual = table.text("hours")
    own = table.table("hours-on")
    found = {}
    for day in WEEKDAYS:
        text = own.get(day, usual if day in (days or ()) else None)
        if text is None:
            continue
        if not isinstance(text, str) or not _is_hours(text):
            path: Path = ("hours-on", day) if day in own else ("hours",)
            table.problem(
                path, f'{_shown(text)} is no working time; write when it begins and ends: "09:00-17:30".'
            )
            return None
        found[day] = text
    for day in own:
        table.known(("hours-on", day), day, WEEKDAYS, "weekday")
    return found or None


def _holidays(table: Table) -> tuple[str | None, str | None]:
    if not table.has("holidays"):
        return None, None
    inner = table.inner(("holidays",), table.table("holidays"))
    country = inner.text("country")
    subdivision = inner.text("subdivision") if inner.has("subdivision") else None
    inner.close()
    return country, subdivision


def _closures(table: Table) -> list[date]:
    found: list[date] = []
    for number, item in enumerate(table.items("closures")):
        text = item.isoformat() if isinstance(item, date) else item
        matched = _SPAN.fullmatch(text) if isinstance(text, str) else None
        try:
            first = date.fromisoformat(matched[1]) if matched else None
            last = date.fromisoformat(matched[2]) if matched and matched[2] else first
        except ValueError:
            first = last = None
        if first is None or last is None or not timedelta() <= last - first <= _LONGEST_CLOSURE:
            table.problem(
                ("closures", number),
                f'{_shown(item)} is no closure; write "2026-12-24", or "2026-12-28..2026-12-31".',
            )
            continue
        found += [first + timedelta(days=day) for day in range((last - first).days + 1)]
    return found


def _is_hours(text: str) -> bool:
    if not _HOURS.fullmatch(text):
        return False
    try:
        parse_hours(text)
    except ValueError:
        return False
    return True


def _shown(value: object) -> str:
    return quoted(value) if isinstance(value, str) else sort_of(value)
