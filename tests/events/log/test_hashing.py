"""The stored hashes, pinned: these values may never change."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from events.envelope import Actor, Draft
from events.log.hashing import draft_hash, head_hash, link

DRAFT = Draft(
    event_id=UUID(int=1),
    type="noted",
    schema_version=1,
    occurred_at=datetime(2026, 1, 5, 9, tzinfo=UTC),
    decided_at=datetime(2026, 1, 5, 9, 0, 0, 1, tzinfo=UTC),
    origin="business",
    actor=Actor(kind="person", id="p-1"),
    source="test",
    correlation_id="corr",
    body="{}",
)
PLACE: dict[str, Any] = {
    "agency": "a",
    "stream": "engagement:é",
    "version": 3,
    "command_id": "c",
    "body": "{}",
}


class TestDraftHash:
    def test_is_the_one_in_every_log_that_exists(self) -> None:
        assert (
            draft_hash(DRAFT, **PLACE).hex()
            == "1becb8e40826fca5714adc833875b0200ff53a5e7bcb881226f5c21313e280de"
        )

    @pytest.mark.parametrize(
        "change",
        [
            {"type": "other"},
            {"schema_version": 2},
            {"causation_id": UUID(int=2)},
            {"correlation_id": None},
            {"policy_digest": ""},
            {"source": "tes"},
            {"origin": "engine"},
            {"actor": Actor(kind="client", id="p-1")},
            {"occurred_at": datetime(2026, 1, 5, 9, 0, 0, 1, tzinfo=UTC)},
        ],
    )
    def test_covers_the_envelope(self, change: dict[str, Any]) -> None:
        assert draft_hash(DRAFT.model_copy(update=change), **PLACE) != draft_hash(DRAFT, **PLACE)

    @pytest.mark.parametrize("field", sorted(PLACE))
    def test_covers_the_place(self, field: str) -> None:
        moved = PLACE | {field: 4 if field == "version" else "x"}
        assert draft_hash(DRAFT, **moved) != draft_hash(DRAFT, **PLACE)


class TestHeadHash:
    def test_goes_on_from_a_published_one(self) -> None:
        chain = [bytes([number]) * 32 for number in range(4)]
        assert head_hash(chain[2:], head_hash(chain[:2])) == head_hash(chain)
        assert head_hash([chain[0]]) == link(b"", chain[0])
