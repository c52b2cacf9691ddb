"""Checks that nobody has touched the past: dense versions, whole chains, bodies that match their hashes.

Pure: it judges rows that somebody read, and needs no key.  The chain speaks for the past only as far
as a head was published; an owner of the database can rewrite all of it at once.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from events.envelope import Stored
from events.log.hashing import head_hash, link, stored_hash
from events.log.sealing import ciphertext_hashes


@dataclass(frozen=True, slots=True)
class Broken:
    """The first version of a stream that is not as it was written, and why, in one sentence."""

    stream: str
    version: int
    reason: str


def broken_at(
    events: Sequence[Stored], ciphertexts: Mapping[int, Mapping[str, str]] | None = None
) -> Broken | None:
    """Find the first broken version of one whole stream, read from version 1; None if it is sound.

    *ciphertexts* maps versions to their sealed fields; without it only the bodies are checked.
    """
    previous = b""
    for expected, event in enumerate(events, 1):
        reason = _fault(expected, event, previous)
        if reason is None and ciphertexts is not None:
            reason = _sealed_fault(event, ciphertexts.get(event.version, {}))
        if reason is not None:
            return Broken(event.stream, expected, reason)
        previous = event.chain_hash
    return None


def missing_positions(positions: Iterable[int], *, upto: int) -> list[int]:
    """Name the positions from 1 to *upto* that an agency's log lacks: each was deleted."""
    present = set(positions)
    return [position for position in range(1, upto + 1) if position not in present]


def head_is_sound(events: Sequence[Stored], published: bytes) -> bool:
    """Tell whether an agency's events, read from position 1, lead to the head hash that was published."""
    return head_hash(event.chain_hash for event in events) == published


def _fault(expected: int, event: Stored, previous: bytes) -> str | None:
    if event.version != expected:
        return f"version {expected} is missing: version {event.version} comes next"
    if stored_hash(event) != event.content_hash:
        return f"the content of version {expected} is not what was written"
    if link(previous, event.content_hash) != event.chain_hash:
        return f"version {expected} does not follow from the version before it"
    return None


def _sealed_fault(event: Stored, sealed: Mapping[str, str]) -> str | None:
    body = json.loads(event.body)
    hashes = ciphertext_hashes(sealed)
    named = {
        field: value["sealed"]
        for field, value in body.items()
        if isinstance(value, dict) and set(value) == {"sealed"}
    }
    for field in sorted(named.keys() | hashes.keys()):
        if named.get(field) != hashes.get(field):
            return f"the sealed value of {field} in version {event.version} is not the one that was written"
    return None
