"""Reads the rows that ``append_many`` answers with.

The database tells a caller everything but events that were stored before; those are read afterwards,
which is safe because they never change.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from events.envelope import Stored
from events.log.port import (
    Appended,
    AppendResult,
    CommandIdReused,
    Fenced,
    StreamClosed,
    Taken,
    WrongPhase,
)
from events.log.rows import Row, stored_from_sealed
from events.log.sealing import SealedRequest


@dataclass(frozen=True, slots=True)
class Stale:
    """A conflict; the events after the expected version are to be read."""

    version: int
    known: dict[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """Every group was appended before; their events, from version to version, are to be read."""

    version: int
    spans: tuple[tuple[int, int], ...]
    outcomes: dict[str, str]


def judge(sealed: SealedRequest, row: Row) -> AppendResult | Stale | Known:
    """Turn one row into a result, or into what must be read to make one.

    :raises WrongPhase: imported events for a live stream, or others for one being imported.
    """
    match row["status"]:
        case "appended":
            return _appended(sealed, row)
        case "known":
            spans = zip(row["firsts"], row["lasts"], strict=True)
            return Known(row["version"], spans_of(spans), _outcomes(row))
        case "conflict":
            return Stale(row["version"], _outcomes(row))
        case "reused":
            return CommandIdReused(row["command_id"])
        case "taken":
            return Taken(row["command_id"], row["kind"], row["key"], row["holder"])
        case "fenced":
            return Fenced(row["run_epoch"])
        case "closed":
            return StreamClosed(row["command_id"])
        case _:
            raise misplaced(sealed.request.stream)


def spans_of(receipts: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Put receipts' versions in order, without the commands that led to no event."""
    return tuple(sorted((first, last) for first, last in receipts if last >= first))


def misplaced(stream: str) -> WrongPhase:
    """Say what an append to this stream got wrong about its import."""
    return WrongPhase(
        f"{stream}: imported events go only to a stream that is being imported, business events never there"
    )


def _appended(sealed: SealedRequest, row: Row) -> Appended:
    position, recorded_at = row["position"], row["recorded_at"]
    events: list[Stored] = []
    for event, chain_hash in zip(sealed.events, row["chain_hashes"] or (), strict=True):
        events.append(stored_from_sealed(sealed, event, position + len(events), recorded_at, chain_hash))
    outcomes = {group.group.command_id: group.group.outcome for group in sealed.groups}
    return Appended(sealed.request.expected + len(events), tuple(events), outcomes)


def _outcomes(row: Row) -> dict[str, str]:
    return dict(zip(row["known"] or (), row["outcomes"] or (), strict=True))
