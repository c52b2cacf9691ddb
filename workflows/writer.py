"""The only writer of an engagement's stream: takes letters, decides, appends, folds what came back.

The log wins: on a conflict it fetches what it misses and decides again; nothing decided is ever folded.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, assert_never

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from activities.types import (
    AppendedReply,
    ConflictReply,
    FencedReply,
    Reply,
    ReusedReply,
    StreamClosedReply,
    TakenReply,
)
from events.clock import ClockSpec
from events.commands import AdoptPolicy, GoLive, OpenEngagement
from events.envelope import AppendRequest, Claim, CommandGroup, Stored
from events.errors import CallerError, ClosedEngagement
from events.fold import fold, needs_refold
from events.offices import NOWHERE, owners_named
from events.policy import Policy, read_policy
from events.state import Engagement
from workflows import answers, snapshots
from workflows.deciding import Desk, asking_group, due_groups, plan
from workflows.inbox import Entry, Inbox
from workflows.letters import refusal_of
from workflows.recording import Recorder, is_final, pause_after
from workflows.types import RunSettings, Snapshot

# No stream ever gets there, so an append that expects it can write nothing.
NEVER: Final = 2**62
# What is decided by the whole past, and not by what it folds to.
LOOKS_BACK: Final = frozenset({"annul-event", "go-live"})


class Writer:
    """Holds the state.  ``fenced``: a newer run has taken the pen, and this one must not write again.

    ``edition``: of the code that folded the oldest part of the state.
    """

    def __init__(
        self, agency: str, engagement_id: str, base: Snapshot | None, clock: ClockSpec, settings: RunSettings
    ) -> None:
        self.state = snapshots.read(base)
        self.edition = snapshots.OURS if base is None else base.edition
        self.fenced = False
        self.inbox = Inbox()
        self._agency, self._engagement_id = agency, engagement_id
        self._stream = f"engagement:{engagement_id}"
        self._settings = settings
        self._recorder = Recorder(agency, self._stream, clock, settings)
        self._policies: dict[str, Policy] = {}

    async def begin(self, after: int) -> None:
        """Load what the snapshot lacks.

        What comes back says where the fold must start, not *after*: under replay by code of another
        edition the two may differ.
        """
        events = await self._recorder.load(after, begin=after > 0)
        if events and events[0].version == 1:
            self.state, self.edition = Engagement(), snapshots.OURS
        await self._take_in(events)

    @property
    def clock(self) -> ClockSpec:
        """Give the clock by which this engagement's time goes."""
        return self._recorder.clock

    @property
    def behind(self) -> bool:
        """Tell whether the log has shown more than is folded: looking something up folds nothing."""
        return self._recorder.version > self.state.version and not self.fenced

    async def catch_up(self) -> None:
        """Fetch what the log has and this run has not, and tell the log how far it is folded."""
        before = self.state.version
        await self._take_in(await self._recorder.load(before, acked=before))
        if self.state.version > before:
            await self._take_in(await self._recorder.load(self.state.version, acked=self.state.version))

    async def take_steps(self, moment: datetime) -> None:
        """Take the steps that are due at a moment, and record them."""
        await self._take_the_pen()
        while not self.fenced and (groups := due_groups(self._desk(None), moment)):
            try:
                result = await self._send(groups, expected=self.state.version)
            except ActivityError as error:
                await pause_after(error, "the steps that are due cannot be recorded")
                continue
            match result:
                case AppendedReply():
                    await self._take(result)
                    return
                case ConflictReply():
                    await self._miss(result)
                case FencedReply():
                    self.fenced = True
                case _:
                    raise RuntimeError(f"the log does not take the steps that are due: {result.status}")

    async def write(self) -> None:
        """Decide and record one handful of letters; each is answered, or back in the inbox."""
        entries = self.inbox.take(self._settings.batch)
        apart = False
        if self.state.version > 0 or any(entry.opens for entry in entries):
            await self._take_the_pen()
        while entries and not self.fenced:
            try:
                desk = await self._desk_for(entries)
            except ActivityError as error:
                self._give_up(entries, error)
                return
            planned = plan(entries, desk, steps_apart=apart)
            for entry, mistake in planned.mistaken:
                await self._correct(entry, mistake)
            entries = planned.entries
            if not planned.groups:
                return
            try:
                result = await self._send(planned.groups, expected=self.state.version)
            except ActivityError as error:
                if is_final(error) and len(entries) > 1:
                    entries, apart = self._only_first(entries), True
                    continue
                self._give_up(entries, error)
                return
            entries, apart = await self._judge(result, entries, planned.groups, apart)
        self.inbox.put_back(entries)

    async def _judge(
        self, result: Reply, entries: list[Entry], groups: Sequence[CommandGroup], apart: bool
    ) -> tuple[list[Entry], bool]:
        """Do what the log's answer asks for; returns whom to decide again, and whether one at a time."""
        match result:
            case AppendedReply():
                await self._take(result)
                done = {group.command_id for group in groups}
                for entry in entries:
                    if entry.command_id in done:
                        entry.answer(answers.reply(entry, result, self.state.version))
                return [entry for entry in entries if not entry.answered], apart
            case ConflictReply():
                before = self.state.version
                await self._miss(result)
                if self.state.version == before:
                    if apart:
                        raise RuntimeError("the log objects to a single command and does not say why")
                    # Some command is known already; alone, it gets its stored answer.
                    return self._only_first(entries), True
            case FencedReply():
                self.fenced = True
            case ReusedReply():
                reused = _named(entries, result.command_id)
                self._refuse(reused, answers.reused(reused))
                return [entry for entry in entries if entry is not reused], apart
            case TakenReply():
                _named(entries, result.command_id).taken = Claim(kind=result.kind, key=result.key)
            case StreamClosedReply():
                before = self.state.version
                await self.catch_up()
                if self.state.version == before:
                    late = _named(entries, result.command_id)
                    self._refuse(late, answers.mistake(late, ClosedEngagement(self._engagement_id)))
                    return [entry for entry in entries if entry is not late], apart
            case _:
                assert_never(result)
        return entries, apart

    async def _correct(self, entry: Entry, error: CallerError) -> None:
        """Answer a caller's mistake, unless the log knows the command: then with what came of it."""
        known = await self._ask(entry) if self.state.version > 0 else None
        if isinstance(known, AppendedReply):
            self._recorder.version = known.version
            entry.answer(answers.reply(entry, known, self.state.version))
        elif isinstance(known, ReusedReply):
            self._refuse(entry, answers.reused(entry))
        else:
            self._refuse(entry, answers.mistake(entry, error))

    async def _ask(self, entry: Entry) -> Reply | None:
        # At a version that no stream reaches: a known command is answered, an unknown one is a conflict.
        group = asking_group(entry.letter.order)
        try:
            return await self._send([group], expected=NEVER)
        except ActivityError:
            return None

    def _refuse(self, entry: Entry, error: ApplicationError) -> None:
        """Tell the caller, or where nobody waits, record the refusal."""
        entry.answer(error)
        if entry.awaited:
            return
        name = entry.letter.order.command.name
        if not entry.letter.derived_id or name == "refuse-message":
            workflow.logger.warning("'%s' could not be applied: %s", name, error.type)
            return
        mistake = CallerError(error.message)
        mistake.code = answers.code_of(error)
        self.inbox.put(refusal_of(name, mistake, entry.letter.derived_id), awaited=False)

    def _give_up(self, entries: list[Entry], error: ActivityError) -> None:
        if not is_final(error):
            raise error
        for entry in entries:
            self._refuse(entry, answers.unrecordable(entry, error))

    def _only_first(self, entries: list[Entry]) -> list[Entry]:
        self.inbox.put_back(entries[1:])
        return entries[:1]

    async def _take_the_pen(self) -> None:
        # Not before there is something to write: who only asks takes the pen from nobody.
        if self._recorder.epoch is None:
            await self._take_in(await self._recorder.load(self.state.version, begin=True))

    async def _send(self, groups: Sequence[CommandGroup], *, expected: int) -> Reply:
        request = AppendRequest(
            agency=self._agency,
            stream=self._stream,
            expected=expected,
            acked=self.state.version,
            run_epoch=self._recorder.epoch,
            groups=tuple(groups),
        )
        return (await self._recorder.append(request)).result

    async def _take(self, appended: AppendedReply) -> None:
        await self._fold(appended.events)
        if self.state.version < appended.version:
            await self._take_in(await self._recorder.load(self.state.version))

    async def _miss(self, conflict: ConflictReply) -> None:
        await self._fold(conflict.missing)
        if self.state.version != conflict.version:
            await self._take_in(await self._recorder.load(self.state.version))

    async def _take_in(self, loaded: Sequence[Stored]) -> None:
        if self._recorder.version < self.state.version:
            # The log was restored to an earlier day: what it has lost never happened.
            self.state = fold(await self._recorder.load(0))
        else:
            await self._fold(loaded)

    async def _fold(self, events: Sequence[Stored]) -> None:
        fresh = [event for event in events if event.version > self.state.version]
        if not fresh:
            return
        if fresh[-1].version != self.state.version + len(fresh):
            # Commands known already bring back events of long ago; what lies between them counts too.
            fresh = list(await self._recorder.load(self.state.version))
        if needs_refold(fresh) and fresh[0].version > 1:
            self.state = fold(await self._recorder.load(0))
        else:
            self.state = fold(fresh, self.state)

    async def _desk_for(self, entries: Sequence[Entry]) -> Desk:
        command = entries[0].letter.order.command
        if isinstance(command, OpenEngagement | GoLive):
            policy: Policy | None = await self._fetched(None)
        elif isinstance(command, AdoptPolicy):
            policy = await self._fetched(command.digest)
        else:
            policy = await self.policy()
        history = await self._recorder.load(0) if command.name in LOOKS_BACK else ()
        return self._desk(policy, history, await self._offices(entries, policy))

    async def _offices(self, entries: Sequence[Entry], policy: Policy | None) -> dict[str, str]:
        if policy is None or len(policy.calendars) < 2:
            # One calendar is everybody's: nobody's office makes a difference.
            return {}
        commands = [entry.letter.order.command for entry in entries]
        named = {person for command in commands for person in owners_named(command, self.state)}
        return await self._recorder.offices(sorted(named)) if named else {}

    def _desk(
        self,
        policy: Policy | None,
        history: tuple[Stored, ...] = (),
        offices: Mapping[str, str] = NOWHERE,
    ) -> Desk:
        return Desk(
            agency=self._agency,
            engagement_id=self._engagement_id,
            state=self.state,
            policy=policy,
            clock=self.clock,
            now=workflow.now(),
            history=history,
            offices=offices,
        )

    async def policy(self) -> Policy | None:
        """Give the policy that governs, fetched once a run.

        :raises ActivityError: the agency does not have it.
        """
        digest = self.state.policy_digest
        return None if digest is None else await self._fetched(digest)

    async def _fetched(self, digest: str | None) -> Policy:
        if digest is not None and digest in self._policies:
            return self._policies[digest]
        found = await self._recorder.policy(digest)
        self._policies = {found.digest: read_policy(found.body)}
        return self._policies[found.digest]


def _named(entries: Sequence[Entry], command_id: str) -> Entry:
    for entry in entries:
        if entry.command_id == command_id:
            return entry
    raise RuntimeError(f"the log objects to '{command_id}', which nobody here asked for")
