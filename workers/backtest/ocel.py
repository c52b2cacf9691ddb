"""An OCEL log of any length, dealt out on disk: each part holds all events of some applicants.

The file is read twice, once for its objects: they may stand on either side of its events.
"""

import heapq
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, Final
from zlib import crc32

import ijson

from events.agency import Entry
from events.sources.errors import SourceError
from events.sources.interpreter import Interpreter, submits
from events.sources.ocel import EVENTS, NO_EVENT, NO_OCEL, OBJECTS, SourceEvent, read_event, read_kind
from events.sources.plan import people_of
from workers.backtest.garbage import uncollected
from workers.backtest.names import Names
from workers.backtest.spool import Record, Spool, spooled

RUN: Final = 20_000
PART: Final = 20_000
MOST_PARTS: Final = 200
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_CUT_OFF: Final = "premature EOF"
_BUFFER: Final = 1 << 18
_WHEN: Final = itemgetter(0, 1)


@dataclass(frozen=True, slots=True)
class Dealt:
    """What was read, and where its parts lie; *people* are those of the agency that the mapping makes up."""

    read: int
    beyond_limit: int
    later: int
    first: datetime
    last: datetime
    until: datetime
    people: tuple[Entry, ...]
    parts: tuple[Path, ...]


def deal(
    path: Path,
    interpreter: Interpreter,
    place: Path,
    *,
    limit: int | None = None,
    before: datetime | None = None,
) -> Dealt:
    """Read a log and deal its events out into spools under *place*.

    *limit* takes so many applicants; events from *before* on are left to the future.

    :raises SourceError: the file cannot be read, is no such log, or means what the mapping does not say.
    """
    if limit is not None and limit < 1:
        raise SourceError("the limit is a number of applicants: give at least 1")
    names = Names(place / "names")
    try:
        with uncollected():
            reading = _Reading(path, interpreter, place, names)
            reading.read()
            return reading.deal(limit, before)
    finally:
        names.close()


def event_of(record: Record) -> SourceEvent:
    """Read an event back from a spool."""
    at, place, activity, objects = record[-4:]
    return SourceEvent(place, activity, moment_of(at), objects)


def moment_of(microseconds: int) -> datetime:
    """Read a moment back from a spool."""
    return EPOCH + timedelta(microseconds=microseconds)


class _Reading:
    def __init__(self, path: Path, interpreter: Interpreter, place: Path, names: Names) -> None:
        self._path, self._place, self._names = path, place, names
        self._interpreter, self._objects = interpreter, interpreter.mapping.objects
        self._applicants, self._applications = self._objects.applicant, self._objects.application
        self._runs: list[tuple[Path, Record, Record]] = []
        self._read = 0

    def read(self) -> None:
        """Take the objects in, then spool the events in runs, each in order of time."""
        with opened(self._path) as file:
            found = enumerate(items(file, OBJECTS), start=1)
            self._names.learn_objects((name, read_kind(place, each)) for place, (name, each) in found)
        run: list[Record] = []
        with opened(self._path) as file:
            for place, (identity, each) in enumerate(items(file, EVENTS), start=1):
                self._names.learn_event(identity)
                run.append(self._event(place, each))
                if len(run) >= RUN:
                    self._spool(run)
                    run = []
            self._spool(run)
        self._names.settle()
        if self._read == 0:
            raise SourceError(NO_EVENT if self._names else NO_OCEL)

    def _event(self, place: int, found: Any) -> Record:
        event = read_event(place, found, self._names.kind_of)
        self._interpreter.meaning(event)
        objects, at = event.objects, (event.at - EPOCH) // _MICROSECOND
        if self._applicants in objects and self._applications in objects:
            application, applicant = objects[self._applications][0], objects[self._applicants][0]
            self._names.learn_application(application, at, place, applicant)
        return at, place, event.activity, objects

    def _spool(self, run: list[Record]) -> None:
        if not run:
            return
        run.sort(key=_WHEN)
        path = self._place / f"run-{len(self._runs)}"
        with Spool(path) as spool:
            spool.extend(run)
        self._read += len(run)
        self._runs.append((path, run[0][:2], run[-1][:2]))

    def deal(self, limit: int | None, before: datetime | None) -> Dealt:
        """Deal the events out by applicant."""
        chosen = None if limit is None else self._choose(limit)
        linked = frozenset(self._linked(chosen or frozenset()))
        count = min(MOST_PARTS, -(-self._read // PART))
        parts = tuple(self._place / f"part-{number}" for number in range(count))
        recruiter, recruiters = self._objects.recruiter, dict[str, None]()
        beyond = later = 0
        with ExitStack() as stack:
            spools = [stack.enter_context(Spool(path, batch=64)) for path in parts]
            for record in self._in_order():
                at, number, activity, objects = record
                if recruiter in objects:
                    recruiters.update(dict.fromkeys(objects[recruiter]))
                if before is not None and moment_of(at) >= before:
                    later += 1
                    continue
                applicant = self._applicant(objects)
                if chosen is not None and not self._within(record, applicant, chosen, linked):
                    beyond += 1
                    continue
                key = applicant if applicant is not None else str(number)
                spools[crc32(key.encode()) % count].add((applicant, at, number, activity, objects))
        for path, *_ in self._runs:
            path.unlink()
        people = people_of(self._interpreter.mapping, self._interpreter.pseudonyms, recruiters)
        first = moment_of(min(begin[0] for _, begin, _ in self._runs))
        last = moment_of(max(end[0] for *_, end in self._runs))
        until = last if before is None else min(before, last)
        return Dealt(self._read, beyond, later, first, last, until, people, parts)

    def _in_order(self) -> Iterator[Record]:
        runs: list[Iterable[Record]] = [spooled(path) for path, *_ in self._runs]
        if all(before[2] < after[1] for before, after in pairwise(self._runs)):
            return chain.from_iterable(runs)
        return heapq.merge(*runs, key=_WHEN)

    def _applicant(self, objects: Mapping[str, tuple[str, ...]]) -> str | None:
        named = objects.get(self._applicants)
        if named:
            return named[0]
        applications = objects.get(self._applications)
        return self._names.applicant_of(applications[0]) if applications else None

    def _choose(self, limit: int) -> frozenset[str]:
        first: dict[str, None] = {}
        for record in self._in_order():
            event = event_of(record)
            named = event.named(self._objects.applicant)
            if named and submits(self._interpreter.meaning(event)):
                first[named[0]] = None
                if len(first) == limit:
                    break
        return frozenset(first)

    def _linked(self, chosen: frozenset[str]) -> Iterator[str]:
        for record in self._in_order() if chosen else ():
            event = event_of(record)
            if self._applicant(event.objects) in chosen:
                yield from event.named(self._objects.job_order)

    def _within(
        self, record: Record, applicant: str | None, chosen: frozenset[str], linked: frozenset[str]
    ) -> bool:
        event = event_of(record)
        if self._interpreter.meaning(event).lands_on == "engagement":
            return applicant is None or applicant in chosen
        named = event.named(self._objects.job_order)
        return not named or named[0] in linked


def opened(path: Path) -> BinaryIO:
    """Open a log for reading.

    :raises SourceError: it cannot be.
    """
    try:
        file = path.open("rb")
        if file.read(3) != b"\xef\xbb\xbf":  # a mark that editors on Windows put there
            file.seek(0)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise SourceError(f"the log {path} cannot be read: {reason}") from None
    return file


def items(file: BinaryIO, section: str) -> Iterator[tuple[str, Any]]:
    """Read the members of one of a log's two sections, one by one.

    :raises SourceError: the file is cut off, or no JSON.
    """
    try:
        yield from ijson.kvitems(file, section, buf_size=_BUFFER)
    except (ijson.JSONError, UnicodeDecodeError, RecursionError) as error:
        # Its parser calls every error of its own an incomplete JSON; the words tell.
        cut_off = _CUT_OFF in str(error)
        file.seek(0, os.SEEK_END)
        if file.tell() == 0:
            raise SourceError("the file is empty") from None
        raise SourceError(
            "the file is cut off: its JSON breaks off; copy it again whole"
            if cut_off
            else "the file is not JSON; export the log as OCEL 1.0 JSON (.jsonocel)"
        ) from None
