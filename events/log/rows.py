"""Moves events between Rapport's types and the database's rows and arrays.

The order of the tuples is the order of the SQL types' attributes, here and in the migrations.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from events.canonical import canonical
from events.envelope import Actor, Stored
from events.log.port import StreamHead
from events.log.sealing import SealedEvent, SealedRequest

EVENT_COLUMNS: Final = (
    "agency, position, stream, version, event_id, type, schema_version, command_id, causation_id, "
    "correlation_id, actor_kind, actor_id, source, origin, policy_digest, occurred_at, decided_at, "
    "recorded_at, body, sealed, content_hash, chain_hash"
)
HEAD_COLUMNS: Final = (
    "agency, stream, version, acked_version, poked_version, run_epoch, phase, poked_at, poked_run, clock"
)


class Row(Protocol):
    """What a database's record and a plain mapping have in common."""

    def __getitem__(self, name: str, /) -> Any: ...


def stored_from_row(row: Row, opened: dict[str, str]) -> Stored:
    """Read an event from a row of the events table."""
    return Stored(
        position=row["position"],
        event_id=row["event_id"],
        agency=row["agency"],
        stream=row["stream"],
        version=row["version"],
        type=row["type"],
        schema_version=row["schema_version"],
        command_id=row["command_id"],
        causation_id=row["causation_id"],
        correlation_id=row["correlation_id"],
        actor=Actor(kind=row["actor_kind"], id=row["actor_id"]),
        source=row["source"],
        origin=row["origin"],
        policy_digest=row["policy_digest"],
        occurred_at=row["occurred_at"],
        decided_at=row["decided_at"],
        recorded_at=row["recorded_at"],
        body=row["body"],
        opened=opened,
        content_hash=row["content_hash"],
        chain_hash=row["chain_hash"],
    )


def stored_from_sealed(
    request: SealedRequest, event: SealedEvent, position: int, recorded_at: datetime, chain_hash: bytes
) -> Stored:
    """Make the stored event of a draft that has just found its place."""
    draft, of = event.draft, request.request
    return Stored.trusted(
        {
            "position": position,
            "event_id": draft.event_id,
            "agency": of.agency,
            "stream": of.stream,
            "version": event.version,
            "type": draft.type,
            "schema_version": draft.schema_version,
            "command_id": event.command_id,
            "causation_id": draft.causation_id,
            "correlation_id": draft.correlation_id,
            "actor": draft.actor,
            "source": draft.source,
            "origin": draft.origin,
            "policy_digest": draft.policy_digest,
            "occurred_at": draft.occurred_at,
            "decided_at": draft.decided_at,
            "recorded_at": recorded_at,
            "body": event.body,
            "opened": {},
            "content_hash": event.content_hash,
            "chain_hash": chain_hash,
        }
    )


def head_from_row(row: Row) -> StreamHead:
    """Read where a stream stands."""
    return StreamHead(**{name: row[name] for name in HEAD_COLUMNS.split(", ")})


def append_arguments(requests: Sequence[SealedRequest]) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Lay requests out as the four arrays that ``append_many`` takes."""
    rows: tuple[list[Any], list[Any], list[Any], list[Any]] = ([], [], [], [])
    for number, sealed in enumerate(requests, 1):
        request = sealed.request
        events = sealed.events
        rows[0].append(
            (
                request.agency,
                request.stream,
                request.expected,
                request.acked,
                request.run_epoch,
                len(events),
                sealed.closes,
                sealed.late_command,
            )
        )
        rows[1].extend(_group_rows(number, sealed))
        rows[2].extend(_event_row(number, sealed, event) for event in events)
        rows[3].extend(_claim_rows(number, sealed))
    return rows


def _group_rows(number: int, sealed: SealedRequest) -> list[Any]:
    return [
        (
            number,
            sealed.request.agency,
            sealed.request.stream,
            group.group.command_id,
            group.digest,
            group.first,
            group.last,
            group.group.outcome,
            group.needs_open,
            group.imported,
            group.business,
        )
        for group in sealed.groups
    ]


def _event_row(number: int, sealed: SealedRequest, event: SealedEvent) -> tuple[Any, ...]:
    draft = event.draft
    return (
        number,
        sealed.request.agency,
        sealed.request.stream,
        event.version,
        draft.event_id,
        draft.type,
        draft.schema_version,
        event.command_id,
        draft.causation_id,
        draft.correlation_id,
        draft.actor.kind,
        draft.actor.id,
        draft.source,
        draft.origin,
        draft.policy_digest,
        draft.occurred_at,
        draft.decided_at,
        event.body,
        canonical(event.sealed) if event.sealed else None,
        event.content_hash,
    )


def _claim_rows(number: int, sealed: SealedRequest) -> list[Any]:
    request = sealed.request
    return [
        (number, request.agency, request.stream, group.group.command_id, release, claim.kind, claim.key)
        for group in sealed.groups
        for release, claims in ((True, group.group.releases), (False, group.group.claims))
        for claim in claims
    ]
