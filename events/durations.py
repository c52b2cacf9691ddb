"""Lengths of time as people write them in a policy: ``"7 days"``, ``"-1 day"``, ``"36 hours"``.

One number and one unit: a month or a week has no fixed meaning here and is refused.
"""

import re
from typing import Final, cast

from events.policy import Span, Unit

_WRITTEN: Final = re.compile(r"(-?[0-9]{1,5}) +(minute|hour|day)s?")
_WEEKS: Final = re.compile(r"(-?[0-9]{1,4}) +weeks?")
_WORKING: Final = re.compile(r"(-?[0-9]{1,5}) +(?:business|working) +(day|hour)s?")
_SHORT: Final = re.compile(r"(-?[0-9]{1,5}) *(m|min|mins|h|hr|hrs|d|minute|hour|day)s?")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


class DurationError(ValueError):
    """The text is no length of time.  The message ends a sentence that has named the place."""


def parse_span(text: str) -> Span:
    """Read a length of time in whole minutes, hours or days; negative means before.

    :raises DurationError: the text is not such a length; the message says what to write.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise DurationError(_remark(text))
    return Span(amount=int(found[1]), unit=cast("Unit", found[2] + "s"))


def _remark(text: str) -> str:
    if found := _WEEKS.fullmatch(text):
        return f'weeks are written in days: did you mean "{int(found[1]) * 7} days"?'
    if found := _WORKING.fullmatch(text):
        return (
            f'there is no working calendar, time runs day and night: did you mean "{found[1]} {found[2]}s"?'
        )
    if found := _SHORT.fullmatch(text.lower()):
        right = f"{found[1]} {_UNITS[found[2][0]]}"
        return f'a length of time is a number, a space and a unit: did you mean "{right}"?'
    return 'a length of time is written like "7 days", "36 hours", "15 minutes" or "-1 day".'
