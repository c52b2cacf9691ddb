"""What is done to an inbox every hour: old bodies are emptied, and what did not fit is tried again.

A provider's hook tells of other people's candidates too: what is nobody's of ours stays no longer than
the connection's days.
"""

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from events.log.connect import LOST
from workers.inbox.work import Work

EVERY: Final = timedelta(hours=1)
AT_ONCE: Final = 1000
# A message whose commands did not fit for longer waits for a person to try it.
WORTH_TRYING: Final = timedelta(days=14)
# What waits for a rule for longer than its connection's days is looked at no more often than this.
ONCE: Final = timedelta(days=1)
_log = structlog.get_logger(__name__)


async def purge(work: Work, at_once: int = AT_ONCE) -> int:
    """Empty all that is old enough; hash, state and reason stay.  Returns how many were emptied."""
    count = 0
    while found := await work.purge(at_once):
        count += found
    return count


async def every_hour(work: Work) -> None:
    """Look after all inboxes, for ever."""
    while True:
        try:
            await work.look_again(WORTH_TRYING)
            await work.look_at_old(ONCE)
            if count := await purge(work):
                _log.info("old messages are emptied", count=count)
        except LOST as error:
            _log.warning("the inboxes are not looked after", error=type(error).__name__)
        except Exception as error:
            _log.error("the inboxes are not looked after", error=type(error).__name__)
        await asyncio.sleep(EVERY.total_seconds())
