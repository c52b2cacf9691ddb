"""Evidence in plain words: each event's sentence, what became of every promise, and a summary.

Without personal data no word of a person's may stand in it: what was not opened is told as sealed.
"""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from events import catalogue as e
from events.canonical import instant
from events.codec import decode
from events.envelope import Stored
from events.evidence.findings import findings
from events.evidence.making import Material, Told
from events.evidence.records import FindingTold, PromiseTold, Summary
from events.fold import annulled_ids, fold
from events.ledger import Entry, Outcome, ledger_of
from gateway import words

SEALED: Final = "(sealed)"
# Each outcome of a promise, as a part of a sentence.
OUTCOMES: Final[dict[Outcome, str]] = {
    "kept": "kept in time",
    "kept-recorded-late": "kept in time and recorded late",
    "kept-late": "kept late",
    "breached": "broken and never kept",
    "excused": "excused",
    "dropped": "dropped, since nobody waited for it any more",
    "open": "still open",
    "overdue": "broken and still open",
    "superseded": "replaced when an event was annulled",
}


def told(material: Material) -> Told:
    """Tell an engagement's record."""
    events = material.events
    entries = list(ledger_of(events).values())
    found = tuple(findings(events))
    annulled = annulled_ids(events)
    says = {
        each.version: words.say(decode(each), erased=SEALED)
        + (" [annulled]" if each.event_id in annulled else "")
        for each in events
    }
    versions = _versions(events)
    promises = tuple(_promise(each, versions.get(str(each.obligation_id), ())) for each in entries)
    return Told(says, _summary(material, entries, found), promises, found)


def _versions(events: Sequence[Stored]) -> dict[str, tuple[int, ...]]:
    """Find the events of each promise."""
    found: dict[str, list[int]] = {}
    for stored in events:
        body: dict[str, Any] = json.loads(stored.body)
        if isinstance(key := body.get("obligation_id"), str):
            found.setdefault(key, []).append(stored.version)
    return {key: tuple(each) for key, each in found.items()}


def _promise(entry: Entry, versions: tuple[int, ...]) -> PromiseTold:
    return PromiseTold(
        obligation_id=str(entry.obligation_id),
        rule=entry.rule,
        subject=entry.subject,
        says=_said(entry),
        opened_at=instant(entry.opened_at),
        due_at=instant(entry.due_at),
        outcome=entry.outcome,
        owner=entry.owner,
        met_at=None if entry.met_at is None else instant(entry.met_at),
        breached=entry.breach is not None,
        excused=entry.excused,
        level=entry.level,
        events=versions,
    )


def _said(entry: Entry) -> str:
    said = [
        f"{entry.rule} for {words.subject(entry.subject)}, owed by {entry.owner or 'nobody'}: opened "
        f"{words.moment(entry.opened_at)}, due {words.moment(entry.due_at)}"
    ]
    if entry.level:
        said.append(f"raised to level {entry.level}")
    end = OUTCOMES[entry.outcome]
    if entry.outcome in ("excused", "dropped"):
        end += f" ({(entry.excused if entry.outcome == 'excused' else entry.dropped) or 'no reason'})"
    if entry.met_at is not None and entry.outcome in ("kept", "kept-late", "kept-recorded-late"):
        end += f" on {words.moment(entry.met_at)}"
    if entry.breach is not None and entry.outcome not in ("breached", "overdue"):
        end = f"recorded as broken; {end}"
    return f"{'; '.join(said)}; {end}."


def _summary(material: Material, entries: Sequence[Entry], found: Sequence[FindingTold]) -> Summary:
    events = material.events
    state = fold(events)
    counts = Counter(each.outcome for each in entries)
    of = ", ".join(f"{counts[name]} {text}" for name, text in OUTCOMES.items() if counts[name])
    raised = [each for each in entries if each.level]
    says = [
        f"Engagement {material.engagement}: {len(events)} events from {words.moment(_first(events))} to "
        f"{words.moment(events[-1].decided_at)}; it is at stage {state.stage}.",
        f"Policies in force: {_policies(material)}.",
        f"{len(entries)} {'promise' if len(entries) == 1 else 'promises'}: {of or 'none'}.",
    ]
    if raised:
        highest = max(each.level for each in raised)
        says.append(f"{len(raised)} of them were raised to somebody, up to level {highest}.")
    refused = sum(each.type == "command-refused" for each in events)
    says.append(
        f"Gates refused {refused} times, and {_count(found, 'gate-bypassed')} times what they guard happened."
    )
    says.append(f"{len(found)} things to look at.")
    return Summary(says=tuple(says), promises={name: counts[name] for name in OUTCOMES})


def _first(events: Sequence[Stored]) -> datetime:
    return min(each.occurred_at for each in events)


def _count(found: Sequence[FindingTold], kind: str) -> int:
    return sum(each.kind == kind for each in found)


def _policies(material: Material) -> str:
    names = {each.digest: each.name for each in material.policies}
    told = []
    for stored in material.events:
        if stored.type == "policy-adopted":
            event: e.PolicyAdopted = decode(stored)
            name = names.get(event.digest) or event.name
            told.append(f"{name} ({event.digest[:12]}) from event {stored.version} on")
    return "; ".join(told) or "none"
