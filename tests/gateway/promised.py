"""Promises put into the tables as they would stand there, without the lives that led to them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

NOW: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
# What a language's rules sort otherwise than code points do.
ENGAGEMENTS: Final = ("e-1", "e-10", "e-2", "E-2", "e.1", "e_1", "e1", "E-10", "a", "Z", "0", "e-1-1")
RULES: Final = ("tell", "tell-why", "tell:a", "tella", "answer-candidate", "keep-in-touch", "keepin", "z9")
OWNERS: Final = ("r-1", "r-2", "r-3", "R-1", None)
OUTCOMES: Final = ("open", "open", "overdue", "met", "dropped", "excused")


@dataclass(frozen=True)
class Promised:
    """One promise as a test thinks of it."""

    engagement: str
    rule: str = "keep-in-touch"
    owner: str | None = "r-1"
    outcome: str = "open"
    level: int = 0
    due_at: datetime = NOW
    subject: str = "engagement"
    next_at: datetime | None = None
    obligation_id: UUID = field(default_factory=lambda: UUID(int=Random().getrandbits(128)))


def at_random(seed: int, count: int) -> list[Promised]:
    """Make promises that are alike in much, so that everything they are ordered by decides somewhere."""
    random = Random(seed)
    moments = [NOW + timedelta(microseconds=each) for each in (0, 1, 10**6, 86400 * 10**6)]
    return [
        Promised(
            engagement=random.choice(ENGAGEMENTS),
            rule=random.choice(RULES),
            owner=random.choice(OWNERS),
            outcome=random.choice(OUTCOMES),
            level=random.choice((0, 0, 1, 2, 3)),
            due_at=random.choice(moments),
            obligation_id=UUID(int=random.getrandbits(128)),
        )
        for _ in range(count)
    ]


async def put(connection: Any, agency: str, promised: Sequence[Promised]) -> None:
    """Put an agency's promises and their engagements into the tables."""
    await _copy(
        connection,
        "board",
        "agency stream engagement candidate_id stage moves team level version position decided_at"
        " open_obligations overdue_obligations attempts_since_contact live_submissions",
        (
            (
                agency,
                f"engagement:{each}",
                each,
                f"c-{each}",
                "intake",
                "active",
                [],
                0,
                1,
                1,
                NOW,
                1,
                0,
                0,
                0,
            )
            for each in sorted({each.engagement for each in promised})
        ),
    )
    await _copy(
        connection,
        "obligations",
        "agency stream obligation_id rule subject kind mode owner_role awaits outcome stage owner since"
        " opened_at due_at moves level raised opening_position opening_event steps_ahead next_at"
        " next_rung next_do next_level next_to",
        (
            (
                *(
                    agency,
                    f"engagement:{each.engagement}",
                    each.obligation_id,
                    each.rule,
                    each.subject,
                    "duty",
                ),
                *("enforce", "candidate-owner", "recruiter", each.outcome, "intake", each.owner, NOW, NOW),
                *(each.due_at, 0, each.level, [], 1, each.obligation_id, 0),
                *(each.next_at, *((None,) * 4 if each.next_at is None else (1, "remind", 0, "owner"))),
            )
            for each in promised
        ),
    )


async def _copy(connection: Any, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    await connection.copy_records_to_table(
        table, schema_name="rapport_read", columns=columns.split(), records=list(rows)
    )
