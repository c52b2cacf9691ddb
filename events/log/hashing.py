"""The hashes that make a log's past checkable: of an event's content, and of the chains over them.

A stored format: change one byte of it and every log that exists stops verifying.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Final, Protocol
from uuid import UUID

from events.canonical import instant
from events.envelope import Actor, Draft, Origin, Stored

_FORMAT: Final = b"rapport-event-1"
_ABSENT: Final = b"\xff\xff\xff\xff"
_LENGTHS: Final = tuple([length.to_bytes(4, "big") for length in range(1024)])
_ID: Final = _LENGTHS[36]


class Envelope(Protocol):
    """What the hash reads alike of a draft and of a stored event."""

    @property
    def event_id(self) -> UUID: ...
    @property
    def type(self) -> str: ...
    @property
    def schema_version(self) -> int: ...
    @property
    def causation_id(self) -> UUID | None: ...
    @property
    def correlation_id(self) -> str | None: ...
    @property
    def actor(self) -> Actor: ...
    @property
    def source(self) -> str: ...
    @property
    def origin(self) -> Origin: ...
    @property
    def policy_digest(self) -> str | None: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def decided_at(self) -> datetime: ...


def draft_hash(draft: Draft, agency: str, stream: str, version: int, command_id: str, body: str) -> bytes:
    """Hash a draft as it will be stored: at its version, with its *body* already sealed."""
    return _content_hash(draft, agency, stream, version, command_id, body)


def stored_hash(event: Stored) -> bytes:
    """Hash a stored event's envelope and body, without its position and the moment of its recording."""
    return _content_hash(event, event.agency, event.stream, event.version, event.command_id, event.body)


def link(previous: bytes, following: bytes) -> bytes:
    """Chain one hash to the one before it; a chain begins with no bytes."""
    return hashlib.sha256(previous + following).digest()


def head_hash(chain_hashes: Iterable[bytes], previous: bytes = b"") -> bytes:
    """Chain the chain hashes of an agency's events, in the order of their positions."""
    for chain_hash in chain_hashes:
        previous = link(previous, chain_hash)
    return previous


def _content_hash(
    envelope: Envelope, agency: str, stream: str, version: int, command_id: str, body: str
) -> bytes:
    occurred_at = _piece(instant(envelope.occurred_at))
    together = envelope.decided_at is envelope.occurred_at
    actor, causation_id = envelope.actor, envelope.causation_id
    return hashlib.sha256(
        b"".join(
            (
                _FORMAT,
                _ID,
                str(envelope.event_id).encode(),
                _often(agency, stream),
                _piece(str(version)),
                _often(envelope.type, str(envelope.schema_version)),
                _piece(command_id),
                _ABSENT if causation_id is None else _piece(str(causation_id)),
                _piece(envelope.correlation_id),
                _often(actor.kind, actor.id, envelope.source, envelope.origin, envelope.policy_digest),
                occurred_at,
                occurred_at if together else _piece(instant(envelope.decided_at)),
                _piece(body),
            )
        )
    ).digest()


def _piece(part: str | None) -> bytes:
    if part is None:
        return _ABSENT
    raw = part.encode()
    length = len(raw)
    return (_LENGTHS[length] if length < 1024 else length.to_bytes(4, "big")) + raw


@lru_cache(maxsize=2048)
def _often(*parts: str | None) -> bytes:
    """Write neighbours that many events have in common: a look-up instead of the work."""
    return b"".join(map(_piece, parts))
