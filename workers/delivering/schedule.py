"""When a message is tried again, and what an answer means for that.

The schedule is the Standard Webhooks specification's; a receiver may ask for longer pauses, not shorter.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Literal

# Before each attempt: the first is at once, the tenth a day after the ninth.
SCHEDULE: Final = (
    timedelta(),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
ATTEMPTS: Final = len(SCHEDULE)
# Each pause is longer by up to this share, so that a receiver that comes back is not met by all at once.
JITTER: Final = 0.1
LONGEST_RETRY_AFTER: Final = timedelta(hours=24)
_ASKS_FOR_A_PAUSE: Final = frozenset({429, 503})

Verdict = Literal["delivered", "again", "gone"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, or None and *says* why not; never anything of a body."""

    status: int | None
    says: str
    retry_after: str | None = None

    @property
    def verdict(self) -> Verdict:
        """Tell what it means for the message."""
        if self.status is None:
            return "again"
        if 200 <= self.status < 300:
            return "delivered"
        return "gone" if self.status == 410 else "again"

    def pause_asked(self, now: datetime) -> timedelta:
        """This will return how long the receiver wants to be left alone, at most a day."""
        if self.status not in _ASKS_FOR_A_PAUSE or self.retry_after is None:
            return timedelta()
        return min(max(_read(self.retry_after.strip(), now), timedelta()), LONGEST_RETRY_AFTER)


def next_pause(attempts: int, share: float | None = None) -> timedelta | None:
    """This will return the pause after so many attempts that failed, or None after the last.

    *share* of the jitter is for tests; it is a chance otherwise.
    """
    if attempts >= ATTEMPTS:
        return None
    # Nothing hangs on guessing it.
    share = random.random() if share is None else share
    return SCHEDULE[attempts] * (1 + JITTER * share)


def _read(text: str, now: datetime) -> timedelta:
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), LONGEST_RETRY_AFTER.total_seconds()))
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return timedelta()
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - now
