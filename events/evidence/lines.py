"""Records to lines and back: one way to write each, so that no byte can change unnoticed.

A forged line may hold anything that is JSON, or nothing that is: reading one never raises.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from events.canonical import canonical, instant
from events.envelope import Stored
from events.evidence.records import (
    Entry,
    EventKept,
    Evidence,
    FindingTold,
    Head,
    Links,
    Manifest,
    Opened,
    PolicyKept,
    PromiseTold,
    Record,
    Summary,
)

Fields = dict[str, Any]
_SHORT: Final = 8
KINDS: Final[Mapping[str, type[Record]]] = {
    kind.model_fields["record"].default: kind
    for kind in (
        Evidence, Summary, PromiseTold, FindingTold, PolicyKept, EventKept, Links, Head, Manifest
    )
}  # fmt: skip


def line_of(record: Record) -> bytes:
    """Write a record as its line, without the end of the line."""
    return written(record.model_dump(mode="json"))


def written(fields: Fields) -> bytes:
    """Write plain data in the one way that a line may be written in; keys stay in their order."""
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def parsed(line: bytes) -> Fields | None:
    """Read a line back; None if it is not exactly what :func:`written` writes."""
    try:
        fields = json.loads(line)
        return fields if isinstance(fields, dict) and written(fields) == line else None
    except (ValueError, RecursionError):
        return None


def record_of(fields: Fields) -> Record | None:
    """Give the record that a line's fields make up; None if they make up none."""
    kind = KINDS.get(name) if isinstance(name := fields.get("record"), str) else None
    try:
        return kind.model_validate(fields) if kind is not None else None
    except ValidationError:
        return None


def event_kept(stored: Stored, says: str, ciphertexts: Mapping[str, str]) -> EventKept:
    """Keep an event; of its opened values those whose *ciphertexts* are given."""
    opened = {
        name: Opened(value=json.loads(text), ciphertext=ciphertexts[name])
        for name, text in sorted(stored.opened.items())
        if name in ciphertexts
    }
    return EventKept(
        **stored.model_dump(include={"version", "type", "source", "origin", "body", "policy_digest"}),
        **stored.model_dump(include={"schema_version", "command_id", "correlation_id", "position"}),
        says=says,
        actor=stored.actor,
        opened=opened,
        occurred_at=instant(stored.occurred_at),
        decided_at=instant(stored.decided_at),
        recorded_at=instant(stored.recorded_at),
        event_id=str(stored.event_id),
        causation_id=None if stored.causation_id is None else str(stored.causation_id),
        content_hash=stored.content_hash.hex(),
        chain_hash=stored.chain_hash.hex(),
    )


def entry_of(record: Record, names: str) -> Entry:
    """Write down what a line is."""
    line = line_of(record)
    fields = json.loads(line)
    digest = hashlib.sha256(line).hexdigest()
    return Entry(record=record.record, key=record.key, names=names, sha256=digest, fields=short(fields))


def short(fields: Fields) -> dict[str, str]:
    """Digest each field of a line, those of an event's body one by one: to name a field, not to prove it."""
    flat: Fields = {}
    for name, value in fields.items():
        inner = _inner(name, value) if fields.get("record") == "event" else None
        if inner is None:
            flat[name] = value
        else:
            flat.update({f"{name}.{each}": of for each, of in inner.items()})
    return {name: _digest(value)[:_SHORT] for name, value in flat.items()}


def manifest_of(entries: tuple[Entry, ...]) -> Manifest:
    """Close the list of lines."""
    return Manifest(lines=entries, sha256=entries_digest(entries))


def entries_digest(entries: tuple[Entry, ...]) -> str:
    """Digest a manifest's entries."""
    return hashlib.sha256(canonical([each.model_dump() for each in entries]).encode()).hexdigest()


def _inner(name: str, value: Any) -> Fields | None:
    if name == "opened" and isinstance(value, dict):
        return value
    if name != "body" or not isinstance(value, str):
        return None
    try:
        body = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _digest(value: Any) -> str:
    # A forger's text may hold what canonical JSON has no form for.
    try:
        return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
    except RecursionError:
        return ""
