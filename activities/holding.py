"""What lets a message wait without failing: above all the incident switch that holds an agency's outreach.

The switch is asked of the log right before every claim, never of a cache: it bites with the next message.
"""

from datetime import timedelta
from typing import Final

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.directory import Directory

HELD: Final = "OutreachHeld"
# So long after the release a message leaves at the latest; ten thousand that wait ask 340 times a second.
LONGEST_PAUSE: Final = timedelta(seconds=30)


class Waits(Exception):
    """A message cannot leave yet; nothing is wrong, nothing was claimed, and it asks again after *delay*."""

    def __init__(self, says: str, kind: str, delay: timedelta | None = None) -> None:
        super().__init__(says)
        self.kind = kind
        self.delay = delay

    def for_temporal(self, attempt: int) -> ApplicationError:
        """Make the error that lets Temporal ask again; *attempt* is how often it has asked, and no more."""
        return ApplicationError(
            str(self),
            type=self.kind,
            next_retry_delay=self.delay or min(LONGEST_PAUSE, timedelta(seconds=2 ** min(attempt, 10))),
            category=ApplicationErrorCategory.BENIGN,
        )


async def unless_held(directory: Directory, agency: str) -> None:
    """Go on only if the agency's messages may leave.

    :raises Waits: until the release.
    """
    if await directory.outreach_held(agency) is not None:
        raise Waits("the agency's outreach is held until 'rapport outreach release'", HELD)
