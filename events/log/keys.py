"""The keys that open personal data: whose they are, how they are wrapped, what destroying one means.

A destroyed key never comes back: asking for it again raises, so that nothing new is sealed to the erased.
"""

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

AGENCY_SUBJECT: Final = "agency"
DIGEST_SUBJECT: Final = "agency-digest"
_OWN_KEY: Final = ("engagement:", "candidate:", "job-order:")
_NONCE: Final = 12

K = TypeVar("K")
V = TypeVar("V")


class KeyDestroyed(Exception):
    """The key was destroyed to erase a person; nothing new may be sealed for this subject."""


class UnknownKek(Exception):
    """A key is wrapped under a key-encryption key that the settings do not name; add it to the list."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """A key for one subject: 32 secret bytes and an id that may be shown."""

    id: UUID
    secret: bytes = field(repr=False)
    cipher: AESGCM = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Made once a key, not once a value.
        object.__setattr__(self, "cipher", AESGCM(self.secret))


@dataclass(frozen=True, slots=True)
class Kek:
    """A key-encryption key: its id is stored beside what it wraps, its secret never."""

    id: str
    secret: bytes = field(repr=False)


class KeyStore(Protocol):
    """Keys by agency and subject, wherever they live."""

    async def get_or_create(self, agency: str, subject: str) -> DataKey:
        """Return the subject's key, made now if it is new.

        :raises KeyDestroyed: it was destroyed.
        """

    async def find(self, agency: str, subject: str) -> DataKey | None:
        """Return the subject's key, or None if it is destroyed or was never made."""

    async def find_by_id(self, agency: str, key_id: UUID) -> DataKey | None:
        """Return the key with this id, or None if it is destroyed or was never made."""

    async def destroy(self, agency: str, subject: str) -> None:
        """Erase the subject's key for ever, also one not made yet."""


def subject_of(stream: str) -> str:
    """Name the subject whose key seals a stream's personal fields, where an event names nobody else."""
    return stream if stream.startswith(_OWN_KEY) else AGENCY_SUBJECT


class Keyring:
    """The key-encryption keys in use: the first wraps, all of them unwrap."""

    def __init__(self, keks: Sequence[Kek]) -> None:
        if not keks or any(len(kek.secret) != 32 for kek in keks):
            raise ValueError("give at least one key-encryption key, each of 32 bytes")
        self._keks = {kek.id: AESGCM(kek.secret) for kek in keks}
        if len(self._keks) != len(keks):
            raise ValueError("two key-encryption keys have the same id")
        self.current = keks[0].id

    def wrap(self, agency: str, subject: str, key: DataKey) -> bytes:
        """Encrypt a key under the current key-encryption key."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._keks[self.current].encrypt(nonce, key.secret, _context(agency, subject, key.id))
        return nonce + sealed

    def unwrap(self, agency: str, subject: str, key_id: UUID, kek_id: str, wrapped: bytes) -> DataKey:
        """Decrypt a wrapped key.

        :raises UnknownKek: it was wrapped under a key-encryption key that is not in the ring.
        """
        kek = self._keks.get(kek_id)
        if kek is None:
            raise UnknownKek(f"keys are wrapped under {kek_id!r}, which the settings do not name; add it")
        nonce, sealed = wrapped[:_NONCE], wrapped[_NONCE:]
        return DataKey(key_id, kek.decrypt(nonce, sealed, _context(agency, subject, key_id)))


def _context(agency: str, subject: str, key_id: UUID) -> bytes:
    return "|".join((agency, subject, str(key_id))).encode()


def new_key() -> DataKey:
    """Make a key that nobody has seen."""
    return DataKey(uuid4(), secrets.token_bytes(32))


def development_kek(seed: str) -> Kek:
    """Derive a key-encryption key from a fixed text, for tests and a demo; it protects nothing."""
    return Kek(f"development-{seed}", hashlib.sha256(f"rapport development {seed}".encode()).digest())


class Cache(Generic[K, V]):
    """A bounded memory that forgets after *ttl* seconds, the least used first when it is full."""

    def __init__(self, size: int, ttl: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._size, self._ttl, self._clock = size, ttl, clock
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Return what was put, unless it is too old or was pushed out."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[0] <= self._clock():
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return entry[1]

    def put(self, key: K, value: V) -> None:
        """Keep a value for a while."""
        self._entries[key] = (self._clock() + self._ttl, value)
        self._entries.move_to_end(key)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()


class MemoryKeys:
    """Keys in this process only; the twin of the PostgreSQL adapter."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], DataKey | None] = {}

    async def get_or_create(self, agency: str, subject: str) -> DataKey:
        """Return the subject's key, made now if it is new."""
        key = self._keys.setdefault((agency, subject), new_key())
        if key is None:
            raise KeyDestroyed(f"the key of {subject} is destroyed; nothing new can be sealed for it")
        return key

    async def find(self, agency: str, subject: str) -> DataKey | None:
        """Return the subject's key, or None if it is destroyed or was never made."""
        return self._keys.get((agency, subject))

    async def find_by_id(self, agency: str, key_id: UUID) -> DataKey | None:
        """Return the key with this id, or None if it is destroyed or was never made."""
        found = (key for (owner, _), key in self._keys.items() if owner == agency and key is not None)
        return next((key for key in found if key.id == key_id), None)

    async def destroy(self, agency: str, subject: str) -> None:
        """Erase the subject's key for ever, also one not made yet."""
        self._keys[agency, subject] = None
