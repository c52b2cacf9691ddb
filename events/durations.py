"""Lengths of time as people write them in a policy: ``"7 days"``, ``"2 working days"``, ``"-36 hours"``.

One number and one unit: a month or a week has no fixed meaning here and is refused.
"""

import re
from typing import Final, cast

from events.policy import Span, Unit

_WRITTEN: Final = re.compile(r"(-?[0-9]{1,5}) +(minute|hour|day)s?")
_WORKING: Final = re.compile(r"(-?[0-9]{1,3}) +working +(day|hour)s?")
_BY: Final = re.compile(
    r"by +([01][0-9]|2[0-3]):([0-5][0-9]) +on +the +(next|[0-9]{1,3}(?:st|nd|rd|th)) +working +day"
)
_WEEKS: Final = re.compile(r"(-?[0-9]{1,4}) +weeks?")
_BUSINESS: Final = re.compile(r"(-?[0-9]{1,5}) +(?:business|work|office) +(day|hour)s?")
_MINUTES: Final = re.compile(r"(-?[0-9]{1,5}) +working +minutes?")
_SHORT: Final = re.compile(r"(-?[0-9]{1,5}) *(m|min|mins|h|hr|hrs|d|minute|hour|day)s?")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


class DurationError(ValueError):
    """The text is no length of time.  The message ends a sentence that has named the place."""


def parse_span(text: str) -> Span:
    """Read a length of time: elapsed, or of working time; negative means before.

    :raises DurationError: the text is not such a length; the message says what to write.
    """
    if found := _WRITTEN.fullmatch(text):
        return Span(amount=int(found[1]), unit=cast("Unit", found[2] + "s"))
    if found := _WORKING.fullmatch(text):
        return Span(amount=int(found[1]), unit=cast("Unit", found[2] + "s"), calendar="working")
    if found := _BY.fullmatch(text):
        days = 1 if found[3] == "next" else int(found[3][:-2])
        if days > 0:
            return Span(amount=days, unit="days", calendar="working", by=f"{found[1]}:{found[2]}")
    raise DurationError(_remark(text))


def written(span: Span) -> str:
    """Write a length of time as a policy file does."""
    if span.by is not None:
        which = "next" if span.amount == 1 else f"{span.amount}{_ordinal(span.amount)}"
        return f"by {span.by} on the {which} working day"
    unit = span.unit if abs(span.amount) != 1 else span.unit[:-1]
    return f"{span.amount} {'working ' * span.working}{unit}"


def _ordinal(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _remark(text: str) -> str:
    if found := _WEEKS.fullmatch(text):
        return f'weeks are written in days: did you mean "{int(found[1]) * 7} days"?'
    if found := _BUSINESS.fullmatch(text):
        return f'working time is written like this: did you mean "{found[1]} working {found[2]}s"?'
    if found := _MINUTES.fullmatch(text):
        return 'working time is counted in hours or days: write for example "1 working hour".'
    if text.startswith("by "):
        return 'a time of day is written like "by 17:00 on the next working day" (or on the 3rd working day).'
    if found := _SHORT.fullmatch(text.lower()):
        right = f"{found[1]} {_UNITS[found[2][0]]}"
        return f'a length of time is a number, a space and a unit: did you mean "{right}"?'
    return 'a length of time is written like "7 days", "36 hours", "2 working days" or "-1 day".'
