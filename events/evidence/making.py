"""Puts evidence together: what was read from a log becomes lines, a list of the lines, and a signature.

What it is given has been verified before: nobody signs what does not hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from events.canonical import instant
from events.envelope import Stored
from events.evidence.faults import shown
from events.evidence.lines import entry_of, event_kept, line_of, manifest_of
from events.evidence.records import (
    LINKS_A_LINE,
    EventKept,
    Evidence,
    FindingTold,
    Head,
    Links,
    PolicyKept,
    PromiseTold,
    Record,
    Summary,
)
from events.evidence.signing import SigningKey

_SEALED = "Personal values are sealed: each stands here as the hash of its ciphertext."
_OPENED = (
    "Personal values are opened beside the ciphertext whose hash the event names; that the value is what was "
    "sealed is vouched for by the signature."
)


@dataclass(frozen=True, slots=True)
class Told:
    """What the record says in plain words; each event's sentence by its version."""

    events: Mapping[int, str]
    summary: Summary
    promises: Sequence[PromiseTold] = ()
    findings: Sequence[FindingTold] = ()


@dataclass(frozen=True, slots=True)
class Material:
    """An engagement as a log holds it, up to the moment at which the agency's head was read."""

    agency: str
    engagement: str
    events: Sequence[Stored]
    policies: Sequence[PolicyKept]
    head: Head
    links: Sequence[Links] = ()
    ciphertexts: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    personal: bool = False


def make(material: Material, told: Told, key: SigningKey, *, made_at: datetime, made_by: str) -> bytes:
    """Write the whole file."""
    records: list[Record] = [
        _first(material, made_at, made_by),
        told.summary,
        *told.promises,
        *told.findings,
        *material.policies,
        *(_event(material, stored, told.events[stored.version]) for stored in material.events),
        *material.links,
        material.head,
    ]
    records.append(manifest_of(tuple(entry_of(each, _names(each)) for each in records)))
    content = b"".join(line_of(each) + b"\n" for each in records)
    return content + key.signature_line(content) + b"\n"


def links_of(own: Sequence[int], before: bytes, hashes: Sequence[bytes]) -> tuple[Links, ...]:
    """Lay the agency's chain hashes out from the first of the *own* positions on, those left out.

    *before* is the agency's head hash as it was before that position.
    """
    first, mine = own[0], set(own)
    told = [None if first + place in mine else each.hex() for place, each in enumerate(hashes)]
    return tuple(
        Links(
            first=first + place,
            before=before.hex() if place == 0 else "",
            hashes=tuple(told[place : place + LINKS_A_LINE]),
        )
        for place in range(0, len(told), LINKS_A_LINE)
    )


def _first(material: Material, made_at: datetime, made_by: str) -> Evidence:
    says = (
        f"Engagement {material.engagement} at agency {material.agency}, one JSON object a line: "
        "a summary, each promise, what a person should look at, the policies in force, each event with its "
        "hashes, where the agency's log stood, a list of the lines, and a signature over all of it. "
        f"{_OPENED if material.personal else _SEALED} "
        "'rapport evidence check FILE' checks it without a database."
    )
    return Evidence(
        agency=material.agency,
        engagement=material.engagement,
        says=says,
        made_at=instant(made_at),
        made_by=made_by,
        personal="opened" if material.personal else "sealed",
        events=len(material.events),
        policies=len(material.policies),
        links=bool(material.links),
    )


def _event(material: Material, stored: Stored, says: str) -> EventKept:
    return event_kept(stored, says, material.ciphertexts.get(stored.version, {}) if material.personal else {})


def _names(record: Record) -> str:
    match record:
        case EventKept():
            return f"event {record.version} ({record.type})"
        case PolicyKept():
            return f"policy {shown(record.name)} ({record.digest[:12]})"
        case PromiseTold():
            return f"promise {record.rule} of {record.subject}"
        case FindingTold():
            return f"finding {record.kind} of event {record.version}"
        case _:
            return record.record
