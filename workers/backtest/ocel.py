"""An OCEL log of any length, dealt out on disk: each part holds all events of some applicants.

The file is read twice, once for its objects: they may stand on either side of its events.  Whose an
application is may be told behind events that name the application alone: these wait, and are dealt last.
"""

import heapq
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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

PART: Final = 20_000
MOST_PARTS: Final = 200
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_CUT_OFF: Final = "premature EOF"
_BUFFER: Final = 1 << 18
# What an event takes in a file, objects and all: so parts can be counted before the events are.
_BYTES: Final = 200
_NEVER: Final = (sys.maxsize, 0, 0)
# When, and at which place in the file, the event of a record happened.
WHEN: Final = itemgetter(1, 2)


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
            reading = _Reading(path, interpreter, place, names, before)
            reading.read(keep_all=limit is not None)
            return reading.dealt(limit)
    finally:
        names.close()


def parts_of(path: Path) -> int:
    """Tell into how many parts a log is dealt, by its size."""
    try:
        size = path.stat().st_size
    except OSError:  # said in words when it is opened
        size = 0
    return max(1, min(MOST_PARTS, -(-size // (PART * _BYTES))))


def event_of(record: Record) -> SourceEvent:
    """Read an event back from a spool."""
    at, place, activity, objects = record[-4:]
    return SourceEvent(place, activity, moment_of(at), objects)


def moment_of(microseconds: int) -> datetime:
    """Read a moment back from a spool."""
    return EPOCH + timedelta(microseconds=microseconds)


class _Reading:
    def __init__(
        self, path: Path, interpreter: Interpreter, place: Path, names: Names, before: datetime | None
    ) -> None:
        self._path, self._place, self._names = path, place, names
        self._interpreter, self._objects = interpreter, interpreter.mapping.objects
        self._applicants, self._applications = self._objects.applicant, self._objects.application
        self._before, self._until = before, None if before is None else (before - EPOCH) // _MICROSECOND
        self._parts = tuple(place / f"part-{number}" for number in range(parts_of(path)))
        self._waiting = place / "waiting"
        self._recruiters: dict[str, tuple[int, int, int]] = {}
        self._read = self._later = self._beyond = 0
        self._first = self._last = 0

    def read(self, *, keep_all: bool) -> None:
        """Take the objects in, then deal the events out; *keep_all*: those of the future as well."""
        with opened(self._path) as file:
            found = enumerate(items(file, OBJECTS), start=1)
            self._names.learn_objects((name, read_kind(place, each)) for place, (name, each) in found)
        with ExitStack() as stack:
            spools = self._spools(stack)
            waiting = stack.enter_context(Spool(self._waiting))
            for record in self._records():
                if self._until is not None and record[1] >= self._until:
                    self._later += 1
                    if not keep_all:
                        continue
                if record[0] is None and self._applications in record[4]:
                    waiting.add(record)
                else:
                    self._add(spools, record)
        self._names.settle()
        if self._read == 0:
            raise SourceError(NO_EVENT if self._names else NO_OCEL)
        self._deal_again([*self._parts, self._waiting] if self._names.disputed else [self._waiting])

    def _records(self) -> Iterator[Record]:
        names, applicants, applications = self._names, self._applicants, self._applications
        recruiter = self._objects.recruiter
        first, last = sys.maxsize, -sys.maxsize
        with opened(self._path) as file:
            for place, (identity, each) in enumerate(items(file, EVENTS), start=1):
                names.learn_event(identity)
                event = read_event(place, each, names.kind_of)
                self._interpreter.meaning(event)
                objects, at = event.objects, (event.at - EPOCH) // _MICROSECOND
                first, last = min(first, at), max(last, at)
                if recruiter in objects:
                    self._meet(objects[recruiter], at, place)
                applicant = objects[applicants][0] if applicants in objects else None
                if applications in objects:
                    if applicant is None:
                        applicant = names.claimed(objects[applications][0])
                    else:
                        names.learn_application(objects[applications][0], at, place, applicant)
                yield applicant, at, place, event.activity, objects
                self._read = place
        self._first, self._last = first, last

    def _meet(self, named: Iterable[str], at: int, place: int) -> None:
        """Note when recruiters are first named: in this order they are dealt to the leads."""
        for number, name in enumerate(named):
            when = (at, place, number)
            if when < self._recruiters.get(name, _NEVER):
                self._recruiters[name] = when

    def _spools(self, stack: ExitStack) -> list[Spool]:
        return [stack.enter_context(Spool(path, batch=64)) for path in self._parts]

    def _add(self, spools: Sequence[Spool], record: Record) -> None:
        key = record[0] if record[0] is not None else str(record[2])
        spools[crc32(key.encode()) % len(spools)].add(record)

    def _deal_again(self, paths: Iterable[Path], kept: Callable[[Record], bool] = lambda _: True) -> None:
        """Deal out what lies in some files, now that it is known whose every application is."""
        aside = [path.rename(path.with_suffix(".again")) for path in paths if path.exists()]
        with ExitStack() as stack:
            spools = self._spools(stack)
            for path in aside:
                for _, *event in spooled(path):
                    record = (self._applicant(event[-1]), *event)
                    if kept(record):
                        self._add(spools, record)
                path.unlink()

    def _applicant(self, objects: Mapping[str, tuple[str, ...]]) -> str | None:
        named = objects.get(self._applicants)
        if named:
            return named[0]
        applications = objects.get(self._applications)
        return self._names.applicant_of(applications[0]) if applications else None

    def dealt(self, limit: int | None) -> Dealt:
        """Give what came of it, within a limit where there is one."""
        if limit is not None:
            self._narrow(limit)
        recruiters = sorted(self._recruiters, key=self._recruiters.__getitem__)
        people = people_of(self._interpreter.mapping, self._interpreter.pseudonyms, recruiters)
        last = moment_of(self._last)
        return Dealt(
            read=self._read,
            beyond_limit=self._beyond,
            later=self._later,
            first=moment_of(self._first),
            last=last,
            until=last if self._before is None else min(self._before, last),
            people=people,
            parts=self._parts,
        )

    def _narrow(self, limit: int) -> None:
        """Leave out all but the applicants who came first, and what their job orders went through."""
        chosen = self._choose(limit)
        linked = frozenset(
            job_order
            for record in self._dealt_records()
            if record[0] in chosen
            for job_order in event_of(record).named(self._objects.job_order)
        )

        def kept(record: Record) -> bool:
            if self._until is not None and record[1] >= self._until:
                return False
            if self._within(record, chosen, linked):
                return True
            self._beyond += 1
            return False

        self._deal_again(self._parts, kept)

    def _dealt_records(self) -> Iterator[Record]:
        for path in self._parts:
            yield from spooled(path)

    def _choose(self, limit: int) -> frozenset[str]:
        """Name so many applicants whose first application came first; a part holds all events of its own."""
        chosen: list[tuple[tuple[int, int], str]] = []
        for path in self._parts:
            first: dict[str, tuple[int, int]] = {}
            for record in spooled(path):
                event = event_of(record)
                named = event.named(self._applicants)
                if named and submits(self._interpreter.meaning(event)):
                    when = WHEN(record)
                    first[named[0]] = min(when, first.get(named[0], when))
            found = ((when, name) for name, when in first.items())
            chosen = heapq.nsmallest(limit, [*chosen, *found])
        return frozenset(name for _, name in chosen)

    def _within(self, record: Record, chosen: frozenset[str], linked: frozenset[str]) -> bool:
        event = event_of(record)
        if self._interpreter.meaning(event).lands_on == "engagement":
            return record[0] is None or record[0] in chosen
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
