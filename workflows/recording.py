"""The workflow's way to the log: a local activity first, a normal one when its budget is spent.

Both may run more than once; the log recognises a command by its receipt, so that is safe.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from activities.types import (
    AppendReply,
    LoadReply,
    LoadRequest,
    OfficesReply,
    OfficesRequest,
    PolicyReply,
    PolicyRequest,
)
from events.clock import ClockSpec
from events.envelope import AppendRequest, Stored
from workflows.types import RunSettings

R = TypeVar("R", bound=BaseModel)

_QUICK: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=1)
)
_PATIENT: Final = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=15))
_ONE_TRY: Final = timedelta(seconds=30)
_A_WHILE: Final = timedelta(seconds=30)


class Recorder:
    """Reads and writes one stream for its workflow.

    *epoch* is None until the run has taken the pen; *version* is the stream's, as last loaded.  *clock* is
    the run's own until the stream shows another: who started this run may not have known it.
    """

    def __init__(self, agency: str, stream: str, clock: ClockSpec, settings: RunSettings) -> None:
        self.epoch: int | None = None
        self.version = 0
        self.clock = clock
        self._agency = agency
        self._stream = stream
        self._budget = timedelta(seconds=settings.local_append_seconds)

    async def append(self, request: AppendRequest) -> AppendReply:
        """Append command groups.

        :raises ActivityError: trying again will not help.
        """
        return await self._do("append", request, AppendReply, "Record what was decided")

    async def load(self, after: int, *, begin: bool = False, acked: int | None = None) -> tuple[Stored, ...]:
        """Read the stream after a version; *begin* takes the pen from every earlier run first.

        It tries until it works: without its record an engagement can do nothing, and must not end.
        """
        found: list[Stored] = []
        while True:
            request = LoadRequest(
                agency=self._agency,
                stream=self._stream,
                after=after,
                begin_run=begin,
                acked=acked,
                clock=self.clock if begin else None,
            )
            try:
                page = await self._do("load", request, LoadReply, "Read the record")
            except ActivityError as error:
                await pause_after(error, "the record cannot be read")
                continue
            self.epoch = self.epoch if page.run_epoch is None else page.run_epoch
            self.version = page.version
            # An equal one is not kept beside the run's input, which stays as long as the run is cached.
            if page.clock not in (None, self.clock):
                self.clock = page.clock
            found += page.events
            if not page.more or not page.events:
                return tuple(found)
            after, begin, acked = page.events[-1].version, False, None

    async def policy(self, digest: str | None) -> PolicyReply:
        """Fetch a policy; None asks for the one that the agency follows now.

        :raises ActivityError: the agency has adopted no such policy.
        """
        request = PolicyRequest(agency=self._agency, digest=digest)
        return await self._do("load-policy", request, PolicyReply, "Read the policy")

    async def offices(self, people: Sequence[str]) -> dict[str, str]:
        """Tell where people work, as far as the agency says."""
        request = OfficesRequest(agency=self._agency, people=tuple(people))
        return (await self._do("load-offices", request, OfficesReply, "Look up offices")).offices

    async def _do(self, name: str, request: BaseModel, result: type[R], summary: str) -> R:
        options: dict[str, Any] = {"result_type": result}
        try:
            # No summary here: the marker names the activity, and each payload more is encrypted every time.
            quick: R = await workflow.execute_local_activity(
                name,
                request,
                schedule_to_close_timeout=self._budget,
                retry_policy=_QUICK,
                **options,
            )
            return quick
        except ApplicationError as error:
            # What fails for good in a local activity comes bare; in a normal one, wrapped.
            if error.non_retryable:
                raise _wrapped(error, name) from error
            workflow.logger.warning("the quick way to '%s' failed; trying until it works", name)
        except ActivityError as error:
            if is_final(error) or is_cancelled_exception(error):
                raise
            workflow.logger.warning("the quick way to '%s' failed; trying until it works", name)
        slow: R = await workflow.execute_activity(
            name,
            request,
            start_to_close_timeout=_ONE_TRY,
            retry_policy=_PATIENT,
            summary=summary,
            **options,
        )
        return slow


def _wrapped(error: ApplicationError, activity: str) -> ActivityError:
    return ActivityError(
        error.message,
        scheduled_event_id=0,
        started_event_id=0,
        identity="",
        activity_type=activity,
        activity_id="",
        retry_state=None,
    )


def is_final(error: ActivityError) -> bool:
    """Tell whether an activity failed in a way that trying again cannot mend."""
    return isinstance(error.cause, ApplicationError) and error.cause.non_retryable


async def pause_after(error: ActivityError, what: str) -> None:
    """Wait a while after a failure that only a new version of the code, or an operator, can mend."""
    if not is_final(error):
        raise error
    workflow.logger.error("%s: %s; trying again in a while", what, error.cause)
    await workflow.sleep(_A_WHILE, summary="Something must be mended first; the worker's log says what")
