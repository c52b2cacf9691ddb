"""Turns an imported past into a running engagement, and tells what is live already what a source adds.

The log's phase turns before the workflow is asked: if nobody asks, the next import does.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from activities.commands import CommandService
from activities.types import StreamCommand
from events.envelope import Actor
from events.errors import CallerError
from events.log.port import EventLog
from events.receipts import GO_LIVE_ID
from events.sources.plan import Step
from workers.client import CommandFailed, Engagements
from workers.importing.account import Account
from workers.importing.history import Written
from workers.importing.past import content_of, rows_of

IMPORTER = Actor(kind="operator", id="import")


@dataclass
class Live:
    """What going live came to; *events* counts by type what it led to."""

    engagements: int = 0
    job_orders: int = 0
    events: Counter[str] = field(default_factory=Counter)


class GoingLive:
    """Takes streams on, one at a time; safe to repeat."""

    def __init__(
        self,
        log: EventLog,
        service: CommandService,
        engagements: Engagements,
        agency: str,
        source: str,
        observes: Sequence[str] | None,
        account: Account,
    ) -> None:
        self.live = Live()
        self._log, self._service, self._engagements = log, service, engagements
        self._agency, self._source, self._observes = agency, source, observes
        self._account = account

    async def take_on(self, written: Written) -> None:
        """Let a stream live whose past is whole, and report to a live one what it does not know.

        :raises NotAnswered: no worker is there; the next import goes on from here.
        """
        if written.left_aside:
            return
        if written.phase == "importing":
            await self._log.turn_live(self._agency, written.past.stream)
        if written.phase != "closed" and not await self._go_live(written):
            return
        failed: set[int] = set()
        for told in written.fresh:
            # What comes after it in the same row rests on it.
            if told.step.place not in failed and not await self._report(told.step):
                failed.add(told.step.place)

    async def _go_live(self, written: Written) -> bool:
        """Let an engagement live that has a past only; tell whether it does."""
        category, _, key = written.past.stream.partition(":")
        if category != "engagement":
            self.live.job_orders += written.phase == "importing"
            return True
        if written.phase == "live" and not await self._was_imported(written.past.stream):
            return True
        data = {"actor": IMPORTER.model_dump(), "source": self._source}
        if self._observes is not None:
            data["observes"] = list(self._observes)
        try:
            reply = await self._engagements.command(key, "go-live", data, command_id=GO_LIVE_ID)
        except CommandFailed as error:
            # One that cannot, e.g. because the policy's calendar ends too soon, holds up no other.
            self._account.aside(rows_of(list(written.past.told)), f"its engagement is not live: {error}")
            return False
        if reply.outcome == "accepted":
            self.live.engagements += 1
            self.live.events.update(reply.events)
        return True

    async def _was_imported(self, stream: str) -> bool:
        """Tell whether a live stream has a past and has not gone live: an import was killed in between."""
        if await self._log.receipt(self._agency, stream, GO_LIVE_ID) is not None:
            return False
        first = await self._log.read_stream(self._agency, stream, limit=1)
        return bool(first) and first[0].origin == "imported"

    async def _report(self, step: Step) -> bool:
        """Give what is new to a live stream as the report it is, at its own time; tell whether it went in."""
        try:
            if step.category == "engagement":
                content = {**content_of(step), "source": self._source}
                key = step.stream.partition(":")[2]
                reply = await self._engagements.command(key, step.name, content, command_id=step.command_id)
                if reply.outcome == "refused":
                    self._account.aside(
                        [step.place], f"{step.name}: refused by {reply.refused_by}: {reply.says}"
                    )
                    return False
                outcome = reply.outcome
            else:
                outcome = (await self._service.give(_to_job_order(step, self._agency, self._source))).outcome
        except (CallerError, CommandFailed) as error:
            self._account.aside([step.place], f"{step.name}: {error}")
            return False
        self._account.note([step.place], "already-there" if outcome == "nothing-to-do" else "reported")
        return True


def _to_job_order(step: Step, agency: str, source: str) -> StreamCommand:
    return StreamCommand(
        agency=agency,
        stream=step.stream,
        command_id=step.command_id,
        name=step.name,
        data=step.data,
        actor=step.actor,
        source=source,
        at=step.at,
    )
