"""Brings an agency's read tables from where they stand to where its log stands, a batch at a time.

What is remembered of a stream is its pure fold: it may be forgotten at any time, and is after a failure.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from events.envelope import category_of
from events.log.connect import LOST
from events.projections.changes import Changes
from events.projections.folding import Broken, Folded, advance, fold_stream
from events.projections.projection import Projection, Told
from events.projections.store import Checkpoint, Fenced, ProjectionStore, Writing

BATCH: Final = 1000
# Streams remembered, of all agencies; an engagement of a hundred events takes some 50 KiB.
REMEMBERED: Final = 1000
# Streams read whole in one question.
AT_ONCE: Final = 50
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Remembered:
    """A stream as folded, and the items its rows were last made from, by projection."""

    folded: Folded
    written: dict[str, Mapping[Any, Any]] = field(default_factory=dict)


class Projecting:
    """All agencies, under one epoch."""

    def __init__(
        self, store: ProjectionStore, projections: Sequence[Projection], epoch: int, *, batch: int = BATCH
    ) -> None:
        self._store, self._projections = store, tuple(projections)
        self._epoch, self._batch = epoch, batch
        self._reached: dict[str, dict[Projection, int]] = {}
        self._parked: dict[tuple[str, str], set[str]] = {}
        self._memory: OrderedDict[tuple[str, str], Remembered] = OrderedDict()

    async def load(self) -> None:
        """Find out where the tables stand, and which streams are parked."""
        self._reached.clear()
        self._parked.clear()
        for agency, found in (await self._store.checkpoints()).items():
            self._reached[agency] = _standing(found, self._projections)
        for each in await self._store.parked():
            self._parked.setdefault((each.agency, each.stream), set()).add(each.projection)

    def behind(self, heads: Mapping[str, int]) -> list[str]:
        """List the agencies whose tables are behind their logs."""
        if not self._projections:
            return []
        return [agency for agency, head in heads.items() if min(self._of(agency).values()) < head]

    def _of(self, agency: str) -> dict[Projection, int]:
        return self._reached.setdefault(agency, dict.fromkeys(self._projections, 0))

    async def step(self, agency: str) -> bool:
        """Project one batch; False where nothing is left.

        :raises Fenced: another projector is at work.
        """
        reached = self._of(agency)
        lowest = min(reached.values())
        chosen = [each for each, position in reached.items() if position == lowest]
        # Those that are further ahead are caught up with before they go on together.
        ahead = min((position for position in reached.values() if position > lowest), default=None)
        limit = self._batch if ahead is None else min(self._batch, ahead - lowest)
        events = await self._store.source.events(agency, lowest, limit)
        if not events:
            return False
        try:
            await self._project(agency, chosen, lowest, events)
        except BaseException:
            for told in events:
                self._memory.pop((agency, told.stream), None)
            raise
        for each in chosen:
            reached[each] = events[-1].position
        self._forget()
        return True

    async def retry(self) -> None:
        """Try again the parked streams for which somebody asked."""
        for each in await self._store.parked(retry_only=True):
            projection = next((one for one in self._projections if one.name == each.projection), None)
            if projection is None:
                continue
            position = self._of(each.agency)[projection]
            self._memory.pop((each.agency, each.stream), None)
            events = await self._store.source.stream(each.agency, each.stream, position)
            folded = fold_stream(events, [projection])
            expected = {projection: position}
            async with self._store.writing(each.agency, self._epoch, expected) as writing:
                if await _write_each(writing, [Remembered(folded)]):
                    continue
                await writing.unpark(projection.name, each.stream)
            self._parked[each.agency, each.stream].discard(projection.name)
            _log.info("a parked stream is followed again", agency=each.agency, projection=projection.name)

    async def _project(
        self, agency: str, chosen: Sequence[Projection], lowest: int, events: Sequence[Told]
    ) -> None:
        upto = events[-1].position
        news = _by_stream(events)
        wanted = {each: found for each in news if (found := self._wanted(agency, each, chosen))}
        await self._recall(agency, {each: news[each] for each in wanted}, wanted, upto)
        touched = [self._memory[agency, each] for each in wanted]
        expected = dict.fromkeys(chosen, lowest)
        try:
            async with self._store.writing(agency, self._epoch, expected) as writing:
                parked = await _write(writing, touched)
                await writing.reach(chosen, upto)
        except (*LOST, Fenced):
            raise
        except Exception as error:
            _log.warning("a batch is written stream by stream", agency=agency, error=type(error).__name__)
            async with self._store.writing(agency, self._epoch, expected) as writing:
                parked = await _write_each(writing, touched)
                await writing.reach(chosen, upto)
        for projection, broken in parked:
            stream = broken.told.stream
            self._parked.setdefault((agency, stream), set()).add(projection)
            self._memory.pop((agency, stream), None)
            _log.warning("a stream is parked", agency=agency, projection=projection, says=broken.says)

    def _wanted(self, agency: str, stream: str, chosen: Sequence[Projection]) -> list[Projection]:
        category, parked = category_of(stream), self._parked.get((agency, stream), ())
        return [each for each in chosen if each.category == category and each.name not in parked]

    async def _recall(
        self,
        agency: str,
        news: Mapping[str, Sequence[Told]],
        wanted: Mapping[str, Sequence[Projection]],
        upto: int,
    ) -> None:
        """Fold what is new into what is remembered; streams that are not are read whole, many at a time."""
        unknown: list[str] = []
        for stream, events in news.items():
            known = self._memory.get((agency, stream))
            if known is not None and _follows(known.folded, events, wanted[stream]):
                advance(known.folded, events)
                self._memory.move_to_end((agency, stream))
            elif events[0].version == 1:
                written: dict[str, Mapping[Any, Any]] = {each.name: {} for each in wanted[stream]}
                self._memory[agency, stream] = Remembered(fold_stream(events, wanted[stream]), written)
            else:
                unknown.append(stream)
        for start in range(0, len(unknown), AT_ONCE):
            some = unknown[start : start + AT_ONCE]
            for stream, events in (await self._store.source.whole(agency, some, upto)).items():
                self._memory[agency, stream] = Remembered(fold_stream(events, wanted[stream]))

    def _forget(self) -> None:
        while len(self._memory) > REMEMBERED:
            self._memory.popitem(last=False)


def _follows(folded: Folded, events: Sequence[Told], wanted: Sequence[Projection]) -> bool:
    """Tell whether events go on where a fold has come to; an annulment asks for a fold of all."""
    if folded.projections != wanted or folded.version != events[0].version - 1:
        return False
    return not any(each.type == "event-annulled" for each in events)


async def _write(writing: Writing, touched: Iterable[Remembered]) -> list[tuple[str, Broken]]:
    """Write what streams ask for, a table at a time; returns what could not be projected."""
    changes: dict[str, Changes] = {}
    for each in touched:
        for projection in each.folded.projections:
            of = changes.setdefault(projection.name, Changes(projection))
            items = of.take(each.folded, each.written.get(projection.name))
            each.written[projection.name] = items
    for of in changes.values():
        await writing.write(of)
    broken = [(name, why) for each in touched for name, why in each.folded.broken.items()]
    for name, why in broken:
        await writing.park(name, why)
    return broken


async def _write_each(writing: Writing, touched: Iterable[Remembered]) -> list[tuple[str, Broken]]:
    """Do the same stream by stream and table by table, so that what the database refuses parks alone."""
    broken: list[tuple[str, Broken]] = []
    for each in touched:
        each.written.clear()
        for projection in each.folded.projections:
            why = each.folded.broken.get(projection.name)
            try:
                async with writing.connection.transaction():
                    of = Changes(projection)
                    each.written[projection.name] = of.take(each.folded, None)
                    await writing.write(of)
            except LOST:
                raise
            except Exception as error:
                why = each.folded.refused(error)
            if why is not None:
                await writing.park(projection.name, why)
                broken.append((projection.name, why))
    return broken


def _standing(found: Mapping[str, Checkpoint], projections: Iterable[Projection]) -> dict[Projection, int]:
    return {
        each: found[each.name].position if each.name in found else 0
        for each in projections
        if each.name not in found or found[each.name].edition == each.edition
    }


def _by_stream(events: Iterable[Told]) -> dict[str, list[Told]]:
    found: dict[str, list[Told]] = {}
    for told in events:
        found.setdefault(told.stream, []).append(told)
    return found
