"""The incident switch: while an agency's outreach is held, nothing is claimed and nothing leaves.

Asked of the log right before every claim, never of a cache: a hold bites with the next message.
"""

from datetime import timedelta
from typing import Final

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.directory import Directory

HELD: Final = "OutreachHeld"
# After the release a message leaves within this time; ten thousand that wait ask 340 times a second.
LONGEST_PAUSE: Final = timedelta(seconds=30)


class OutreachOnHold(Exception):
    """Nothing leaves the agency until 'rapport outreach release'."""


async def unless_held(directory: Directory, agency: str) -> None:
    """Go on only if the agency's messages may leave.

    :raises OutreachOnHold: the message waits; no attempt at it is used up.
    """
    if await directory.outreach_held(agency) is not None:
        raise OutreachOnHold


def held(attempt: int) -> ApplicationError:
    """Make the error that lets Temporal ask again; *attempt* is how often it has asked, and no more."""
    return waits(
        "the agency's outreach is held until 'rapport outreach release'",
        HELD,
        min(LONGEST_PAUSE, timedelta(seconds=2 ** min(attempt, 10))),
    )


def waits(says: str, kind: str, delay: timedelta | None) -> ApplicationError:
    """Make the error of a message that only waits: nothing is wrong, so no log calls it a failure."""
    return ApplicationError(says, type=kind, next_retry_delay=delay, category=ApplicationErrorCategory.BENIGN)
