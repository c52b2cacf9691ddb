"""The stored shape of an event: who, when, why, beside the body that says what.

These are stored formats: fields are never renamed, and none may hold personal data in clear.
"""

from datetime import datetime
from hashlib import sha1
from typing import Any, Final, Literal
from uuid import UUID, SafeUUID

from pydantic import BaseModel, ConfigDict, Field

from events.kinds import Id

Origin = Literal["business", "engine", "imported"]
ActorKind = Literal["candidate", "person", "client", "integration", "engine", "operator"]
Category = Literal["engagement", "job-order", "agency", "candidate"]

# The root of every derived id; fixed for ever.
NAMESPACE: Final = UUID("79b22749-9dc1-471b-9930-f475c79cbb97")
_ROOT: Final = NAMESPACE.bytes
# The bits that say variant and version 5, and all the others.
_FIXED: Final = 0x8000 << 48 | 5 << 76
_FREE: Final = ~(0xC000 << 48 | 0xF000 << 64)
_new = object.__new__
_slots: Any = vars(UUID)
_put_number, _put_safety = _slots["int"].__set__, _slots["is_safe"].__set__
_UNKNOWN: Final = SafeUUID.unknown
_VARIANTS: Final = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def category_of(stream: str) -> str:
    """Name the category of a stream, e.g. ``engagement`` of ``engagement:e-1``."""
    return stream.partition(":")[0]


def event_id(agency: str, stream: str, command_id: str, ordinal: int) -> UUID:
    """Derive the id of a command's *ordinal*-th event (from 0)."""
    return derived_id(agency, stream, command_id, str(ordinal))


def derived_id(*parts: str) -> UUID:
    """Derive an id from parts that hold nothing personal; each part is length-prefixed."""
    # What uuid5 makes, without what it checks: ids are given by the million.
    number = int.from_bytes(_hashed(parts).digest()[:16], "big")
    identity = _new(UUID)
    _put_number(identity, number & _FREE | _FIXED)
    _put_safety(identity, _UNKNOWN)
    return identity


def derived_text(*parts: str) -> str:
    """Derive the same id as :func:`derived_id` does, written out."""
    digits = _hashed(parts).hexdigest()
    variant = _VARIANTS[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def _hashed(parts: tuple[str, ...]) -> Any:
    name = ""
    for part in parts:
        name += f"{len(part)}:{part}"
    return sha1(_ROOT + name.encode(), usedforsecurity=False)


class Actor(BaseModel):
    """Who caused an event: a kind and an opaque id, never a name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ActorKind
    id: Id


ENGINE: Final = Actor(kind="engine", id="rapport")


class Claim(BaseModel):
    """A thing that only one stream of an agency may hold, e.g. one live submission per person and job."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    key: str


class Draft(BaseModel):
    """An event on its way to the log: its body still in clear, its personal fields named."""

    model_config = ConfigDict(frozen=True)

    event_id: UUID
    type: str
    schema_version: int
    occurred_at: datetime
    decided_at: datetime
    origin: Origin
    actor: Actor
    source: str
    causation_id: UUID | None = None
    correlation_id: str | None = None
    policy_digest: str | None = None
    body: str = Field(description="canonical JSON of the event's own fields, personal ones in clear")
    personal: tuple[str, ...] = ()
    key_subject: str | None = Field(default=None, description="whose key seals it; None: the stream's")
    after_close: bool = Field(default=False, description="may be appended to a closed stream")


class CommandGroup(BaseModel):
    """What one command leads to: its events (perhaps none), and what it claims and releases."""

    model_config = ConfigDict(frozen=True)

    command_id: str
    input: str = Field(description="the command's canonical input, in clear; stored only as a keyed digest")
    outcome: str = Field(description="accepted, refused, nothing-to-do, or message-refused")
    drafts: tuple[Draft, ...] = ()
    claims: tuple[Claim, ...] = ()
    releases: tuple[Claim, ...] = ()
    closes: bool = Field(default=False, description="the stream is closed once these events are in")


class AppendRequest(BaseModel):
    """One stream's command groups, to be appended together or not at all."""

    model_config = ConfigDict(frozen=True)

    agency: str
    stream: str
    expected: int = Field(description="the version the writer decided at; 0 for a new stream")
    acked: int = Field(default=0, description="the version the writer has folded")
    run_epoch: int | None = Field(
        default=None, description="fences stale writers; None for streams without one"
    )
    groups: tuple[CommandGroup, ...]


class Stored(BaseModel):
    """An event as the log holds it."""

    model_config = ConfigDict(frozen=True)

    position: int = Field(description="dense per agency, from 1, in commit order")
    event_id: UUID
    agency: str
    stream: str
    version: int
    type: str
    schema_version: int
    command_id: str
    causation_id: UUID | None
    correlation_id: str | None
    actor: Actor
    source: str
    origin: Origin
    policy_digest: str | None
    occurred_at: datetime
    decided_at: datetime
    recorded_at: datetime
    body: str = Field(
        description="canonical JSON; each personal value is {'sealed': sha256 of its ciphertext}"
    )
    opened: dict[str, str] = Field(
        default_factory=dict, description="personal fields that were opened for this reader, as JSON texts"
    )
    content_hash: bytes = b""
    chain_hash: bytes = b""

    @classmethod
    def trusted(cls, values: dict[str, Any]) -> "Stored":
        """Make one of a value for every field, all of them valid already: an eighth of the time.

        What ``model_construct`` does, without its look at every field.
        """
        made = cls.__new__(cls)
        put = object.__setattr__
        put(made, "__dict__", values)
        # One set for all: a frozen model never adds to its own, and a copy gets a copy.
        put(made, "__pydantic_fields_set__", _ALL_OF_STORED)
        put(made, "__pydantic_extra__", None)
        put(made, "__pydantic_private__", None)
        return made


_ALL_OF_STORED: Final = set(Stored.model_fields)
