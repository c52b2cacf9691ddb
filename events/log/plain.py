"""The plain case of an append, which most are: one agency, streams that go on, nothing that needs judging.

What is not plain is refused as a whole, by us here or by the database, and goes to ``append_many``.
"""

from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from events.log.rows import Row
from events.log.sealing import SealedRequest

APPEND_PLAIN: Final = "SELECT * FROM rapport.append_plain($1, $2, $3, $4)"
_NOT_PLAIN: Final = "RP001"


def is_plain(batch: Sequence[SealedRequest]) -> bool:
    """Tell whether the database may find all of these plain."""
    agency = batch[0].request.agency
    return any(sealed.events for sealed in batch) and all(
        sealed.request.agency == agency
        and sealed.request.expected > 0
        and not any(
            group.imported or group.group.closes or group.group.claims or group.group.releases
            for group in sealed.groups
        )
        for sealed in batch
    )


def is_refusal(error: asyncpg.PostgresError) -> bool:
    """Tell whether the database found something that must be judged; it has written nothing."""
    return isinstance(error, asyncpg.UniqueViolationError) or error.sqlstate == _NOT_PLAIN


def answers(batch: Sequence[SealedRequest], answer: Row) -> list[Row]:
    """Deal the one answer out, as ``append_many`` answers each request."""
    rows: list[Row] = []
    done = 0
    for sealed in batch:
        upto = done + len(sealed.events)
        row: dict[str, Any] = {
            "status": "appended",
            "position": answer["position"] + done,
            "recorded_at": answer["recorded_at"],
            "chain_hashes": answer["chain_hashes"][done:upto],
        }
        rows.append(row)
        done = upto
    return rows
