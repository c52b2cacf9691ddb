"""The checks that need nothing but the records themselves: order, contents, chain, policies, head.

Each looks at its own matter only, so that what a forger recomputed for one of them another one still finds.
"""

import base64
import binascii
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from events.canonical import canonical
from events.envelope import Stored
from events.evidence.faults import Fault, shown
from events.evidence.records import EventKept, Evidence, Head, Links, PolicyKept
from events.log.hashing import link, stored_hash
from events.log.sealing import CIPHER_OVERHEAD

Kept = tuple[EventKept, Stored | None]


def kept_events(events: Sequence[EventKept], first: Evidence | None) -> list[Kept]:
    """Read events back as the log's; None beside those that cannot be."""
    agency = first.agency if first is not None else ""
    stream = f"engagement:{first.engagement}" if first is not None else ""
    return [(event, _stored(event, agency, stream)) for event in events]


def order_faults(events: Sequence[EventKept], promised: int | None) -> Iterator[Fault]:
    """Find events that are missing, come twice, or stand in another order; *promised* is their number."""
    versions = [event.version for event in events]
    times = Counter(versions)
    there = sorted(times)
    for version in [each for each in there if times[each] > 1]:
        yield Fault("order", f"event {version} comes more than once: one of them was put in", version)
    for before, after in pairwise([0, *there, (promised or max(there, default=0)) + 1]):
        if after - before > 1:
            yield _gap(before + 1, after - 1)
    for version in [each for each in there if promised is not None and each > promised]:
        yield Fault("order", f"event {version} was added: the file was made with {promised} events", version)
    if (fault := swapped(versions)) is not None:
        yield fault
    elif any(one.position >= other.position for one, other in pairwise(events)):
        yield Fault("order", "the positions of the events in the agency's log do not ascend")


def swapped(versions: Sequence[int]) -> Fault | None:
    """Say which events stand in one another's place."""
    right = sorted(versions)
    out = [place for place, version in enumerate(versions) if version != right[place]]
    if not out:
        return None
    if len(out) == 2:
        one, other = right[out[0]], right[out[1]]
        return Fault("order", f"events {one} and {other} were swapped", one)
    return Fault("order", f"the events stand in another order from event {right[out[0]]} on", right[out[0]])


def content_faults(events: Sequence[Kept]) -> Iterator[Fault]:
    """Find events whose content does not give their hash."""
    for event, stored in events:
        if stored is None or stored_hash(stored) != stored.content_hash:
            says = (
                f"the content of {named(event)} was edited: it does not give the hash that was written for it"
            )
            yield Fault("content", says, event.version)


def chain_faults(events: Sequence[Kept], head: Head | None) -> Iterator[Fault]:
    """Find events that do not follow from the one before; if that one is missing, that says enough."""
    known = {event.version: stored for event, stored in events if stored is not None}
    for version, stored in sorted(known.items()):
        before = known.get(version - 1)
        if before is None and version > 1:
            continue
        if link(before.chain_hash if before is not None else b"", stored.content_hash) != stored.chain_hash:
            says = f"event {version} ({shown(stored.type)}) does not follow from the event before it"
            yield Fault("chain", f"{says}: one of the two was replaced", version)
    last = known[max(known)] if known else None
    if (
        head is not None
        and last is not None
        and (last.version, last.chain_hash.hex())
        != (
            head.version,
            head.chain_hash,
        )
    ):
        says = f"the last event, {last.version}, is not the one at which the stream stood"
        yield Fault("chain", f"{says} when the file was made, {head.version}", last.version)


def opened_faults(events: Sequence[EventKept], personal: str | None) -> Iterator[Fault]:
    """Find opened values that do not belong to what the event's body names by hash."""
    for event in events:
        body = _body(event)
        for name, opened in event.opened.items():
            where = f"the opened value '{shown(name)}' of {named(event)}"
            sealed = body.get(name)
            ciphertext = _decoded(opened.ciphertext)
            digest = None if ciphertext is None else hashlib.sha256(ciphertext).hexdigest()
            if personal == "sealed":
                says = f"{where} was put in: the file was made without personal data"
                yield Fault("opened", says, event.version, name)
            elif ciphertext is None or sealed != {"sealed": digest}:
                says = f"{where} comes with a ciphertext that is not the one the event names"
                yield Fault("opened", says, event.version, name)
            elif len(canonical(opened.value).encode()) + CIPHER_OVERHEAD != len(ciphertext):
                yield Fault(
                    "opened", f"{where} was forged: what was sealed is of another length", event.version, name
                )


def policy_faults(
    policies: Sequence[PolicyKept], events: Sequence[EventKept], promised: int | None
) -> Iterator[Fault]:
    """Find policies whose text does not give their digest, that are missing, or that nobody named."""
    named_at: dict[str, int] = {}
    for event in events:
        for digest in digests_of(event):
            named_at.setdefault(digest, event.version)
    for policy in policies:
        digest = f"policy {shown(policy.name)} ({shown(policy.digest[:12])})"
        if policy.body is not None and hashlib.sha256(policy.body.encode()).hexdigest() != policy.digest:
            says = (
                f"the text of {digest} was replaced: it does not give the digest under which it was adopted"
            )
            yield Fault("policies", says, named_at.get(policy.digest), "body")
        if policy.digest not in named_at:
            yield Fault("policies", f"{digest} was put in: no event of the file names it", None, "digest")
    there = [each.digest for each in policies]
    for digest, version in named_at.items():
        if digest not in there:
            says = f"the policy {shown(digest[:12])}, which event {version} names, was removed or replaced"
            yield Fault("policies", says, version)
    if promised is not None and promised != len(policies):
        yield Fault("policies", f"the file was made with {promised} policies and holds {len(policies)}")


def head_faults(events: Sequence[Kept], links: Sequence[Links], head: Head | None) -> Iterator[Fault]:
    """Follow the links from the engagement's first event to the agency's head, its own among them."""
    if head is None or not links:
        return
    own = {stored.position: stored for _, stored in events if stored is not None}
    position, passed = links[0].first, 0
    try:
        reached = bytes.fromhex(links[0].before)
        for each in links:
            for foreign in each.hashes if each.first == position else ():
                mine = own.get(position)
                if (mine is None) == (foreign is None):
                    says = f"position {position} of the agency's log is an event's of this engagement"
                    missing = f"{says}, and the event is not there"
                    yield Fault(
                        "head",
                        missing if mine is None else f"at {_spoken(mine)}, the links name another event",
                    )
                    return
                reached = link(reached, mine.chain_hash if mine is not None else bytes.fromhex(foreign or ""))
                passed += mine is not None
                position += 1
    except ValueError:
        yield Fault("head", "a link to the agency's head is no hash any more")
        return
    if (position - 1, reached.hex(), passed) != (head.position, head.head_hash, len(own)):
        yield Fault("head", "the events do not lead to the head of the agency's log that the file names")


def digests_of(event: EventKept) -> tuple[str, ...]:
    """Name the policies that an event was decided under or that it adopts."""
    body = _body(event) if event.type == "policy-adopted" else {}
    adopted = body.get("digest")
    found = (event.policy_digest, adopted if isinstance(adopted, str) else None)
    return tuple(each for each in found if each is not None)


def named(event: EventKept) -> str:
    """Name an event in a sentence."""
    return f"event {event.version} ({shown(event.type)})"


def _gap(first: int, last: int) -> Fault:
    which = f"event {first} was" if first == last else f"events {first} to {last} were"
    return Fault("order", f"{which} removed", first)


def _spoken(stored: Stored) -> str:
    return f"position {stored.position}, which event {stored.version} claims"


def _stored(event: EventKept, agency: str, stream: str) -> Stored | None:
    try:
        return event.stored(agency, stream)
    except (ValueError, OverflowError):
        return None


def _body(event: EventKept) -> Mapping[str, object]:
    try:
        body = json.loads(event.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
