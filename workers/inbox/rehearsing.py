"""Tries all commands of a message on the streams as they stand, so that none is given if one could not be.

It only decides: nothing is written, no gate is asked, because reports pass every gate.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from activities.directory import Directory
from activities.doors import check_order, check_people
from activities.streams import kind_of, parse
from events.agency import Agency
from events.clock import ClockSpec, decision_time
from events.codec import decode
from events.commands import Command, Order
from events.decider import prepare
from events.envelope import Actor
from events.errors import InvalidCommand
from events.fold import fold, needs_refold
from events.integrations.checking import unfit
from events.log.keys import Cache, KeyStore, subject_of
from events.log.port import EventLog
from events.orders import parse_order
from events.personal import personal_fields
from events.state import Engagement
from workers.inbox.plan import Plan, Step

# States of engagements that are kept, and for how many seconds: only what came since is read again.
_SEEN: Final = 512
_SEEN_FOR: Final = 600.0
# What a message may not say: who says it is its connection, and how it came is known.
_OURS: Final = dict.fromkeys(("command_id", "causation_id", "correlation_id"))


class Rehearsal:
    """Tries plans; one for a whole process."""

    def __init__(
        self,
        log: EventLog,
        directory: Directory,
        keys: KeyStore,
        clock: ClockSpec,
        now: Callable[[], datetime],
    ) -> None:
        self._log = log
        self._directory = directory
        self._keys = keys
        self._clock = clock
        self._now = now
        self._seen: Cache[tuple[str, str], tuple[Engagement, ClockSpec | None]] = Cache(_SEEN, _SEEN_FOR)

    async def of(
        self, agency: str, plan: Plan, actor: Actor, source: str, prefix: str, *, judged_later: bool = False
    ) -> None:
        """Try a plan, each stream's commands in their order.

        *judged_later*: where the engagement is known to be there, only what it cannot judge is judged here.

        :raises CallerError: one could not be given, now.
        :raises KeyDestroyed: one is personal, and the person is erased.
        """
        people = await self._directory.agency(agency)
        for about in dict.fromkeys(each.about for each in plan.steps):
            steps = [each for each in plan.steps if each.about == about]
            if steps[0].engagement is not None:
                orders = [(order_of(each, actor, source, f"{prefix}{each.ordinal}"), each) for each in steps]
                tried = [order for order, _ in orders]
                if judged_later and self._are_there(agency, steps[0].engagement, tried, people):
                    continue
                await self._engagement(agency, steps[0].engagement, tried, people)
            else:
                await self._job_order(agency, about, steps, actor, people)

    async def standing(self, agency: str, engagement: str) -> Engagement:
        """Give an engagement as its record stands now; an empty one where there is none."""
        state, _ = await self._standing(agency, f"engagement:{engagement}")
        return state

    def _are_there(self, agency: str, key: str, orders: list[Order], people: Agency) -> bool:
        """Make sure of the people whom commands name; returns False if it must be tried as well."""
        seen = self._seen.get((agency, f"engagement:{key}"))
        if seen is None or seen[0].version == 0:
            return False
        state, clock = seen
        for order in orders:
            now = decision_time(clock or self._clock, self._now(), order.at, state.decided_at)
            check_order(order, people, now)
        return True

    async def _engagement(self, agency: str, key: str, orders: list[Order], people: Agency) -> None:
        stream = f"engagement:{key}"
        state, clock = await self._standing(agency, stream)
        for order in orders:
            now = decision_time(clock, self._now(), order.at, state.decided_at)
            check_order(order, people, now)
            tried = prepare(order, state, None, now, agency=agency, engagement_id=key)
            state = tried.state
            if _is_personal(order.command):
                for draft in tried.group.drafts:
                    await self._keys.get_or_create(agency, draft.key_subject or subject_of(stream))

    async def _standing(self, agency: str, stream: str) -> tuple[Engagement, ClockSpec]:
        """Give an engagement as its record stands now, and the clock that it goes by."""
        state, clock = self._seen.get((agency, stream)) or (Engagement(), None)
        news = await self._log.read_stream(agency, stream, after=state.version)
        if needs_refold(news):
            state, news = Engagement(), await self._log.read_stream(agency, stream)
        state = fold(news, state)
        if clock is None:
            head = await self._log.head(agency, stream)
            clock = ClockSpec.model_validate_json(head.clock) if head and head.clock else None
        self._seen.put((agency, stream), (state, clock))
        return state, clock or self._clock

    async def _job_order(
        self, agency: str, stream: str, steps: list[Step], actor: Actor, people: Agency
    ) -> None:
        kind = kind_of(stream)
        state = kind.initial(stream.partition(":")[2])
        for stored in await self._log.read_stream(agency, stream):
            state = kind.evolve(state, decode(stored, kind.registry))
        for step in steps:
            only_reports(step.name)
            command = parse(stream, step.name, dict(step.fields))
            check_people(command, actor, step.at, people)
            for event in kind.decide(command, state, step.at):
                state = kind.evolve(state, event)
            if _is_personal(command):
                await self._keys.get_or_create(agency, subject_of(stream))


def order_of(step: Step, actor: Actor, source: str, command_id: str) -> Order:
    """Write a step as an order, said by the connection whatever its fields say.

    :raises InvalidCommand: it is malformed, or no report.
    """
    only_reports(step.name)
    data: dict[str, Any] = {**step.data(), **_OURS, "actor": actor.model_dump(), "source": source}
    return parse_order(step.name, data, command_id=command_id, actor_default=actor, source=source)


def only_reports(name: str) -> None:
    """Refuse what asks instead of telling: a gate might refuse it, and nobody would be there to hear.

    :raises InvalidCommand: the command is an intent, or is for people only.
    """
    if (wrong := unfit(name)) is not None:
        raise InvalidCommand(wrong)


def _is_personal(command: Command) -> bool:
    return any(getattr(command, each, None) is not None for each in personal_fields(type(command)))
