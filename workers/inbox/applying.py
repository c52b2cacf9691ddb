"""One message, from what it means to how it ends: all of its commands or none, each of them once.

What nobody but a person can mend lets the message wait with a sentence; whatever may pass is raised, and the
message is tried again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, assert_never

from events.envelope import Actor
from events.errors import CallerError
from events.integrations.aspects import OF_THE_RECORD, Aspects, aspects
from events.integrations.meaning import Ignored, Means, Waits, Wanted
from events.log.keys import KeyDestroyed, KeyStore
from workers.inbox.connections import Connection
from workers.inbox.giving import Given
from workers.inbox.plan import Plan, Step, open_plan, plan_of, seal_plan
from workers.inbox.rehearsing import Rehearsal
from workers.inbox.store import State
from workers.inbox.understanding import Understood
from workers.inbox.work import Due, End, Work

_ERASED: Final = "the person whom it is about is erased"
_KEYLESS: Final = "its content cannot be opened any more: its connection's key is destroyed"
_OVERTAKEN: Final = "something newer about the same was applied before it"


@dataclass(frozen=True, slots=True)
class Ready:
    """A message whose plan is made: what is left is to give it."""

    due: Due
    connection: Connection
    plan: Plan
    begun: bool = False
    """Whether an earlier try may have given some of it."""


class Gives(Protocol):
    """Gives commands; :class:`workers.inbox.giving.Giver` does it on real servers."""

    async def ready(self, plan: Plan) -> None:
        """Make sure that whoever takes a plan's commands answers now; an error may pass."""

    async def give(self, agency: str, step: Step, actor: Actor, source: str, command_id: str) -> Given:
        """Give one command and wait for what it comes to; safe to repeat.

        :raises CallerError: it cannot be given, now or ever.
        :raises KeyDestroyed: the person whom it is about is erased; any other error may pass.
        """


class Applying:
    """Applies messages; one for a whole process."""

    def __init__(self, work: Work, rehearsal: Rehearsal, giver: Gives, keys: KeyStore) -> None:
        self._work = work
        self._rehearsal = rehearsal
        self._giver = giver
        self._keys = keys

    async def ready(self, due: Due, understood: Understood) -> Ready | End:
        """Say what is to be given, or how the message ends without anything given."""
        if due.plan is not None:
            plan = await open_plan(self._keys, due.agency, due.message_id, due.plan)
            if plan is not None:
                return Ready(due, understood.connection, plan, begun=True)
        meaning = understood.meaning
        match meaning:
            case None:
                return End("ignored", _KEYLESS)
            case Ignored(reason=reason):
                return End("ignored", reason, mapping_digest=understood.connection.mapping_digest)
            case Waits():
                state: State = "unmatched" if meaning.needs == "link" else "waiting"
                by = understood.connection.mapping_digest
                return End(state, meaning.says, meaning.needs, understood.lacks, by)
            case Means():
                plan = plan_of(meaning, due.occurred_at, understood.answered_at or due.received_at)
                return Ready(due, understood.connection, plan)
            case _:
                assert_never(meaning)

    async def apply(self, ready: Ready) -> End:
        """Give what a message means; after any error that leaves here it is to be tried again."""
        due, plan = ready.due, ready.plan
        given: list[Given] = []
        try:
            if not ready.begun:
                begun = await self._begin(ready)
                if isinstance(begun, End):
                    return begun
                plan = begun
            for step in plan.steps:
                command_id = step.command_id(due.message_id)
                who = (_actor(ready), ready.connection.provider)
                given.append(await self._giver.give(due.agency, step, *who, command_id))
        except CallerError as error:
            told = frozenset() if given else _told(await self._aspects(due.agency, plan.steps))
            return _waits(error, given, ready, told)
        except KeyDestroyed:
            return End("ignored", _ERASED, outcome=_outcome(given))
        return _applied(plan, given)

    async def _begin(self, ready: Ready) -> Plan | End:
        """Leave out what is overtaken, try the rest, and keep it; nothing is given before that."""
        due, at = ready.due, ready.due.occurred_at
        # What is begun overtakes what is older: with nobody there, that would be all that comes meanwhile.
        await self._giver.ready(ready.plan)
        found = await self._aspects(due.agency, ready.plan.steps)
        yields = frozenset[str]().union(*(each.yields for each in found.values()))
        old = await self._work.outdated(due, dict.fromkeys(yields, at))
        plan = ready.plan.without(each for each in ready.plan.steps if found[each.ordinal].yields & old)
        if not plan.steps:
            return _applied(plan, [])
        told = dict.fromkeys(_told({each.ordinal: found[each.ordinal] for each in plan.steps}), at)
        who = (_actor(ready), ready.connection.provider, f"hook:{due.message_id}:")
        # A single command that leaves nothing beside it may as well be judged by the engagement itself.
        await self._rehearsal.of(due.agency, plan, *who, judged_later=len(plan.steps) == 1 and not told)
        sealed = await seal_plan(self._keys, due.agency, due.connection_id, due.message_id, plan)
        if not await self._work.begin(due, plan.about, sealed, told):
            return End("discarded")
        return plan

    async def _aspects(self, agency: str, steps: Sequence[Step]) -> Mapping[int, Aspects]:
        """Name what each command tells, by the record where it does not say itself what it is about."""
        wanted = {each.ordinal: _wanted(each) for each in steps}
        asked = {
            each.engagement for each in steps if each.name in OF_THE_RECORD and each.engagement is not None
        }
        states = {each: await self._rehearsal.standing(agency, each) for each in asked}
        return {
            ordinal: aspects(each, states.get(each.engagement or ""), wanted.values())
            for ordinal, each in wanted.items()
        }


def _actor(ready: Ready) -> Actor:
    return Actor(kind="integration", id=ready.connection.id)


def _wanted(step: Step) -> Wanted:
    return Wanted(step.engagement, step.name, step.fields, step.at, step.job_order)


def _told(found: Mapping[int, Aspects]) -> frozenset[str]:
    return frozenset[str]().union(*(each.tells for each in found.values()))


def _waits(error: CallerError, given: list[Given], ready: Ready, untold: frozenset[str]) -> End:
    says, by = str(error), ready.connection.mapping_digest
    if not given:
        return End("waiting", says, "command", mapping_digest=by, untold=untold)
    says = f"{len(given)} of its commands are given, and the next cannot be: {says}"
    return End("waiting", says, "command", mapping_digest=by, outcome=_outcome(given), keeps_plan=True)


def _applied(plan: Plan, given: list[Given]) -> End:
    if not given and plan.left_out:
        return End("superseded", _OVERTAKEN, learns=plan.learns)
    says = None
    if plan.left_out:
        says = f"{plan.left_out} of its {plan.left_out + len(given)} commands left out: {_OVERTAKEN}"
    return End("applied", says, outcome=_outcome(given), learns=plan.learns)


def _outcome(given: list[Given]) -> dict[str, list[dict[str, object]]] | None:
    return {"commands": [each.plain() for each in given]} if given else None
