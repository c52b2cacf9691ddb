"""One soak from its first kill to its verdict.

Its figures come from the log, the mail server and our own file: never from a process that was killed.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from events.clock import ClockSpec
from gateway.demo.run import BEGINNING
from gateway.demo.scenario import Scenario, shipped_scenarios
from tests.crash.soak.acknowledgements import Acknowledgements
from tests.crash.soak.ground import Ground, ground, left_over
from tests.crash.soak.judging import Findings, judge, verify_all
from tests.crash.soak.kills import planned
from tests.crash.soak.letters import Post
from tests.crash.soak.report import Figures
from tests.crash.soak.rest import at_rest
from tests.crash.soak.rounds import Rounds, lanes, shortest

Say = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    seed: int
    minutes: float
    rate: float
    small: bool = False


async def soak(options: Options, place: Path, say: Say) -> Figures:
    """Play and kill for so many minutes, let everything come to rest, and judge."""
    clock = ClockSpec(origin=BEGINNING, started=datetime.now(UTC), rate=options.rate)
    began = time.monotonic()
    findings = Findings()
    with closing(Acknowledgements(place / "acknowledged.jsonl")) as told:
        async with ground(options.seed, clock, place) as at:
            rounds = Rounds(at, *_scale(options), told)
            await _play_and_kill(options, at, rounds, say)
            say(f"{len(at.kills)} kills, {told.count} commands acknowledged; waiting until all is at rest")
            findings.wrong += await at_rest(at, rounds.agencies)
            say("verifying")
            await verify_all(at, rounds.agencies, findings)
            post = await judge(at, rounds.agencies, told, rounds.played, findings)
            pids = at.worker.pids
    findings.wrong += [f"{name} was not ended" for name in await left_over(place, pids)]
    return _figures(options, at, rounds, findings, post, time.monotonic() - began)


def _scale(options: Options) -> tuple[list[Scenario], int]:
    """Say what is played, and how many rounds at a time."""
    scenarios = shipped_scenarios()
    return (shortest(scenarios, 2), 1) if options.small else (scenarios, lanes(scenarios))


async def _play_and_kill(options: Options, at: Ground, rounds: Rounds, say: Say) -> None:
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(rounds.go_on_until(over))
        group.create_task(_kill_until(over, options.seed, at, say))
        await asyncio.sleep(options.minutes * 60)
        over.set()


async def _kill_until(over: asyncio.Event, seed: int, at: Ground, say: Say) -> None:
    began = time.monotonic()
    for blow in planned(seed):
        try:
            async with asyncio.timeout(blow.after):
                await over.wait()
            return
        except TimeoutError:
            pass
        say(f"{time.monotonic() - began:7.1f} s  killing {' and '.join(blow.targets)}")
        await at.strike(blow)


def _figures(
    options: Options, at: Ground, rounds: Rounds, findings: Findings, post: Post, seconds: float
) -> Figures:
    kinds = Counter("+".join(["two"] * kill.together + [kill.target]) for kill in at.kills)
    return Figures(
        seed=options.seed,
        minutes=options.minutes,
        seconds=round(seconds, 1),
        rounds=len(rounds.agencies),
        scenarios=len(rounds.played),
        overtaken=findings.overtaken,
        commands_acknowledged=rounds.told.count,
        kills=dict(sorted(kinds.items())),
        worker_restarts=len(at.worker.pids) - 1,
        worker_fell=at.worker.fell,
        servers_died_alone=len(at.died_alone),
        engagements=findings.engagements,
        verified=findings.verified,
        mismatches=findings.mismatches,
        commands_lost=findings.lost,
        commands_doubled=findings.doubled,
        messages=post.received,
        cut_within_data=at.mail.cut_within,
        duplicates_inside_data=post.duplicates.get("inside-data", 0),
        duplicates_before_their_record=post.duplicates.get("before-its-record", 0),
        duplicates_elsewhere=post.duplicates.get("elsewhere", 0),
        messages_lost=len(post.lost),
        messages_given_up=findings.failed_unknown,
        wrong=findings.wrong,
    )
