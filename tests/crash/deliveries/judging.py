"""Holds inbox and log against what was sent: each message once, in its place, each state right.

What should be is decided by the pure core alone, on the same messages in the order of the source's times.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from uuid import UUID

from events.canonical import instant
from events.decider import prepare
from events.envelope import Actor, Stored
from events.fold import fold
from events.orders import parse_order
from events.state import Engagement
from tests.crash.deliveries.lives import Told
from tests.crash.soak.ground import Ground
from workers.inbox.connections import Connection
from workers.inbox.store import Kept
from workers.verify import verify_agency

_PAGE = 1000


@dataclass
class Verdict:
    """What was found, and a sentence for everything that is not as it was promised."""

    states: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    twice: int = 0
    wrong_state: int = 0
    verified: int = 0
    mismatches: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Sent:
    """What was sent, and what the sender was told."""

    connection: Connection
    told: Sequence[Told]
    acknowledged: Counter[str]
    died: frozenset[str]
    """The messages that the gateway had kept when it died of them."""
    setup: frozenset[str]
    """The ids of the commands that were given before any message."""
    in_order: bool
    """Whether nothing could be overtaken, so that nothing may be."""


@dataclass(frozen=True)
class Evidence:
    """What is left when all has come to rest."""

    sent: Sent
    kept: Mapping[str, Kept]
    """By the sender's id of the message."""
    streams: Mapping[str, Sequence[Stored]]

    def command_id(self, told: Told) -> str:
        """Give the id under which a message's only command is given."""
        return f"hook:{self.kept[told.id].message_id}:0"


async def judge(ground: Ground, sent: Sent) -> Verdict:
    """Judge everything."""
    agency, log = sent.connection.agency, ground.having.log
    names = sorted({each.engagement for each in sent.told})
    streams = {each: await log.read_stream(agency, f"engagement:{each}") for each in names}
    evidence = Evidence(sent, await _kept(ground, sent), streams)
    verdict = Verdict()
    for each in sent.told:
        receipt = await _receipt(ground, evidence, each)
        _message(each, evidence, verdict, known=receipt)
    for name in names:
        _engagement(name, evidence, verdict)
    report = await verify_agency(log, ground.engagements(agency), agency)
    verdict.verified, verdict.mismatches = report.verified, report.mismatches
    unsound = [each for each in (*report.engagements, *report.others) if not each.sound]
    verdict.wrong += [f"{each.stream}: {each.reason}" for each in unsound]
    return verdict


async def _kept(ground: Ground, sent: Sent) -> dict[str, Kept]:
    """Find the messages in the inbox; those that are not there are left out."""
    inbox, agency = ground.having.inbox, sent.connection.agency
    found: dict[UUID, Kept] = {}
    last: UUID | None = None
    while page := await inbox.list(agency, after=last, limit=_PAGE):
        found |= {each.message_id: each for each in page}
        last = page[-1].message_id
    ids = {each.id: await inbox.message_id(sent.connection, each.id) for each in sent.told}
    return {key: found[message_id] for key, message_id in ids.items() if message_id in found}


async def _receipt(ground: Ground, evidence: Evidence, told: Told) -> bool:
    """Tell whether the log knows a message's command."""
    if told.id not in evidence.kept:
        return False
    stream, agency = f"engagement:{told.engagement}", evidence.sent.connection.agency
    return await ground.having.log.receipt(agency, stream, evidence.command_id(told)) is not None


def _message(told: Told, evidence: Evidence, verdict: Verdict, *, known: bool) -> None:
    """See that a message is kept and was applied, or superseded with a reason; *known*: to the log."""
    kept, acknowledged = evidence.kept.get(told.id), evidence.sent.acknowledged[told.id]
    if kept is None:
        verdict.lost += acknowledged > 0
        verdict.wrong.append(f"{told.id}: acknowledged {acknowledged} times and not in the inbox")
        return
    verdict.states[kept.state] += 1
    # Whoever was not answered has sent it again.
    if kept.deliveries < acknowledged + (told.id in evidence.sent.died):
        verdict.wrong.append(f"{told.id}: {kept.deliveries} deliveries counted, {acknowledged} acknowledged")
    if kept.state == "applied" and not known:
        verdict.lost += 1
        verdict.wrong.append(f"{told.id}: applied, and the log knows nothing of it")
    elif kept.state == "superseded" and (known or not kept.says):
        verdict.wrong.append(f"{told.id}: superseded without a reason, or applied all the same")
    elif kept.state not in ("applied", "superseded"):
        verdict.wrong.append(f"{told.id} ({told.name}): {kept.state}: {kept.says}")


def _engagement(name: str, evidence: Evidence, verdict: Verdict) -> None:
    events = evidence.streams[name]
    told = [each for each in evidence.sent.told if each.engagement == name]
    runs = Counter(command_id for command_id, _ in groupby(each.command_id for each in events))
    again = [each for each, count in runs.items() if count > 1]
    again += [str(each) for each, count in Counter(event.event_id for event in events).items() if count > 1]
    verdict.twice += len(again)
    verdict.wrong += [f"{name}: {each} is in the log twice" for each in again]
    if not all(each.id in evidence.kept for each in told):
        return
    _overtaken(told, evidence, verdict)
    for sentence in _differs(name, told, evidence):
        verdict.wrong_state += 1
        verdict.wrong.append(f"{name}: {sentence}")
    commands = {evidence.command_id(each): each.id for each in told}
    came = list(dict.fromkeys(commands[each.command_id] for each in events if each.command_id in commands))
    if evidence.sent.in_order and came != [each.id for each in told if each.id in came]:
        verdict.wrong.append(f"{name}: applied in another order than the source's")


def _overtaken(told: list[Told], evidence: Evidence, verdict: Verdict) -> None:
    """A message may be superseded only by a newer one about the same, which was applied."""
    applied = {each.about: each for each in told if evidence.kept[each.id].state == "applied"}
    for each in told:
        newer = None if each.about is None else applied.get(each.about)
        if evidence.kept[each.id].state == "superseded" and (newer is None or newer.at <= each.at):
            verdict.wrong.append(f"{each.id}: superseded, and nothing newer about the same was applied")


def _differs(name: str, told: list[Told], evidence: Evidence) -> list[str]:
    """Compare an engagement's fold with what the core makes of the messages in the source's order."""
    events = evidence.streams[name]
    base = max(each.version for each in events if each.command_id in evidence.sent.setup)
    wanted, found = fold(events[:base]), fold(events)
    overtaken: set[str] = set()
    for each in told:
        wanted = _decided(evidence.sent.connection.agency, each, wanted)
        _note_time(each, evidence, overtaken)
    if evidence.sent.in_order:
        pairs: list[tuple[object, object]] = [
            (wanted.interviews, found.interviews),
            (wanted.submissions, found.submissions),
        ]
    else:
        pairs = [(_standing(wanted, overtaken), _standing(found, overtaken))]
    return [f"it stands at {have}, and should at {want}" for want, have in pairs if want != have]


def _note_time(told: Told, evidence: Evidence, overtaken: set[str]) -> None:
    """Note the interviews whose time was told in vain: what is over by now is not moved any more."""
    if "starts_at" in told.fields:
        change = overtaken.add if evidence.kept[told.id].state == "superseded" else overtaken.discard
        change(told.fields["interview_id"])


def _standing(state: Engagement, overtaken: set[str]) -> dict[str, object]:
    """Give how each thing stands now; how often it changed before depends on what was superseded."""
    interviews = {
        key: (each.status, each.result, *(() if key in overtaken else (each.starts_at, each.ends_at)))
        for key, each in state.interviews.items()
    }
    return {**interviews, **{key: each.status for key, each in state.submissions.items()}}


def _decided(agency: str, told: Told, state: Engagement) -> Engagement:
    actor = Actor(kind="integration", id="dry-run")
    data = {**told.fields, "at": instant(told.at)}
    order = parse_order(told.name, data, command_id=told.id, actor_default=actor, source="dry-run")
    now = max(told.at, state.decided_at or told.at)
    return prepare(order, state, None, now, agency=agency, engagement_id=told.engagement).state
