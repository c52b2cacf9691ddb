"""Verification: chains whole, versions and positions dense, and every fold equal to the running state.

The workflow is poked before it is asked, so that being behind for a moment is no mismatch; never write here.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, fields
from typing import Final, Protocol

from events.codec import UnknownEvent
from events.envelope import Stored
from events.fold import fold
from events.log.port import EventLog
from events.log.verify import Broken, broken_at, head_is_sound, missing_positions
from events.state import Engagement

AT_ONCE: Final = 8
PATIENCE: Final = 4  # how often a run that has just begun is asked again
PAGE: Final = 1000
_PREFIX: Final = "engagement:"


class Running(Protocol):
    """An agency's engagements, as a client reaches them; see ``workers.client.Engagements``."""

    async def poke(self, engagement_id: str) -> object:
        """Make the workflow catch up with the log, started if need be."""

    async def state(self, engagement_id: str) -> Engagement:
        """Ask the workflow for its state, also one whose run has ended."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about one stream; ``broken_at`` is the version that is not as it should be."""

    stream: str
    version: int
    compared_at: int | None = None
    broken_at: int | None = None
    reason: str | None = None

    @property
    def sound(self) -> bool:
        """This will be true if nothing was found wrong."""
        return self.reason is None


@dataclass(frozen=True, slots=True)
class Report:
    """What was found about an agency: its engagements, its other streams, its positions."""

    agency: str
    engagements: tuple[Verdict, ...]
    others: tuple[Verdict, ...]
    positions: int
    missing: tuple[int, ...]
    head_sound: bool

    @property
    def verified(self) -> int:
        """This will count the engagements whose chain, density and running state were compared."""
        return sum(each.compared_at is not None for each in self.engagements)

    @property
    def mismatches(self) -> int:
        """This will count everything that is not as it should be."""
        broken = sum(not each.sound for each in (*self.engagements, *self.others))
        return broken + len(self.missing) + (not self.head_sound and not self.missing)


async def verify_engagement(
    log: EventLog, running: Running | None, agency: str, engagement_id: str
) -> Verdict:
    """This will check one engagement's chain, and compare its fold with its workflow's state.

    With nothing *running*, as after a restore or while the stream is imported, the events need only fold.
    """
    stream = f"{_PREFIX}{engagement_id}"
    events, broken = await _read_whole(log, agency, stream)
    if broken is not None:
        return Verdict(stream, len(events), None, broken.version, broken.reason)
    head = await log.head(agency, stream)
    if running is None or (head is not None and head.phase == "importing"):
        return _folds(stream, events)
    state = await _caught_up(running, engagement_id, len(events))
    version = state.version
    if version > len(events):
        # Not beyond it: what has come since, the state that was asked for cannot know.
        missing = version - len(events)
        events += await log.read_stream(agency, stream, after=len(events), limit=missing)
    if version != len(events[:version]):
        reason = f"the workflow stands at version {version}, the log at {len(events)}"
        return Verdict(stream, len(events), version, len(events), reason)
    if version < len(events):
        reason = f"the workflow does not get beyond version {version}, the log is at {len(events)}"
        return Verdict(stream, len(events), version, version + 1, reason)
    try:
        difference = _difference(fold(events), state)
    except UnknownEvent as error:
        return Verdict(stream, version, None, version, str(error))
    return Verdict(stream, version, version, None if difference is None else version, difference)


async def verify_agency(
    log: EventLog, running: Running | None, agency: str, *, at_once: int = AT_ONCE
) -> Report:
    """This will check everything an agency has; *at_once* engagements are asked at the same time."""
    head = await log.log_head(agency)
    events = [event async for page in _pages(log, agency, head.position) for event in page]
    missing = missing_positions((event.position for event in events), upto=head.position)
    head_sound = head_is_sound(events, head.head_hash)
    streams = sorted({event.stream for event in events})
    events.clear()
    gate = asyncio.Semaphore(at_once)

    async def engagement(stream: str) -> Verdict:
        async with gate:
            return await verify_engagement(log, running, agency, stream.removeprefix(_PREFIX))

    async def other(stream: str) -> Verdict:
        async with gate:
            found, broken = await _read_whole(log, agency, stream)
        if broken is None:
            return Verdict(stream, len(found))
        return Verdict(stream, len(found), None, broken.version, broken.reason)

    ours = [stream for stream in streams if stream.startswith(_PREFIX)]
    engagements = await asyncio.gather(*(engagement(each) for each in ours))
    others = await asyncio.gather(*(other(each) for each in streams if not each.startswith(_PREFIX)))
    return Report(agency, tuple(engagements), tuple(others), head.position, tuple(missing), head_sound)


async def _pages(log: EventLog, agency: str, upto: int) -> AsyncIterator[Sequence[Stored]]:
    after = 0
    while after < upto:
        page = [each for each in await log.read_all(agency, after=after, limit=PAGE) if each.position <= upto]
        if not page:
            return
        # Only hashes and names are kept for all of them: a long log must fit.
        yield [each.model_copy(update={"body": "", "opened": {}}) for each in page]
        after = page[-1].position


async def _read_whole(log: EventLog, agency: str, stream: str) -> tuple[list[Stored], Broken | None]:
    head = await log.head(agency, stream)
    events = await log.read_stream(agency, stream)
    broken = broken_at(events, await log.ciphertexts(agency, stream))
    least = head.version if head is not None else 1
    if broken is None and len(events) < least:
        broken = Broken(stream, len(events) + 1, f"version {len(events) + 1} is missing at the end")
    return events, broken


async def _caught_up(running: Running, engagement_id: str, version: int) -> Engagement:
    """Ask for the state until it is not behind *version*: a run that has just begun may still be loading."""
    await running.poke(engagement_id)
    state = await running.state(engagement_id)
    for _ in range(PATIENCE):
        if state.version >= version:
            break
        await running.poke(engagement_id)
        state = await running.state(engagement_id)
    return state


def _folds(stream: str, events: Sequence[Stored]) -> Verdict:
    try:
        fold(events)
    except UnknownEvent as error:
        return Verdict(stream, len(events), None, len(events), str(error))
    return Verdict(stream, len(events))


def _difference(expected: Engagement, state: Engagement) -> str | None:
    """Name the fields in which the running state is not what the log's events lead to."""
    if expected == state:
        return None
    names = [
        each.name for each in fields(Engagement) if getattr(expected, each.name) != getattr(state, each.name)
    ]
    return f"the running state differs from the fold of {expected.version} events in {', '.join(names)}"
