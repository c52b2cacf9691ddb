"""Encrypts what crosses Temporal under the key of the engagement it belongs to, or the agency's.

Decoding never raises for what a stranger sent: what cannot be opened is handed on as it is, with a note.
"""

import hashlib
import hmac
import secrets
import zlib
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ActivitySerializationContext,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from events.log.keys import AGENCY_SUBJECT, DIGEST_SUBJECT, DataKey, KeyDestroyed, KeyStore
from workflows.types import DIGEST_MARK, ENCRYPTED_MARK, POLLS_ID, SWEEP_ID, parse_workflow_id

ENCODING: Final = b"binary/encrypted"
NOTE: Final = "rapport-note"
# Whose key seals what belongs to Rapport itself, and to no agency.
SYSTEM: Final = "rapport"
# How the ids of its own workflows begin, and the subject of each one's key.
_OF_THE_SYSTEM: Final = {SWEEP_ID: "sweep", POLLS_ID: "polls"}
_AGENCY: Final = "rapport-agency"
_KEY: Final = "rapport-key"
_OURS: Final = "rapport-"
_NONCE: Final = 12
# What a run records of the log repeats itself: compressed it is a third, and Temporal writes it to disk.
_ZIP: Final = "rapport-zip"
_WORTH_IT: Final = 512
_LARGEST: Final = 16 * 2**20


class NoAgency(Exception):
    """A payload outside of any engagement needs an agency's key; give the codec its agency."""


class EngagementCodec(PayloadCodec, WithSerializationContext):
    """AES-256-GCM by engagement.  *agency* serves what belongs to no engagement."""

    def __init__(self, keys: KeyStore, agency: str | None = None, *, subject: str = AGENCY_SUBJECT) -> None:
        self._keys = keys
        self._agency = agency
        self._subject = subject

    def with_context(self, context: SerializationContext) -> "EngagementCodec":
        """Return the codec of the engagement, or of the system's work, whose workflow the context names."""
        if isinstance(context, WorkflowSerializationContext | ActivitySerializationContext):
            known = parse_workflow_id(context.workflow_id or "")
            if known is not None:
                return EngagementCodec(self._keys, known[0], subject=f"engagement:{known[1]}")
            for ours, subject in _OF_THE_SYSTEM.items():
                if (context.workflow_id or "").startswith(ours):
                    return EngagementCodec(self._keys, SYSTEM, subject=subject)
        return self

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt each payload, metadata included; what is encrypted already stays as it is."""
        return [each if _encrypted(each) else await self._seal(each) for each in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Open what is encrypted; mark how each payload came, and name its content by a keyed digest."""
        return [await self._open(each) for each in payloads]

    async def digest(self, data: bytes) -> str | None:
        """Name a content so that only holders of the agency's key can test a guess at it."""
        if self._agency is None:
            return None
        key = await self._keys.get_or_create(self._agency, DIGEST_SUBJECT)
        return hmac.new(key.secret, b"temporal payload|" + data, hashlib.sha256).hexdigest()

    async def _seal(self, payload: Payload) -> Payload:
        if self._agency is None:
            raise NoAgency(NoAgency.__doc__)
        key = await self._key(self._agency)
        nonce, plain = secrets.token_bytes(_NONCE), payload.SerializeToString()
        metadata = {"encoding": ENCODING, _AGENCY: self._agency.encode(), _KEY: str(key.id).encode()}
        zipped = len(plain) >= _WORTH_IT
        if zipped:
            plain, metadata[_ZIP] = zlib.compress(plain, 1), b"1"
        data = AESGCM(key.secret).encrypt(nonce, plain, _aad(self._agency, key.id, zipped))
        return Payload(metadata=metadata, data=nonce + data)

    async def _key(self, agency: str) -> DataKey:
        try:
            return await self._keys.get_or_create(agency, self._subject)
        except KeyDestroyed:
            # The workflow of an erased person still has to answer; its state holds nothing personal.
            return await self._keys.get_or_create(agency, AGENCY_SUBJECT)

    async def _open(self, payload: Payload) -> Payload:
        if not _encrypted(payload):
            opened, mark = _without_marks(payload), b"0"
        else:
            inner = await self._decrypt(payload)
            if inner is None:
                left = _without_marks(payload, keep=(_AGENCY, _KEY, _ZIP))
                left.metadata[NOTE] = b"cannot be opened: its key is destroyed, or it is not ours"
                return left
            opened, mark = _without_marks(inner), b"1"
        opened.metadata[ENCRYPTED_MARK] = mark
        digest = await self.digest(opened.data)
        if digest is not None:
            opened.metadata[DIGEST_MARK] = digest.encode()
        return opened

    async def _decrypt(self, payload: Payload) -> Payload | None:
        try:
            agency = payload.metadata.get(_AGENCY, b"").decode()
            key_id = UUID(payload.metadata.get(_KEY, b"").decode())
        except ValueError:
            return None
        if self._agency not in (None, agency):
            return None
        key = await self._keys.find_by_id(agency, key_id)
        if key is None:
            return None
        zipped = _ZIP in payload.metadata
        try:
            nonce, sealed = payload.data[:_NONCE], payload.data[_NONCE:]
            plain = AESGCM(key.secret).decrypt(nonce, sealed, _aad(agency, key_id, zipped))
            return Payload.FromString(_unzipped(plain) if zipped else plain)
        except (InvalidTag, ValueError, DecodeError, zlib.error):
            return None


def _encrypted(payload: Payload) -> bool:
    return payload.metadata.get("encoding") == ENCODING


def _aad(agency: str, key_id: UUID, zipped: bool) -> bytes:
    return f"rapport payload|{agency}|{key_id}{'|zip' if zipped else ''}".encode()


def _unzipped(data: bytes) -> bytes:
    # Only who has the key can have made it; bounded all the same.
    unzip = zlib.decompressobj()
    plain = unzip.decompress(data, _LARGEST)
    if not unzip.eof:
        raise ValueError("more than any payload holds")
    return plain


def _without_marks(payload: Payload, keep: Sequence[str] = ()) -> Payload:
    # A stranger could write our marks himself; only this codec's own may reach a workflow.
    metadata = {
        name: value for name, value in payload.metadata.items() if not name.startswith(_OURS) or name in keep
    }
    return Payload(metadata=metadata, data=payload.data)
