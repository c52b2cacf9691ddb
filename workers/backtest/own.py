"""A share of an agency's own log under each policy: the world's events as recorded, the engine's left out.

Streams come one after the other from a cursor of the database; one stream at a time is held.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from events import catalogue as e
from events.envelope import Stored
from events.errors import CallerError
from events.log.port import EventLog
from events.policy import Policy, Trigger
from events.prediction import LOOKS_BACK, Told, commands_of
from events.rule_index import index_of
from events.sources.plan import LeftAside
from events.subjects import narrowed
from workers.backtest.judging import Judged, Trial, Verdicts
from workers.wiring import shut_log

PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Share:
    """So many of an agency's streams: those that fall to this *share* of *shares*."""

    trial: Trial
    agency: str
    database_url: str = field(repr=False)
    share: int = 0
    shares: int = 1
    limit: int | None = None


def judge_share(share: Share) -> Judged:
    """This will judge the share's engagements, one after the other."""

    async def run() -> Judged:
        async with shut_log(share.database_url) as log:
            return await judge(log, share)

    return asyncio.run(run())


async def judge(log: EventLog, share: Share) -> Judged:
    """This will judge a share of whatever log."""
    verdicts = Verdicts(share.trial, f"share-{share.share}")
    judged = verdicts.judged
    sights = [Sight(policy) for policy in share.trial.policies]
    async with aclosing(_streams(log, share)) as streams:
        async for events in streams:
            _judge(events, verdicts, sights)
    judged.shown = [sight.shown for sight in sights]
    return verdicts.close()


def _judge(events: Sequence[Stored], verdicts: Verdicts, sights: Sequence["Sight"]) -> None:
    judged, trial = verdicts.judged, verdicts.trial
    remembers = any(each.type in LOOKS_BACK for each in events)
    begun = verdicts.predictions(events[0].agency, events[0].stream, remembers=remembers)
    going = dict(zip(begun, trial.policies, strict=True))
    for told in commands_of(events):
        judged.read += len(told)
        if trial.window.before is not None and told[0].decided_at >= trial.window.before:
            judged.later += len(told)
            continue
        for sight in sights:
            for each in told:
                sight.see(each.event)
        judged.applied += len(told)
        for prediction, policy in tuple(going.items()):
            if not (governed := under(told, policy)):
                continue
            try:
                prediction.follow(governed)
            except CallerError as error:
                # From here on nothing that is predicted of this stream would be worth anything.
                del going[prediction]
                judged.leave_aside(LeftAside(events[0].position, f"under '{policy.name}': {error}"))
    verdicts.end(begun)


def under(told: Sequence[Told], policy: Policy) -> list[Told]:
    """Put events under another policy: it is the one adopted in the beginning, and no other ever was."""
    begins = any(isinstance(each.event, e.EngagementOpened | e.WentLive) for each in told)
    found = []
    for each in told:
        if isinstance(each.event, e.PolicyAdopted):
            if begins:
                found.append(replace(each, event=_adopted(policy, each.event.at)))
        else:
            found.append(each)
    return found


def _adopted(policy: Policy, at: datetime) -> e.PolicyAdopted:
    digest = index_of(policy).digest
    return e.PolicyAdopted(at=at, digest=digest, name=policy.name, quiet_hours=policy.quiet_hours)


class Sight:
    """Finds out which of a policy's rules the log can show to be kept: some event of it does."""

    def __init__(self, policy: Policy) -> None:
        self.shown: set[str] = set()
        self._waiting: dict[str, list[tuple[str, Trigger]]] = {}
        for rule in policy.obligations:
            for trigger in rule.met_by:
                self._waiting.setdefault(trigger.event, []).append((rule.id, trigger))

    def see(self, event: Any) -> None:
        """Look at one event."""
        waiting = self._waiting.get(event.type)
        if not waiting:
            return
        left = []
        for rule, trigger in waiting:
            if narrowed(trigger, event):
                self.shown.add(rule)
            else:
                left.append((rule, trigger))
        self._waiting[event.type] = left


async def _streams(log: EventLog, share: Share) -> AsyncGenerator[Sequence[Stored], None]:
    if share.limit is None:
        async with aclosing(log.worlds(share.agency, share=share.share, shares=share.shares)) as streams:
            async for events in streams:
                yield events
        return
    for stream in await _first(log, share.agency, share.limit):
        yield await log.read_stream(share.agency, stream)


async def _first(log: EventLog, agency: str, limit: int) -> list[str]:
    """Name the engagements that were opened first."""
    found: list[str] = []
    after = 0
    while len(found) < limit:
        page = await log.read_all(agency, after=after, limit=PAGE, category="engagement")
        if not page:
            break
        found += [each.stream for each in page if each.version == 1]
        after = page[-1].position
    return found[:limit]
