"""The plain case of an append, which most are: one agency, streams that go on, nothing that needs judging.

What is not plain is refused as a whole, by us here or by the database, and goes to ``append_many``.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple

import asyncpg

from events.canonical import canonical
from events.log.rows import Row
from events.log.sealing import SealedEvent, SealedRequest

APPEND_ONWARD: Final = "SELECT * FROM rapport.append_onward($1, $2, $3, $4, $5)"
_NOT_PLAIN: Final = "RP001"
_stream: Final = itemgetter(0)


class Prepared(NamedTuple):
    """A request with its rows, laid out in the caller's own turn, while the database works for others.

    *plain* tells whether the database may find it so; only then there are rows.
    """

    sealed: SealedRequest
    plain: bool
    groups: list[tuple[Any, ...]]
    events: list[tuple[Any, ...]]
    hashes: bytes


def prepare(sealed: SealedRequest) -> Prepared:
    """Lay a request out for :data:`APPEND_ONWARD`, if it may go that way."""
    if not _is_plain(sealed):
        return Prepared(sealed, False, [], [], b"")
    stream = sealed.request.stream
    groups = [
        (stream, each.group.command_id, each.digest, each.first, each.last, each.group.outcome)
        for each in sealed.groups
    ]
    events = [_event_row(stream, event) for event in sealed.events]
    return Prepared(sealed, True, groups, events, b"".join([event.content_hash for event in sealed.events]))


def onward_arguments(batch: Sequence[Prepared]) -> tuple[Any, ...] | None:
    """Join prepared requests into what ``append_onward`` takes first; None if they are not plain together."""
    agency = batch[0].sealed.request.agency
    requests: list[tuple[Any, ...]] = []
    groups: list[tuple[Any, ...]] = []
    events: list[tuple[Any, ...]] = []
    for each in batch:
        request = each.sealed.request
        if not each.plain or request.agency != agency:
            return None
        place, epoch = len(events) + 1, request.run_epoch or 0
        requests.append((request.stream, request.expected, request.acked, epoch, place, each.hashes))
        groups += each.groups
        events += each.events
    # Streams are locked in this order, by everybody.
    requests.sort(key=_stream)
    return (agency, requests, groups, events) if events else None


def is_refusal(error: asyncpg.PostgresError) -> bool:
    """Tell whether the database found something that must be judged; it has written nothing."""
    return isinstance(error, asyncpg.UniqueViolationError) or error.sqlstate == _NOT_PLAIN


def answers(batch: Sequence[Prepared], answer: Row) -> list[Row]:
    """Deal the one answer out, as ``append_many`` answers each request."""
    rows: list[Row] = []
    done = 0
    position, recorded_at, chain_hashes = answer["position"], answer["recorded_at"], answer["chain_hashes"]
    for each in batch:
        upto = done + len(each.events)
        row: dict[str, Any] = {
            "status": "appended",
            "position": position + done,
            "recorded_at": recorded_at,
            "chain_hashes": chain_hashes[done:upto],
        }
        rows.append(row)
        done = upto
    return rows


def _is_plain(sealed: SealedRequest) -> bool:
    if sealed.request.expected == 0:
        return False
    for group in sealed.groups:
        command = group.group
        if command.closes or command.claims or command.releases:
            return False
    return all([event.draft.origin != "imported" for event in sealed.events])


def _event_row(stream: str, event: SealedEvent) -> tuple[Any, ...]:
    draft = event.draft
    actor = draft.actor
    return (
        stream,
        event.version,
        draft.event_id,
        draft.type,
        draft.schema_version,
        event.command_id,
        draft.causation_id,
        draft.correlation_id,
        actor.kind,
        actor.id,
        draft.source,
        draft.origin,
        draft.policy_digest,
        draft.occurred_at,
        draft.decided_at,
        event.body,
        canonical(event.sealed) if event.sealed else None,
        event.content_hash,
    )
