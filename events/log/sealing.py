"""Turns drafts into what is stored: personal values sealed apart from the body, contents hashed.

A sealed value is bound to its agency, event and field: moved anywhere else, it does not open.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

from events.canonical import canonical
from events.envelope import AppendRequest, CommandGroup, Draft
from events.log.boxes import OVERHEAD, find_and_open, shut
from events.log.hashing import draft_hash
from events.log.keys import DIGEST_SUBJECT, DataKey, KeyStore, subject_of

_read: Final = json.JSONDecoder().raw_decode
# By how many bytes a ciphertext is longer than the canonical JSON that was sealed.
CIPHER_OVERHEAD: Final = OVERHEAD


class SealedEvent(NamedTuple):
    """An event as it will be stored, but for its place in the log."""

    draft: Draft
    version: int
    command_id: str
    body: str
    sealed: dict[str, str]
    content_hash: bytes


class SealedGroup(NamedTuple):
    """A command's receipt to be, with its events."""

    group: CommandGroup
    digest: bytes
    first: int
    events: tuple[SealedEvent, ...]

    @property
    def last(self) -> int:
        """The last version, or one before the first if there is no event."""
        return self.first + len(self.events) - 1

    @property
    def needs_open(self) -> bool:
        """Whether it holds what a closed stream may not have."""
        return any(not event.draft.after_close for event in self.events)

    @property
    def imported(self) -> bool:
        """Whether it holds an event from an import."""
        return any(event.draft.origin == "imported" for event in self.events)

    @property
    def business(self) -> bool:
        """Whether it holds an event of the running business."""
        return any(event.draft.origin == "business" for event in self.events)


class SealedRequest(NamedTuple):
    """A request ready for the database."""

    request: AppendRequest
    groups: tuple[SealedGroup, ...]
    events: tuple[SealedEvent, ...]

    @property
    def closes(self) -> bool:
        """Whether the stream is closed afterwards."""
        return any(sealed.group.closes for sealed in self.groups)

    @property
    def late_command(self) -> str | None:
        """The first command whose events come after a closing one and may not."""
        closed = False
        for sealed in self.groups:
            if closed and sealed.needs_open:
                return sealed.group.command_id
            closed = closed or sealed.group.closes
        return None


async def seal_request(request: AppendRequest, keys: KeyStore) -> SealedRequest:
    """Seal and hash a request's events at the versions they get if the writer's expectation holds.

    A key is asked for only where there is something to seal: of the erased, bare facts can still be recorded.

    :raises KeyDestroyed: the person is erased, so nothing personal can be written for them.
    :raises ValueError: a command id comes twice in the request.
    """
    agency, stream = request.agency, request.stream
    if len(request.groups) > 1 and len({group.command_id for group in request.groups}) < len(request.groups):
        raise ValueError(f"a command id comes twice in one request to {stream}; send each once")
    digest_key = await keys.get_or_create(agency, DIGEST_SUBJECT)
    version = request.expected
    groups: list[SealedGroup] = []
    everything: tuple[SealedEvent, ...] = ()
    for group in request.groups:
        first, command_id = version + 1, group.command_id
        events: list[SealedEvent] = []
        for draft in group.drafts:
            version += 1
            body, sealed = await _sealed_body(request, draft, keys) if draft.personal else (draft.body, {})
            content_hash = draft_hash(draft, agency, stream, version, command_id, body)
            events.append(SealedEvent(draft, version, command_id, body, sealed, content_hash))
        made = tuple(events)
        groups.append(SealedGroup(group, input_digest(digest_key, group.input), first, made))
        everything += made
    return SealedRequest(request, tuple(groups), everything)


def input_digest(key: DataKey, text: str) -> bytes:
    """Digest a command's canonical input so that only the key's holder can guess at it."""
    return hmac.digest(key.secret, text.encode(), "sha256")


async def _sealed_body(request: AppendRequest, draft: Draft, keys: KeyStore) -> tuple[str, dict[str, str]]:
    # Canonical JSON has nothing around the value: spares the search for it.
    values: dict[str, Any] = _read(draft.body)[0]
    for field in draft.personal:
        if values.get(field) is not None:
            key = await keys.get_or_create(request.agency, draft.key_subject or subject_of(request.stream))
            return seal_values(values, draft, request.agency, key)
    return draft.body, {}


def seal_values(
    values: dict[str, Any], draft: Draft, agency: str, key: DataKey
) -> tuple[str, dict[str, str]]:
    """Replace each personal value by the hash of its ciphertext; returns the body and the ciphertexts."""
    sealed: dict[str, str] = {}
    for field in draft.personal:
        if values.get(field) is None:
            continue
        ciphertext = shut(key, canonical(values[field]).encode(), agency, str(draft.event_id), field)
        values[field] = {"sealed": hashlib.sha256(ciphertext).hexdigest()}
        sealed[field] = base64.b64encode(ciphertext).decode()
    return canonical(values), sealed


async def open_sealed(
    agency: str, event_id: UUID, sealed: Mapping[str, str], keys: KeyStore
) -> dict[str, str]:
    """Open the values whose keys still exist, as JSON texts; the others are left out."""
    opened: dict[str, str] = {}
    for field, text in sealed.items():
        ciphertext = base64.b64decode(text)
        plain = await find_and_open(keys, agency, ciphertext, str(event_id), field)
        if plain is not None:
            opened[field] = plain.decode()
    return opened


def ciphertext_hashes(sealed: Mapping[str, str]) -> dict[str, str]:
    """Hash each ciphertext as the body names it."""
    return {field: hashlib.sha256(base64.b64decode(text)).hexdigest() for field, text in sealed.items()}
