"""Holds the log against what was promised: every acknowledgement once, every message known, every story told.

It reads the log with the product's own code and trusts nothing that a killed process has said.
"""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from events.envelope import Stored
from events.log.port import EventLog
from gateway.demo.conditions import unfulfilled
from tests.crash.soak.acknowledgements import Acknowledgement, Acknowledgements
from tests.crash.soak.ground import Ground
from tests.crash.soak.letters import Post, examine
from tests.crash.soak.rounds import Played
from workers.verify import Report, verify_agency

_PAGE = 1000


@dataclass
class Findings:
    """What was found, and a sentence for everything that is not as it was promised."""

    engagements: int = 0
    verified: int = 0
    mismatches: int = 0
    lost: int = 0
    doubled: int = 0
    failed_unknown: int = 0
    overtaken: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Mentioned:
    """The Message-IDs in ledger and log; those sent with the attempt that is known to have left."""

    claimed: set[str]
    sent: dict[str, int]


async def verify_all(ground: Ground, agencies: Sequence[str], findings: Findings) -> None:
    """Do what ``rapport verify --all`` does, for every agency."""
    for agency in agencies:
        report = await verify_agency(ground.having.log, ground.engagements(agency), agency)
        findings.engagements += len(report.engagements)
        findings.verified += report.verified
        findings.mismatches += report.mismatches
        findings.wrong += _broken(report)


async def judge(
    ground: Ground,
    agencies: Sequence[str],
    told: Acknowledgements,
    played: Sequence[Played],
    findings: Findings,
) -> Post:
    """Compare everything else; returns what the messages came to."""
    read_at = time.monotonic()
    promised: dict[str, list[Acknowledgement]] = defaultdict(list)
    for each in told:
        promised[each.agency].append(each)
    mentioned = Mentioned(set(), {})
    for agency in agencies:
        streams = await _streams(ground.having.log, agency)
        for name, events in streams.items():
            findings.doubled += _doubled(agency, name, events, findings.wrong)
        for each in promised[agency]:
            if sentence := await _missing(ground.having.log, each, streams.get(each.stream, [])):
                findings.lost += 1
                findings.wrong.append(sentence)
        mentioned.claimed.update(await _claimed(ground, agency))
        _mention(streams.values(), mentioned, findings)
        for play in played:
            if play.agency == agency:
                theirs = {each: streams.get(f"engagement:{each}", []) for each in play.scenario.engagements}
                _ending(play, theirs, findings)
    post = examine(ground.mail.deliveries, ground.kills, mentioned.sent, mentioned.claimed, read_at=read_at)
    findings.wrong += [f"message {each} is said to be sent and never came" for each in post.lost]
    findings.wrong += [f"message {each} came more often than the log has attempts" for each in post.untold]
    findings.wrong += [f"message {each} came and was never claimed" for each in post.unknown_to_log]
    findings.wrong += [f"message {each} came twice, and no kill explains it" for each in post.elsewhere]
    return post


async def _streams(log: EventLog, agency: str) -> dict[str, list[Stored]]:
    streams: dict[str, list[Stored]] = defaultdict(list)
    after = 0
    while page := await log.read_all(agency, after=after, limit=_PAGE):
        for event in page:
            streams[event.stream].append(event)
        after = page[-1].position
    return streams


def _doubled(agency: str, stream: str, events: Sequence[Stored], wrong: list[str]) -> int:
    """Count commands whose events stand apart, event ids that come twice, and versions that are not dense."""
    runs = Counter(command_id for command_id, _ in groupby(event.command_id for event in events))
    ids = Counter(event.event_id for event in events)
    twice = [command_id for command_id, count in runs.items() if count > 1]
    found = len(twice) + sum(count > 1 for count in ids.values())
    wrong += [f"{agency} {stream}: command {each} is in the log twice" for each in twice]
    if [event.version for event in events] != list(range(1, len(events) + 1)):
        wrong.append(f"{agency} {stream}: its versions are not dense")
        found += 1
    return found


async def _missing(log: EventLog, told: Acknowledgement, events: Sequence[Stored]) -> str | None:
    """Say what the log lacks of an acknowledged command."""
    name = f"{told.agency} {told.stream}: {told.command_id}"
    receipt = await log.receipt(told.agency, told.stream, told.command_id)
    if receipt is None:
        return f"{name} was acknowledged and has no receipt"
    mine = [event for event in events if event.command_id == told.command_id]
    if [event.version for event in mine] != list(range(receipt.first, receipt.last + 1)):
        return f"{name} has a receipt for {receipt.first} to {receipt.last} and other events"
    if told.outcome != receipt.outcome:
        return f"{name} was answered with {told.outcome}, and the log has {receipt.outcome}"
    if told.events is not None and [event.type for event in mine] != list(told.events):
        return f"{name} was answered with {told.events}, and the log has other events"
    if mine and told.events is not None and told.version != mine[-1].version:
        return f"{name} was answered at version {told.version}, and stands at {mine[-1].version}"
    return None


async def _claimed(ground: Ground, agency: str) -> set[str]:
    """Read every Message-ID that was ever claimed; those of a digest share one."""
    found: set[str] = set()
    after: tuple[str, int] | None = None
    while page := await ground.having.ledger.list(agency, after=after, limit=_PAGE):
        found |= {each.message_id for each in page}
        after = (page[-1].effect_id, page[-1].attempt)
    return found


def _mention(streams: Iterable[Sequence[Stored]], mentioned: Mentioned, findings: Findings) -> None:
    for events in streams:
        for event in events:
            if event.type == "outreach-sent":
                body = json.loads(event.body)
                known = mentioned.sent.get(body["message_id"], 1)
                mentioned.sent[body["message_id"]] = max(known, body.get("attempt", 1))
            elif event.type == "outreach-failed":
                body = json.loads(event.body)
                if body["reason"] == "outcome-unknown":
                    findings.failed_unknown += 1
                else:
                    findings.wrong.append(f"a message of {event.stream} failed: {body['reason']}")


def _ending(play: Played, streams: Mapping[str, Sequence[Stored]], findings: Findings) -> None:
    """A story that a crash overtook must have got to its stage; one in quiet times to all it announces."""
    if play.failed is not None:
        findings.wrong.append(f"{play.agency}: {play.failed}")
    missed = [play.broken] if play.broken is not None else []
    missed += unfulfilled(play.scenario, streams)
    at_stage = not any("at stage" in each for each in missed)
    if not missed:
        return
    if play.hit and at_stage:
        findings.overtaken += 1
        return
    findings.wrong += [f"{play.agency}: {each}" for each in missed]


def _broken(report: Report) -> list[str]:
    verdicts = [each for each in (*report.engagements, *report.others) if not each.sound]
    found = [f"{report.agency} {each.stream}: {each.reason}" for each in verdicts]
    if report.missing:
        found.append(f"{report.agency}: positions {report.missing[:5]} are missing")
    elif not report.head_sound:
        found.append(f"{report.agency}: the head's hash is not that of its events")
    return found
