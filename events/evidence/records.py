"""The format ``rapport-evidence-1``: one JSON record a line, from what the file is to its signature.

A stored format that others keep: fields and records are added, never renamed or given another meaning.
"""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from events.canonical import parse_instant
from events.envelope import Actor, Stored

FORMAT: Final = "rapport-evidence-1"
FAMILY: Final = "rapport-evidence-"
HASHES: Final = ("content_hash", "chain_hash")
# A line holds this many links at most.
LINKS_A_LINE: Final = 1000


class Record(BaseModel):
    """One line; what a later version added is left alone, since hashes cover the line as it is written."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    record: str

    @property
    def key(self) -> str:
        """Tell it from the others of its kind."""
        return ""


class Evidence(Record):
    """The first line: what this file is, of whom, and what is in it."""

    record: Literal["evidence"] = "evidence"
    format: str = FORMAT
    agency: str
    engagement: str
    says: str = Field(description="what this is and how it is checked, in plain words")
    made_at: str
    made_by: str = Field(description="name and version of the program")
    personal: Literal["sealed", "opened"]
    events: int
    policies: int
    links: bool = Field(description="whether the file leads to the agency's head, event by event")


class Summary(Record):
    """What happened, in plain words."""

    record: Literal["summary"] = "summary"
    says: tuple[str, ...]
    promises: dict[str, int]


class PromiseTold(Record):
    """One promise: what it was, what became of it, and in which events that stands."""

    record: Literal["promise"] = "promise"
    obligation_id: str
    rule: str
    subject: str
    says: str
    opened_at: str
    due_at: str
    outcome: str
    owner: str | None
    met_at: str | None
    breached: bool
    excused: str | None
    level: int
    events: tuple[int, ...]

    @property
    def key(self) -> str:
        """Give the promise's id."""
        return self.obligation_id


class FindingTold(Record):
    """What a person should look at."""

    record: Literal["finding"] = "finding"
    kind: str
    version: int
    says: str

    @property
    def key(self) -> str:
        """Give its kind and the event it is computed from."""
        return f"{self.kind}:{self.version}"


class PolicyKept(Record):
    """A policy that governed, as the exact text whose SHA-256 is its digest; no text where none was kept."""

    record: Literal["policy"] = "policy"
    digest: str
    name: str | None
    body: str | None

    @property
    def key(self) -> str:
        """Give its digest."""
        return self.digest


class Opened(BaseModel):
    """A personal value beside the ciphertext whose hash the event's body names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Any
    ciphertext: str


class EventKept(Record):
    """An event as the log holds it: envelope, exact body, both hashes; ``says`` tells it in plain words."""

    record: Literal["event"] = "event"
    version: int
    says: str
    type: str
    occurred_at: str
    decided_at: str
    recorded_at: str
    actor: Actor
    source: str
    origin: Literal["business", "engine", "imported"]
    body: str
    opened: dict[str, Opened]
    policy_digest: str | None
    schema_version: int
    event_id: str
    command_id: str
    causation_id: str | None
    correlation_id: str | None
    position: int
    content_hash: str
    chain_hash: str

    @property
    def key(self) -> str:
        """Give the event's id."""
        return self.event_id

    def stored(self, agency: str, stream: str) -> Stored:
        """Read it back as an event of a log.

        :raises ValueError: a time, an id or a hash in it is none.
        """
        times = {name: parse_instant(getattr(self, name)) for name in ("occurred_at", "decided_at")}
        given = self.model_dump(exclude={"record", "says", "opened", *times, *HASHES})
        hashes = {name: bytes.fromhex(getattr(self, name)) for name in HASHES}
        return Stored.model_validate({**given, **times, **hashes, "agency": agency, "stream": stream})


class Links(Record):
    """The chain hashes of the agency's log from a position on; null where this engagement's own event stands.

    *before* is the head hash that the first of them is chained to.
    """

    record: Literal["links"] = "links"
    first: int
    before: str
    hashes: tuple[str | None, ...]

    @property
    def key(self) -> str:
        """Give the first position."""
        return str(self.first)


class Head(Record):
    """Where stream and agency stood when the file was made."""

    record: Literal["head"] = "head"
    version: int
    chain_hash: str
    position: int
    head_hash: str


class Entry(BaseModel):
    """What one line was when the file was made; the short digests tell which of its fields is another now."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    record: str
    key: str
    names: str
    sha256: str
    fields: dict[str, str]


class Manifest(Record):
    """What the lines before it were; *sha256* is of the entries themselves."""

    record: Literal["manifest"] = "manifest"
    lines: tuple[Entry, ...]
    sha256: str
