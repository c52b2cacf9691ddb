"""The workflow of one engagement: receives, decides, records, waits.

Handlers only put letters into the inbox and wait; the loop in ``run`` alone decides and writes.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from events import state as states
    from events.clock import domain_now, timer_delay
    from events.errors import CallerError
    from events.policy import Policy
    from events.steps import next_due, next_leave
    from workflows.answers import draining, refusal
    from workflows.letters import derived_command_id, read_letter, refusal_of
    from workflows.outreach import Outreach
    from workflows.showing import details, promise, show_attributes, timer_summary
    from workflows.snapshots import loaded_from
    from workflows.snapshots import take as take_snapshot
    from workflows.types import (
        OBLIGATIONS_QUERY,
        POKE,
        STATE_QUERY,
        WORKFLOW,
        CommandReply,
        EngagementInput,
        Letter,
        parse_workflow_id,
    )
    from workflows.writer import Writer

# A timer asked for a moment that is not there yet must let time pass, however little.
_LEAST = timedelta(milliseconds=1)
# Bytes of unread letters that a run hands to the next: its input may have two MiB, and holds the state too.
_LARGEST_REST = 512 * 1024
# Asked only where a run finds itself behind, so that the usual history has no mark of it.
_CATCHES_UP = "catches-up-after-looking"


@workflow.defn(name=WORKFLOW)
class Engagement:
    """One engagement, from its opening to its close, over as many runs as it takes."""

    @workflow.init
    def __init__(self, given: EngagementInput | None = None) -> None:
        self._given = given or EngagementInput()
        # The id decides whose run this is; an input may be empty, or another's.
        named = parse_workflow_id(workflow.info().workflow_id)
        self._agency, self._engagement_id = named or (self._given.agency, self._given.engagement_id)
        given = self._given
        self._writer = Writer(self._agency, self._engagement_id, given.snapshot, given.clock, given.settings)
        for letter in self._given.inbox:
            self._writer.inbox.put(letter, awaited=False)
        self._signals = self._given.signals
        self._outreach = Outreach(self._agency, self._engagement_id, self._receive)
        self._draining = False
        self._pokes_wanted = self._pokes_done = 0
        self._timer: asyncio.Task[None] | None = None
        self._rings_at: datetime | None = None
        self._rang = False

    @workflow.run
    async def run(self, given: EngagementInput | None = None) -> None:
        """Live until the engagement is closed, or until it is time for the next run."""
        await self._writer.begin(loaded_from(self._given.snapshot))
        while True:
            await self._work()
            await self._look_ahead()
            if self._writer.fenced or self._is_time_to_roll_over():
                await self._roll_over()
            if self._is_over() and await self._left():
                return
            await workflow.wait_condition(self._has_work)

    async def _work(self) -> None:
        if self._rang:
            self._rang = False
            await self._writer.take_steps(self._now())
        if self._writer.inbox and not self._writer.fenced:
            await self._writer.write()
        if self._writer.behind and workflow.patched(_CATCHES_UP):
            # The sweep takes what an activity brought into the history for folded.
            await self._writer.catch_up()
        if self._pokes_done < self._pokes_wanted:
            answered = self._pokes_wanted
            await self._writer.catch_up()
            self._pokes_done = answered

    def _has_work(self) -> bool:
        return bool(self._writer.inbox) or self._rang or self._pokes_done < self._pokes_wanted

    async def _look_ahead(self) -> None:
        """Wait for the next step, ask for what is owed, show how it stands."""
        if self._outreach.lacks(self._writer.state, self._now()):
            policy = await self._governing_policy()
            now = self._now()
            self._outreach.ask(self._writer.state, policy, self._writer.clock, now)
        self._arm()
        state, now = self._writer.state, self._now()
        if state.version > 0:
            workflow.set_current_details(details(state, now))
            if self._given.settings.search_attributes:
                show_attributes(state)

    async def _governing_policy(self) -> Policy | None:
        try:
            return await self._writer.policy()
        except ActivityError:
            workflow.logger.exception("the policy that governs is missing; messages go without its words")
            return None

    def _arm(self) -> None:
        now = self._now()
        moments = (next_due(self._writer.state), next_leave(self._writer.state, now))
        due = min((moment for moment in moments if moment is not None), default=None)
        if due is None or self._rang:
            return
        if self._timer is not None and self._rings_at is not None:
            # A step that moved later lets the timer ring and look again: cheaper than a new one.
            if self._rings_at <= due:
                return
            self._timer.cancel()
            self._timer = None
        if due <= now:
            self._rang = True
            return
        self._rings_at = due
        delay = max(timer_delay(self._writer.clock, workflow.now(), due), _LEAST)
        self._timer = asyncio.create_task(self._ring(delay, timer_summary(self._writer.state, due)))

    async def _ring(self, delay: timedelta, summary: str) -> None:
        await workflow.sleep(delay, summary=summary)
        self._timer = None
        self._rang = True

    def _now(self) -> datetime:
        return domain_now(self._writer.clock, workflow.now())

    def _is_time_to_roll_over(self) -> bool:
        info = workflow.info()
        long_enough = info.get_current_history_length() >= self._given.settings.roll_over_at
        return long_enough or info.is_continue_as_new_suggested()

    async def _roll_over(self) -> None:
        """Answer whoever waits, then make place for the next run; signals still unread go with it."""
        self._draining = True
        while not self._writer.fenced and self._must_work_on():
            await self._work()
        for entry in [each for each in self._writer.inbox if each.awaited]:
            # A newer run has the pen: what it cannot answer here, the caller sends again.
            self._writer.inbox.remove(entry)
            entry.answer(draining())
        self._pokes_done = self._pokes_wanted
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(
            self._given.model_copy(
                update={
                    "agency": self._agency,
                    "engagement_id": self._engagement_id,
                    "clock": self._writer.clock,
                    "snapshot": take_snapshot(self._writer.state, self._writer.edition),
                    "inbox": tuple(entry.letter for entry in self._writer.inbox),
                    "signals": self._signals,
                }
            )
        )

    def _must_work_on(self) -> bool:
        inbox = self._writer.inbox
        return inbox.awaited or self._pokes_done < self._pokes_wanted or inbox.size > _LARGEST_REST

    def _is_over(self) -> bool:
        state = self._writer.state
        return (state.closed or state.version == 0) and not state.owed and not self._has_work()

    async def _left(self) -> bool:
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._is_over()

    def _receive(self, letter: Letter) -> None:
        self._writer.inbox.put(letter, awaited=False)

    # -- doors ----------------------------------------------------------------------------------

    @workflow.update(dynamic=True)
    async def give(self, name: str, payloads: Sequence[RawValue]) -> CommandReply:
        """Give a command, by its name, and wait for what it came to."""
        command_id = _update_id()
        if name == POKE:
            await self._poke()
            return CommandReply(
                command_id=command_id, outcome="caught-up", version=self._writer.state.version
            )
        entry = self._writer.inbox.put(_read(name, payloads, command_id), awaited=True)
        await workflow.wait_condition(lambda: entry.answered)
        return entry.result()

    @give.validator
    def _may_give(self, name: str, payloads: Sequence[RawValue]) -> None:
        if self._draining:
            raise draining()
        if name != POKE:
            _read(name, payloads, _update_id())

    @workflow.signal(dynamic=True)
    def tell(self, name: str, payloads: Sequence[RawValue]) -> None:
        """Give a command, by its name, without waiting; what cannot be read is recorded as refused."""
        if name == POKE:
            self._pokes_wanted += 1
            return
        self._signals += 1
        first_run = workflow.info().first_execution_run_id
        derived = derived_command_id(first_run, self._signals, payloads)
        try:
            letter = read_letter(name, payloads, command_id=None, derived=derived)
        except CallerError as error:
            letter = refusal_of(name, error, derived)
        self._receive(letter)

    @workflow.query(name=STATE_QUERY)
    def state(self) -> states.Engagement:
        """Show the state as this run has folded it."""
        return self._writer.state

    @workflow.query(name=OBLIGATIONS_QUERY)
    def obligations(self) -> list[dict[str, str | int]]:
        """Show the open promises, the most urgent first."""
        promises = sorted(self._writer.state.obligations.items(), key=lambda item: item[1].due_at)
        return [promise(key, each) for key, each in promises]

    async def _poke(self) -> None:
        self._pokes_wanted += 1
        mine = self._pokes_wanted
        await workflow.wait_condition(lambda: self._pokes_done >= mine)
        if self._writer.fenced:
            raise draining()


def _update_id() -> str:
    info = workflow.current_update_info()
    return info.id if info is not None else ""


def _read(name: str, payloads: Sequence[RawValue], command_id: str) -> Letter:
    try:
        return read_letter(name, payloads, command_id=command_id, derived="")
    except CallerError as error:
        raise refusal(str(error), error.code) from None
