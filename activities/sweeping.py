"""The activity that sweeps: finds streams ahead of their workflow, and tells the workflows that need telling.

A poke counts once Temporal keeps it and the log names its run: a claim alone must lapse, or a crash loses it.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, Protocol
from uuid import UUID

from temporalio import activity

from activities.errors import for_temporal
from activities.types import SweepReply
from events.log.port import EventLog, StreamHead

# A workflow task that was lost comes again after ten seconds; until then nobody is late.
QUIET: Final = timedelta(seconds=15)
# How long another sweep leaves a poke alone that is under way; shorter than the time between two.
LEASE: Final = timedelta(seconds=30)
AT_ONCE: Final = 16
PAGE: Final = 200

Swept = Literal["acknowledged", "poked", "waiting", "failed"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """How an engagement's newest run stands in Temporal; *brought* is whether it was given the event."""

    run_id: str
    state: Literal["open", "completed", "broken-off"]
    brought: bool


class Workflows(Protocol):
    """What the sweep may ask of the engagements' workflows; none of it waits for a worker."""

    async def standing(self, agency: str, engagement_id: str, event_id: UUID) -> Standing | None:
        """Tell how the newest run stands, or None if Temporal knows no run."""

    async def poke(self, agency: str, engagement_id: str) -> str:
        """Leave word that the log is ahead, starting a run if none is open; returns the run that has it."""


class Sweeping:
    """Looks through every agency's log.  *quiet*: a stream that grew within it is left for the next time."""

    def __init__(
        self, log: EventLog, workflows: Workflows, *, quiet: timedelta = QUIET, page: int = PAGE
    ) -> None:
        self._log = log
        self._workflows = workflows
        self._quiet = quiet
        self._page = page

    @activity.defn(name="sweep")
    async def sweep(self) -> SweepReply:
        """Poke each engagement that is behind its log, once for each version; safe to repeat.

        One that cannot be reached is counted and logged, holds nobody up, and comes again next time.
        """
        with for_temporal("sweep the log"):
            counts: dict[Swept, int] = {"acknowledged": 0, "poked": 0, "waiting": 0, "failed": 0}
            for agency in await self._log.agencies():
                after: str | None = None
                while page := await self._log.ahead(
                    agency, after=after, limit=self._page, quiet_for=self._quiet
                ):
                    after = page[-1].stream
                    gate = asyncio.Semaphore(AT_ONCE)
                    for swept in await asyncio.gather(*(self._visit(head, gate) for head in page)):
                        counts[swept] += 1
            if any(counts.values()):
                _log.info(
                    "the sweep is done: %s", ", ".join(f"{n} {what}" for what, n in counts.items() if n)
                )
            return SweepReply(**counts)

    async def _visit(self, head: StreamHead, gate: asyncio.Semaphore) -> Swept:
        async with gate:
            try:
                return await self._look_after(head)
            except Exception as error:
                _log.warning("%s of %s was not reached: %s", head.stream, head.agency, type(error).__name__)
                return "failed"
            finally:
                if activity.in_activity():
                    activity.heartbeat()

    async def _look_after(self, head: StreamHead) -> Swept:
        agency, stream, engagement_id = head.agency, head.stream, head.stream.partition(":")[2]
        [last] = await self._log.read_stream(agency, stream, after=head.version - 1, limit=1)
        standing = await self._workflows.standing(agency, engagement_id, last.event_id)
        if standing is not None and standing.state != "broken-off" and standing.brought:
            # Temporal holds the event itself, so no replay can miss it: a workflow task would add nothing.
            await self._log.acknowledge(agency, stream, head.version)
            return "acknowledged"
        poked = head.poked_version >= head.version
        if poked and standing is not None and standing.state == "open" and standing.run_id == head.poked_run:
            return "waiting"
        if not await self._log.claim_poke(head, lease=LEASE):
            return "waiting"
        run_id = await self._workflows.poke(agency, engagement_id)
        await self._log.mark_poked(agency, stream, head.version, run_id)
        return "poked"
