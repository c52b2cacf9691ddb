"""Tries a policy on the past: a foreign log through a mapping, or an agency's own.

Nothing is written but to a directory of its own, which goes when the report is done with.
"""

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from events.agency import Entry
from events.policy import Policy
from events.sources.interpreter import Interpreter
from events.sources.mapping import restrict
from events.sources.plan import LeftAside
from events.sources.pseudonyms import Pseudonyms
from workers.backtest.judging import SHOWN, Judged, Part, Trial, judge_part
from workers.backtest.ocel import Dealt, deal
from workers.backtest.report import BacktestReport, Person, Verdict
from workers.backtest.tally import Tally, Window
from workers.pseudonym_key import pseudonym_key
from workers.shipped import compile_policy_file, deploy_policy
from workers.simulate import read_mapping_file

# More processes than these would wait for the disk, and each costs what its imports cost.
MOST_PROCESSES: Final = 8


@dataclass(frozen=True, slots=True)
class OcelOptions:
    """What to try on a foreign log.  *policy* None: ``starter``; *data_dir* keeps the pseudonym key."""

    file: Path
    mapping: Path
    data_dir: Path
    policy: Path | None = None
    against: Path | None = None
    since: datetime | None = None
    before: datetime | None = None
    limit: int | None = None
    pseudonym_key: Path | None = None


def policies_of(policy: Path | None, against: Path | None) -> list[Policy]:
    """Compile the policy to try, and the one to put beside it.

    :raises PolicyError: one of them is none.
    """
    tried = deploy_policy("starter") if policy is None else compile_policy_file(policy)
    return [tried] if against is None else [tried, compile_policy_file(against)]


@contextmanager
def backtest_ocel(options: OcelOptions) -> Iterator[BacktestReport]:
    """Try a policy on a foreign log; the report reads what lies on disk until it is left.

    :raises SourceError: the log, the mapping or the key is not usable.
    :raises PolicyError: a policy is not.
    """
    began = time.monotonic()
    mapping = read_mapping_file(options.mapping)
    policies = policies_of(options.policy, options.against)
    judged_by = [restrict(policy, mapping.observes) for policy in policies]
    pseudonyms = Pseudonyms(pseudonym_key(options.pseudonym_key, options.data_dir))
    with TemporaryDirectory(prefix="rapport-backtest-") as directory:
        place = Path(directory)
        interpreter = Interpreter(mapping, pseudonyms)
        dealt = deal(options.file, interpreter, place, limit=options.limit, before=options.before)
        trial = Trial(tuple(judged_by), Window(options.since, options.before), dealt.until, place)
        parts = [Part(trial, path, mapping, pseudonyms.key) for path in dealt.parts]
        judged = list(_judge(parts))
        yield BacktestReport(
            source=mapping.name,
            since=options.since,
            until=dealt.until,
            read=dealt.read,
            applied=sum(each.applied for each in judged),
            beyond_limit=dealt.beyond_limit,
            later=dealt.later,
            left_aside=sum(each.left_aside for each in judged),
            examples=_examples(judged),
            verdicts=_verdicts(judged, policies, judged_by, dealt),
            seconds=time.monotonic() - began,
        )


def _judge(parts: Sequence[Part]) -> Iterator[Judged]:
    """Judge the parts, on every core where there is more than one part."""
    processes = min(len(parts), os.cpu_count() or 1, MOST_PROCESSES)
    if processes < 2:
        yield from map(judge_part, parts)
        return
    # Spawned: a fork would carry along whatever threads the caller has.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(judge_part, parts)


def _examples(judged: Sequence[Judged]) -> tuple[LeftAside, ...]:
    found = (aside for each in judged for aside in each.examples)
    return tuple(sorted(found, key=lambda aside: aside.place)[:SHOWN])


def _verdicts(
    judged: Sequence[Judged], policies: Sequence[Policy], restricted: Sequence[Policy], dealt: Dealt
) -> tuple[Verdict, ...]:
    lines = {each.person_id: each for each in dealt.people}
    verdicts = []
    for number, (policy, kept) in enumerate(zip(policies, restricted, strict=True)):
        tally = Tally()
        for each in judged:
            tally.add(each.tallies[number])
        observed = {rule.id for rule in kept.obligations}
        verdicts.append(
            Verdict(
                policy=policy.name,
                rules=tuple(rule.id for rule in kept.obligations),
                not_judgeable=tuple(rule.id for rule in policy.obligations if rule.id not in observed),
                tally=tally,
                runs=tuple(path for each in judged for path in each.runs[number]),
                people={
                    (to, owner): _person(lines, to, owner)
                    for _, to, owner, _ in tally.weeks
                    if to != "candidate"
                },
            )
        )
    return tuple(verdicts)


def _person(lines: dict[str, Entry], to: str, owner: str | None) -> Person:
    line = lines.get(owner or "")
    if to == "owner" or line is None:
        return Person(owner, "owner")
    return Person(line.team_lead if to == "team-lead" else line.director, to)
