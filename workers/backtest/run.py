"""Tries a policy on the past: a foreign log through a mapping, or an agency's own.

Nothing is written but to a directory of its own, which goes when the report is done with.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Final, TypeVar

from events import agency as agencies
from events.agency import Agency
from events.policy import Policy
from events.sources.interpreter import Interpreter
from events.sources.mapping import check_observes, restrict
from events.sources.plan import LeftAside
from events.sources.pseudonyms import Pseudonyms
from workers.backtest.foreign import AGENCY, Part, judge_part
from workers.backtest.judging import SHOWN, Judged, Trial
from workers.backtest.ocel import deal, parts_of
from workers.backtest.own import Share, judge_share
from workers.backtest.reach import nameless
from workers.backtest.report import BacktestReport, Verdict
from workers.backtest.tally import Tally, Window
from workers.pseudonym_key import pseudonym_key
from workers.shipped import compile_policy_file, deploy_policy, known_rules
from workers.simulate import read_mapping_file

# More processes than these would wait for the disk, and each costs what its imports cost.
MOST_PROCESSES: Final = 8
# An own log of fewer events than these is read before other processes would have started.
WORTH_SHARING: Final = 20_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tried:
    """Which policies to try on which time; *policy* None: ``starter``, *limit*: so many of who came first.

    A policy that is compiled already keeps the calendars that it was compiled with.
    """

    policy: Path | Policy | None = None
    against: Path | None = None
    window: Window = field(default_factory=Window)
    limit: int | None = None

    def policies(self, on: date | None = None, until: date | None = None) -> list[Policy]:
        """Compile the policies, with the calendars of the years that are looked at.

        :raises PolicyError: one of them is none.
        """
        if self.policy is None:
            tried = deploy_policy("starter", on=on, until=until)
        elif isinstance(self.policy, Policy):
            tried = self.policy
        else:
            tried = compile_policy_file(self.policy, on=on, until=until)
        if self.against is None:
            return [tried]
        return [tried, compile_policy_file(self.against, on=on, until=until)]


@dataclass(frozen=True, slots=True)
class Foreign:
    """A foreign log; *data_dir* is where the pseudonym key is kept."""

    file: Path
    mapping: Path
    data_dir: Path
    pseudonym_key: Path | None = None


@dataclass(frozen=True, slots=True)
class Own:
    """An agency's own log, from the moment it begins to the present; *agency* is who works there."""

    name: str
    database_url: str = field(repr=False)
    agency: Agency
    begins: datetime
    now: datetime
    events: int


@contextmanager
def backtest_ocel(foreign: Foreign, tried: Tried) -> Iterator[BacktestReport]:
    """Try policies on a foreign log; the report reads what lies on disk until it is left.

    :raises SourceError: the log, the mapping or the key is not usable.
    :raises PolicyError: a policy is not.
    """
    began = time.monotonic()
    mapping = read_mapping_file(foreign.mapping)
    # What is wrong with them is told before the log is read.
    check_observes(mapping.observes, known_rules(*tried.policies()))
    pseudonyms = Pseudonyms(pseudonym_key(foreign.pseudonym_key, foreign.data_dir))
    with (
        TemporaryDirectory(prefix="rapport-backtest-") as directory,
        _Workers(parts_of(foreign.file)) as workers,
    ):
        place = Path(directory)
        interpreter = Interpreter(mapping, pseudonyms)
        dealt = deal(foreign.file, interpreter, place, limit=tried.limit, before=tried.window.before)
        policies = tried.policies(dealt.first.date(), dealt.last.date())
        judged_by = [restrict(policy, mapping.observes) for policy in policies]
        people = {each.person_id: each for each in dealt.people}
        agency = replace(agencies.initial(AGENCY), people=people)
        trial = Trial(tuple(judged_by), tried.window, dealt.until, place, nameless(agency))
        parts = [Part(trial, path, mapping, pseudonyms.key) for path in dealt.parts]
        judged = list(workers.each(judge_part, parts))
        yield BacktestReport(
            source=mapping.name,
            since=tried.window.since,
            until=dealt.until,
            read=dealt.read,
            applied=sum(each.applied for each in judged),
            beyond_limit=dealt.beyond_limit,
            later=dealt.later,
            left_aside=sum(each.left_aside for each in judged),
            examples=_examples(judged),
            verdicts=tuple(
                _verdict(judged, number, policy, kept, mapping.observes)
                for number, (policy, kept) in enumerate(zip(policies, judged_by, strict=True))
            ),
            seconds=time.monotonic() - began,
        )


@contextmanager
def backtest_own(own: Own, tried: Tried) -> Iterator[BacktestReport]:
    """Try policies on an agency's own log, which says itself who answered for whom and what was done.

    Nothing is restricted: a rule that the log never shows to be kept is said to be not judgeable.

    :raises PolicyError: a policy is not usable.
    """
    began = time.monotonic()
    until = tried.window.before or own.now
    policies = tried.policies(own.begins.date(), until.date())
    with TemporaryDirectory(prefix="rapport-backtest-") as directory:
        trial = Trial(tuple(policies), tried.window, until, Path(directory), nameless(own.agency))
        shares = 1 if own.events < WORTH_SHARING or tried.limit is not None else _processes()
        tasks = [
            Share(trial, own.name, own.database_url, share, shares, tried.limit) for share in range(shares)
        ]
        with _Workers(shares) as workers:
            judged = list(workers.each(judge_share, tasks))
        yield BacktestReport(
            source=own.name,
            since=tried.window.since,
            until=until,
            read=sum(each.read for each in judged),
            applied=sum(each.applied for each in judged),
            beyond_limit=0,
            later=sum(each.later for each in judged),
            left_aside=sum(each.left_aside for each in judged),
            examples=_examples(judged),
            verdicts=tuple(
                _verdict(judged, number, policy, policy, _shown(judged, number))
                for number, policy in enumerate(policies)
            ),
            seconds=time.monotonic() - began,
        )


def present() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


def _processes() -> int:
    return min(os.cpu_count() or 1, MOST_PROCESSES)


class _Workers:
    """Processes on every core where there are several; they start at once, while others still prepare."""

    def __init__(self, wanted: int) -> None:
        processes = min(wanted, _processes())
        self._pool: ProcessPoolExecutor | None = None
        if processes > 1:
            # Spawned: a fork would carry along whatever threads the caller has.
            self._pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))

    def __enter__(self) -> "_Workers":
        if self._pool is not None:
            self._pool.submit(present)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def each(self, work: Callable[[T], Judged], tasks: Sequence[T]) -> Iterator[Judged]:
        """Do the tasks."""
        yield from map(work, tasks) if self._pool is None else self._pool.map(work, tasks)


def _examples(judged: Sequence[Judged]) -> tuple[LeftAside, ...]:
    found = (aside for each in judged for aside in each.examples)
    return tuple(sorted(found, key=lambda aside: aside.place)[:SHOWN])


def _shown(judged: Sequence[Judged], number: int) -> set[str]:
    return {rule for each in judged for rule in each.shown[number]}


def _verdict(
    judged: Sequence[Judged], number: int, policy: Policy, kept: Policy, judgeable: Iterable[str]
) -> Verdict:
    tally = Tally()
    for each in judged:
        tally.add(each.tallies[number])
    shown = set(judgeable)
    return Verdict(
        policy=policy.name,
        rules=tuple(rule.id for rule in kept.obligations),
        not_judgeable=tuple(rule.id for rule in policy.obligations if rule.id not in shown),
        tally=tally,
        runs=tuple(path for each in judged for path in each.runs[number]),
    )
